"""What holds when the wall clock is set, however often: the hand, the engine, the closing.

Nothing is lost, no name is given away twice, none lies ahead; for both lengths.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock

from relay.rollup.engine import Rollup, Sealed
from relay.rollup.engines import open_engine
from relay.rollup.grace import aligned
from relay.rollup.summary import CounterSummary
from relay.service.clockwork import Clockwork
from relay.statsd.grammar import Grammar
from tests.rollup.rig import resolve

HOUR, DAY = 3600, 86_400
AHEAD = 60
PERIOD = 60


class Told(NamedTuple):
    """A rollup, and the wall clock when it was told."""

    start: int
    length: int
    total: float
    now: float


class Road:
    """A clock that can be set, the hand, an engine, and all that came out of it."""

    def __init__(self) -> None:
        self.clock, self.offset = Clock(), 10.0 * DAY
        self.fed = 0
        self.told: list[Told] = []
        self.engine = open_engine("python", resolve, Grammar(), period_seconds=PERIOD)
        self.hand = Clockwork(
            seal=self.engine.seal,
            sealed=self.close,
            step=self.engine.step,
            period_seconds=PERIOD,
            clock=self.clock,
            wall=self.wall,
        )
        self.hand.start()
        self.feed(0)

    def wall(self) -> float:
        return self.clock.seconds() + self.offset

    def feed(self, lines: int) -> None:
        self.engine.feed(b"a:1|c\n" * lines, aligned(self.wall(), PERIOD))
        self.fed += lines

    def wait(self, seconds: float) -> None:
        """Ten lines every ten seconds meanwhile, while the hand goes round."""
        for second in range(int(seconds)):
            self.clock.pump([0.5, 0.5])
            if second % 10 == 0:
                self.feed(10)

    def set(self, by: float) -> None:
        self.offset += by

    def close(self, sealed: Sealed) -> None:
        self.tell(self.engine.close(sealed))

    def tell(self, rollups: Sequence[Rollup]) -> None:
        for rollup in rollups:
            counters = [
                row for _, row in rollup.rows if isinstance(row, CounterSummary)
            ]
            total = sum(row.total for row in counters)
            self.told.append(Told(rollup.start, rollup.length, total, self.wall()))

    def stop(self) -> None:
        self.hand.stop()
        latest = int(self.wall()) + AHEAD
        for sealed in self.engine.seal_all(latest):
            self.close(sealed)
        self.tell(self.engine.finish(latest))

    def assert_kept(self) -> None:
        """All that is asked for when the clock was set."""
        names = Counter((told.start, told.length) for told in self.told)
        assert max(names.values()) == 1
        for length in (PERIOD, 5 * PERIOD):
            told = [one for one in self.told if one.length == length]
            assert sum(one.total for one in told) == self.fed
        assert all(told.start <= told.now + AHEAD for told in self.told)


STEPS = [-0.5, 0.5, -90.0, 90.0, -HOUR, HOUR, DAY, -DAY, -200.0, -61.0, 61.0, 400.0]
Move = tuple[Callable[[Road, float], None], float]
waits = st.tuples(st.just(Road.wait), st.sampled_from([0.0, 1.0, 5.0, 70.0, 310.0]))
sets = st.tuples(st.just(Road.set), st.sampled_from(STEPS))
feeds = st.tuples(st.just(lambda road, _: road.feed(3)), st.just(0.0))
moves: st.SearchStrategy[list[Move]] = st.lists(waits | sets | feeds, max_size=12)


A_LONG_NAME_AGAIN: list[Move] = [
    (Road.wait, 70),
    (Road.set, 400),
    (Road.wait, 70),
    (Road.set, -400),
    (Road.wait, 400),
]


@settings(max_examples=200)
@given(moves)
@example(A_LONG_NAME_AGAIN)
def test_however_often_the_clock_is_set(moves: list[Move]) -> None:
    """Also between two looks, and right before the stop."""
    road = Road()
    for move, by in moves:
        move(road, by)
    road.feed(1)
    road.stop()
    road.assert_kept()


@pytest.mark.parametrize("before", [30, 59, 61, 200, 4000])
@pytest.mark.parametrize("by", [-0.5, 0.5, -90, 90, -HOUR, HOUR, DAY])
def test_one_step(before: int, by: float) -> None:
    """It is counted, and so is every line."""
    road = Road()
    road.wait(before)
    road.set(by)
    road.wait(200)
    road.stop()
    assert road.hand.steps.count == 1
    road.assert_kept()


@pytest.mark.parametrize("by", [-HOUR, HOUR, DAY])
def test_a_relay_that_started_lately_goes_on_at_once(by: float) -> None:
    """Names it never gave away are used as soon as the clock shows them, none is old."""
    road = Road()
    road.wait(600)
    told = len(road.told)
    road.set(by)
    road.wait(700)
    behind = [one.now - one.start - one.length for one in road.told[told:]]
    assert len(behind) > 10
    assert all(0 <= seconds < 2.5 * PERIOD for seconds in behind)


def test_what_was_given_away_waits_in_one_period() -> None:
    """After 90 s back the minute that was open takes all until the clock is past it."""
    road = Road()
    road.wait(330)
    told = len(road.told)
    road.set(-90)
    road.wait(90)
    assert road.told[told:] == []
    road.wait(34)
    [base] = road.told[told:]
    assert (base.start, base.total) == (10 * DAY + 300, 150)
