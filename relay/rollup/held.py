"""The series an engine holds: how many there may be, and which of them has to go.

A series is held from its first sample on, also while it is idle, so that what was known
before a flood of new names keeps working. Knows no slots but the last one of a gauge,
which is its memory for deltas.
"""

from collections import OrderedDict
from collections.abc import Callable

from relay.rollup.series import Series
from relay.rollup.slot import GaugeSlot
from relay.statsd.sample import Tags

__all__ = ["Held", "HeldSeries", "Identity"]

Identity = tuple[str, str, Tags]
"""What StatsD tells series apart by: a kind's word, a name, tags.

Nothing but text, so that garbage collection stops looking at it.
"""


class Held:
    """A series, the period in which it was seen last, and a gauge's latest slot."""

    __slots__ = ("_gauge", "_gauge_period", "identity", "seen", "series")

    def __init__(self, identity: Identity, series: Series, period: int) -> None:
        self.identity = identity
        self.series = series
        self.seen = period
        self._gauge: GaugeSlot | None = None
        self._gauge_period = period

    @property
    def last(self) -> float:
        """What a gauge was last, 0 where nobody knows."""
        return 0.0 if self._gauge is None else self._gauge.last

    def remember(self, slot: GaugeSlot, period: int) -> None:
        """Let ``slot`` be the memory, unless that of a later period already is."""
        if self._gauge is None or period >= self._gauge_period:
            self._gauge, self._gauge_period = slot, period


class HeldSeries:
    """At most ``limit`` series, the longest unseen ones first.

    One that has been idle for longer than ``idle_ttl`` seconds (0: never) gives way
    where a new one needs its place; ``released`` is told of it.
    """

    def __init__(
        self, limit: int, idle_ttl: int, released: Callable[[Series], None]
    ) -> None:
        self._released = released
        self._limit = limit
        self.idle_ttl = idle_ttl
        self._held: OrderedDict[Identity, Held] = OrderedDict()

    def __len__(self) -> int:
        return len(self._held)

    def get(self, identity: Identity) -> Held | None:
        return self._held.get(identity)

    def see(self, held: Held, period: int) -> None:
        """Note that ``held`` has a sample in ``period``; late ones make nothing older."""
        if period > held.seen:
            held.seen = period
            self._held.move_to_end(held.identity)

    def has_room(self, now: int) -> bool:
        """Whether a new series finds a place; ``now`` is the period that is open."""
        return len(self._held) < self._limit or self._make_room(now)

    def admit(self, identity: Identity, series: Series, period: int) -> Held:
        """Hold a new series, for which there is room, from ``period`` on."""
        held = self._held[identity] = Held(identity, series, period)
        return held

    def _make_room(self, now: int) -> bool:
        if not self.idle_ttl or not self._held:
            return False
        if now - next(iter(self._held.values())).seen <= self.idle_ttl:
            return False
        _, gone = self._held.popitem(last=False)
        self._released(gone.series)
        return True
