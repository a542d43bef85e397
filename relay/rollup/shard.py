"""What the native engine has once for each thread that feeds it: a table of spellings.

Tables know nothing of each other. Whoever feeds one has its lock, and passes the gate, if
there are several, before anything that all of them share.
"""

from collections.abc import Callable, Sequence

from relay.rollup._native import Gate, Table
from relay.rollup.book import Book
from relay.rollup.effort import ENOUGH, FOLDING
from relay.rollup.finite import SAFE_WEIGHT
from relay.rollup.ledger import KINDS, Ledger
from relay.rollup.series import Series
from relay.rollup.slot import CounterBase, GaugeBase, SetBase, Slot
from relay.rollup.spelling import Spelled, Why
from relay.rollup.timer import TimerBase
from relay.statsd.sample import Kind

__all__ = ["NativeVocabulary", "Shard"]

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


class NativeVocabulary:
    """Spellings in C; see ``Vocabulary``. Old ones are recalled there."""

    def __init__(self, most: int, again: _Again, gate: Gate | None) -> None:
        self.table = Table(most, ENOUGH, FOLDING, again, gate)
        self._verdicts: list[Why] = []

    def turn(self) -> Sequence[_Leftover]:
        self.table.turn()
        return (_Leftover(self.table),)

    def pause(self) -> None:
        self.table.pause()

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


class Shard:
    """A vocabulary, and the period that is present to whoever feeds it.

    ``at`` is its page in each book.
    """

    __slots__ = ("at", "book", "known", "now", "table")

    def __init__(self, at: int, known: NativeVocabulary) -> None:
        self.at, self.known, self.table = at, known, known.table
        self.now: int | None = None
        self.book = Book(0)

    def lose_the_present(self) -> None:
        """Look for the book again before anything is taken."""
        self.now, self.table.period = None, -1
