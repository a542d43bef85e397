"""Gauges of the engine in Python: what they took last is kept as it came.

To read one changes nothing, so that any thread may. Whoever writes to it in another way
than by its lane settles it first, so that values stay in their order.
"""

from collections.abc import Sequence
from functools import reduce
from operator import add
from typing import cast

from relay.rollup.columns import PartWriter
from relay.rollup.lane import Lane
from relay.rollup.slot import GaugeBase
from relay.rollup.summary import GaugeSummary

__all__ = ["GaugeSlot"]

_RECENT = 16
"""Values that wait in a lane at most."""


class GaugeSlot(GaugeBase):
    """The figures are of what is settled; ``last`` is of the lane too."""

    __slots__ = ("_lane", "_last", "count", "maximum", "minimum", "total")

    def __init__(self) -> None:
        self._lane: Lane | None = None
        super().__init__()

    @property
    def last(self) -> float:
        """Also while another thread settles."""
        recent = self._lane[-1:] if self._lane else None
        return recent[0] if recent else self._last

    @last.setter
    def last(self, value: float) -> None:
        self._last = value

    def lane_of(self, _weight: float) -> Lane:
        """Where its values may be appended, whatever their weight."""
        if self._lane is None:
            self._lane = Lane("d")
            self._lane.most = _RECENT
        return self._lane

    def settle(self) -> bool:
        """Add up what waits; never takes long."""
        if self._lane:
            self._add_up(self._lane)
            del self._lane[:]
        return False

    def take(self, value: float) -> None:
        self.settle()
        super().take(value)

    def shift(self, delta: float, last: float) -> bool:
        self.settle()
        return super().shift(delta, last)

    def absorb(self, other: GaugeBase) -> None:
        self.settle()
        super().absorb(other.copy())

    def copy(self) -> "GaugeSlot":
        same = cast(GaugeSlot, super().copy())
        if self._lane:
            same._add_up(self._lane)  # noqa: SLF001 - of the same class
        return same

    def save(self, part: PartWriter) -> None:
        GaugeBase.save(self._settled(), part)

    def summary(self, percentages: Sequence[int]) -> GaugeSummary:
        return GaugeBase.summary(self._settled(), percentages)

    def _settled(self) -> "GaugeSlot":
        return self.copy() if self._lane else self

    def _add_up(self, values: Lane) -> None:
        """In the order of arrival."""
        self._last = values[-1]
        self.total = reduce(add, values, self.total)
        self.count += len(values)
        self.minimum = min(self.minimum, *values)
        self.maximum = max(self.maximum, *values)
