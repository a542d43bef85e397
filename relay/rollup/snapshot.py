"""What an engine held at one moment, and how to have it again.

Taken at once, written down later and elsewhere: as long as parts are made, the engine
copies a slot before it writes to it (see ``Book.freeze``). How series are named is not
written, nor what the hot path has learned.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from relay.rollup.book import Book
from relay.rollup.books import FrozenBooks
from relay.rollup.columns import PartReader, PartWriter
from relay.rollup.gauge import GaugeSlot
from relay.rollup.held import Turnover
from relay.rollup.ledger import Ledger
from relay.rollup.roster import Held, Kept
from relay.rollup.series import Series
from relay.rollup.series_table import Names
from relay.rollup.slot import Slot
from relay.rollup.stored import Label, Loaders, PartsReader, PartsWriter, reading
from relay.rollup.taken import Span
from relay.rollup.treatment import Treatments

__all__ = ["Opened", "Snapshot", "read_snapshot"]

_WHAT = "open periods"


class Snapshot:
    """Gives its parts once, in any one thread, while the engine goes on.

    Where another snapshot was taken meanwhile it raises RuntimeError: the slots are no
    longer kept as they were.
    """

    def __init__(
        self,
        period_seconds: int,
        counts: Mapping[str, Any],
        open_periods: FrozenBooks,
        held: Sequence[Held],
        turnover: Turnover,
        *,
        treatments: Treatments,
    ) -> None:
        self._period_seconds = period_seconds
        self._counts = counts
        self._open = open_periods
        self._held, self._turnover = held, turnover
        self._treatments = treatments
        self._is_void = False

    def void(self) -> None:
        """It is too late to make parts of it."""
        self._is_void = True

    def __iter__(self) -> Iterator[bytes]:
        for part in self._parts():
            if self._is_void:
                raise RuntimeError("a later snapshot was taken")
            yield part
        self._is_void, self._held, self._turnover = True, (), Turnover()
        for book in self._open.books:
            book.release()

    def _parts(self) -> Iterator[bytes]:
        writer, lag = PartsWriter(self._treatments), self._open.lag
        facts = {
            "floor": self._open.floor,
            "taken": self._open.taken,
            "counts": self._counts,
            "turnover": [_shifted(self._turnover.now, lag), *self._turnover[1:5]],
        }
        yield writer.head(_WHAT, self._period_seconds, facts)
        for frozen in self._open.books:
            for at, book in enumerate(frozen.earlier):
                label = {"earlier": [frozen.start, book.age + lag, at]}
                yield from _slots(writer, label, book.together())
            label = {"period": [frozen.start, frozen.age + lag, 0]}
            yield from _slots(writer, label, frozen.slots())
            yield from _series(writer, {"gone": True}, frozen.gone)
        yield from _turned_over(writer, self._turnover, lag)
        yield from _memories(writer, self._held, lag)


class Opened(NamedTuple):
    """What is read back; ``books`` with the earlier ones in them."""

    floor: int | None
    taken: Sequence[Span]
    books: Sequence[Book]
    held: Sequence[Held]
    turnover: Turnover
    ledger: Ledger


def read_snapshot(
    parts: Iterable[bytes], period_seconds: int, names: Names, loaders: Loaders
) -> Opened:
    """The state that was saved; UnfitError if the parts are not of such an engine."""
    with reading():
        reader = PartsReader(parts, _WHAT, period_seconds, names)
        state = _Reading(reader, loaders)
        for label, part in reader:
            state.take(label, part)
        head = reader.head
        taken = [(int(start), int(end)) for start, end in head["taken"]]
        floor = None if head["floor"] is None else int(head["floor"])
        ledger = Ledger.load(head["counts"])
        now, in_span, newcomers, is_full, giving_way = head["turnover"]
        turnover = Turnover(
            None if now is None else int(now),
            None if in_span is None else int(in_span),
            int(newcomers),
            bool(is_full),
            int(giving_way),
            state.came,
            list(state.crowds.items()),
            list(state.many.items()),
            state.leaving,
        )
        return Opened(floor, taken, state.books, state.held, turnover, ledger)


def _slots(
    writer: PartsWriter, label: Label, slots: Iterable[tuple[Series, Slot]]
) -> Iterator[bytes]:
    number = writer.series.number

    def write(part: PartWriter, record: tuple[Series, Slot]) -> None:
        series, slot = record
        part.whole.append(number(series))
        slot.save(part)

    return writer.parts(label, slots, write)


def _series(
    writer: PartsWriter, label: Label, series: Iterable[Series]
) -> Iterator[bytes]:
    number = writer.series.number
    return writer.parts(label, series, lambda part, one: part.whole.append(number(one)))


def _turned_over(writer: PartsWriter, turnover: Turnover, lag: int) -> Iterator[bytes]:
    for word in ("crowds", "many"):
        for period, came in getattr(turnover, word):
            label = {word: period + lag}
            yield from _series(writer, label, came)
    yield from _series(writer, {"came": True}, turnover.came)
    for since, together in groupby(turnover.leaving, key=itemgetter(0)):
        series = (one for _, one in together)
        yield from _series(writer, {"leaving": since + lag}, series)


def _shifted(period: int | None, lag: int) -> int | None:
    return None if period is None else period + lag


def _memories(writer: PartsWriter, held: Sequence[Held], lag: int) -> Iterator[bytes]:
    number = writer.series.number

    def write(part: PartWriter, held: Held) -> None:
        gauge = held.gauge
        has_memory = gauge is not None
        seen, turn = held.seen + lag, held.turn
        part.whole.extend((number(held.series), seen, turn, has_memory))
        if gauge is not None:
            part.whole.append(held.gauge_period + lag)
            part.real.append(gauge.last)

    return writer.parts({"held": True}, held, write)


class _Reading:
    """Takes parts in the order in which they were written."""

    def __init__(self, reader: PartsReader, loaders: Loaders) -> None:
        self._series, self._loaders = reader.series, loaders
        self._earlier: list[Book] = []
        self._label: Label = {}
        self._book: Book | None = None
        self.books: list[Book] = []
        self.held: list[Kept] = []
        self.came: list[Series] = []
        self.crowds: dict[int, list[Series]] = {}
        self.many: dict[int, list[Series]] = {}
        self.leaving: list[tuple[int, Series]] = []

    def take(self, label: Label, part: PartReader) -> None:
        if "held" in label:
            while part.has_more:
                self._hold(part)
            return
        if "gone" in label:
            self.books[-1].gone += self._named(part)
            return
        if "came" in label:
            self.came += self._named(part)
            return
        for word, crowds in (("crowds", self.crowds), ("many", self.many)):
            if word in label:
                crowds.setdefault(int(label[word]), []).extend(self._named(part))
                return
        if "leaving" in label:
            since = int(label["leaving"])
            self.leaving += [(since, named) for named in self._named(part)]
            return
        book = self._book_of(label)
        while part.has_more:
            word, named = self._series.at(part.whole())
            slot = self._loaders[word](part)
            if named is not None:
                book.slots[named] = slot

    def _named(self, part: PartReader) -> Iterator[Series]:
        """Those that are still reported of the series in a part of nothing but them."""
        while part.has_more:
            _, named = self._series.at(part.whole())
            if named is not None:
                yield named

    def _book_of(self, label: Label) -> Book:
        """That of the part before if it has the same label, else a new one."""
        if self._book is not None and label == self._label:
            return self._book
        [(word, (start, age, _))] = label.items()
        books = self._earlier if word == "earlier" else self.books
        self._label = label
        self._book = book = Book(int(start), int(age))
        if word == "period":
            book.earlier, self._earlier = self._earlier, []
        books.append(book)
        return book

    def _hold(self, part: PartReader) -> None:
        number, seen, turn, has_memory = part.wholes(4)
        _, named = self._series.at(number)
        gauge, gauge_period = None, seen
        if has_memory:
            gauge, gauge_period = GaugeSlot(), part.whole()
            gauge.last = part.real()
        if named is not None:
            self.held.append(Kept(named, seen, turn, gauge, gauge_period))
