"""The engine in Python: the specification that any other one has to match.

A line goes one of two ways. The *slow path* asks the grammar, resolves the series and
hands each value to a slot. What it learns about a spelling, that is the text around the
value, it keeps in the open period's book; the *hot path* in ``feed`` recognises it with
one look-up and adds the value itself. Both ways give the very same result, and whatever
the hot path is not sure of goes the slow one.

No clock, no IO, no log; periods come as arguments.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from relay.rollup.book import Book
from relay.rollup.books import Books
from relay.rollup.carry import read_carried, write_carried
from relay.rollup.closing import Closer
from relay.rollup.engine import Restored, Rollup, Sealed, Tally
from relay.rollup.finite import SAFE_VALUE
from relay.rollup.held import Held, HeldSeries, Identity
from relay.rollup.ledger import KINDS, Ledger
from relay.rollup.series import Resolve, Series
from relay.rollup.series_table import Names
from relay.rollup.slot import MEMBER_BYTES, CounterSlot, GaugeSlot, SetSlot, Slot
from relay.rollup.snapshot import Snapshot, read_snapshot
from relay.rollup.spelling import (
    COUNTER,
    GAUGE,
    IGNORED,
    SET,
    UNSIGNED,
    Spelled,
    is_plain,
    plain_value,
    spell,
)
from relay.rollup.stored import attempt, slot_loaders
from relay.rollup.taken import Span
from relay.rollup.timer import TimerSlot
from relay.rollup.vocabulary import Vocabulary
from relay.statsd.grammar import Grammar, lines
from relay.statsd.sample import Ignored, Item, Kind, Reason, Refusal, Sample, What

__all__ = ["PythonEngine"]

_FEWEST_SPELLINGS = 1024
_MOST_VERDICTS = 8192


class PythonEngine:
    """Accumulates by period; the protocol ``Engine`` says what each call promises.

    ``long_factor`` base periods make a long one (0: none). ``exact_samples`` and
    ``exact_members`` are how many a timer and a set keep as they are. Idle for more than
    ``idle_ttl_seconds`` (0: never) a series falls silent, those of ``silent_kinds`` at
    once. A time stamp may lie ``future_seconds`` behind the open period's end. The first
    ``feed`` opens the oldest period that is ours: a stamp of an earlier one is late.
    ``released`` is told of each series that is held no longer.
    """

    name = "python"

    def __init__(
        self,
        resolve: Resolve,
        grammar: Grammar,
        *,
        period_seconds: int = 60,
        long_factor: int = 5,
        percentiles: Sequence[int] = (50, 75, 90, 95, 98, 99),
        series_limit: int = 100_000,
        idle_ttl_seconds: int = 3600,
        silent_kinds: Collection[Kind] = (),
        exact_samples: int = 1024,
        exact_members: int = 1024,
        future_seconds: int = 60,
        released: Callable[[Series], None] = lambda _: None,
    ) -> None:
        self._parse = grammar.parse
        self._resolve = resolve
        self._verdicts: dict[Identity, Reason | What] = {}
        self._released = released
        self._held = HeldSeries(series_limit, idle_ttl_seconds, released)
        self._new_slot = _slot_makers(exact_samples, exact_members)
        self._loaders = slot_loaders(exact_samples, exact_members)
        self._exact_members = exact_members
        self._length = period_seconds
        self._known = Vocabulary(max(series_limit, _FEWEST_SPELLINGS))
        self._ledger = Ledger()

        self._books = Books(period_seconds, future_seconds)
        self._now: int | None = None  # by the wall clock
        self._book = Book(0)
        self._snapshot: Snapshot | None = None

        # Belongs to the thread that closes; nothing but close, finish and carry may touch it.
        self._closer = Closer(
            period_seconds=period_seconds,
            long_factor=long_factor,
            percentages=_ascending(percentiles),
            idle_ttl=idle_ttl_seconds,
            silent_kinds=silent_kinds,
        )

    # A call costs more than all the rest of a common line, so that this is one loop.
    def feed(self, datagram: bytes, period: int, /) -> None:  # noqa: C901, PLR0912, PLR0915
        if period != self._now:
            self._turn(period)
        learned = self._known.learned
        step_of, cell_of = learned.steps.get, learned.cells.get
        slow, taken, most_members = self._slow, self._ledger.taken, self._exact_members
        pieces = datagram.split(b"\n")
        self._ledger.lines += len(pieces)  # the slow path takes back the empty ones
        steps = 0
        for line in pieces:
            step = step_of(line)
            if step is not None:
                counter, number, weight, _ = step
                counter.total += number
                counter.count += weight
                steps += 1
                continue
            name, _, rest = line.partition(b":")
            value, _, form = rest.partition(b"|")
            cell = cell_of((name, form))
            if cell is None:
                slow(line)
                continue
            code, slot, weight, append, _ = cell
            if code == SET:
                if (
                    value.isascii()
                    and 0 < len(value) <= MEMBER_BYTES
                    and b":" not in value
                ):
                    append(value)
                    taken[SET] += 1
                    if len(slot.members) > most_members:
                        slot.trim()
                else:
                    slow(line)
                continue
            # Of texts of digits and dots float() takes just those that are numbers.
            # Signs, exponents, blanks and the rest are the slow path's.
            if not value.isdigit() and value.translate(None, UNSIGNED):
                slow(line)
                continue
            try:
                number = float(value)
            except ValueError:
                slow(line)
                continue
            if number >= SAFE_VALUE:
                slow(line)
            elif code == GAUGE:
                slot.take(number)
                taken[GAUGE] += 1
            elif code == COUNTER:
                slot.total += number * weight
                slot.count += weight
                taken[COUNTER] += 1
            elif code == IGNORED:
                self._ledger.ignored[slot] += 1
            else:
                append(number)
                taken[code] += 1
                slot.room -= 1
                if not slot.room:
                    slot.fold()
        taken[COUNTER] += steps

    def seal(self, before: int, /) -> Sequence[Book]:
        self._now = None
        return self._books.seal(before)

    def seal_all(self, latest: int | None = None, /) -> Sequence[Book]:
        self._now = None
        return self._books.seal_all(latest)

    def step(self, old: int, new: int, /) -> bool:
        stepped = self._books.step(old, new)
        if stepped:
            self._turn(new)
        return stepped

    def close(self, sealed: Sealed, /) -> Sequence[Rollup]:
        if not isinstance(sealed, Book):
            raise TypeError(f"not sealed by this engine: {sealed!r}")
        for book in (*sealed.earlier, sealed):
            for spellings in book.leftovers:
                spellings.drain()
        return self._closer.close(sealed.start, sealed.whole(), sealed.age)

    def finish(self, latest: int | None = None, /) -> Sequence[Rollup]:
        return self._closer.finish(latest)

    def change(
        self,
        *,
        percentiles: Sequence[int],
        idle_ttl_seconds: int,
        silent_kinds: Collection[Kind],
    ) -> None:
        self._closer.change(_ascending(percentiles), idle_ttl_seconds, silent_kinds)
        self._held.idle_ttl = idle_ttl_seconds  # the other thread's, but one number

    def snapshot(self) -> Snapshot:
        if self._snapshot is not None:
            self._snapshot.void()
        self._known.pause()  # so that every slot is asked for before it is written to
        self._snapshot = Snapshot(
            self._length, self._ledger.counts(), self._books.freeze(), self._held.all()
        )
        return self._snapshot

    def carry(self) -> Iterator[bytes]:
        return write_carried(self._closer.carried(), self._length)

    def restore(self, snapshot: Iterable[bytes], carry: Iterable[bytes], /) -> Restored:
        names = Names(self._resolve)
        known = self._length, names, self._loaders
        opened, unfit_snapshot = attempt(lambda p: read_snapshot(p, *known), snapshot)
        carried, unfit_carry = attempt(lambda p: read_carried(p, *known), carry)
        floor: int | None = None
        books: Sequence[Book] = ()
        taken: list[Span] = []
        if carried is not None:
            self._closer.restore(carried)
            taken += carried.closed
        if opened is not None:
            self._held.restore(opened.held)
            self._ledger = opened.ledger
            floor, books = opened.floor, opened.books
            taken += opened.taken
        for named in names.all():
            if self._held.get(named.identity) is None:
                self._released(named.series)
        periods = self._books.restore(floor, taken, books)
        return Restored(periods, unfit_snapshot, unfit_carry)

    def explain(self, datagram: bytes, /) -> Sequence[Item]:
        return [item for line in lines(datagram) for item in self._parse(line)]

    def tally(self) -> Tally:
        return self._ledger.tally(len(self._held))

    def last_refusals(self) -> Sequence[Refusal]:
        return self._ledger.latest()

    def _turn(self, period: int) -> None:
        """Make ``period`` the present one; see ``Books`` for what that means."""
        self._now = period
        book = self._books.turn(period)
        if book is self._book:
            return
        self._book = book
        # What was not seen again in a whole period goes; elsewhere, as that takes time.
        book.leftovers += self._known.turn()

    def _slow(self, piece: bytes) -> None:
        """Take a line by its spelling of the period before, or by way of the grammar."""
        spelled = spell(piece)
        if self._recall(spelled):
            return
        stripped = lines(piece)
        if not stripped:
            self._ledger.lines -= 1
            return
        items = self._parse(stripped[0])
        duplicates = 0
        for item in items:
            if isinstance(item, Sample):
                duplicates = max(0, len(item.tags_raw) - len(item.tags))
                plain = len(items) == 1 and is_plain(item, spelled)
                self._take(item, stripped[0], spelled if plain else None)
            elif isinstance(item, Ignored):
                self._ledger.ignored[item.what] += 1
            else:
                self._ledger.refuse(item.reason, item.text)
        self._ledger.duplicate_tags += duplicates

    def _recall(self, spelled: Spelled) -> bool:
        """Take a plain line whose spelling was learned in the period before."""
        known = self._known.recall(spelled)
        if known is None:
            return False
        code, weight, named = known
        value = plain_value(code, spelled.value)
        held = self._held.get(named.identity)
        if value is None or held is None or held.named is not named:
            return False
        held = self._held.see(held, self._book.age)
        slot = self._book.slot(named.series) or self._new_slot[KINDS[code]]()
        slot.add(value, weight)  # plain ones are taken always
        self._ledger.taken[code] += 1
        self._enter(slot, held, self._book)
        self._known.learn(spelled, weight, slot, named)
        return True

    def _take(self, sample: Sample, line: bytes, spelled: Spelled | None) -> None:
        """Count a sample; its spelling is learned if it is plain."""
        times = len(sample.values)
        place = self._place(sample)
        if isinstance(place, Reason):
            self._ledger.refuse(place, _text(line), times)
            return
        if isinstance(place, What):
            self._ledger.ignored[place] += times
            if spelled is not None:
                self._known.ignore(spelled, sample.kind, place)
            return
        book, held = place
        weight = 1.0 / sample.rate
        slot = book.slot(held.named.series) or self._new_slot[sample.kind]()
        taken = _add(sample, weight, slot, held)
        self._ledger.taken[KINDS.index(sample.kind)] += taken
        if taken < times:
            self._ledger.refuse(Reason.OVERFLOW, _text(line), times - taken)
        if taken:
            self._enter(slot, held, book)
            if spelled is not None:
                self._known.learn(spelled, weight, slot, held.named)

    def _place(self, sample: Sample) -> tuple[Book, Held] | Reason | What:
        """The period and the series a sample belongs to, or why it has none."""
        stamp = sample.timestamp
        book = self._book if stamp is None else self._books.stamped(stamp)
        if isinstance(book, Reason):
            return book
        held = self._hold(sample, book.age)
        return (book, held) if isinstance(held, Held) else held

    def _enter(self, slot: Slot, held: Held, book: Book) -> None:
        """Have ``slot`` in the book, now that it has a value."""
        book.slots[held.named.series] = slot
        if isinstance(slot, GaugeSlot):
            self._held.remember(held, slot, book.age)

    def _hold(self, sample: Sample, age: int) -> Held | Reason | What:
        """The series of a sample, if it has one and there is a place for it."""
        identity = (sample.kind.value, sample.name, sample.tags)
        held = self._held.get(identity)
        if held is not None:
            return self._held.see(held, age)
        known = self._verdicts.get(identity)
        if known is not None:
            return known
        # Asked only where there is room: who asks has a name from then on.
        if not self._held.has_room(self._book.age):
            return Reason.SERIES_LIMIT
        verdict = self._resolve(sample.kind, *identity[1:])
        if isinstance(verdict, Series):
            return self._held.admit(identity, verdict, age)
        if len(self._verdicts) >= _MOST_VERDICTS:
            self._verdicts.clear()
        self._verdicts[identity] = verdict
        return verdict


def _ascending(percentiles: Sequence[int]) -> Sequence[int]:
    return tuple(sorted(set(percentiles)))


def _slot_makers(
    exact_samples: int, exact_members: int
) -> dict[Kind, Callable[[], Slot]]:
    def timer() -> TimerSlot:
        return TimerSlot(exact_samples)

    return {
        Kind.COUNTER: CounterSlot,
        Kind.GAUGE: GaugeSlot,
        Kind.TIMER: timer,
        Kind.HISTOGRAM: timer,
        Kind.DISTRIBUTION: timer,
        Kind.SET: lambda: SetSlot(exact_members),
    }


def _text(line: bytes) -> str:
    # Of a long line the ledger keeps the beginning only; so no more of it is decoded.
    return line[:1024].decode("utf-8", "replace")


def _add(sample: Sample, weight: float, slot: Slot, held: Held) -> int:
    """Add the values of a sample; how many were taken."""
    if not (sample.relative and isinstance(slot, GaugeSlot)):
        return sum(slot.add(value, weight) for value in sample.values)
    taken = 0
    for delta in sample.values:
        base = slot.last if slot.count else held.last
        taken += slot.add(base + float(delta), weight)
    return taken
