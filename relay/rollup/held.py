"""The series an engine holds: how many there may be, and which of them has to go.

A series is held from its first sample on, also while it is idle, so that what was known
before a flood of new names keeps working. New ones find no place where the limit is
reached, and in a flood: where in one *span*, which is a long period, as many have come
as were held before, and many at that. A crowd are those that came in a period in which
there was no place for all. There

- the longest unseen series gives way, if it has been idle for so long that it is silent;
- else one of a crowd gives way that was not seen since its period: the latest first, as
  that is most likely a name of the flood and no other. Those of earlier spans go first of
  all, also where there is room, so that a flood that goes on takes its own places. Of
  the present span so many go in a period and no more, since they still are part of the
  long period that is to be reported.

Knows no slots but the last one of a gauge, which is its memory for deltas.
"""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import NamedTuple

from relay.rollup.roster import Held, Identity, PythonRoster, Roster
from relay.rollup.series import Series
from relay.rollup.slot import GaugeBase
from relay.rollup.treatment import Rules
from relay.statsd.sample import Kind, Reason, Tags

__all__ = ["CHARACTERS_OF_ONE", "HeldSeries", "Turnover"]

CHARACTERS_OF_ONE = 256
"""A series with more in its name and tags counts as two, and so on; so the limit of
series is one of memory too."""

MANY = 10
"""One in so many of the new ones that may come in a span is many for a period."""

GIVING_WAY = 50
"""One in so many places may change hands in a period."""

LOOKS = 64
"""At those that may give way, before a line is refused; the next goes on from there."""


_Crowd = tuple[int, list[Series]]
"""A period, and who came in it."""


class Turnover(NamedTuple):
    """Who came in a crowd, and who left: see ``HeldSeries``.

    ``now`` is the period that is open, in which ``came`` came, ``in_span`` the number of
    its span; in ``crowds`` are those of earlier ones by period. ``leaving`` have been let go since a period, and still
    have their names.
    """

    now: int | None = None
    in_span: int | None = None
    newcomers: int = 0
    is_full: bool = False
    giving_way: int = 0
    came: Sequence[Series] = ()
    crowds: Sequence[tuple[int, Sequence[Series]]] = ()
    many: Sequence[tuple[int, Sequence[Series]]] = ()
    leaving: Sequence[tuple[int, Series]] = ()


class HeldSeries:
    """At most ``limit`` series, of one name at most ``limit_per_name`` (0: as many).

    In a ``span`` of seconds at most ``limit_of_new`` (0: as many as there are) are new,
    or as many as there were before it; at first there is no such limit.
    One that has been idle for longer than ``idle_ttl`` seconds (0: never) is silent,
    and so is a gauge ``gauge_life`` seconds (0: never) after the start of the period of
    its last value; it has no memory then.
    ``rules`` say more of how many are reported, and for how long.
    ``let_go`` is told of each that is held no longer, and ``released`` when another
    may have its name: ``apart`` seconds later, when no period is open that has both.
    Whoever knows a series may note in the ``roster`` that it is seen again.
    """

    def __init__(
        self,
        limit: int,
        idle_ttl: int,
        *,
        limit_per_name: int = 0,
        limit_of_new: int = 0,
        gauge_life: int = 0,
        span: int = 300,
        apart: int = 0,
        rules: Rules | None = None,
        roster: Callable[[], Roster] = PythonRoster,
        let_go: Callable[[Series], None] = lambda _: None,
        released: Callable[[Series], None] = lambda _: None,
    ) -> None:
        self._limit, self._limit_per_name = limit, limit_per_name
        self._limit_of_new, self._span = limit_of_new, span
        self.idle_ttl, self.gauge_life = idle_ttl, gauge_life
        self._apart = apart
        rules = rules or Rules()
        self._quota, self._treatments = rules.quota, rules.treatments
        self._tell_let_go, self._released = let_go, released
        self.roster = roster()
        self.get, self.of = self.roster.get, self.roster.of
        self._places = 0  # that are taken
        self._of_name: dict[str, OrderedDict[Series, None]] = {}
        self._leaving: deque[tuple[int, Series]] = deque()
        # Of the period that is open:
        self._now: int | None = None
        self._came: list[Series] = []
        self._giving_way = 0
        self._newcomers = limit  # that may yet come in this span
        self._in_span: int | None = None
        self._is_full = False  # somebody found no room
        self._is_shut = False  # and nobody will
        # Of earlier ones in which there was no room for all; the latest is the last.
        self._crowds: list[_Crowd] = []
        self._many: list[_Crowd] = []  # maybe part of one, of the same span

    def __len__(self) -> int:
        return len(self.roster)

    @property
    def came(self) -> int:
        """How many are new in the latest period that had new ones."""
        return len(self._came)

    def see(self, held: Held, period: int) -> Held:
        """Note that ``held`` has a sample in ``period``; late ones make nothing older."""
        if period <= held.seen:
            return held
        return self.roster.renew(held, period, held.gauge, held.gauge_period)

    def memory(self, held: Held, period: int) -> float:
        """What a delta in ``period`` is added to: a gauge's last value, 0 without one."""
        life = self.gauge_life
        return 0.0 if life and period - held.gauge_period >= life else held.last

    def moved_in(self, held: Held, period: int) -> int:
        """The period in which a delta of ``period`` counts: that of its memory, if later."""
        return period if held.gauge is None else max(period, held.gauge_period)

    def remember(self, held: Held, slot: GaugeBase, period: int) -> None:
        """Let ``slot`` be the memory, unless that of a later period already is."""
        gauge = held.gauge
        if gauge is slot or (gauge is not None and period < held.gauge_period):
            return
        self.roster.renew(held, held.seen, slot, period)

    def no_room(self, identity: Identity, now: int, priority: int = 0) -> Reason | None:
        """Why a new series finds no place; ``now`` is the period that is open."""
        if now != self._now:
            self._begin(now)
        if self._leaving:
            self._release_some(now)
        if self._limit_per_name and not self._has_room_in_name(identity[1], now):
            return Reason.NAME_LIMIT
        if self._quota.is_shut(now) or not self._is_within_quota(priority, now):
            return Reason.SERIES_QUOTA
        if self._is_shut:
            return Reason.SERIES_LIMIT
        if self._has_old_crowd(now):
            self._has_given_way(0, now)
        wanted = self._limit - _places(*identity[1:])
        while self._places > wanted or self._newcomers <= 0:
            if self._make_room(now):
                self._newcomers += 1
            else:
                # Nobody who is here now becomes silent before the next period.
                may_give_way = self._giving_way or self._has_old_crowd(now)
                self._is_shut = not (self._crowds and may_give_way)
                return Reason.SERIES_LIMIT
        return None

    def admit(self, series: Series, period: int) -> Held:
        """Hold a new series, for which there is room, from ``period`` on."""
        self._came.append(series)
        self._newcomers -= 1
        return self._enter(series, period, None, period)

    def forget(self, held: Held, now: int) -> None:
        """Hold it no longer; another may come in its place, in this span too."""
        self._newcomers += 1
        self._let_go(held, now)

    def all(self) -> list[Held]:
        """All of them, in no order."""
        return self.roster.all()

    def as_admitted(self) -> list[Held]:
        """All of them, the first admitted first; for an operator's eyes."""
        return self.roster.as_added()

    def turnover(self) -> Turnover:
        """What ``restore`` wants besides."""
        crowds = [(period, came[:]) for period, came in self._crowds]
        many = [(period, came[:]) for period, came in self._many]
        came, leaving = self._came[:], tuple(self._leaving)
        return Turnover(
            self._now,
            self._in_span,
            self._newcomers,
            self._is_full,
            self._giving_way,
            came,
            crowds,
            many,
            leaving,
        )

    def restore(self, some: Iterable[Held], turnover: Turnover = Turnover()) -> None:  # noqa: B008 - a value
        """Hold these and no others; where there are too many, the longest unseen go."""
        self._now, self._in_span, self._newcomers = turnover[:3]
        self._is_full, self._giving_way = turnover[3:5]
        self._came = list(turnover.came)
        self._crowds = [(period, list(came)) for period, came in turnover.crowds]
        self._many = [(period, list(came)) for period, came in turnover.many]
        self._leaving = deque(turnover.leaving)
        self.roster.clear()
        self._of_name.clear()
        self._places = 0
        kept: list[Held] = []
        places = 0
        for held in sorted(some, key=attrgetter("turn"), reverse=True):
            places += _places(*held.series[1:3])
            if places > self._limit:
                break
            kept.append(held)
        for held in reversed(kept):
            self._enter(held.series, held.seen, held.gauge, held.gauge_period)

    def not_held(self, some: Iterable[Series]) -> Sequence[Series]:
        """Those of ``some`` whose names others may have."""
        leaving = {series for _, series in self._leaving}
        gone = (series for series in some if self.get(*series[:3]) is None)
        return [series for series in gone if series not in leaving]

    def _enter(
        self, series: Series, seen: int, gauge: GaugeBase | None, gauge_period: int
    ) -> Held:
        held = self.roster.add(series, seen, gauge, gauge_period)
        self._places += _places(series.name, series.tags)
        if self._limit_per_name:
            self._of_name.setdefault(series.name, OrderedDict())[series] = None
        return held

    def _begin(self, now: int) -> None:
        """A period begins: who came in a crowd may have to go again."""
        self._see_off()
        self._now, self._came = now, []
        self._is_full = self._is_shut = False
        self._giving_way = max(1, self._limit // GIVING_WAY)
        if now // self._span == self._in_span:
            return
        self._many.clear()
        # In the first period of all everything is new.
        is_limited = self._limit_of_new and self.roster
        known = len(self.roster) - sum(len(came) for _, came in self._crowds)
        self._newcomers = max(self._limit_of_new, known) if is_limited else self._limit
        self._in_span = now // self._span if self.roster else None

    def _see_off(self) -> None:
        """A period has ended; who came in it is part of a crowd, if there was one.

        So are many that came in periods of the same span, though there was room yet.
        """
        if self._now is None or not self._came:
            return
        if self._is_full:
            self._crowds += [*self._many, (self._now, self._came)]
            self._many.clear()
            while sum(len(came) for _, came in self._crowds) > self._limit:
                del self._crowds[0]
        elif self._in_span is not None and len(self._came) * MANY > self._limit_of_new:
            self._many.append((self._now, self._came))

    def _make_room(self, now: int) -> bool:
        oldest = self.roster.oldest()
        if oldest is not None and self._is_silent(oldest, now):
            self._let_go(oldest, now)
            return True
        self._is_full = True  # who comes now is part of a crowd too
        if self._has_old_crowd(now):
            return self._has_given_way(0, now)
        if self._crowds and self._giving_way and self._has_given_way(-1, now):
            self._giving_way -= 1
            return True
        return False

    def _has_old_crowd(self, now: int) -> bool:
        span = self._span
        return bool(self._crowds) and self._crowds[0][0] // span < now // span

    def _has_given_way(self, at: int, now: int) -> bool:
        """Whether one of a crowd was found that was not seen again."""
        period, came = self._crowds[at]
        for _ in range(min(LOOKS, len(came))):
            held = self.of(came.pop())
            if held is not None and held.seen <= period:
                self._let_go(held, now)
                break
        else:
            held = None
        if not came:
            del self._crowds[at]
        return held is not None

    def _has_room_in_name(self, name: str, now: int) -> bool:
        """Of the name's series one that is silent gives way; one a call is looked at."""
        same = self._of_name.get(name)
        if same is None or len(same) < self._limit_per_name:
            return True
        first = next(iter(same))
        held = self.of(first)
        if held is not None and self._is_silent(held, now):
            self._let_go(held, now)
            return True
        same.move_to_end(first)
        return False

    def _is_within_quota(self, priority: int, now: int) -> bool:
        """Whoever is silent is not reported, and gives way."""
        if not self._quota.limit:
            return True
        most = self._quota.share(priority)
        while len(self.roster) >= most:
            oldest = self.roster.oldest()
            if oldest is None or not self._is_silent(oldest, now):
                return False
            self._let_go(oldest, now)
        return True

    def _is_silent(self, held: Held, now: int) -> bool:
        idle, life = now - held.seen, self.gauge_life
        if life and idle >= life and held.series.kind is Kind.GAUGE:
            return True
        ttl = self.idle_ttl
        if self._treatments.are_any:
            treatment = self._treatments.of(held.series)
            ttl = ttl if treatment.idle_ttl is None else treatment.idle_ttl
            if treatment.is_silent and idle:
                return True
        return bool(ttl) and idle > ttl

    def _let_go(self, held: Held, now: int) -> None:
        series = held.series
        self.roster.remove(held)
        self._places -= _places(series.name, series.tags)
        self._is_shut = False
        if self._limit_per_name:
            same = self._of_name[series.name]
            del same[series]
            if not same:
                del self._of_name[series.name]
        self._leaving.append((now, series))
        self._tell_let_go(series)

    def _release_some(self, now: int) -> None:
        """Two a call, so that nobody waits and none is left."""
        for _ in range(min(2, len(self._leaving))):
            since, series = self._leaving[0]
            if now - since < self._apart:
                return
            self._leaving.popleft()
            if self.get(*series[:3]) is None:
                self._released(series)


def _places(name: str, tags: Tags) -> int:
    characters = len(name)
    if tags:
        characters += sum([len(key) + len(value or "") for key, value in tags])
    return 1 + characters // CHARACTERS_OF_ONE
