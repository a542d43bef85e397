"""How each kind accumulates within a period: counters, gauges, sets.

Timers are in timer.py, counters and gauges of the engine in Python in counter.py and
gauge.py. What a slot does is in a base without storage, so that the native engine can keep
the same fields as plain numbers (native_slots.py). A slot belongs to one thread while its
period is open; sealed, nothing writes to it any more and any thread may read, merge and
summarise it.

``add`` takes one value of a sample and is False, with nothing changed, where a sum would
leave the finite numbers. The engine's hot path writes to the fields itself, with values
and weights that are safe, for which no test is needed (finite.py).
"""

import math
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, ClassVar, Protocol, Self

from relay.rollup.columns import PartReader, PartWriter
from relay.rollup.distinct import HyperLogLog
from relay.rollup.finite import clamp, clamped_mean
from relay.rollup.summary import CounterSummary, GaugeSummary, SetSummary, Summary

__all__ = [
    "MEMBER_BYTES",
    "NO_STORAGE",
    "CounterBase",
    "GaugeBase",
    "GaugeFigures",
    "SetBase",
    "SetSlot",
    "Slot",
]


NO_STORAGE: tuple[str, ...] = ()
"""Slots of a base: the classes that derive from it say where its fields are."""


class Slot(Protocol):
    """What all slots can do; of each kind of series there is one kind of slot."""

    def add(self, value: Any, weight: float, /) -> bool:
        """Take a value; ``weight`` is 1/rate, maybe infinite."""
        ...

    def merged(self, other: Any, /) -> "Slot":
        """A new slot with what both hold; ``other``, of the same kind, came later."""
        ...

    def absorb(self, other: Any, /) -> None:
        """Hold what ``other``, of the same kind, holds as well; it came later."""
        ...

    def copy(self) -> "Slot":
        """One that goes on from here and leaves this one as it is."""
        ...

    def save(self, part: PartWriter, /) -> None:
        """Append all of it; the class's ``load`` takes it back, equal in every bit."""
        ...

    def summary(self, percentages: Sequence[int], /) -> Summary:
        """Of at least one value; ``percentages`` ascend."""
        ...


class CounterBase:
    """Σ value/rate and Σ 1/rate, added up in the order of arrival as the reference does.

    What raises NotImplementedError each engine has in its own way: one in fields of C, the
    other partly in lines that it counts. No ABC, since to ask ``isinstance`` of one is slow.
    """

    __slots__ = NO_STORAGE

    def __init__(self, total: float = 0.0, count: float = 0.0) -> None:
        raise NotImplementedError

    @property
    def total(self) -> float:
        raise NotImplementedError

    @property
    def count(self) -> float:
        raise NotImplementedError

    def add(self, value: float, weight: float) -> bool:
        raise NotImplementedError

    def absorb(self, other: Any) -> None:
        raise NotImplementedError

    def merged(self, other: "CounterBase") -> "CounterBase":
        both = self.copy()
        both.absorb(other)
        return both

    def copy(self) -> "CounterBase":
        return type(self)(self.total, self.count)

    def save(self, part: PartWriter) -> None:
        part.real.extend((self.total, self.count))

    @classmethod
    def load(cls, part: PartReader) -> Self:
        return cls(part.real(), part.real())

    def summary(self, percentages: Sequence[int]) -> CounterSummary:  # noqa: ARG002
        return CounterSummary(self.total, self.count)


GaugeFigures = tuple[float, float, int, float, float]
"""Last, total, count, minimum, maximum."""


class GaugeBase:
    """The values a gauge took; ``last`` means nothing before the first of them."""

    __slots__ = NO_STORAGE
    last: float
    total: float
    count: int
    minimum: float
    maximum: float

    def __init__(self) -> None:
        self.last = 0.0
        self.total = 0.0
        self.count = 0
        self.minimum = math.inf
        self.maximum = -math.inf

    def take(self, value: float) -> None:
        """Take a value that is known to keep Σ finite."""
        self.last = value
        self.total += value
        self.count += 1
        if value < self.minimum:  # noqa: PLR1730 - half the cost of min(), on the hot path
            self.minimum = value
        if value > self.maximum:  # noqa: PLR1730 - likewise
            self.maximum = value

    def add(self, value: float, _weight: float) -> bool:
        if not math.isfinite(value):
            return False
        self.take(value)
        # A gauge is set, not added to: only its mean suffers where the sum has no room.
        self.total = clamp(self.total)
        return True

    def shift(self, delta: float, last: float) -> bool:
        """Take what it was, ``last`` before its first value, and ``delta`` more."""
        return self.add((self.last if self.count else last) + delta, 1.0)

    def figures(self) -> GaugeFigures:
        """All that it holds; to ask for it changes nothing."""
        return self.last, self.total, self.count, self.minimum, self.maximum

    def put(self, figures: GaugeFigures) -> None:
        """Hold that instead."""
        self.last, self.total, self.count, self.minimum, self.maximum = figures

    def merged(self, other: "GaugeBase") -> "GaugeBase":
        both = self.copy()
        both.absorb(other)
        return both

    def absorb(self, other: "GaugeBase") -> None:
        last, total, count, minimum, maximum = other.figures()
        self.last = last
        self.total = clamp(self.total + total)
        self.count += count
        self.minimum = min(self.minimum, minimum)
        self.maximum = max(self.maximum, maximum)

    def copy(self) -> "GaugeBase":
        same = type(self)()
        same.put(self.figures())
        return same

    def save(self, part: PartWriter) -> None:
        last, total, count, minimum, maximum = self.figures()
        part.real.extend((last, total, minimum, maximum))
        part.whole.append(count)

    @classmethod
    def load(cls, part: PartReader) -> Self:
        slot = cls()
        slot.last, slot.total, slot.minimum, slot.maximum = part.reals(4)
        slot.count = part.whole()
        return slot

    def summary(self, percentages: Sequence[int]) -> GaugeSummary:  # noqa: ARG002
        last, total, count, minimum, maximum = self.figures()
        mean = clamped_mean(total, count, minimum, maximum)
        return GaugeSummary(last, mean, minimum, maximum, count)


MEMBER_BYTES = 64
"""Members longer than this are kept as a digest, so that none costs more."""


_UNFOLDED = 128
"""Members that wait beyond the limit of exact ones: more would outweigh the sketch."""


class SetBase:
    """Distinct members: themselves up to ``exact`` of them, then HyperLogLog.

    Beyond that ``members`` holds those that have not been folded in yet. ``most`` is how
    many it may hold now.
    """

    __slots__ = NO_STORAGE
    _exact: int
    most: int
    sketch: HyperLogLog | None
    members: set[bytes]
    _empty: ClassVar[type[set[bytes]]] = set

    def __init__(self, exact: int) -> None:
        self._exact = self.most = exact
        self.sketch = None
        self.members = self._empty()

    def add(self, value: str, _weight: float) -> bool:
        member = value.encode()
        if len(member) > MEMBER_BYTES:
            member = blake2b(member, digest_size=MEMBER_BYTES).digest()
        self.members.add(member)
        self.trim()
        return True

    def trim(self) -> None:
        """To be called after a member was added."""
        if len(self.members) > self.most:
            self.sketch = self.sketch or HyperLogLog()
            self.sketch.add(self.members)
            self.members.clear()
            self.most = min(self._exact, _UNFOLDED)

    def merged(self, other: "SetBase") -> "SetBase":
        both = self.copy()
        both.absorb(other)
        return both

    def absorb(self, other: "SetBase") -> None:
        self.members.update(other.members)
        if other.sketch is not None:
            self.sketch = self.sketch or HyperLogLog()
            self.sketch.absorb(other.sketch)
            self.most = min(self._exact, _UNFOLDED)
        self.trim()

    def copy(self) -> "SetBase":
        same = type(self)(self._exact)
        same.members, same.most = self.members.copy(), self.most
        if self.sketch is not None:
            same.sketch = self.sketch.copy()
        return same

    def save(self, part: PartWriter) -> None:
        part.whole.append(len(self.members))
        part.whole.extend(map(len, self.members))
        part.raw += b"".join(self.members)
        part.whole.append(self.sketch is not None)
        if self.sketch is not None:
            self.sketch.save(part)

    @classmethod
    def load(cls, part: PartReader, exact: int) -> Self:
        """``exact`` may have changed meanwhile."""
        slot = cls(exact)
        slot.members.update(map(part.raw, part.wholes(part.whole())))
        if part.whole():
            slot.sketch = HyperLogLog.load(part)
            slot.most = min(exact, _UNFOLDED)
        slot.trim()
        return slot

    def summary(self, percentages: Sequence[int]) -> SetSummary:  # noqa: ARG002
        if self.sketch is None:
            return SetSummary(len(self.members))
        return SetSummary(self._estimator().estimate())

    def _estimator(self) -> HyperLogLog:
        """A sketch of all members; the slot stays as it is."""
        sketch = HyperLogLog()
        if self.sketch is not None:
            sketch.absorb(self.sketch)
        sketch.add(self.members)
        return sketch


class SetSlot(SetBase):
    """Members are kept in a set of Python's."""

    __slots__ = ("_exact", "members", "most", "sketch")
