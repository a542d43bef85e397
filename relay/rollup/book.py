"""An open period, until it is handed to the side that closes it."""

from relay.rollup.series import Series
from relay.rollup.slot import Slot
from relay.rollup.spelling import Spellings

__all__ = ["Book"]


class Book:
    """The slots of a period, and ``leftovers`` to be drained where nobody waits."""

    __slots__ = ("leftovers", "slots", "start")

    def __init__(self, start: int) -> None:
        self.start = start
        self.slots: dict[Series, Slot] = {}
        self.leftovers: list[Spellings] = []
