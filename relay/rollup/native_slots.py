"""Slots of the native engine: the same as in slot.py and timer.py, over C numbers.

The native hot path writes to them under the table's lock, without the GIL.
"""

from collections.abc import Sequence

from relay.rollup._native import Counter, Gauge, Lane, Members, Set, Timer
from relay.rollup.adding import SlotTypes
from relay.rollup.slot import CounterBase, GaugeBase, SetBase
from relay.rollup.timer import TimerBase

__all__ = ["NATIVE_SLOTS"]


class NativeCounter(Counter, CounterBase):
    """Two doubles."""

    __slots__ = ()


class NativeGauge(Gauge, GaugeBase):
    """Four doubles and a count."""

    __slots__ = ()

    def __init__(self) -> None:
        """As C makes it: extremes that any value is beyond."""


class NativeTimer(Timer, TimerBase):
    """Lanes are arrays of doubles; ``room`` is C's."""

    __slots__ = ("_exact", "bins", "lanes", "settled", "strays")
    _lane = Lane

    def _summed(self, lane: list[float]) -> tuple[float, float, float]:
        return lane.figures() if isinstance(lane, Lane) else super()._summed(lane)

    def _sorted(self, lane: list[float]) -> Sequence[float]:
        return lane.sorted() if isinstance(lane, Lane) else super()._sorted(lane)


class NativeSet(Set, SetBase):
    """Members are in a table of C's; ``most`` is too."""

    __slots__ = ("_exact", "members", "sketch")
    _empty = Members


NATIVE_SLOTS = SlotTypes(NativeCounter, NativeGauge, NativeTimer, NativeSet)
