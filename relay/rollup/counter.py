"""Counters of the engine in Python: most of their lines only ever come again.

``stage.checkout.errors:1|c`` adds one each time. How often it came is counted at the
line, which touches a single object; what that amounts to is worked out when somebody
looks. Adding n times 1 is adding n, in whatever order, as long as all that is added is
whole: so the lines are added up and forgotten before the first fraction, and both ways
give the same to the last bit.
"""

import math
from collections.abc import Sequence
from weakref import ref

from relay.rollup.finite import clamp
from relay.rollup.series import Series
from relay.rollup.slot import CounterBase
from relay.rollup.summary import CounterSummary

__all__ = ["SMALL", "CounterSlot", "Step", "Steps"]

SMALL = 2.0**32
"""Whole numbers below it add up exactly as long as there are less than 2**20 of them."""

_SUM = 2.0**52
"""Nor may the sum so far be larger, so that there is room for what comes."""

_STEPS = 8
"""Of a counter. A rule may make one of the lines of thousands of senders."""


class Steps(dict[bytes, "Step"]):
    """Steps by their lines."""

    __slots__ = ("__weakref__", "itself")

    def __init__(self) -> None:
        super().__init__()
        self.itself = ref(self)  # one for all steps, which are in here


class Step:
    """A line that adds the same each time, and how often it ``came``.

    It stands in ``home`` by its ``line``. ``other`` is one more of the same counter. CPython
    lays slots out by the alphabet: ``came`` comes first and shares the line of the cache that
    whoever looks a step up has touched already.
    """

    __slots__ = ("came", "home", "line", "number", "other", "series", "weight")

    def __init__(
        self,
        line: bytes,
        home: Steps,
        number: float,
        weight: float,
        series: Series,
    ) -> None:
        self.line, self.home = line, home.itself
        self.number, self.weight = number, weight
        self.series = series
        self.other: Step | None = None
        self.came = 0


class CounterSlot(CounterBase):
    """``added`` and ``counted`` are the sums of what came in another way than by ``steps``.

    To read ``total`` and ``count`` changes nothing, so that any thread may.
    """

    __slots__ = ("added", "counted", "steps")

    def __init__(self, total: float = 0.0, count: float = 0.0) -> None:
        self.added, self.counted = total, count
        self.steps: Step | None = None

    @property
    def total(self) -> float:
        return self.sums()[0]

    @property
    def count(self) -> float:
        return self.sums()[1]

    def sums(self) -> tuple[float, float]:
        """Total and count."""
        total, count, step = self.added, self.counted, self.steps
        while step is not None:
            total += step.came * step.number
            count += step.came * step.weight
            step = step.other
        return total, count

    def summary(self, percentages: Sequence[int]) -> CounterSummary:  # noqa: ARG002
        return CounterSummary(*self.sums())

    def learn(
        self,
        line: bytes,
        home: Steps,
        number: float,
        weight: float,
        series: Series,
    ) -> Step | None:
        """Have ``line`` counted in ``home``; None where that would not be exact."""
        step, room = self.steps, _STEPS
        while step is not None:
            if step.line == line:  # it was there before the slots were saved
                step.home, home[line] = home.itself, step
                return step
            step, room = step.other, room - 1
        added, counted = self.added, self.counted
        if not (
            room
            and weight < SMALL
            and -_SUM < added < _SUM
            and counted < _SUM
            and weight.is_integer()
            and added.is_integer()
            and counted.is_integer()
        ):
            return None
        step = Step(line, home, number, weight, series)
        step.other = self.steps
        self.steps = home[line] = step
        return step

    def unlearn(self) -> None:
        """Add the steps up and forget them."""
        self.added, self.counted = self.sums()
        while self.steps is not None:
            home = self.steps.home()
            if home is not None:
                home.pop(self.steps.line, None)
            self.steps = self.steps.other

    def add(self, value: float, weight: float) -> bool:
        number = value * weight
        if self.steps and not (_is_whole(number, SMALL) and _is_whole(weight, SMALL)):
            self.unlearn()
        total, count = self.added + number, self.counted + weight
        if not (math.isfinite(total) and math.isfinite(count)):
            return False
        self.added, self.counted = total, count
        return True

    def copy(self) -> "CounterSlot":
        return CounterSlot(*self.sums())

    def absorb(self, other: "CounterSlot") -> None:
        (total, count), (more, many) = self.sums(), other.sums()
        self.steps = None  # their lines came in a period that is over
        self.added, self.counted = clamp(total + more), clamp(count + many)


def _is_whole(number: float, below: float) -> bool:
    return -below < number < below and float(number).is_integer()
