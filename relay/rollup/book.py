"""An open period, until it is handed to the side that closes it."""

from relay.rollup.series import Series
from relay.rollup.slot import Slot
from relay.rollup.spelling import Spellings

__all__ = ["Book"]


class Book:
    """The slots of a period that is reported as the one that starts at ``start``.

    ``age`` is where it starts on a clock that nobody sets. ``earlier`` are books that
    go along, oldest first, to be merged where nobody waits, as ``leftovers`` are to be
    drained there.
    """

    __slots__ = ("age", "earlier", "leftovers", "slots", "start")

    def __init__(self, start: int, age: int | None = None) -> None:
        self.start = start
        self.age = start if age is None else age
        self.slots: dict[Series, Slot] = {}
        self.earlier: list[Book] = []
        self.leftovers: list[Spellings] = []

    def whole(self) -> dict[Series, Slot]:
        """The slots of this and the earlier ones in one. Once sealed, any thread."""
        if not self.earlier:
            return self.slots
        slots: dict[Series, Slot] = {}
        for book in (*self.earlier, self):
            for series, slot in book.slots.items():
                before = slots.get(series)
                slots[series] = slot if before is None else before.merged(slot)
        return slots
