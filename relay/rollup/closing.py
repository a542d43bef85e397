"""What a sealed period reports: its own rows, idle series, and the long period.

Works on what earlier calls have seen and shares nothing with the side that accumulates,
so that it may run in a thread of its own. Summaries are made while rows are iterated.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import cast, overload

from relay.rollup.carry import Carried, Content, Idle
from relay.rollup.engine import Rollup
from relay.rollup.grace import aligned
from relay.rollup.series import Series
from relay.rollup.slot import GaugeBase, Slot
from relay.rollup.summary import (
    REPORTED_IDLE,
    Summary,
    idle_summary,
)
from relay.rollup.taken import Taken
from relay.rollup.treatment import Treatments
from relay.statsd.sample import Kind

__all__ = ["Closer"]

_PIECE = 500

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
        """In pieces that take 0.1 ms each."""
        for whole in (self._contents, self._series):
            while whole:
                del whole[-_PIECE:]

    def _row(self, series: Series, content: Content) -> tuple[Series, Summary]:
        if isinstance(content, float):
            return series, _idle(series, content)
        own = self._treatments.of(series).percentiles
        return series, content.summary(self._percentages if own is None else own)


@dataclass(slots=True)
class _Long:
    """The long period that is under way.

    ``lent`` are slots that a base period reports too and that nobody writes to, ``own``
    those that were made here of several; no series is in both.
    """

    start: int
    own: dict[Series, Slot] = field(default_factory=dict)
    lent: dict[Series, Content] = field(default_factory=dict)

    def rows(self) -> Iterator[_Row]:
        return chain(self.own.items(), self.lent.items())

    def take(self, slots: dict[Series, Slot], idle: Iterable[_Row]) -> None:
        """Merge a base period, whose slots are given away.

        Idle ones count where nothing else is.
        """
        if self.own or self.lent:
            self._add(slots)
        else:
            self.lent = cast(dict[Series, Content], slots)
        own, lent = self.own, self.lent
        for series, last in idle:
            if series not in own and isinstance(lent.get(series, 0.0), float):
                lent[series] = last

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
        # Of those that report something while they are idle; of gauges also what.
        self._seen: dict[Series, int] = {}
        self._last: dict[Series, float] = {}
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
        for series in (*gone, *self._over(age)):
            self._forget(series)
        for series, slot in slots.items():
            self._carry(age, series, slot)
        active, last = len(slots), self._last.get
        every = [*slots, *(each for each in self._seen if each not in slots)]
        contents: list[Content] = list(slots.values())
        contents += [last(each, 0.0) for each in islice(every, active, None)]
        base = self._rollup(start, self._length, every, contents)
        self._closed.add(start)
        lag, self._lag = self._lag, start - age
        if not self._long_length:
            return [base]
        long = self._longs.first_free(aligned(start, self._long_length))
        if lag != self._lag:
            self._go_along(long)
        idle = islice(zip(every, contents, strict=True), active, None)
        return [*self._overdue(long), base, *self._lengthen(long, start, slots, idle)]

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
        for series in list(filter(self._is_silent, self._seen)):
            self._forget(series)

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
        rows = [*long.own, *long.lent], [*long.own.values(), *long.lent.values()]
        return [self._rollup(long.start, self._long_length, *rows)]

    def carried(self) -> Carried:
        """What a successor needs to go on; true until the next ``close``."""
        idle = {
            series: Idle(seen + self._lag, self._last.get(series, 0.0))
            for series, seen in self._seen.items()
        }
        long = self._long
        start, rows = (long.start, long.rows()) if long else (None, ())
        return Carried(
            self._closed.spans, idle, self._long_length, self._longs.spans, start, rows
        )

    def restore(self, carried: Carried) -> None:
        """Go on from there; a long period of another length is not gone on with."""
        self._closed = Taken(self._length, carried.closed)
        for series, (seen, last) in carried.idle.items():
            if not self._is_silent(series):
                self._seen[series] = seen
                if series.kind is Kind.GAUGE:
                    self._last[series] = last
        if carried.long_seconds == self._long_length:
            self._longs = Taken(self._long_length or 1, carried.longs)
            if carried.long_start is not None:
                self._long = _Long(carried.long_start, lent=dict(carried.long))

    def _rollup(
        self, start: int, length: int, series: list[Series], contents: list[Content]
    ) -> Rollup:
        both = _Rows(series, contents, self._percentages, self._treatments)
        return Rollup(start, length, both)

    def _over(self, age: int) -> list[Series]:
        """Those that are silent from now on, unless they have a value."""
        oldest = age - self._idle_ttl if self._idle_ttl else 0
        if not self._treatments.are_any:
            over = [each for each, seen in self._seen.items() if seen < oldest]
        else:
            over = [
                each
                for each, seen in self._seen.items()
                if self._is_over(each, age, seen)
            ]
        if self._gauge_ttl:
            last = age - self._gauge_ttl * self._length
            over += [
                each
                for each, seen in self._seen.items()
                if oldest <= seen <= last and each.kind is Kind.GAUGE
            ]
        return over

    def _forget(self, series: Series) -> None:
        self._seen.pop(series, None)
        self._last.pop(series, None)

    def _is_over(self, series: Series, age: int, seen: int) -> bool:
        own = self._treatments.of(series).idle_ttl
        ttl = self._idle_ttl if own is None else own
        return self._is_silent(series) or (bool(ttl) and seen < age - ttl)

    def _is_silent(self, series: Series) -> bool:
        own = self._treatments.of(series).is_silent
        return series.kind in self._silent if own is None else own

    def _carry(self, age: int, series: Series, slot: Slot) -> None:
        """Remember what the series reports should it be idle from now on."""
        if series.kind in REPORTED_IDLE and not self._is_silent(series):
            self._seen[series] = age
            if isinstance(slot, GaugeBase):
                self._last[series] = slot.last

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
        idle: Iterable[_Row],
    ) -> list[Rollup]:
        if self._long is None:
            self._long = _Long(long)
        self._long.take(slots, idle)
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
