"""The native engine: the slow path of ``Core``, and a hot path in C that needs no GIL.

The C of ``_native/`` knows spellings (table.c) and slots as plain numbers; a line that it
does not recognise comes here. One lock, the table's, stands before all of it: a thread in
a ``Drain`` holds it while it takes a batch, and every call that sees open periods takes it
too. It is taken before the GIL, never after: a call that has to wait gives the GIL away.

With several *shards* each has a table and a lock of its own, so that threads take lines
at the same time, and writes to a page of its own in each book, but for gauges. What is
one for all (series, counts, which periods are open) is behind the gate: whoever comes
here passes it, and then ``Core`` acts for his shard. The order is tables, one or all,
then the gate, then the GIL.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from itertools import cycle, islice
from typing import Unpack, cast

from relay.rollup._native import Again, Drain, Gate, Reported, Roster, Shards
from relay.rollup.book import Book
from relay.rollup.core import Core
from relay.rollup.engine import FeedSome, Restored, Tally
from relay.rollup.native_slots import NATIVE_SLOTS
from relay.rollup.options import CoreOptions
from relay.rollup.overflow import Overflow
from relay.rollup.series import Resolve, Series
from relay.rollup.shard import NativeVocabulary, Shard
from relay.rollup.slot import SetBase
from relay.rollup.snapshot import Snapshot
from relay.rollup.summary import Summary
from relay.rollup.timer import TimerBase
from relay.statsd.grammar import Grammar
from relay.statsd.sample import Kind, Refusal

__all__ = ["NativeEngine"]

_ROWS_AT_ONCE = 64
"""That are looked at where several threads stand still for it."""

_Slow = Callable[[bytes], int]


class NativeEngine(Core):
    """``Core`` with a hot path in C, to be fed by threads of their own as well.

    As many threads as there are ``shards`` take lines at the same time.
    """

    name = "native"
    slot_types = NATIVE_SLOTS
    roster_type = Roster
    reported_type = Reported
    _known: NativeVocabulary

    def __init__(
        self,
        resolve: Resolve,
        grammar: Grammar,
        *,
        shards: int = 1,
        **options: Unpack[CoreOptions],
    ) -> None:
        self._gate = Gate() if shards > 1 else None
        self._shards: list[Shard] = []
        self._again_fresh: Again | None = None
        self.shards = shards
        super().__init__(resolve, grammar, **options)
        self._nowhere = self._book
        for shard in self._shards:
            shard.book = self._nowhere
        self._first = self._shard = self._shards[0]
        self._table = self._first.table
        tables = tuple(shard.table for shard in self._shards)
        self._all = Shards(self._gate, tables) if self._gate else self._table
        self._next = cycle(self._shards)
        self._slow_first = self._slow_as(grammar.signed_gauge, self._first)

    def _vocabulary(self, most: int) -> NativeVocabulary:
        for at in range(self.shards):
            again = partial(self._again_of, at) if self._gate else self._again_here()
            known = NativeVocabulary(most, again, self._gate)
            self._shards.append(Shard(at, known))
        return self._shards[0].known

    @property
    def spellings(self) -> int:
        """How many are known; for tests and tools."""
        return sum(len(shard.table) for shard in self._shards)

    def _again_here(self) -> Again:
        """What does as ``_slot_again`` where a series has no slot yet, without a step of
        Python's."""
        roster = cast(Roster, self._held.roster)
        self._again_fresh = Again(self._new_slot, roster, self._slot_again)
        return self._again_fresh

    def _again_of(
        self, at: int, series: Series, weight: float
    ) -> tuple[object, object] | None:
        self._act_for(self._shards[at])
        return self._slot_again(series, weight)

    def _slot_again(
        self, series: Series, weight: float
    ) -> tuple[object, object] | None:
        """Where values of a spelling go in this period; None if its series is not held,
        or if they have to go through ``add``."""
        slot = self._again(series)
        if slot is None:
            return None
        if isinstance(slot, TimerBase):
            lane = slot.lane(weight)
            return None if lane is None else (slot, lane)
        return slot, slot.members if isinstance(slot, SetBase) else slot

    def feed(self, datagram: bytes, period: int, /) -> None:
        while datagram:
            datagram = self.feed_some(datagram, period)
        with self._table:
            self._present(self._first, period)

    def feed_shard(self, at: int, datagram: bytes, period: int) -> None:
        """As ``feed``, into another table than the first; for tests and tools."""
        shard = self._shards[at]
        slow = self._slow_as(self._grammar.signed_gauge, shard)
        while datagram:
            datagram = self._feed(shard, datagram, period, slow)

    def feed_some(self, datagram: bytes, period: int, /) -> bytes:
        return self._feed(self._first, datagram, period, self._slow_first)

    def feed_as(self, signed_gauge: str, /) -> FeedSome:
        slow, first = self._slow_as(signed_gauge, self._first), self._first
        return lambda datagram, period: self._feed(first, datagram, period, slow)

    def drain(self, socket: int, signed_gauge: str, /) -> Drain:
        """What reads a bound socket of UDP in a thread of its own; see ``Draining``.

        The shards get one drain each, and then a second one.
        """
        shard = next(self._next)
        slow = self._slow_as(signed_gauge, shard)
        turn = partial(self._turn_of, shard)
        return Drain(shard.table, socket, self._length, slow, turn)

    def _feed(self, shard: Shard, datagram: bytes, period: int, slow: _Slow) -> bytes:
        with shard.table as table:
            self._present(shard, period)
            end = table.feed(datagram, slow)
        return datagram[end:] if end < len(datagram) else b""

    def _present(self, shard: Shard, period: int) -> None:
        """Make ``period`` the present one, if it is not. For whoever holds the lock."""
        if period != shard.table.period:
            with self._gate or nullcontext():
                self._turn_of(shard, period)

    def _turn_of(self, shard: Shard, period: int) -> None:
        self._act_for(shard)
        self._turn(period)

    def _slow_as(self, signed_gauge: str, shard: Shard) -> _Slow:
        slow = self._slow_signed(signed_gauge)
        if self._gate is None:
            return slow

        def slow_of_shard(line: bytes) -> int:
            self._act_for(shard)
            return slow(line)

        return slow_of_shard

    def _slow_signed(self, signed_gauge: str) -> _Slow:
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
        with self._alone():
            return self._sealed(super().seal(before, seen))

    def seal_all(self, latest: int | None = None, /) -> Sequence[Book]:
        with self._alone():
            return self._sealed(super().seal_all(latest))

    def step(self, old: int, new: int, /) -> bool:
        with self._alone():
            for shard in self._shards[1:]:
                shard.lose_the_present()
            return super().step(old, new)

    def snapshot(self) -> Snapshot:
        with self._alone():
            self._settle()
            return super().snapshot()

    def restore(self, snapshot: Iterable[bytes], carry: Iterable[bytes], /) -> Restored:
        with self._alone():
            return super().restore(snapshot, carry)

    def peek(self, kind: Kind, period: int, /) -> Iterator[tuple[Series, Summary]]:
        with self._alone():
            return self._one_by_one(super().peek(kind, period))

    def _one_by_one(
        self, rows: Iterator[tuple[Series, Summary]]
    ) -> Iterator[tuple[Series, Summary]]:
        at_once = _ROWS_AT_ONCE if self._gate else 1
        while True:
            with self._all:
                some = list(islice(rows, at_once))
            if not some:
                return
            yield from some

    def forget(self, kind: Kind, pattern: str, period: int, /) -> Sequence[Series]:
        with self._alone():
            return super().forget(kind, pattern, period)

    def tally(self) -> Tally:
        with self._alone():
            self._settle()
            return super().tally()

    def overflow(self) -> Overflow:
        with self._alone():
            return super().overflow()

    def last_refusals(self) -> Sequence[Refusal]:
        with self._alone():
            return super().last_refusals()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """While no thread takes a line; acts for the first shard."""
        with self._all:
            self._act_for(self._first)
            yield

    def _act_for(self, shard: Shard) -> None:
        """Have ``Core`` go on where that shard is. For whoever has passed the gate."""
        if shard is self._shard:
            return
        self._shard = shard
        self._known, self._page_at = shard.known, shard.at
        self._now, self._book = shard.now, shard.book
        self._books.present = shard.book

    def _turn(self, period: int) -> None:
        super()._turn(period)
        shard = self._shard
        shard.now, shard.book, shard.table.period = self._now, self._book, period
        if self._again_fresh is not None:
            self._again_fresh.turn(self._book.slots, self._book.age)
        if self._gate:
            present = (shard for shard in self._shards if shard.now is not None)
            self._age = max(shard.book.age for shard in present)

    def _pause(self) -> None:
        for shard in self._shards:
            shard.known.pause()

    def _settle(self) -> None:
        for shard in self._shards:
            shard.known.settle(self._ledger)

    def _sealed(self, books: Sequence[Book]) -> Sequence[Book]:
        """Note that periods are sealed; gives them."""
        for shard in self._shards:
            shard.lose_the_present()
        if self._gate and books:
            self._see_off(books[-1])
        return books

    def _see_off(self, last: Book) -> None:
        """Of a shard that nobody feeds nothing stays either: it turns when the others do."""
        for shard in self._shards:
            if not self._books.is_open(shard.book):
                shard.book = self._nowhere
                last.leftovers += shard.known.turn()
        self._book = self._books.present = self._first.book
