"""The series an engine holds: how many there may be, and which of them has to go.

A series is held from its first sample on, also while it is idle, so that what was known
before a flood of new names keeps working. Knows no slots but the last one of a gauge,
which is its memory for deltas.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import NamedTuple

from relay.rollup.series import Series
from relay.rollup.slot import GaugeSlot
from relay.statsd.sample import Tags

__all__ = ["Held", "HeldSeries", "Identity", "Named"]

Identity = tuple[str, str, Tags]
"""What StatsD tells series apart by: a kind's word, a name, tags.

Nothing but text, so that garbage collection stops looking at it.
"""


class Named(NamedTuple):
    """A series, and what StatsD tells it apart by."""

    identity: Identity
    series: Series


class Held(NamedTuple):
    """What is remembered of a series; a value, so that all of them can be saved.

    ``seen`` is the period in which it was seen last, ``turn`` grows with each that is
    seen in a new one. ``gauge`` is a gauge's latest slot, of ``gauge_period``.
    """

    named: Named
    seen: int
    turn: int
    gauge: GaugeSlot | None
    gauge_period: int

    @property
    def last(self) -> float:
        """What a gauge was last, 0 where nobody knows."""
        return 0.0 if self.gauge is None else self.gauge.last


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
        self._turn = 0

    def __len__(self) -> int:
        return len(self._held)

    def get(self, identity: Identity) -> Held | None:
        return self._held.get(identity)

    def see(self, held: Held, period: int) -> Held:
        """Note that ``held`` has a sample in ``period``; late ones make nothing older."""
        named, seen, _, gauge, gauge_period = held
        if period <= seen:
            return held
        self._turn += 1
        now = Held(named, period, self._turn, gauge, gauge_period)
        self._held[named.identity] = now
        self._held.move_to_end(named.identity)
        return now

    def remember(self, held: Held, slot: GaugeSlot, period: int) -> None:
        """Let ``slot`` be the memory, unless that of a later period already is."""
        named, seen, turn, gauge, gauge_period = held
        if gauge is slot or (gauge is not None and period < gauge_period):
            return
        self._held[named.identity] = Held(named, seen, turn, slot, period)

    def has_room(self, now: int) -> bool:
        """Whether a new series finds a place; ``now`` is the period that is open."""
        return len(self._held) < self._limit or self._make_room(now)

    def admit(self, identity: Identity, series: Series, period: int) -> Held:
        """Hold a new series, for which there is room, from ``period`` on."""
        self._turn += 1
        held = Held(Named(identity, series), period, self._turn, None, period)
        self._held[identity] = held
        return held

    def all(self) -> list[Held]:
        """All of them, in no order: that of time takes fifty times as long to walk."""
        return list(dict.values(self._held))

    def restore(self, some: Iterable[Held]) -> None:
        """Hold these and no others; where there are too many, the longest unseen go."""
        self._held.clear()
        ordered = sorted(some, key=lambda held: held.turn)
        for held in ordered[-self._limit :] if self._limit else ():
            self._held[held.named.identity] = held
            self._turn = held.turn

    def _make_room(self, now: int) -> bool:
        if not self.idle_ttl or not self._held:
            return False
        if now - next(iter(self._held.values())).seen <= self.idle_ttl:
            return False
        _, gone = self._held.popitem(last=False)
        self._released(gone.named.series)
        return True
