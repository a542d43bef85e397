"""Series that are held: found by what StatsD tells them apart by, in the order they were seen.

Who may be held, and who has to go, is not known here. The native engine has a roster of
its own, that takes less room; this one says what it has to do.
"""

from collections import OrderedDict
from typing import NamedTuple, Protocol

from relay.rollup.series import Series
from relay.rollup.slot import GaugeBase, Slot
from relay.statsd.sample import Kind, Tags

__all__ = ["Held", "Identity", "Kept", "PythonRoster", "Roster", "identity_of"]

Identity = tuple[str, str, Tags]
"""What StatsD tells series apart by: a kind's word, a name, tags.

Nothing but text, so that garbage collection stops looking at it.
"""


def identity_of(series: Series) -> Identity:
    kind, name, tags, _, _ = series
    return _WORDS[kind], name, tags


_WORDS = {kind: kind.value for kind in Kind}
"""As ``value``, which is a call of Python's for each look-up."""


class Held(Protocol):
    """What is remembered of a series; a value, so that all of them can be saved.

    ``seen`` is the period in which it was seen last, ``turn`` grows with each that is
    seen in a new one. ``gauge`` is a gauge's latest slot, of ``gauge_period``.
    """

    @property
    def series(self) -> Series: ...
    @property
    def seen(self) -> int: ...
    @property
    def turn(self) -> int: ...
    @property
    def gauge(self) -> GaugeBase | None: ...
    @property
    def gauge_period(self) -> int: ...
    @property
    def last(self) -> float:
        """What a gauge was last, 0 where nobody knows."""
        ...


class Roster(Protocol):
    """Those that are held, from the longest unseen to the one seen last."""

    def __len__(self) -> int: ...

    def get(self, kind: Kind, name: str, tags: Tags, /) -> Held | None: ...

    def of(self, series: Series, /) -> Held | None:
        """What is held for just this object, and no other that came in its place."""
        ...

    def add(
        self,
        series: Series,
        seen: int,
        gauge: GaugeBase | None = None,
        gauge_period: int = 0,
        /,
    ) -> Held:
        """Hold a series that is not held, as the one seen last."""
        ...

    def renew(
        self, held: Held, seen: int, gauge: GaugeBase | None, gauge_period: int, /
    ) -> Held:
        """Have another in the place of ``held``; as the last one if it was seen since."""
        ...

    def see_again(self, series: Series, slot: Slot, period: int, /) -> bool:
        """Note that ``slot`` has a value of ``period``; late ones make nothing older.

        False, with nothing noted, where just this series is not held.
        """
        ...

    def remove(self, held: Held, /) -> None: ...

    def oldest(self) -> Held | None: ...

    def all(self) -> list[Held]:
        """All of them, in no order."""
        ...

    def as_added(self) -> list[Held]:
        """All of them, in the order in which they were added, whenever they were seen."""
        ...

    def clear(self) -> None: ...


class Kept(NamedTuple):
    """A ``Held`` of Python's."""

    series: Series
    seen: int
    turn: int
    gauge: GaugeBase | None
    gauge_period: int

    @property
    def last(self) -> float:
        return 0.0 if self.gauge is None else self.gauge.last


_new = tuple.__new__
"""Makes a ``Kept`` of a tuple, in two thirds of the time that its own call takes."""


class PythonRoster:
    """A dict that keeps them in order."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Identity, Kept] = OrderedDict()
        self._turn = 0

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, kind: Kind, name: str, tags: Tags, /) -> Kept | None:
        return self._kept.get((kind.value, name, tags))

    def of(self, series: Series, /) -> Kept | None:
        kept = self._kept.get(identity_of(series))
        return kept if kept is not None and kept.series is series else None

    def add(
        self,
        series: Series,
        seen: int,
        gauge: GaugeBase | None = None,
        gauge_period: int = 0,
        /,
    ) -> Kept:
        self._turn += 1
        kept = Kept(series, seen, self._turn, gauge, gauge_period)
        self._kept[identity_of(series)] = kept
        return kept

    def renew(
        self, held: Held, seen: int, gauge: GaugeBase | None, gauge_period: int, /
    ) -> Kept:
        identity, turn = identity_of(held.series), held.turn
        is_seen = seen > held.seen
        if is_seen:
            self._turn = turn = self._turn + 1
        now = Kept(held.series, seen, turn, gauge, gauge_period)
        self._kept[identity] = now
        if is_seen:
            self._kept.move_to_end(identity)
        return now

    def see_again(self, series: Series, slot: Slot, period: int, /) -> bool:
        identity = identity_of(series)
        kept = self._kept.get(identity)
        if kept is None or kept.series is not series:
            return False
        _, seen, turn, gauge, gauge_period = kept
        if isinstance(slot, GaugeBase) and (gauge is None or period >= gauge_period):
            gauge, gauge_period = slot, period
        elif period <= seen:
            return True
        if period > seen:
            self._turn = turn = self._turn + 1
            seen = period
            self._kept.move_to_end(identity)
        self._kept[identity] = _new(Kept, (series, seen, turn, gauge, gauge_period))
        return True

    def remove(self, held: Held, /) -> None:
        del self._kept[identity_of(held.series)]

    def oldest(self) -> Kept | None:
        return next(iter(self._kept.values()), None)

    def all(self) -> list[Held]:
        """That of time takes fifty times as long to walk."""
        return self.as_added()

    def as_added(self) -> list[Held]:
        return [*dict.values(self._kept)]

    def clear(self) -> None:
        self._kept.clear()
