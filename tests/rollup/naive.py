"""An engine that takes no short ways: the grammar, a slot a series, and nothing else.

It says what the hot path has to come to. It has no limit of series.
"""

from relay.rollup.closing import Closer
from relay.rollup.counter import CounterSlot
from relay.rollup.engine import Rollup
from relay.rollup.gauge import GaugeSlot
from relay.rollup.series import Series
from relay.rollup.slot import SetSlot, Slot
from relay.rollup.timer import TimerSlot
from relay.statsd.grammar import Grammar, lines
from relay.statsd.sample import Event, Kind, Reason, Sample, What
from tests.rollup.rig import resolve

__all__ = ["Naive"]


class Naive:
    """Feed, seal and close at once; ``counts`` is what the ledger has to be."""

    def __init__(self, exact: int, grammar: Grammar | None = None) -> None:
        self._grammar = grammar or Grammar()
        self._exact = exact
        self._books: dict[int, dict[Series, Slot]] = {}
        self._memory: dict[Series, tuple[int, float]] = {}
        self._floor: int | None = None
        self._closer = Closer(
            period_seconds=60,
            long_factor=5,
            percentages=(50, 99),
            idle_ttl=120,
            silent_kinds=(),
        )
        self.lines = 0
        self.counts: dict[Kind | Reason | What, int] = {}

    def feed(self, datagram: bytes, now: int) -> None:
        self._floor = now if self._floor is None else self._floor
        self._books.setdefault(now, {})
        for line in lines(datagram):
            self.lines += 1
            for item in self._grammar.parse(line):
                if isinstance(item, Sample):
                    self._sample(item, now)
                elif not isinstance(item, Event):
                    self._count(item[1])

    def rollups(self, before: int) -> list[Rollup]:
        self._floor = before
        found: list[Rollup] = []
        for start in sorted(start for start in self._books if start < before - 60):
            slots = self._books.pop(start)
            if slots:
                found += self._closer.close(start, slots)
        last = self._books.pop(before - 60, {})
        return found + self._closer.close(before - 60, last)

    def _count(self, what: Kind | Reason | What, times: int = 1) -> None:
        self.counts[what] = self.counts.get(what, 0) + times

    def _sample(self, sample: Sample, now: int) -> None:
        at = now if sample.timestamp is None else sample.timestamp
        series = resolve(sample.kind, sample.name, sample.tags)
        if at < (self._floor or 0):
            self._count(Reason.LATE, len(sample.values))
        elif sample.timestamp is not None and at > now + 120:
            self._count(Reason.FUTURE, len(sample.values))
        elif not isinstance(series, Series):
            self._count(series, len(sample.values))
        else:
            for value in sample.values:
                self._value(sample, value, series, at - at % 60)

    def _value(
        self, sample: Sample, value: float | str, series: Series, period: int
    ) -> None:
        slots = self._books.setdefault(period, {})
        slot = slots.get(series) or self._slot(sample.kind)
        if isinstance(slot, GaugeSlot) and sample.relative:
            known = self._memory.get(series, (0, 0.0))[1]
            value = (slot.last if slot.count else known) + float(value)
        if not slot.add(value, 1.0 / sample.rate):
            self._count(Reason.OVERFLOW)
            return
        self._count(sample.kind)
        slots[series] = slot
        remembered = self._memory.get(series, (0, 0.0))[0]
        if isinstance(slot, GaugeSlot) and period >= remembered:
            self._memory[series] = (period, slot.last)

    def _slot(self, kind: Kind) -> Slot:
        match kind:
            case Kind.COUNTER:
                return CounterSlot()
            case Kind.GAUGE:
                return GaugeSlot()
            case Kind.SET:
                return SetSlot(self._exact)
            case _:
                return TimerSlot(self._exact)
