"""The native engine: the slow path of ``Core``, and a hot path in C that needs no GIL.

The C of ``_native/`` knows spellings (table.c) and slots as plain numbers; a line that it
does not recognise comes here. One lock, the table's, stands before all of it: a thread in
a ``Drain`` holds it while it takes a batch, and every call that sees open periods takes it
too. It is taken before the GIL, never after: a call that has to wait gives the GIL away.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

from relay.rollup._native import Drain, Reported, Roster, Table
from relay.rollup.book import Book
from relay.rollup.core import Core
from relay.rollup.effort import ENOUGH, FOLDING
from relay.rollup.engine import FeedSome, Restored, Tally
from relay.rollup.finite import SAFE_WEIGHT
from relay.rollup.ledger import KINDS, Ledger
from relay.rollup.native_slots import NATIVE_SLOTS
from relay.rollup.overflow import Overflow
from relay.rollup.series import Series
from relay.rollup.slot import CounterBase, GaugeBase, SetBase, Slot
from relay.rollup.snapshot import Snapshot
from relay.rollup.spelling import Spelled, Why
from relay.rollup.summary import Summary
from relay.rollup.timer import TimerBase
from relay.statsd.sample import Kind, Refusal

__all__ = ["NativeEngine"]

_COUNTER, _GAUGE, _LANE, _SET = range(4)
"""The operations of table.h."""

_CODES = {kind: code for code, kind in enumerate(KINDS)}


_Again = Callable[[Series, float], tuple[object, object] | None]


class _Leftover:
    """What was not used in a whole period; the table finds it."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def __len__(self) -> int:
        return len(self._table)

    def drain(self) -> None:
        while self._table.sweep():
            pass


class _Vocabulary:
    """Spellings in C; see ``Vocabulary``. An old one is recalled without being asked."""

    def __init__(self, most: int, again: _Again) -> None:
        self.table = Table(most, ENOUGH, FOLDING, again)
        self._verdicts: list[Why] = []

    def turn(self) -> Sequence[_Leftover]:
        self.table.turn()
        return (_Leftover(self.table),)

    def pause(self) -> None:
        self.table.pause()

    def recall(self, spelled: Spelled) -> None:
        """None: what is known does not come this way."""

    def learn(
        self, spelled: Spelled, weight: float, slot: Slot, series: Series
    ) -> None:
        found = _operation(slot, weight)
        if found is None:
            return
        operation, cell = found
        code = _CODES[series.kind]
        self.table.learn(
            *(spelled.name, spelled.form, operation, code),
            *(weight, slot, cell, series),
        )

    def ignore(
        self,
        spelled: Spelled,
        kind: Kind,
        why: Why,
        counts: dict[Why, int],  # noqa: ARG002 - ``settle`` counts
    ) -> None:
        if kind is Kind.SET:
            return
        if why not in self._verdicts:
            self._verdicts.append(why)
        index = self._verdicts.index(why)
        self.table.ignore(spelled.name, spelled.form, index)

    def settle(self, ledger: Ledger) -> None:
        """Count in ``ledger`` what was counted here since."""
        lines, taken, ignored = self.table.counts()
        ledger.lines += lines
        for code, count in zip(range(len(KINDS)), taken, strict=False):
            ledger.taken[code] += count
        for why, count in zip(self._verdicts, ignored, strict=False):
            ledger.turn_away(why, None, count)


def _operation(slot: Slot, weight: float) -> tuple[int, object] | None:
    """What the hot path does with a value, and to what; None if it has no way."""
    if isinstance(slot, CounterBase):
        return (_COUNTER, slot) if weight < SAFE_WEIGHT else None
    if isinstance(slot, GaugeBase):
        return _GAUGE, slot
    if isinstance(slot, SetBase):
        return _SET, slot.members
    if isinstance(slot, TimerBase):
        lane = slot.lane(weight)
        return None if lane is None else (_LANE, lane)
    raise TypeError(f"no slot: {slot!r}")


class NativeEngine(Core):
    """``Core`` with a hot path in C, to be fed by threads of their own as well."""

    name = "native"
    slot_types = NATIVE_SLOTS
    roster_type = Roster
    reported_type = Reported
    _known: _Vocabulary

    def _vocabulary(self, most: int) -> _Vocabulary:
        vocabulary = _Vocabulary(most, self._slot_again)
        self._table = vocabulary.table
        return vocabulary

    @property
    def spellings(self) -> int:
        """How many are known; for tests and tools."""
        return len(self._table)

    def _slot_again(
        self, series: Series, weight: float
    ) -> tuple[object, object] | None:
        """Where values of a spelling go in this period; None if its series is not held.

        Once a series and period, when they all come at the same time: made to be fast.
        """
        book = self._book
        fresh = self._new_slot[series.kind]()
        if not self._held.see_again(series, fresh, book.age):
            return None
        slot = book.slots.setdefault(series, fresh)
        if slot is not fresh:
            slot = book.slots[series] = book.slot(series) or fresh
            self._held.see_again(series, slot, book.age)
        if isinstance(slot, TimerBase):
            return slot, slot.lane(weight)
        return slot, slot.members if isinstance(slot, SetBase) else slot

    def feed(self, datagram: bytes, period: int, /) -> None:
        while datagram:
            datagram = self.feed_some(datagram, period)
        with self._table:
            self._present(period)

    def feed_some(self, datagram: bytes, period: int, /) -> bytes:
        return self._feed(datagram, period, self._slow)

    def feed_as(self, signed_gauge: str, /) -> FeedSome:
        slow = self._slow_as(signed_gauge)
        return lambda datagram, period: self._feed(datagram, period, slow)

    def drain(self, socket: int, signed_gauge: str, /) -> Drain:
        """What reads a bound socket of UDP in a thread of its own; see ``Draining``."""
        slow = self._slow_as(signed_gauge)
        return Drain(self._table, socket, self._length, slow, self._present)

    def _feed(
        self, datagram: bytes, period: int, slow: Callable[[bytes], int]
    ) -> bytes:
        with self._table as table:
            self._present(period)
            end = table.feed(datagram, slow)
        return datagram[end:] if end < len(datagram) else b""

    def _present(self, period: int) -> None:
        """Make ``period`` the present one, if it is not. For whoever holds the lock."""
        if period != self._now:
            self._turn(period)

    def _slow_as(self, signed_gauge: str) -> Callable[[bytes], int]:
        if signed_gauge == self._grammar.signed_gauge:
            return self._slow
        usual, other = self._parse, self._grammar.signed(signed_gauge).parse

        def slow(line: bytes) -> int:
            self._parse = other
            try:
                return self._slow(line)
            finally:
                self._parse = usual

        return slow

    def seal(self, before: int, seen: bool = True, /) -> Sequence[Book]:
        with self._table as table:
            table.period = -1
            return super().seal(before, seen)

    def seal_all(self, latest: int | None = None, /) -> Sequence[Book]:
        with self._table as table:
            table.period = -1
            return super().seal_all(latest)

    def step(self, old: int, new: int, /) -> bool:
        with self._table:
            return super().step(old, new)

    def snapshot(self) -> Snapshot:
        with self._table:
            self._known.settle(self._ledger)
            return super().snapshot()

    def restore(self, snapshot: Iterable[bytes], carry: Iterable[bytes], /) -> Restored:
        with self._table:
            return super().restore(snapshot, carry)

    def peek(self, kind: Kind, period: int, /) -> Iterator[tuple[Series, Summary]]:
        with self._table:
            return self._one_by_one(super().peek(kind, period))

    def _one_by_one(
        self, rows: Iterator[tuple[Series, Summary]]
    ) -> Iterator[tuple[Series, Summary]]:
        while True:
            with self._table:
                row = next(rows, None)
            if row is None:
                return
            yield row

    def forget(self, kind: Kind, pattern: str, period: int, /) -> Sequence[Series]:
        with self._table:
            return super().forget(kind, pattern, period)

    def tally(self) -> Tally:
        with self._table:
            self._known.settle(self._ledger)
            return super().tally()

    def overflow(self) -> Overflow:
        with self._table:
            return super().overflow()

    def last_refusals(self) -> Sequence[Refusal]:
        with self._table:
            return super().last_refusals()

    def _turn(self, period: int) -> None:
        super()._turn(period)
        self._table.period = period
