"""The engine in Python: the specification that any other one has to match.

Its hot path is one loop over lines and two look-ups in dicts. No clock, no IO, no log.
"""

from relay.rollup.core import Core
from relay.rollup.counter import SMALL, CounterSlot, Step
from relay.rollup.effort import ENOUGH, FOLDING
from relay.rollup.engine import FeedSome
from relay.rollup.finite import SAFE_VALUE
from relay.rollup.slot import MEMBER_BYTES
from relay.rollup.spelling import COUNTER, GAUGE, IGNORED, SET, UNSIGNED
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
        step = self._known.recall_step(piece)
        if step is not None and self._step_again(step):
            return 1
        return super()._slow(piece)

    def _step_again(self, step: Step) -> bool:
        """Take a line that was a step in the period before; most are."""
        line, series = step.line, step.series
        home = self._known.learned.steps
        slot = self._again(series)
        if not isinstance(slot, CounterSlot) or not slot.learn(
            line, home, step.number, step.weight, series
        ):
            return False
        home[line].times += 1
        self._ledger.taken[COUNTER] += 1
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
    def _some(self, pieces: list[bytes]) -> list[bytes]:  # noqa: C901, PLR0912, PLR0915
        """Take lines in turn until they have cost enough; gives those that are left."""
        learned = self._known.learned
        step_of, cell_of = learned.steps.get, learned.cells.get
        taken = self._ledger.taken
        self._ledger.lines += len(pieces)  # the slow path takes back the empty ones
        others = gauges = effort = 0
        rest = iter(pieces)
        for line in rest:
            step = step_of(line)
            if step is not None:
                step.times += 1
                continue
            others += 1
            name, colon, after = line.partition(b":")
            value, _, form = after.partition(b"|")
            cell = cell_of(name + colon + form)
            if cell is not None:
                code, slot, weight, append, _ = cell
                if code == SET:
                    if (
                        value.isascii()
                        and 0 < len(value) <= MEMBER_BYTES
                        and b":" not in value
                    ):
                        append(value)
                        taken[SET] += 1
                        if len(slot.members) <= slot.most:
                            continue
                        slot.trim()
                        effort += FOLDING
                        if effort < ENOUGH:
                            continue
                        break
                # Of texts of digits and dots float() takes just those that are numbers.
                # Signs, exponents, blanks and the rest are the slow path's.
                elif value.isdigit() or not value.translate(None, UNSIGNED):
                    try:
                        number = float(value)
                    except ValueError:
                        number = SAFE_VALUE
                    if number >= SAFE_VALUE:
                        pass
                    elif code == GAUGE:
                        # As its take(), the call of which costs as much as all of it.
                        slot.last = number
                        slot.total += number
                        slot.count += 1
                        if number < slot.minimum:  # noqa: PLR1730
                            slot.minimum = number
                        if number > slot.maximum:  # noqa: PLR1730
                            slot.maximum = number
                        gauges += 1
                        continue
                    elif code == COUNTER:
                        number *= weight
                        if slot.steps is not None and not (
                            append and number < SMALL and value.isdigit()
                        ):
                            slot.unlearn()
                        slot.added += number
                        slot.counted += weight
                        taken[COUNTER] += 1
                        continue
                    elif code == IGNORED:
                        append[slot] += 1
                        continue
                    else:
                        append(number)
                        taken[code] += 1
                        slot.room -= 1
                        if slot.room:
                            continue
                        slot.fold()
                        effort += FOLDING
                        if effort < ENOUGH:
                            continue
                        break
            effort += self._slow(line)
            if effort >= ENOUGH:
                break
        left = list(rest)
        taken[COUNTER] += len(pieces) - len(left) - others
        taken[GAUGE] += gauges
        self._ledger.lines -= len(left)
        return left
