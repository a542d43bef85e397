"""The open periods: which there are, which is the present one, what may be sealed.

Knows names of periods and nothing of what a period holds. No clock is read here: the
wall clock's period is an argument, and so is the news that somebody set that clock. The
rules for a clock that was set:

- A name is given away once, also if the clock comes to it again: what arrives then waits
  in the first period whose name is free, which is sealed when the clock has passed it.
- What is open when the clock is set goes on under the new time, so that it is neither
  held back until an hour has come round again, nor reported as a day old.
- A clock that went wrong by a period at most changes no names: the neighbour is open
  still, or will be in a moment.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from relay.rollup.book import Book, FrozenBook
from relay.rollup.taken import Span, Taken
from relay.statsd.sample import Reason

__all__ = ["Books", "FrozenBooks"]


class FrozenBooks(NamedTuple):
    """Open periods as they were at one moment.

    ``floor`` is the first that is not sealed, None before the first was opened;
    ``taken`` are the names that were given away, ``lag`` is what ages lie behind starts.
    """

    floor: int | None
    taken: Sequence[Span]
    lag: int
    books: Sequence[FrozenBook]


class Books:
    """Open periods of ``length`` seconds.

    The first that is opened is the oldest that is ours. A time stamp may lie ``future``
    seconds behind the end of the present period.
    """

    def __init__(self, length: int, future: int) -> None:
        self._length = length
        self._future = future
        self._open: dict[int, Book] = {}
        self._taken = Taken(length)
        self._floor: int | None = None  # what is before it is sealed, or never was ours
        self._lag = 0  # how far the wall clock was set ahead since the first period
        self.present = Book(0)  # whoever has several sets which

    def turn(self, period: int) -> Book:
        """The book for what arrives while ``period`` is that of the wall clock."""
        start = self._taken.first_free(period)
        if self._floor is None or start < self._floor:
            self._floor = start
        self.present = self._book_of(start)
        return self.present

    def of_age(self, age: int) -> Book | None:
        """An open one that started then, on the clock that nobody sets."""
        return next((book for book in self._open.values() if book.age == age), None)

    def is_open(self, book: Book) -> bool:
        """Whether it is to be sealed yet, by itself."""
        return self._open.get(book.start) is book

    def stamped(self, timestamp: int) -> Book | Reason:
        """The book for what says itself when it was, in Unix seconds."""
        start = timestamp - timestamp % self._length
        if timestamp < (self._floor or 0) or start in self._taken:
            return Reason.LATE
        if timestamp > self.present.start + self._length + self._future:
            return Reason.FUTURE
        return self._book_of(start)

    def seal(self, before: int, seen: bool = True) -> Sequence[Book]:
        """See ``Engine.seal``."""
        before -= before % self._length
        if self._floor is not None and before <= self._floor:
            return ()
        self._floor = before
        last = before - self._length
        end = last if seen else before
        due = sorted(start for start in self._open if start < end)
        sealed = [book for book in map(self._open.pop, due) if not book.is_empty]
        if seen and last not in self._taken:
            sealed.append(self._book_of(last))
            del self._open[last]
        for book in sealed:
            self._taken.add(book.start)
        return sealed

    def seal_all(self, latest: int | None) -> Sequence[Book]:
        """See ``Engine.seal_all``."""
        if latest is not None:
            for start in sorted(self._open, reverse=True):
                if start > latest:
                    self._rename(start, self._taken.last_free(latest))
        end = max(self._open, default=None)
        if end is None:
            return ()
        self._floor = None  # what was named anew may lie before it
        return self.seal(end + self._length)

    def step(self, old: int, new: int) -> bool:
        """The wall clock was set: ``new`` is the period where ``old`` was.

        Whether that changed anything.
        """
        if abs(new - old) <= self._length:
            return False
        self._lag += new - old
        nearest, furthest = new - self._length, new + self._length
        for start in sorted(self._open, reverse=True):
            if nearest <= start <= furthest:  # opened under the new time already
                self._open[start].age = start - self._lag
            else:
                wanted = min(max(start + new - old, nearest), furthest)
                self._rename(start, self._taken.first_free(wanted))
        self.turn(new)
        return True

    def freeze(self) -> FrozenBooks:
        """All of them as they are now; see ``Book.freeze``."""
        books = [self._open[start].freeze() for start in sorted(self._open)]
        return FrozenBooks(self._floor, self._taken.spans, self._lag, books)

    def restore(
        self, floor: int | None, taken: Iterable[Span], books: Iterable[Book]
    ) -> Sequence[int]:
        """Go on with ``books``, but for those whose name is ``taken``.

        Gives the periods that are open then, in order. Ages are names again.
        """
        self._floor, self._taken = floor, Taken(self._length, taken)
        self._open = {b.start: b for b in books if b.start not in self._taken}
        opened = set(self._open)
        if floor is not None and floor not in self._taken:
            opened.add(floor)
        return sorted(opened)

    def _rename(self, start: int, name: int) -> None:
        """Have an open book go on as ``name``, with the book of that name if there is.

        Called with the latest first, so that a book that is there came later.
        """
        book = self._open.pop(start)
        there = self._open.get(name)
        if there is None:
            book.start = name
            self._open[name] = book
        else:
            there.earlier[:0] = [*book.earlier, book]
            book.earlier = []

    def _book_of(self, start: int) -> Book:
        book = self._open.get(start)
        if book is None:
            book = self._open[start] = Book(start, start - self._lag)
        return book
