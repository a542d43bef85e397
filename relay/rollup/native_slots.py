"""Slots of the native engine: the same as in slot.py and timer.py, over C numbers.

The native hot path writes to them under the table's lock, without the GIL.
"""

import math
from collections.abc import Iterator, Sequence
from typing import cast

from relay.rollup._native import Bins as BinsInC
from relay.rollup._native import Counter, Gauge, Lane, Members, Set, Timer
from relay.rollup.adding import SlotTypes
from relay.rollup.bins import PER_LOG_GAMMA, Bins
from relay.rollup.columns import PartReader, PartWriter
from relay.rollup.distinct import HyperLogLog
from relay.rollup.slot import CounterBase, GaugeBase, SetBase
from relay.rollup.timer import Figures, TimerBase, folded_room

__all__ = ["NATIVE_SLOTS"]


class NativeCounter(Counter, CounterBase):
    """Two doubles."""

    __slots__ = ()

    def __init__(self, total: float = 0.0, count: float = 0.0) -> None:
        self.total, self.count = total, count

    def add(self, value: float, weight: float) -> bool:
        total, count = self.total + value * weight, self.count + weight
        if not (math.isfinite(total) and math.isfinite(count)):
            return False
        self.total, self.count = total, count
        return True


class NativeGauge(Gauge, GaugeBase):
    """Four doubles and a count."""

    __slots__ = ()


class NativeBins(BinsInC):
    """``Bins`` that are filled in C; all else is done by one of those with the same bins."""

    __slots__ = ()

    def __init__(self) -> None:
        self.per_log_gamma = PER_LOG_GAMMA

    def absorb(self, other: "Bins | NativeBins") -> None:
        """Add what ``other`` holds; it stays as it is."""
        plain = other if isinstance(other, Bins) else other.plain()
        for is_negative, index, weight in plain.cells():
            self.put(is_negative, index, weight)
        self.zero += plain.zero

    def copy(self) -> "NativeBins":
        return self.of(self.plain())

    def save(self, part: PartWriter) -> None:
        self.plain().save(part)

    @classmethod
    def load(cls, part: PartReader) -> "NativeBins":
        return cls.of(Bins.load(part))

    def ascending(self) -> Iterator[tuple[float, float]]:
        return self.plain().ascending()

    def plain(self) -> Bins:
        """The same bins, in Python."""
        return Bins.of_rows(*self.rows())

    @classmethod
    def of(cls, plain: Bins) -> "NativeBins":
        """The same bins, in C."""
        bins = cls()
        bins.set_floors(*plain.floors())
        bins.absorb(plain)
        return bins


class NativeTimer(Timer, TimerBase):
    """Lanes are arrays of doubles; what was folded, and the room, are C's."""

    __slots__ = ("_exact", "strays")
    _lane = Lane
    _bins = cast(type[Bins], NativeBins)

    @property
    def settled(self) -> Figures:
        return Figures(self.weight, self.total, self.minimum, self.maximum)

    @settled.setter
    def settled(self, figures: Figures) -> None:
        self.weight, self.total, self.minimum, self.maximum = figures

    def __init__(self, exact: int) -> None:
        # All else is there: a timer is made for each series in each period.
        self._exact = exact
        self.room = exact + 1
        self.room_folded = folded_room(exact)
        self.strays = ()

    def lane(self, weight: float) -> list[float] | None:
        lane = self.lane_of(weight)
        return super().lane(weight) if lane is None else lane

    def _stray(self, value: float, weight: float) -> bool:
        self.has_strays = True
        return super()._stray(value, weight)

    def fold(self) -> None:
        super().fold()
        self.has_strays = False

    def absorb(self, part: TimerBase) -> None:
        if isinstance(part, Timer) and self.absorb_lanes(part):
            return
        self.has_strays = self.has_strays or bool(part.strays)
        super().absorb(part)

    def copy(self) -> "NativeTimer":
        same = cast(NativeTimer, super().copy())
        same.has_strays = self.has_strays
        return same

    @classmethod
    def load(cls, part: PartReader, exact: int) -> "NativeTimer":
        slot = super().load(part, exact)
        slot.has_strays = bool(slot.strays)
        return slot

    @staticmethod
    def _clear(lane: list[float]) -> None:
        lane.clear()

    def _figures(self) -> Figures:
        return Figures(*self.figures())

    def _sorted(self, lane: list[float]) -> Sequence[float]:
        return cast(Lane, lane).sorted()


class NativeSet(Set, SetBase):
    """Members are in a table of C's, and it writes to the registers of the sketch."""

    __slots__ = ("_exact", "_sketch", "members")
    _empty = Members

    @property
    def sketch(self) -> HyperLogLog | None:
        return self._sketch

    @sketch.setter
    def sketch(self, sketch: HyperLogLog | None) -> None:
        self._sketch = sketch
        self.registers = None if sketch is None else sketch.registers


NATIVE_SLOTS = SlotTypes(NativeCounter, NativeGauge, NativeTimer, NativeSet)
