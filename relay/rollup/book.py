"""An open period, until it is handed to the side that closes it."""

from collections.abc import Iterator, Mapping, Sequence, Sized
from typing import Protocol

from relay.rollup.pieces import free_dict
from relay.rollup.series import Series
from relay.rollup.slot import Slot

__all__ = ["Book", "FrozenBook", "Leftover", "Page"]


class Leftover(Sized, Protocol):
    """Spellings that were not used in a whole period."""

    def drain(self) -> None:
        """Free them, holding nobody up."""
        ...


class _FrozenPage:
    """A page as it was at one moment; ``slots`` are not written to while they are here."""

    __slots__ = ("slots",)

    def __init__(self, slots: dict[Series, Slot]) -> None:
        self.slots = slots.copy()  # in C: 2 ms for 100,000

    def release(self) -> None:
        """The slots may be written to again."""
        slots, self.slots = self.slots, {}
        free_dict(slots)


class FrozenBook:
    """A book as it was at one moment.

    ``earlier`` are the books that go along, oldest first; nothing is written to those.
    ``gone`` is of all of them.
    """

    __slots__ = ("_pages", "age", "earlier", "gone", "start")

    def __init__(self, book: "Book", pages: Sequence[_FrozenPage]) -> None:
        self.start, self.age = book.start, book.age
        self._pages = pages
        self.earlier = tuple(book.earlier)
        self.gone = book.all_gone()

    def slots(self) -> Iterator[tuple[Series, Slot]]:
        """One of each series, made on the way where several pages have it."""
        return _together([page.slots for page in self._pages])

    def release(self) -> None:
        """The slots may be written to again."""
        for page in self._pages:
            page.release()


class Page:
    """The slots that one thread at a time writes to."""

    __slots__ = ("_frozen", "slots")

    def __init__(self) -> None:
        self.slots: dict[Series, Slot] = {}
        self._frozen: _FrozenPage | None = None

    def slot(self, series: Series) -> Slot | None:
        """What holds the series so far, to be entered again once it was written to."""
        slot = self.slots.get(series)
        frozen = self._frozen
        if slot is not None and frozen is not None:
            if not frozen.slots:
                self._frozen = None
            elif frozen.slots.get(series) is slot:
                return slot.copy()
        return slot

    def freeze_page(self) -> _FrozenPage:
        """As it is now. Slots are copied when they are written to next."""
        self._frozen = _FrozenPage(self.slots)
        return self._frozen


class Book(Page):
    """The slots of a period that is reported as the one that starts at ``start``.

    ``age`` is where it starts on a clock that nobody sets. ``beside`` are pages of
    further threads that write at the same time; gauges, of which the last value counts,
    are in the book itself whoever brings them. ``earlier`` are books that go along,
    oldest first, to be merged where nobody waits, as ``leftovers`` are to be drained
    there. ``gone`` are series that are held no longer since.
    """

    __slots__ = ("age", "beside", "earlier", "gone", "leftovers", "start")

    def __init__(self, start: int, age: int | None = None) -> None:
        super().__init__()
        self.start = start
        self.age = start if age is None else age
        self.beside: list[Page] = []
        self.earlier: list[Book] = []
        self.gone: list[Series] = []
        self.leftovers: list[Leftover] = []

    def page(self, at: int) -> Page:
        """That of a thread; 0 is the book itself."""
        while len(self.beside) < at:
            self.beside.append(Page())
        return self.beside[at - 1] if at else self

    def look(self, series: Series) -> Slot | None:
        """What there is of a series on all pages, to be looked at only."""
        found = self.slots.get(series)
        for page in self.beside:
            slot = page.slots.get(series)
            if slot is not None:
                found = slot if found is None else found.merged(slot)
        return found

    def drop(self, series: Series) -> None:
        """Have nothing of it."""
        for page in self._pages():
            page.slots.pop(series, None)

    def freeze(self) -> FrozenBook:
        """The book as it is now; see ``Page.freeze_page``."""
        return FrozenBook(self, [page.freeze_page() for page in self._pages()])

    def all_gone(self) -> list[Series]:
        """Of this and the earlier ones."""
        return [series for book in (*self.earlier, self) for series in book.gone]

    @property
    def is_empty(self) -> bool:
        """Whether neither this nor an earlier one has a slot."""
        books = (*self.earlier, self)
        return not any(page.slots for book in books for page in book._pages())  # noqa: SLF001 - its own

    def drain(self) -> None:
        """Free what is left over of it and of the earlier ones. Once sealed, any thread."""
        for book in (*self.earlier, self):
            for spellings in book.leftovers:
                spellings.drain()

    def together(self) -> Iterator[tuple[Series, Slot]]:
        """The slots of all pages. Once nothing is written to it, any thread."""
        return _together([page.slots for page in self._pages()])

    def whole(self) -> dict[Series, Slot]:
        """The slots of this and the earlier ones in one. Once sealed, once, any thread."""
        slots: dict[Series, Slot] = {}
        if not (self.earlier or self.beside):
            slots, self.slots = self.slots, slots
            return slots
        for book in (*self.earlier, self):
            for series, slot in book.together():
                before = slots.get(series)
                slots[series] = slot if before is None else before.merged(slot)
        for page in self._pages():
            free_dict(page.slots)
        return slots

    def _pages(self) -> Sequence[Page]:
        return (self, *self.beside)


def _together(pages: Sequence[Mapping[Series, Slot]]) -> Iterator[tuple[Series, Slot]]:
    """Each series once, with what all pages have of it."""
    for at, page in enumerate(pages):
        before, behind = pages[:at], pages[at + 1 :]
        for series, slot in page.items():
            if any(series in other for other in before):
                continue
            for other in behind:
                more = other.get(series)
                if more is not None:
                    slot = slot.merged(more)  # noqa: PLW2901 - it is that and more
            yield series, slot
