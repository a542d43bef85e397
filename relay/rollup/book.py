"""An open period: its slots, and the spellings that have been recognised in it.

A spelling is a line without its value. A *cell* says what to do with the value of a
spelling; a *step* is a whole line of a counter, with the increment it stands for, since
most counters only ever say ``1``. Both point at slots, and so live as long as these are
open.
"""

from typing import Any

from relay.rollup.series import Series
from relay.rollup.slot import CounterSlot, Slot

__all__ = ["Book", "Cell", "Step"]

Cell = tuple[int, Any, float, Any]
"""A code, what it works on (its type follows from the code), a weight, an append."""

Step = tuple[CounterSlot, float, float]
"""A counter, and what its total and its count grow by."""


class Book:
    """Handed from the thread that fills it to the one that closes it."""

    __slots__ = ("cells", "slots", "start", "steps")

    def __init__(self, start: int) -> None:
        self.start = start
        self.slots: dict[Series, Slot] = {}
        self.cells: dict[tuple[bytes, bytes], Cell] = {}
        self.steps: dict[bytes, Step] = {}

    def spellings(self) -> int:
        """How many are recognised."""
        return len(self.cells) + len(self.steps)

    def forget_spellings(self) -> None:
        """One by one: to free a large dict at once stops all threads while it lasts."""
        for table in (self.cells, self.steps):
            for _ in range(len(table)):
                table.popitem()
