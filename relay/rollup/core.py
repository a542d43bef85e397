"""What all engines share: the way of a line that nobody recognises, and the life of periods.

A line goes one of two ways. The *slow path*, here, asks the grammar, resolves the series
and hands each value to a slot. What it learns about a spelling, that is the text around
the value, it tells a vocabulary. The *hot path* is each engine's own: it recognises what
was learned with one look-up and adds the value itself. Both ways give the very same
result, and whatever the hot path is not sure of goes the slow one.

No clock, no IO, no log; periods come as arguments.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Protocol

from relay.rollup.adding import PYTHON_SLOTS, SlotTypes, add, runs, slot_makers
from relay.rollup.admission import UNSHOWN, UNWANTED, Admission
from relay.rollup.book import Book, Leftover, Page
from relay.rollup.books import Books
from relay.rollup.carry import read_carried, write_carried
from relay.rollup.closing import Closer
from relay.rollup.effort import cost
from relay.rollup.engine import Restored, Rollup, Sealed, Tally
from relay.rollup.held import HeldSeries
from relay.rollup.ledger import KINDS, Ledger
from relay.rollup.looking import chosen, seen
from relay.rollup.overflow import Overflow
from relay.rollup.reported import PythonReported, Reported
from relay.rollup.roster import Held, PythonRoster, Roster
from relay.rollup.series import Resolve, Series
from relay.rollup.series_table import Names
from relay.rollup.slot import GaugeBase, Slot
from relay.rollup.snapshot import Snapshot, read_snapshot
from relay.rollup.spelling import Spelled, Why, is_plain, spell
from relay.rollup.stored import attempt, slot_loaders
from relay.rollup.summary import Summary
from relay.rollup.taken import Span
from relay.rollup.treatment import Rules
from relay.statsd.grammar import Grammar, lines
from relay.statsd.sample import Event, Item, Kind, Reason, Refusal, Sample, What

__all__ = ["MANY_NEW", "Core", "Known"]

_FEWEST_SPELLINGS = 1024

MANY_NEW = 10_000
"""In a period; of further ones the spelling is learned when they come again: 270 bytes."""


class Known(Protocol):
    """What an engine remembers of spellings; see ``Vocabulary``."""

    def turn(self) -> Sequence[Leftover]: ...
    def pause(self) -> None: ...
    def learn(
        self, spelled: Spelled, weight: float, slot: Slot, series: Series
    ) -> None: ...
    def ignore(
        self, spelled: Spelled, kind: Kind, why: Why, counts: dict[Why, int]
    ) -> None: ...


class Core:
    """An engine without a hot path; the protocol ``Engine`` says what calls promise.

    ``long_factor`` base periods make a long one (0: none). ``exact_samples`` and
    ``exact_members`` are how many a timer and a set keep as they are. Idle for more
    than ``idle_ttl_seconds`` (0: never) a series falls silent, those of
    ``silent_kinds`` at once, and after ``gauge_ttl`` periods (0: never) a gauge is
    forgotten. A time stamp may lie ``future_seconds`` behind the open period's end. The
    first ``feed`` opens the oldest period that is ours: a stamp of an earlier one is
    late. ``released`` is told of each series whose name another one may have again;
    ``rules`` say before all else which series what was sent counts as. ``event`` gets
    each event that the grammar reads; it is no section, and who gets it counts it.
    """

    slot_types: SlotTypes = PYTHON_SLOTS
    roster_type: Callable[[], Roster] = PythonRoster
    reported_type: Callable[[], Reported] = PythonReported
    _known: Known

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
        gauge_ttl: int = 0,
        exact_samples: int = 1024,
        exact_members: int = 1024,
        future_seconds: int = 60,
        series_limit_per_name: int = 0,
        new_series_limit: int = 0,
        released: Callable[[Series], None] = lambda _: None,
        rules: Rules | None = None,
        event: Callable[[Event], None] = lambda _: None,
    ) -> None:
        self._grammar, self._parse, self._event = grammar, grammar.parse, event
        self._resolve = resolve
        self._rules = rules = rules or Rules()
        self._released = released
        self._held = HeldSeries(
            series_limit,
            idle_ttl_seconds,
            limit_per_name=series_limit_per_name,
            limit_of_new=new_series_limit,
            gauge_life=gauge_ttl * period_seconds,
            span=period_seconds * (long_factor or 5),
            apart=period_seconds * (long_factor + 1),
            let_go=lambda series: self._book.gone.append(series),  # noqa: PLW0108 - the book of then
            released=rules.forgetting(released),
            rules=rules,
            roster=self.roster_type,
        )
        self._admission = Admission(resolve, self._held, rules)
        self._new_slot = slot_makers(exact_samples, exact_members, self.slot_types)
        self._loaders = slot_loaders(exact_samples, exact_members, self.slot_types)
        self._length = period_seconds
        self._known = self._vocabulary(max(series_limit, _FEWEST_SPELLINGS))
        self._ledger = Ledger()

        self._books = Books(period_seconds, future_seconds)
        self._now: int | None = None  # by the wall clock
        self._book = Book(0)
        self._page_at = 0  # see Book.page
        self._age = 0  # of the latest period that was present
        self._snapshot: Snapshot | None = None

        # Belongs to the thread that closes; nothing but close, finish and carry may touch it.
        self._closer = Closer(
            period_seconds=period_seconds,
            long_factor=long_factor,
            percentages=percentiles,
            idle_ttl=idle_ttl_seconds,
            silent_kinds=silent_kinds,
            gauge_ttl=gauge_ttl,
            treatments=rules.treatments,
        )

    def _vocabulary(self, most: int) -> Known:
        """What is to remember at most so many spellings of a period."""
        raise NotImplementedError

    def seal(self, before: int, seen: bool = True, /) -> Sequence[Book]:
        self._now = None
        return self._books.seal(before, seen)

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
        sealed.drain()
        whole, gone = sealed.whole(), sealed.all_gone()
        return self._closer.close(sealed.start, whole, sealed.age, gone)

    def finish(self, latest: int | None = None, /) -> Sequence[Rollup]:
        return self._closer.finish(latest)

    def change(
        self,
        *,
        percentiles: Sequence[int],
        idle_ttl_seconds: int,
        silent_kinds: Collection[Kind],
        gauge_ttl: int = 0,
    ) -> None:
        self._closer.change(percentiles, idle_ttl_seconds, silent_kinds, gauge_ttl)
        self._held.idle_ttl = idle_ttl_seconds  # the other thread's, but a number
        self._held.gauge_life = gauge_ttl * self._length

    def snapshot(self) -> Snapshot:
        if self._snapshot is not None:
            self._snapshot.void()
        self._pause()  # so that every slot is asked for before it is written to
        counts, books = self._ledger.counts(), self._books.freeze()
        held, turnover = self._held.all(), self._held.turnover()
        self._snapshot = Snapshot(
            *(self._length, counts, books, held, turnover),
            treatments=self._rules.treatments,
        )
        return self._snapshot

    def carry(self) -> Iterator[bytes]:
        known = self._length, self._rules.treatments
        return write_carried(self._closer.carried(), *known)

    def restore(self, snapshot: Iterable[bytes], carry: Iterable[bytes], /) -> Restored:
        names = Names(self._resolve, self._rules.treatments)
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
            self._held.restore(opened.held, opened.turnover)
            self._ledger = opened.ledger
            floor, books = opened.floor, opened.books
            taken += opened.taken
        for series in self._held.not_held(names.all()):
            self._released(series)
        periods = self._books.restore(floor, taken, books)
        return Restored(periods, unfit_snapshot, unfit_carry)

    def peek(self, kind: Kind, period: int, /) -> Iterator[tuple[Series, Summary]]:
        if period != self._now:
            self._turn(period)
        return seen(self._held.as_admitted(), kind, self._book.look)

    def forget(self, kind: Kind, pattern: str, period: int, /) -> Sequence[Series]:
        if period != self._now:
            self._turn(period)
        gone = list(chosen(self._held.as_admitted(), kind, pattern))
        if gone:
            self._pause()  # so that no spelling writes to a slot that is gone
        for held in gone:
            self._book.drop(held.series)
            self._held.forget(held, self._book.age)
        return [held.series for held in gone]

    def explain(self, datagram: bytes, /) -> Sequence[Item]:
        return [item for line in lines(datagram) for item in self._grammar.parse(line)]

    def tally(self) -> Tally:
        return self._ledger.tally(len(self._held))

    def overflow(self) -> Overflow:
        return self._admission.overflow()

    def last_refusals(self) -> Sequence[Refusal]:
        return self._ledger.latest()

    def _pause(self) -> None:
        """Have every slot asked for again."""
        self._known.pause()

    def _turn(self, period: int) -> None:
        """Make ``period`` the present one; see ``Books`` for what that means."""
        self._now = period
        book = self._books.turn(period)
        self._age = book.age
        if book is self._book:
            return
        self._book = book
        # What was not seen again in a whole period goes; elsewhere, as that takes time.
        book.leftovers += self._known.turn()

    def _slow(self, piece: bytes) -> int:
        """Take a line that is not recognised; gives what that has cost, in some 7 µs."""
        return self._by_grammar(spell(piece))

    def _by_grammar(self, spelled: Spelled) -> int:
        """Take a line by way of the grammar."""
        stripped = lines(spelled.line)
        if not stripped:
            self._ledger.lines -= 1
            return 1
        return self._account(stripped[0], spelled)

    def _account(self, line: bytes, spelled: Spelled | None) -> int:
        """Take a line by way of the grammar; its spelling may be learned."""
        items = self._parse(line)
        namings = self._admission.namings
        duplicates = 0
        for item, times in runs(items):
            if isinstance(item, Sample):
                duplicates = max(0, len(item.tags_raw) - len(item.tags))
                if len(items) > 1 or (spelled and not is_plain(item, spelled)):
                    spelled = None
                for _ in range(times):
                    self._take(item, line, spelled)
            elif isinstance(item, Event):
                self._event(item)
            else:
                self._ledger.set_aside(item, times)
        self._ledger.duplicate_tags += duplicates
        return cost(items, line, self._admission.namings - namings)

    def _again(self, series: Series) -> Slot | None:
        """The slot of a series that has a plain value again; None if it is not held.

        Most have none in this period yet.
        """
        book, fresh = self._book, self._new_slot[series.kind]()
        see_again = self._held.roster.see_again
        if not see_again(series, fresh, book.age):
            return None
        page = self._page(book, series.kind) if self._page_at else book
        slot = page.slots.setdefault(series, fresh)
        if slot is not fresh:
            slot = page.slots[series] = page.slot(series) or fresh
            see_again(series, slot, book.age)
        return slot

    def _take(self, sample: Sample, line: bytes, spelled: Spelled | None) -> None:
        """Count a sample; its spelling is learned if it is plain."""
        times = len(sample.values)
        namings = self._admission.namings
        place = self._place(sample)
        if isinstance(place, Reason | What):
            # Of names that find no room only a few prefixes are kept, by Admission.
            text = None if place in UNSHOWN else line
            counts = self._ledger.turn_away(place, text, times)
            if spelled is not None and place in UNWANTED:
                self._known.ignore(spelled, sample.kind, place, counts)
            return
        book, held = place
        weight = 1.0 / sample.rate
        page = self._page(book, sample.kind)
        slot = page.slot(held.series) or self._new_slot[sample.kind]()
        taken = add(sample, weight, slot, self._held.memory(held, book.age))
        self._ledger.taken[KINDS.index(sample.kind)] += taken
        if taken < times:
            self._ledger.refuse(Reason.OVERFLOW, line, times - taken)
        if taken:
            page.slots[held.series] = slot
            if isinstance(slot, GaugeBase):
                self._held.remember(held, slot, book.age)
            # Not of a series that is new in a flood: most of those never come again.
            is_new = namings != self._admission.namings
            if spelled is not None and not (is_new and self._held.came > MANY_NEW):
                self._known.learn(spelled, weight, slot, held.series)

    def _place(self, sample: Sample) -> tuple[Book, Held] | Reason | What:
        """The period and the series a sample belongs to, or why it has none."""
        stamp = sample.timestamp
        book = self._book if stamp is None else self._books.stamped(stamp)
        if isinstance(book, Reason):
            return book
        held = self._admission.series(sample, book.age, self._age)
        if isinstance(held, Reason | What):
            return held
        if sample.relative and stamp is None:
            # Read late, by another thread maybe: what came since must not miss a delta.
            moved_in = self._held.moved_in(held, book.age)
            if moved_in != book.age:
                book = self._books.of_age(moved_in) or book
        return book, held

    def _page(self, book: Book, kind: Kind) -> Page:
        """Where values of a kind go in a period."""
        at = self._page_at
        return book.page(at) if at and kind is not Kind.GAUGE else book
