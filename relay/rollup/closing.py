"""What a sealed period reports: its own rows, idle series, and the long period.

Works on what earlier calls have seen and shares nothing with the side that accumulates,
so that it may run in a thread of its own. Summaries are made while rows are iterated.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, compress, islice
from typing import cast, overload

from relay.rollup.carry import Carried, Content, Idle
from relay.rollup.engine import Rollup
from relay.rollup.grace import aligned
from relay.rollup.pieces import free, free_dict, listed
from relay.rollup.series import Series
from relay.rollup.slot import GaugeBase, Slot
from relay.rollup.summary import (
    REPORTED_IDLE,
    Summary,
    idle_summary,
)
from relay.rollup.taken import Taken
from relay.rollup.treatment import Treatments
from relay.rollup.unseen import MOST, Unseen, together
from relay.statsd.sample import Kind

__all__ = ["Closer"]

_Row = tuple[Series, Content]


class _Rows(Sequence[tuple[Series, Summary]]):
    """Rows of a closed period; a summary exists only while somebody looks at it.

    Two lists rather than one of pairs: a pair a series is one more object for each
    garbage collection to walk over.
    """

    def __init__(
        self,
        series: list[Series],
        contents: list[Content],
        percentages: Sequence[int],
        treatments: Treatments,
    ) -> None:
        self._series = series
        self._contents = contents
        self._percentages = percentages
        self._treatments = treatments

    def __len__(self) -> int:
        return len(self._series)

    def __iter__(self) -> Iterator[tuple[Series, Summary]]:
        if self._treatments.are_any:
            yield from map(self._row, self._series, self._contents)
            return
        percentages = self._percentages
        for series, content in zip(self._series, self._contents, strict=True):
            if isinstance(content, float):
                yield series, _idle(series, content)
            else:
                yield series, content.summary(percentages)

    @overload
    def __getitem__(self, at: int) -> tuple[Series, Summary]: ...

    @overload
    def __getitem__(self, at: slice) -> "_Rows": ...

    def __getitem__(self, at: int | slice) -> "tuple[Series, Summary] | _Rows":
        if isinstance(at, slice):
            some = self._series[at], self._contents[at]
            return _Rows(*some, self._percentages, self._treatments)
        return self._row(self._series[at], self._contents[at])

    def release(self) -> None:
        """Free all of it, holding nobody up."""
        free(self._contents)
        free(self._series)

    def _row(self, series: Series, content: Content) -> tuple[Series, Summary]:
        if isinstance(content, float):
            return series, _idle(series, content)
        own = self._treatments.of(series).percentiles
        return series, content.summary(self._percentages if own is None else own)


@dataclass(slots=True)
class _Long:
    """The long period that is under way.

    ``lent`` are slots that a base period reports too and that nobody writes to, ``own``
    those that were made here of several; no series is in both. Idle ones are in neither,
    unless nobody knows of them elsewhere any more.
    """

    start: int
    own: dict[Series, Slot] = field(default_factory=dict)
    lent: dict[Series, Content] = field(default_factory=dict)

    def take(self, slots: dict[Series, Slot]) -> None:
        """Merge a base period, whose slots are given away."""
        if self.own or self.lent:
            self._add(slots)
        else:
            self.lent = cast(dict[Series, Content], slots)

    def note(self, series: Series, last: float) -> None:
        """An idle one is reported too; that counts where nothing else is."""
        if series not in self.own:
            self.lent.setdefault(series, last)

    def others(self, idle: Iterable[_Row]) -> Iterator[_Row]:
        """Those of the idle ones that are not here."""
        own, lent = self.own, self.lent
        for row in idle:
            if row[0] not in lent and row[0] not in own:
                yield row

    def end(self, idle: Iterable[_Row]) -> tuple[list[Series], list[Content]]:
        """All that it reports; nothing is left here."""
        own, lent = self.own, self.lent
        every = listed(chain(own, lent))
        contents: list[Content] = listed(chain(own.values(), lent.values()))
        for series, last in self.others(idle):
            every.append(series)
            contents.append(last)
        free_dict(own)
        free_dict(lent)
        return every, contents

    def _add(self, slots: dict[Series, Slot]) -> None:
        own, lent = self.own, self.lent
        for series, slot in slots.items():
            mine = own.get(series)
            if mine is not None:
                mine.absorb(slot)
                continue
            before = lent.get(series)
            if before is None or isinstance(before, float):
                lent[series] = slot
            else:
                own[series] = before.merged(slot)
                del lent[series]
        free_dict(slots)


class Closer:
    """Makes Rollups of sealed periods, which come in the order of time.

    Where the wall clock was set back their names do not ascend; a long period that is
    under way then goes on under the new time, as the short ones do (see ``Books``), and
    no name of a long period is given away twice either.

    ``long_factor`` base periods make a long one, 0 of them none. Series of
    ``silent_kinds`` report nothing while they are idle; the others do until they have
    been idle for more than ``idle_ttl`` seconds, 0 being for ever, and gauges for
    ``gauge_ttl`` periods at most, counting that of the last value; 0 is no such limit.
    What ``treatments`` say of a series comes before all that.
    """

    def __init__(
        self,
        *,
        period_seconds: int,
        long_factor: int,
        percentages: Sequence[int],
        idle_ttl: int,
        silent_kinds: Collection[Kind],
        gauge_ttl: int = 0,
        treatments: Treatments | None = None,
    ) -> None:
        self._length = period_seconds
        self._treatments = Treatments() if treatments is None else treatments
        self._long_length = period_seconds * long_factor
        self._percentages = _ascending(percentages)
        self._idle_ttl, self._gauge_ttl = idle_ttl, gauge_ttl
        self._silent = frozenset(silent_kinds)
        self._unseen: list[Unseen] = []
        self._long: _Long | None = None
        self._closed = Taken(period_seconds)
        self._longs = Taken(self._long_length or 1)
        self._lag = 0

    def close(
        self,
        start: int,
        slots: dict[Series, Slot],
        age: int | None = None,
        gone: Iterable[Series] = (),
    ) -> list[Rollup]:
        """The base period, and before or after it a long one that is over.

        ``age`` is where it starts on a clock that nobody sets; not given, nobody did.
        Idle series that are ``gone`` report nothing any more. ``slots`` are given away.
        """
        age = start if age is None else age
        lag, self._lag = self._lag, start - age
        long, overdue = start, list[Rollup]()
        if self._long_length:
            long = self._longs.first_free(aligned(start, self._long_length))
            if lag != self._lag:
                self._go_along(long)
            overdue = self._overdue(long)
        self._forget_over(age, frozenset(gone))
        for unseen in self._unseen:
            unseen.keep([each not in slots for each in unseen.series])
        self._unseen = together(self._unseen)
        idle = (unseen.series for unseen in self._unseen)
        every = listed(chain(slots, *idle))
        last = (unseen.last for unseen in self._unseen)
        contents: list[Content] = listed(chain(slots.values(), *last))
        base = self._rollup(start, self._length, every, contents)
        self._closed.add(start)
        self._note_seen(age, slots)
        if self._long_length:
            return [*overdue, base, *self._lengthen(long, start, slots)]
        free_dict(slots)
        return [base]

    def change(
        self,
        percentages: Sequence[int],
        idle_ttl: int,
        silent_kinds: Collection[Kind],
        gauge_ttl: int = 0,
    ) -> None:
        """Go by other rules from the next period on."""
        self._percentages = _ascending(percentages)
        self._idle_ttl, self._gauge_ttl = idle_ttl, gauge_ttl
        self._silent = frozenset(silent_kinds)
        for unseen in self._unseen:
            kept = [not self._is_silent(each) for each in unseen.series]
            self._forget(unseen, kept)

    def finish(self, latest: int | None = None) -> list[Rollup]:
        """The long period as far as it has come, if one is under way.

        It starts at ``latest`` or before.
        """
        if self._long is None:
            return []
        long, self._long = self._long, None
        if latest is not None and long.start > latest:
            long.start = self._longs.last_free(latest)
        self._longs.add(long.start)
        return [self._rollup(long.start, self._long_length, *long.end(self._idle()))]

    def carried(self) -> Carried:
        """What a successor needs to go on; true until the next ``close``."""
        idle = {
            series: Idle(seen + self._lag, last)
            for unseen in self._unseen
            for series, last, seen in zip(
                unseen.series, unseen.last, unseen.seen, strict=True
            )
        }
        long = self._long
        start: int | None = None
        rows: Iterable[_Row] = ()
        if long is not None:
            start = long.start
            rows = chain(long.own.items(), long.lent.items(), long.others(self._idle()))
        return Carried(
            self._closed.spans, idle, self._long_length, self._longs.spans, start, rows
        )

    def restore(self, carried: Carried) -> None:
        """Go on from there; a long period of another length is not gone on with."""
        self._closed = Taken(self._length, carried.closed)
        rest = iter(carried.idle.items())
        while some := list(islice(rest, MOST)):
            told = [row for row in some if not self._is_silent(row[0])]
            series, idle = [row[0] for row in told], [row[1] for row in told]
            seen, last = [each.seen for each in idle], [each.last for each in idle]
            self._unseen.append(Unseen(series, last, seen))
        if carried.long_seconds == self._long_length:
            self._longs = Taken(self._long_length or 1, carried.longs)
            if carried.long_start is not None:
                self._long = _Long(carried.long_start, lent=dict(carried.long))

    def _rollup(
        self, start: int, length: int, series: list[Series], contents: list[Content]
    ) -> Rollup:
        both = _Rows(series, contents, self._percentages, self._treatments)
        return Rollup(start, length, both)

    def _idle(self) -> Iterator[_Row]:
        return chain.from_iterable(unseen.rows() for unseen in self._unseen)

    def _forget_over(self, age: int, gone: Collection[Series]) -> None:
        """Those that are silent from now on, unless they have a value, and all ``gone``."""
        oldest = age - self._idle_ttl if self._idle_ttl else 0
        oldest_gauge = age - self._gauge_ttl * self._length
        for unseen in self._unseen:
            every, ages = unseen.series, unseen.seen
            if self._treatments.are_any:
                both = zip(every, ages, strict=True)
                kept = [not self._is_over(each, age, seen) for each, seen in both]
            else:
                kept = [seen >= oldest for seen in ages]
            if self._gauge_ttl:
                for at, (each, seen) in enumerate(zip(every, ages, strict=True)):
                    if oldest <= seen <= oldest_gauge and each.kind is Kind.GAUGE:
                        kept[at] = False
            if gone:
                for at, each in enumerate(every):
                    if each in gone:
                        kept[at] = False
            self._forget(unseen, kept)

    def _forget(self, unseen: Unseen, kept: list[bool]) -> None:
        """All but those; the long period that is under way still reports the others."""
        if all(kept):
            return
        if self._long is not None:
            for row, is_kept in zip(unseen.rows(), kept, strict=True):
                if not is_kept:
                    self._long.note(*row)
        unseen.keep(kept)

    def _is_over(self, series: Series, age: int, seen: int) -> bool:
        own = self._treatments.of(series).idle_ttl
        ttl = self._idle_ttl if own is None else own
        return self._is_silent(series) or (bool(ttl) and seen < age - ttl)

    def _is_silent(self, series: Series) -> bool:
        own = self._treatments.of(series).is_silent
        return series.kind in self._silent if own is None else own

    def _note_seen(self, age: int, slots: dict[Series, Slot]) -> None:
        """Remember what these report should they be idle from now on."""
        kinds, are_any = REPORTED_IDLE - self._silent, self._treatments.are_any
        rest, contents = iter(slots), iter(slots.values())
        while every := list(islice(rest, MOST)):
            told = [
                each.kind in REPORTED_IDLE and not self._is_silent(each)
                if are_any
                else each.kind in kinds
                for each in every
            ]
            last = [
                slot.last if isinstance(slot, GaugeBase) else 0.0
                for slot in compress(islice(contents, MOST), told)
            ]
            series = list(compress(every, told))
            self._unseen.append(Unseen(series, last, [age] * len(series)))

    def _go_along(self, long: int) -> None:
        """The clock was set: what is under way goes on as ``long``, unless that is near."""
        under_way = self._long
        if under_way and abs(long - under_way.start) > self._long_length:
            under_way.start = long

    def _overdue(self, long: int) -> list[Rollup]:
        """A long period whose last base period was never sealed."""
        if self._long is None or long <= self._long.start:
            return []
        return self.finish()

    def _lengthen(
        self,
        long: int,
        start: int,
        slots: dict[Series, Slot],
    ) -> list[Rollup]:
        if self._long is None:
            self._long = _Long(long)
        self._long.take(slots)
        if start + self._length < self._long.start + self._long_length:
            return []
        return self.finish()


def _ascending(percentages: Sequence[int]) -> Sequence[int]:
    return tuple(sorted(set(percentages)))


def _idle(series: Series, last: float) -> Summary:
    summary = idle_summary(series.kind, last)
    if summary is None:
        raise ValueError(f"never idle: {series}")
    return summary
