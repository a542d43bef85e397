"""Which spellings are known, and for how long.

Those of the hot path point at slots that it may write to. When a period begins, or when
the slots are saved as they are, it starts with none; the older ones then help to learn
them again without asking the grammar. A spelling is in one place only.
"""

from collections.abc import Sequence

from relay.rollup.counter import Step
from relay.rollup.lane import Lane
from relay.rollup.series import Series
from relay.rollup.slot import Slot
from relay.rollup.spelling import Spelled, Spellings, Why
from relay.statsd.sample import Kind

__all__ = ["Vocabulary"]


class Vocabulary:
    """At most ``most`` spellings of a period, and those of the one before."""

    __slots__ = ("_before", "_kept", "_most", "_paused", "_spare", "learned")

    def __init__(self, most: int) -> None:
        self._most = self._spare = most
        self.learned = Spellings()
        self._paused: list[Spellings] = []
        self._kept = 0  # in the paused ones
        self._before: list[Spellings] = []

    def turn(self) -> Sequence[Spellings]:
        """A period begins. What was not used in a whole one is given back, to be drained."""
        leftovers = self._before
        self._before = [self.learned, *self._paused]
        self.learned, self._paused, self._kept = Spellings(), [], 0
        self._spare = self._most
        return leftovers

    def pause(self) -> None:
        """The slots that were learned must not be written to any more."""
        learned = [self.learned, *self._paused]
        self._paused = [spellings for spellings in learned if spellings]
        self._kept = sum(map(len, self._paused))
        self.learned = Spellings()
        self._spare = 0

    def recall(self, spelled: Spelled) -> tuple[int, float, Series] | None:
        """The code, the weight and the series of an older spelling; forgotten there."""
        for spellings in self._paused:
            known = spellings.recall(spelled)
            if known is not None:
                self._kept -= 1
                return known
        for spellings in self._before:
            known = spellings.recall(spelled)
            if known is not None:
                return known
        return None

    def recall_step(self, line: bytes) -> Step | None:
        """A step of the period before, if there is room to learn it; forgotten there."""
        if self._has_room():
            for spellings in self._before:
                step = spellings.steps.pop(line, None)
                if step is not None:
                    return step
        return None

    def recall_lane(self, spelled: Spelled) -> Lane | None:
        """A lane of the period before, if there is room to learn it; forgotten there."""
        if self._has_room():
            for spellings in self._before:
                lane = spellings.recall_lane(spelled)
                if lane is not None:
                    return lane
        return None

    def learn(
        self, spelled: Spelled, weight: float, slot: Slot, series: Series
    ) -> None:
        """Recognise ``spelled`` from now on, if there is room."""
        if self._has_room():
            self.learned.learn(spelled, series.kind, weight, slot, series)

    def ignore(
        self, spelled: Spelled, kind: Kind, why: Why, counts: dict[Why, int]
    ) -> None:
        """Recognise ``spelled`` as something nobody wants, if there is room."""
        if self._has_room():
            self.learned.ignore(spelled, kind, why, counts)

    def _has_room(self) -> bool:
        """Whether one more may be learned; who asks learns one at most.

        They are counted only when there may be none left.
        """
        if self._spare <= 0:
            self._spare = self._most - self._kept - len(self.learned)
        self._spare -= 1
        return self._spare >= 0
