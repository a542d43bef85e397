"""How timers, histograms and distributions accumulate within a period.

Samples are kept as they are up to a limit, beyond it in logarithmic bins; count, total
and extremes are exact always. Samples are kept by weight, one list each, so that adding
one is an append: the engine's hot path keeps that list and does it itself.
"""

import math
from collections.abc import Iterator, Sequence
from functools import reduce
from operator import add
from typing import ClassVar, NamedTuple, Self, cast

from relay.rollup.bins import Bins
from relay.rollup.columns import PartReader, PartWriter
from relay.rollup.finite import SAFE_VALUE, SAFE_WEIGHT, clamp, clamped_mean
from relay.rollup.lane import Lane, lane_with
from relay.rollup.rank import Percentiles, nearest_ranks, uniform_ranks
from relay.rollup.slot import NO_STORAGE
from relay.rollup.summary import TimerSummary

__all__ = ["Figures", "TimerBase", "TimerSlot", "folded_room"]

_MOST_LANES = 8

_UNFOLDED = 128
"""Samples that wait beyond the limit of exact ones; strays, at 110 bytes, are the worst."""


_SHARE = 128
"""Of what is left, for a lane at a time: numbers up to 256 Python makes only once, so that
while a lane is short to compare its length finds them in the processor's caches."""


def folded_room(exact: int) -> int:
    """What ``room`` begins with where samples are in bins."""
    return min(exact, _UNFOLDED) + 1


class Figures(NamedTuple):
    """Of some samples: their weight, their weighted sum, the least and the most."""

    weight: float
    total: float
    minimum: float
    maximum: float


_NOTHING = Figures(0.0, 0.0, math.inf, -math.inf)


class TimerBase:
    """Weighted samples; ``exact`` is how many are kept as they are.

    A *lane* is the list of the samples of one weight, ``lanes`` are pairs of the two. A
    *stray* has a weight that got no lane, or a size at which sums have to be watched.
    ``room`` is how many more are kept before all go into bins; whoever appends to a lane
    takes one off it, and calls ``fold`` when that makes it 0.
    """

    __slots__ = NO_STORAGE
    _exact: int
    room: int
    lanes: tuple[tuple[float, list[float]], ...]
    strays: list[tuple[float, float]] | tuple[()]  # most have none
    bins: Bins | None
    settled: Figures
    _lane: ClassVar[type[list[float]]]
    _bins: ClassVar[type[Bins]] = Bins

    def __init__(self, exact: int) -> None:
        self._exact = exact
        self.room = exact + 1
        self.strays = ()
        self.bins = None
        # Of strays and of all that is in bins; lanes are added when somebody asks.
        self.settled = _NOTHING

    def lane(self, weight: float) -> list[float] | None:
        """Where samples of ``weight`` belong; None if they have to go through ``add``."""
        for known, lane in self.lanes:
            if known == weight:
                return lane
        if weight >= SAFE_WEIGHT or len(self.lanes) >= _MOST_LANES:
            return None
        lane = self._lane(())
        self.put_lane(weight, lane)
        return lane

    def put_lane(self, weight: float, lane: list[float]) -> None:
        """Have a lane for one more weight."""
        self.lanes = (*self.lanes, (weight, lane))

    def add(self, value: float, weight: float) -> bool:
        lane = self.lane(weight)
        if lane is not None and -SAFE_VALUE < value < SAFE_VALUE:
            lane.append(value)
        elif not self._stray(value, weight):
            return False
        self.grow(1)
        return True

    def _stray(self, value: float, weight: float) -> bool:
        count, total, minimum, maximum = self.settled
        count, total = count + weight, total + value * weight
        if not (math.isfinite(count) and math.isfinite(total)):
            return False
        self.settled = Figures(count, total, min(minimum, value), max(maximum, value))
        if isinstance(self.strays, list):
            self.strays.append((value, weight))
        else:
            self.strays = [(value, weight)]
        return True

    def grow(self, more: int) -> None:
        """That many more samples are kept: too many go into bins."""
        self.room -= more
        if self.room <= 0:
            self.fold()

    def fold(self) -> None:
        """Move all samples into bins; lanes stay the lists they are, emptied."""
        self.settled = self._figures()
        self.bins = self.bins or self._bins()
        self._pour(self.bins)
        for _, lane in self.lanes:
            self._clear(lane)
        self.strays = ()
        self.room = folded_room(self._exact)

    @staticmethod
    def _clear(lane: list[float]) -> None:
        del lane[:]

    def merged(self, other: "TimerBase") -> "TimerBase":
        both = type(self)(self._exact)
        both.absorb(self)
        both.absorb(other)
        return both

    def absorb(self, part: "TimerBase") -> None:
        """Add what ``part`` holds; it stays as it is."""
        for weight, samples in part.lanes:
            lane = self.lane(weight)
            if lane is None:
                for value in samples:
                    self._stray(value, weight)
            else:
                lane += samples
        if part.strays:
            self.strays = [*self.strays, *part.strays]
        mine, its = self.settled, part.settled
        self.settled = Figures(
            clamp(mine.weight + its.weight),
            clamp(mine.total + its.total),
            min(mine.minimum, its.minimum),
            max(mine.maximum, its.maximum),
        )
        if part.bins is not None:
            self.bins = self.bins or self._bins()
            self.bins.absorb(part.bins)
        if self.bins is None:
            self.grow(part.kept())
        else:
            self.fold()

    def copy(self) -> "TimerBase":
        same = type(self)(self._exact)
        same.room, same.settled = self.room, self.settled
        for weight, lane in self.lanes:
            same.put_lane(weight, self._lane(lane))
        same.strays = self.strays[:]
        if self.bins is not None:
            same.bins = self.bins.copy()
        return same

    def save(self, part: PartWriter) -> None:
        part.whole.append(len(self.lanes))
        for weight, lane in self.lanes:
            part.whole.append(len(lane))
            part.real.append(weight)
            part.real.extend(lane)
        part.whole.append(len(self.strays))
        for stray in self.strays:
            part.real.extend(stray)
        part.real.extend(self.settled)
        part.whole.append(self.bins is not None)
        if self.bins is not None:
            self.bins.save(part)

    @classmethod
    def load(cls, part: PartReader, exact: int) -> Self:
        """``exact`` may have changed meanwhile."""
        slot = cls(exact)
        for _ in range(part.whole()):
            weight = part.real()
            slot.put_lane(weight, cls._lane(part.reals(part.whole())))
        slot.strays = [(part.real(), part.real()) for _ in range(part.whole())]
        slot.settled = Figures(*part.reals(4))
        if part.whole():
            slot.bins = cls._bins.load(part)
            slot.room = folded_room(exact)
        slot.grow(slot.kept())
        return slot

    def kept(self) -> int:
        """How many samples are in lanes and strays."""
        return sum([len(lane) for _, lane in self.lanes]) + len(self.strays)

    def summary(self, percentages: Sequence[int]) -> TimerSummary:
        figures = self._figures()
        mean = clamped_mean(
            figures.total, figures.weight, figures.minimum, figures.maximum
        )
        return TimerSummary(
            figures.weight,
            figures.total,
            mean,
            figures.minimum,
            figures.maximum,
            self._percentiles(figures, percentages),
        )

    def _percentiles(self, figures: Figures, percentages: Sequence[int]) -> Percentiles:
        if self.bins is not None:
            found = nearest_ranks(
                self._binned().ascending(), figures.weight, percentages
            )
            low, high = figures.minimum, figures.maximum
            return tuple((each, clamp(value, low, high)) for each, value in found)
        if len(self.lanes) == 1 and not self.strays:
            [(weight, samples)] = self.lanes
            return uniform_ranks(self._sorted(samples), weight, percentages)
        return nearest_ranks(sorted(self._pairs()), figures.weight, percentages)

    def _sorted(self, lane: list[float]) -> Sequence[float]:
        """The samples of a lane, ascending."""
        return sorted(lane)

    def _pairs(self) -> Iterator[tuple[float, float]]:
        """Each kept sample with its weight."""
        for weight, samples in self.lanes:
            for value in samples:
                yield value, weight
        yield from self.strays

    def _figures(self) -> Figures:
        """Of everything taken, wherever it is.

        Plain addition in the order of arrival, as the reference does; sum() compensates
        from Python 3.12 on and would differ between versions.
        """
        count, total, minimum, maximum = self.settled
        for weight, samples in self.lanes:
            if samples:
                count += weight * len(samples)
                total += weight * reduce(add, samples)
                least, most = min(samples), max(samples)
                minimum, maximum = min(minimum, least), max(maximum, most)
        return Figures(count, total, minimum, maximum)

    def _binned(self) -> Bins:
        """All samples in bins of their own; the slot stays as it is."""
        bins = self._bins() if self.bins is None else self.bins.copy()
        self._pour(bins)
        return bins

    def _pour(self, bins: Bins) -> None:
        """Count the kept samples in ``bins``."""
        for weight, samples in self.lanes:
            bins.add(samples, weight)
        for value, weight in self.strays:
            bins.add((value,), weight)


class TimerSlot(TimerBase):
    """Lanes that the hot path knows grow unseen; ``room`` is as of the last look then.

    Each of them may grow by its share of what is left, so that however many there are the
    slot folds at the very sample that has no room.
    """

    __slots__ = ("_exact", "_known", "bins", "lanes", "room", "settled", "strays")
    _lane = cast(type[list[float]], staticmethod(lane_with))

    def __init__(self, exact: int) -> None:
        super().__init__(exact)
        self.lanes = ()
        self._known: tuple[Lane, ...] = ()

    def lane_of(self, weight: float) -> Lane | None:
        """``lane``, for a hot path that settles the slot when it is as long as it may be."""
        lane = cast(Lane | None, self.lane(weight))
        if lane is None:
            return None
        for known in self._known:
            if known is lane:
                return lane
        if self._known:
            self.room = self._room()
        self._known = (*self._known, lane)
        self._share_out()
        return lane

    def settle(self) -> bool:
        """Look at what has grown; whether that took long."""
        self.room = self._room()
        if self.room <= 0:
            self.fold()
            return True
        self._share_out()
        return False

    def _room(self) -> int:
        limit = self._exact + 1 if self.bins is None else folded_room(self._exact)
        return limit - self.kept()

    def _share_out(self) -> None:
        if self._known:
            share = min(max(1, self.room // len(self._known)), _SHARE)
            for lane in self._known:
                lane.most = len(lane) + share

    def grow(self, more: int) -> None:
        if self._known:
            self.settle()
        else:
            super().grow(more)

    def fold(self) -> None:
        super().fold()
        self._share_out()

    def copy(self) -> "TimerSlot":
        same = cast(TimerSlot, super().copy())
        same.room = self._room()
        return same
