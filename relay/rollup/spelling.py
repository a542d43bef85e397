"""Spellings the hot path recognises: a line without its value, and what to do with it.

    stage.checkout.errors:12|c|@0.5|#env:prod
    name                  ^^ form
                          value

A *lane* belongs to a name and a form whose values are numbers to be kept, of a gauge or a
timer; a *cell* says where a value of all others goes. A *step* is a whole line of a counter
with how often it came, since most counters only ever say ``1``. They belong to slots and
live as long as these are open; then they help to recognise the same spelling in the next
period without asking the grammar again.

Where lines have no tags most names have one form. There a lane is found by its name alone,
and the end of the line, its *tail* ``|ms``, is compared and cut off in one call: the key of
name and form need not be made.

A spelling is learned from a plain line only: one that would be the same sample with any
other plain value in the place of its own. What is plain is decided here.
"""

from collections.abc import Sized
from contextlib import suppress
from typing import Any, NamedTuple

from relay.rollup.counter import SMALL, CounterSlot, Steps
from relay.rollup.finite import SAFE_VALUE, SAFE_WEIGHT
from relay.rollup.gauge import GaugeSlot
from relay.rollup.lane import Lane
from relay.rollup.ledger import KINDS
from relay.rollup.series import Series
from relay.rollup.slot import MEMBER_BYTES, SetBase, Slot
from relay.rollup.timer import TimerSlot
from relay.statsd.asides import SERVICE_CHECK
from relay.statsd.sample import Kind, Reason, Sample, What

__all__ = [
    "COUNTER",
    "IGNORED",
    "SET",
    "UNSIGNED",
    "Cell",
    "Spelled",
    "Spellings",
    "Why",
    "is_member",
    "is_plain",
    "plain_value",
    "spell",
    "unsigned",
]

COUNTER, SET = map(KINDS.index, (Kind.COUNTER, Kind.SET))
IGNORED = len(KINDS)
"""Codes of cells: the place of a kind, or that nobody wants samples of this name."""

UNSIGNED = b"0123456789."
"""Of texts of these ``float()`` takes just those that are numbers."""

_TAILS = {form: b"|" + form for form in (b"g", b"ms", b"h", b"d")}
"""One object each, which the processor's caches hold."""

_STEPS = (b"1", b"-1")
_LONGEST_LINE = 512

Why = Reason | What

Cell = tuple[int, Any, float, Any, Series | None]
"""A code, and by it: a counter, its weight, whether that is whole; a set, its weight, its
members; a Why, 1.0, counts. The series is behind them.

The types follow from the code, which a type checker cannot know.
"""


class Spelled(NamedTuple):
    """A line cut in the way of the hot path."""

    line: bytes
    name: bytes
    value: bytes
    form: bytes

    @property
    def cell(self) -> bytes:
        """The key of its cell. There is no other with the same: a name has no colon."""
        return self.name + b":" + self.form


def spell(line: bytes) -> Spelled:
    name, _, rest = line.partition(b":")
    value, _, form = rest.partition(b"|")
    return Spelled(line, name, value, form)


def is_plain(sample: Sample, spelled: Spelled) -> bool:
    """Whether a spelling may be learned from the only sample of a line."""
    return (
        sample.timestamp is None
        and not sample.tags_raw
        and not sample.relative
        and len(sample.values) == 1
        and len(spelled.line) <= _LONGEST_LINE
        and b":" not in spelled.value
        and not spelled.name.startswith(SERVICE_CHECK)  # its value stands elsewhere
    )


def plain_value(code: int, text: bytes) -> float | str | None:
    """What ``text`` is to the hot path; None where that leaves it to the grammar."""
    if code == SET:
        return text.decode() if is_member(text) else None
    if code == COUNTER and text == b"-1":
        return -1.0
    return unsigned(text)


def is_member(text: bytes) -> bool:
    """Whether ``text`` is kept in a set as it is."""
    return text.isascii() and 0 < len(text) <= MEMBER_BYTES and b":" not in text


def unsigned(text: bytes) -> float | None:
    """The number that ``text`` is, if it is one without a sign and of a size to be added."""
    if not text.isdigit() and text.strip(UNSIGNED):
        return None
    try:
        value = float(text)
    except ValueError:
        return None
    return value if value < SAFE_VALUE else None


class Spellings(Sized):
    """What has been learned in one period; the hot path reads all of it.

    Lanes with a tail are ``named``, all others stand in ``lanes`` under the key of a cell.
    """

    __slots__ = ("cells", "lanes", "named", "steps")

    def __init__(self) -> None:
        self.cells: dict[bytes, Cell] = {}
        self.lanes: dict[bytes, Lane] = {}
        self.named: dict[bytes, Lane] = {}
        self.steps = Steps()

    def __len__(self) -> int:
        lanes = len(self.lanes) + len(self.named)
        return len(self.cells) + lanes + len(self.steps)

    def learn(
        self, spelled: Spelled, kind: Kind, weight: float, slot: Slot, series: Series
    ) -> None:
        """Recognise ``spelled`` from now on, if the hot path can serve it."""
        code = KINDS.index(kind)
        if isinstance(slot, CounterSlot):
            if weight >= SAFE_WEIGHT:
                return
            if spelled.value in _STEPS:
                number = float(spelled.value) * weight
                if slot.learn(spelled.line, self.steps, number, weight, series):
                    return
            is_whole = weight < SMALL and weight.is_integer()
            self.cells[spelled.cell] = code, slot, weight, is_whole, series
        elif isinstance(slot, SetBase):
            self.cells[spelled.cell] = code, slot, weight, slot.members, series
        elif isinstance(slot, GaugeSlot | TimerSlot):
            lane = slot.lane_of(weight)
            if lane is not None:
                self.learn_lane(spelled, lane, code, weight, series)

    def learn_lane(
        self, spelled: Spelled, lane: Lane, code: int, weight: float, series: Series
    ) -> None:
        """Recognise ``spelled`` as one whose values belong to ``lane``, from now on."""
        lane.code, lane.weight, lane.series = code, weight, series
        known = self.named.get(spelled.name)
        tail = _TAILS.get(spelled.form)
        if tail is not None and (known is None or known.tail == tail):
            lane.tail = lane.tail or tail
            if lane.tail == tail:
                self.named[spelled.name] = lane
                return
            self.named.pop(spelled.name, None)
        self.lanes[spelled.cell] = lane

    def ignore(
        self, spelled: Spelled, kind: Kind, why: Why, counts: dict[Why, int]
    ) -> None:
        """Recognise ``spelled`` as something nobody wants, counted in ``counts``."""
        if kind is not Kind.SET:
            self.cells[spelled.cell] = IGNORED, why, 1.0, counts, None

    def recall(self, spelled: Spelled) -> tuple[int, float, Series] | None:
        """The code, the weight and the series of a spelling, which is forgotten here."""
        step = self.steps.pop(spelled.line, None)
        if step is not None:
            return COUNTER, step.weight, step.series
        lane = self.recall_lane(spelled)
        if lane is not None:
            return lane.code, lane.weight, lane.series
        cell = self.cells.pop(spelled.cell, None)
        if cell is None:
            return None
        code, _, weight, _, series = cell
        return None if series is None else (code, weight, series)

    def recall_lane(self, spelled: Spelled) -> Lane | None:
        """The lane of a spelling, which is forgotten here."""
        named = self.named.get(spelled.name)
        if named is not None and named.tail == b"|" + spelled.form:
            return self.named.pop(spelled.name, None)
        return self.lanes.pop(spelled.cell, None)

    def drain(self) -> None:
        """One by one: to free a large dict at once stops all threads while it lasts."""
        tables: tuple[dict[bytes, Any], ...] = (self.cells, self.lanes, self.named)
        for table in (*tables, self.steps):
            with suppress(KeyError):  # when it is empty
                while True:
                    table.popitem()
