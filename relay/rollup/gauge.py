"""Gauges of the engine in Python: what they took last is kept as it came.

To read one changes nothing, so that any thread may once nobody writes to it, and ``last`` at
any time. Whoever writes to it in another way than by its lane settles it first, so that
values stay in their order.
"""

from relay.rollup.lane import Lane, lane_with
from relay.rollup.slot import GaugeBase, GaugeFigures

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
            self._lane = lane_with()
            self._lane.most = _RECENT
        return self._lane

    def figures(self) -> GaugeFigures:
        last, total, count = self._last, self.total, self.count
        minimum, maximum = self.minimum, self.maximum
        if self._lane:
            for last in self._lane:
                total += last
                if last < minimum:  # noqa: PLR1730 - half the cost of min()
                    minimum = last
                if last > maximum:  # noqa: PLR1730 - likewise
                    maximum = last
            count += len(self._lane)
        return last, total, count, minimum, maximum

    def settle(self) -> bool:
        """Add up what waits; never takes long."""
        if self._lane:
            self.put(self.figures())
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
        super().absorb(other)
