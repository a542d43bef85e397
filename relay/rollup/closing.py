"""What a sealed period reports: its own rows, idle series, and the long period.

Works on what earlier calls have seen and shares nothing with the side that accumulates,
so that it may run in a thread of its own. Summaries are made while rows are iterated.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, overload

from relay.rollup.engine import Rollup
from relay.rollup.series import Series
from relay.rollup.slot import Slot
from relay.rollup.summary import Summary
from relay.statsd.sample import Kind

__all__ = ["Closer"]

_Row = tuple[Series, Slot | Summary]


class _Rows(Sequence[tuple[Series, Summary]]):
    """Rows of a closed period; a summary exists only while somebody looks at it."""

    def __init__(self, rows: list[_Row], percentages: Sequence[int]) -> None:
        self._rows = rows
        self._percentages = percentages

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[tuple[Series, Summary]]:
        return map(self._summarise, self._rows)

    @overload
    def __getitem__(self, at: int) -> tuple[Series, Summary]: ...

    @overload
    def __getitem__(self, at: slice) -> "_Rows": ...

    def __getitem__(self, at: int | slice) -> "tuple[Series, Summary] | _Rows":
        if isinstance(at, slice):
            return _Rows(self._rows[at], self._percentages)
        return self._summarise(self._rows[at])

    def _summarise(self, row: _Row) -> tuple[Series, Summary]:
        series, content = row
        if isinstance(content, tuple):
            return series, content
        return series, content.summary(self._percentages)


class _Carried(NamedTuple):
    """The last period in which a series had a value, and what it reports since."""

    seen: int
    idle: Summary


@dataclass(slots=True)
class _Long:
    """The long period that is under way."""

    start: int
    rows: dict[Series, Slot | Summary] = field(default_factory=dict)

    def take(self, rows: list[_Row]) -> None:
        """Merge the rows of a base period; idle ones count where nothing else is."""
        mine = self.rows
        for series, content in rows:
            before = mine.get(series)
            if before is None or isinstance(before, tuple):
                mine[series] = content
            elif not isinstance(content, tuple):
                mine[series] = before.merged(content)


class Closer:
    """Makes Rollups of sealed periods, which come in ascending order.

    ``long_factor`` base periods make a long one, 0 of them none. Series of
    ``silent_kinds`` report nothing while they are idle; the others do until they have
    been idle for more than ``idle_ttl`` seconds, 0 being for ever.
    """

    def __init__(
        self,
        *,
        period_seconds: int,
        long_factor: int,
        percentages: Sequence[int],
        idle_ttl: int,
        silent_kinds: Collection[Kind],
    ) -> None:
        self._length = period_seconds
        self._long_length = period_seconds * long_factor
        self._percentages = percentages
        self._idle_ttl = idle_ttl
        self._silent = frozenset(silent_kinds)
        self._carried: dict[Series, _Carried] = {}
        self._long: _Long | None = None

    def close(self, start: int, slots: Mapping[Series, Slot]) -> list[Rollup]:
        """The base period, and before or after it a long one that is over."""
        rows: list[_Row] = list(slots.items())
        rows += self._idle_rows(start, slots)
        for series, slot in slots.items():
            self._carry(start, series, slot)
        base = Rollup(start, self._length, _Rows(rows, self._percentages))
        if not self._long_length:
            return [base]
        return [*self._overdue(start), base, *self._lengthen(start, rows)]

    def finish(self) -> list[Rollup]:
        """The long period as far as it has come, if one is under way."""
        if self._long is None:
            return []
        long, self._long = self._long, None
        rows = _Rows(list(long.rows.items()), self._percentages)
        return [Rollup(long.start, self._long_length, rows)]

    def _idle_rows(self, start: int, slots: Mapping[Series, Slot]) -> list[_Row]:
        rows: list[_Row] = []
        silent: list[Series] = []
        for series, carried in self._carried.items():
            if series in slots:
                continue
            if self._idle_ttl and start - carried.seen > self._idle_ttl:
                silent.append(series)
            else:
                rows.append((series, carried.idle))
        for series in silent:
            del self._carried[series]
        return rows

    def _carry(self, start: int, series: Series, slot: Slot) -> None:
        idle = slot.idle()
        if idle is not None and series.kind not in self._silent:
            self._carried[series] = _Carried(start, idle)

    def _overdue(self, start: int) -> list[Rollup]:
        """A long period whose last base period was never sealed."""
        if self._long is None or start < self._long.start + self._long_length:
            return []
        return self.finish()

    def _lengthen(self, start: int, rows: list[_Row]) -> list[Rollup]:
        if self._long is None:
            self._long = _Long(start - start % self._long_length)
        self._long.take(rows)
        if start + self._length < self._long.start + self._long_length:
            return []
        return self.finish()
