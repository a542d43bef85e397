"""Numbers that are none, and what leaves the relay: bar H5."""

import json
import math
from collections.abc import Callable, Iterator
from urllib.parse import parse_qsl

import pytest

from relay.cloudmonitor.naming import Namer
from relay.cloudmonitor.packing import compose
from relay.rollup.engine import Rollup
from relay.rollup.engines import open_engine
from relay.statsd.grammar import Grammar
from relay.statsd.sample import Kind, Reason

KINDS = ("c", "g", "ms", "h", "d")
BIG = b"9" * 308

# A value, and how many of the kinds take it.
VALUES = {
    b"nan": 0,
    b"NaN": 0,
    b"inf": 0,
    b"-inf": 0,
    b"Infinity": 0,
    b"1e400": 0,
    b"-1e400": 0,
    b"9" * 400: 0,
    b"1_000": 0,
    "٣".encode(): 0,
    b"0x10": 0,
    b"0b1": 0,
    b"0o7": 0,
    b"+-1": 0,
    b"--1": 0,
    b"1,5": 0,
    b"1e": 0,
    b"e5": 0,
    b".": 0,
    b"": 0,
    b" ": 0,
    b"-0": 5,
    b"-0.0": 5,
    b"+1": 5,
    b"1e-400": 5,
    b"0" * 400: 5,
    b"0." + b"1" * 400: 5,
    BIG: 5,
    b"-" + BIG: 4,  # a time is never negative
    b"-1": 4,
}

# A rate, and why a counter of 1 with it is refused.
RATES: dict[bytes, Reason | None] = {
    b"0": Reason.BAD_RATE,
    b"0.0": Reason.BAD_RATE,
    b"-1": Reason.BAD_RATE,
    b"+1": Reason.BAD_RATE,
    b"nan": Reason.BAD_RATE,
    b"inf": Reason.BAD_RATE,
    b"1e400": Reason.BAD_RATE,
    b"1e-400": Reason.BAD_RATE,
    b"0x1": Reason.BAD_RATE,
    b"1_0": Reason.BAD_RATE,
    "٣".encode(): Reason.BAD_RATE,
    b"": Reason.BAD_RATE,
    b"1e-300": None,
    b"5e-324": Reason.OVERFLOW,  # whose inverse is no number
    b"2e-1": None,
    b"7": None,
    b"1e300": None,
}


class Road:
    """An engine, and the entries that its periods become."""

    def __init__(self) -> None:
        self.engine = open_engine("python", Namer(instance="web-1"), Grammar())
        self.now = 0

    def feed(self, *lines: bytes) -> None:
        self.engine.feed(b"\n".join(lines), self.now)

    def rollups(self) -> Iterator[Rollup]:
        self.now += 60
        for sealed in self.engine.seal(self.now):
            yield from self.engine.close(sealed)

    def numbers(self) -> list[float]:
        """Everything that stands under Values in the entries of a period."""
        return [
            float(number)
            for rollup in self.rollups()
            for batch in compose(rollup).batches
            for item in batch.items
            for number in _values(item)
        ]


def _values(item: str) -> Iterator[str]:
    for key, text in parse_qsl(item, strict_parsing=True):
        if key.endswith("Values"):
            yield from map(str, json.loads(text, parse_constant=pytest.fail).values())


@pytest.mark.bar("H5")
@pytest.mark.parametrize("value", VALUES, ids=lambda value: value[:12])
def test_each_value_is_good_or_bad(value: bytes) -> None:
    """At first sight and where the spelling is known, in all kinds of numbers."""
    road = Road()
    for nth in range(3):
        road.feed(*[b"a:%b|%b" % (value, kind.encode()) for kind in KINDS])
        road.feed(*[b"a:1|%b" % kind.encode() for kind in KINDS])
        tally = road.engine.tally()
        bad = (5 - VALUES[value]) * (nth + 1)
        assert tally.refused[Reason.BAD_VALUE] == bad
        # The sums have no room for a third of the largest; that is said otherwise.
        over = tally.refused[Reason.OVERFLOW]
        assert over == 0 or value.strip(b"-") == BIG
        assert sum(tally.samples.values()) == tally.sections - bad - over
    assert all(map(math.isfinite, road.numbers()))


@pytest.mark.bar("H5")
@pytest.mark.parametrize("rate", RATES, ids=lambda rate: rate[:12])
def test_each_rate_is_good_or_bad(rate: bytes) -> None:
    """The same of rates."""
    road = Road()
    road.feed(b"a:1|c|@" + rate)
    reason = RATES[rate]
    tally = road.engine.tally()
    assert tally.samples[Kind.COUNTER] == (reason is None)
    assert reason is None or tally.refused[reason] == 1
    assert all(map(math.isfinite, road.numbers()))


@pytest.mark.bar("H5", "L1")
def test_only_finite_numbers_leave(figure: Callable[[str], None]) -> None:
    """All of them on one road, for five periods and the long one over them."""
    road = Road()
    numbers: list[float] = []
    lines = [
        b"%b:%b|%b|@%b" % (name, value, kind.encode(), rate)
        for name in (b"a", b"b")
        for value in VALUES
        for kind in KINDS
        for rate in RATES
    ]
    for _ in range(5):
        road.feed(*lines)
        numbers += road.numbers()
    tally = road.engine.tally()
    figure(f"{tally.sections} sections, {len(numbers)} numbers out, all finite")
    assert numbers
    assert all(map(math.isfinite, numbers))
    assert tally.sections == 5 * len(lines)
