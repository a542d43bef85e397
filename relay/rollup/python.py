"""The engine in Python: the specification that any other one has to match.

Its hot path is one loop over lines, with a look-up in a dict or two. No clock, no IO, no log.
"""

from typing import cast

from relay.rollup.core import Core
from relay.rollup.counter import SMALL, CounterSlot, Step
from relay.rollup.effort import ENOUGH, FOLDING
from relay.rollup.engine import FeedSome
from relay.rollup.finite import SAFE_VALUE
from relay.rollup.gauge import GaugeSlot
from relay.rollup.lane import Lane
from relay.rollup.spelling import (
    COUNTER,
    IGNORED,
    SET,
    UNSIGNED,
    Cell,
    Spelled,
    is_member,
    plain_value,
    spell,
    unsigned,
)
from relay.rollup.timer import TimerSlot
from relay.rollup.vocabulary import Vocabulary
from relay.statsd.grammar import by_length
from relay.statsd.lengths import LINE_BYTES

__all__ = ["PythonEngine"]


class PythonEngine(Core):
    """``Core`` with a hot path in Python."""

    name = "python"
    _known: Vocabulary

    def _vocabulary(self, most: int) -> Vocabulary:
        return Vocabulary(most)

    def feed(self, datagram: bytes, period: int, /) -> None:
        rest = self._pieces(datagram, period)
        while rest:
            rest = self._some(rest)

    def feed_some(self, datagram: bytes, period: int, /) -> bytes:
        return b"\n".join(self._some(self._pieces(datagram, period)))

    def feed_as(self, signed_gauge: str, /) -> FeedSome:
        if signed_gauge == self._grammar.signed_gauge:
            return self.feed_some
        usual, other = self._parse, self._grammar.signed(signed_gauge).parse

        def feed_some(datagram: bytes, period: int) -> bytes:
            self._parse = other
            try:
                return self.feed_some(datagram, period)
            finally:
                self._parse = usual

        return feed_some

    def _slow(self, piece: bytes) -> int:
        """Take a line by its spelling of the period before, or by way of the grammar."""
        known = self._known
        step = known.recall_step(piece)
        if step is not None and self._step_again(step):
            return 1
        spelled = spell(piece)
        lane = known.recall_lane(spelled)
        if lane is None:
            is_taken = self._cell_again(spelled)
        else:
            is_taken = self._lane_again(lane, spelled)
        return 1 if is_taken else self._by_grammar(spelled)

    def _step_again(self, step: Step) -> bool:
        """Take a line that was a step in the period before; most are."""
        series, home = step.series, self._known.learned.steps
        slot = self._again(series)
        if not isinstance(slot, CounterSlot):
            return False
        again = slot.learn(step.line, home, step.number, step.weight, series)
        if again is None:
            return False
        again.came += 1
        self._ledger.taken[COUNTER] += 1
        return True

    def _lane_again(self, lane: Lane, spelled: Spelled) -> bool:
        """Take a plain line that had ``lane`` in the period before."""
        number = unsigned(spelled.value)
        slot = None if number is None else self._again(lane.series)
        if number is None or not isinstance(slot, GaugeSlot | TimerSlot):
            return False
        code, weight = lane.code, lane.weight
        again = slot.lane_of(weight)
        if again is None:
            return False
        self._known.learned.learn_lane(spelled, again, code, weight, lane.series)
        again.append(number)
        if len(again) >= again.most:
            slot.settle()
        self._ledger.taken[code] += 1
        return True

    def _cell_again(self, spelled: Spelled) -> bool:
        """Take another plain line whose spelling was learned before."""
        known = self._known.recall(spelled)
        if known is None:
            return False
        code, weight, series = known
        value = plain_value(code, spelled.value)
        slot = None if value is None else self._again(series)
        if slot is None:
            return False
        slot.add(value, weight)  # plain ones are taken always
        self._ledger.taken[code] += 1
        self._known.learn(spelled, weight, slot, series)
        return True

    def _pieces(self, datagram: bytes, period: int) -> list[bytes]:
        if period != self._now:
            self._turn(period)
        pieces = datagram.split(b"\n")
        return pieces if len(datagram) <= LINE_BYTES else self._without_long(pieces)

    def _without_long(self, pieces: list[bytes]) -> list[bytes]:
        """Those that are short enough to be looked at; the others are refused."""
        short, long = by_length(pieces)
        self._ledger.lines += len(long)
        for line in long:
            self._account(line, None)
        return short

    # A call costs more than all the rest of a common line, so that this is one loop.
    def _some(self, pieces: list[bytes]) -> list[bytes]:
        """Take lines in turn until they have cost enough; gives those that are left."""
        learned = self._known.learned
        key_of = b":".join
        step_of, lane_of = learned.steps.get, learned.lanes.get
        cell_of, taken = learned.cells.get, self._ledger.taken
        named = learned.named
        by_name = named.get if named else None
        self._ledger.lines += len(pieces)  # the slow path takes back the empty ones
        others = effort = 0
        rest = iter(pieces)
        for line in rest:
            step = step_of(line)
            if step is not None:
                step.came += 1
                continue
            others += 1
            name, _, after = line.partition(b":")
            lane = by_name(name) if by_name else None
            value = after if lane is None else after.removesuffix(lane.tail)
            if value is after:  # nothing was removed, which gives the same object
                value, _, form = after.partition(b"|")
                key = key_of((name, form))
                lane = lane_of(key)
            spent: int | None = None
            if lane is None:
                spent = self._add(cell_of(key), value)
            # Of texts of digits and dots float() takes just those that are numbers.
            # Signs, exponents, blanks and the rest are the slow path's.
            elif value.isdigit() or not value.strip(UNSIGNED):
                try:
                    number = float(value)
                except ValueError:
                    number = SAFE_VALUE
                if number < SAFE_VALUE:
                    lane.append(number)
                    taken[lane.code] += 1
                    if len(lane) < lane.most:
                        continue
                    spent = self._settle(lane)
            effort += self._slow(line) if spent is None else spent
            if effort >= ENOUGH:
                break
            by_name = named.get if named else None
        left = list(rest)
        taken[COUNTER] += len(pieces) - len(left) - others
        self._ledger.lines -= len(left)
        return left

    def _settle(self, lane: Lane) -> int:
        """Have a slot look at its lane, which is as long as it may be; gives the cost."""
        slot = cast(GaugeSlot | TimerSlot, self._book.slots[lane.series])
        return FOLDING if slot.settle() else 0

    def _add(self, cell: Cell | None, value: bytes) -> int | None:
        """Take a value by its cell; gives what it has cost, None if nothing was taken."""
        if cell is None:
            return None
        code, slot, weight, more, _ = cell
        if code == SET:
            if not is_member(value):
                return None
            more.add(value)
            self._ledger.taken[SET] += 1
            if len(more) <= slot.most:
                return 0
            slot.trim()
            return FOLDING
        number = unsigned(value)
        if number is None:
            return None
        if code == IGNORED:
            more[slot] += 1
        else:
            number *= weight
            has_steps = slot.steps is not None
            if has_steps and not (more and number < SMALL and value.isdigit()):
                slot.unlearn()
            slot.added += number
            slot.counted += weight
            self._ledger.taken[COUNTER] += 1
        return 0
