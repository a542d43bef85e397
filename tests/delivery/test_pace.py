"""The pace of requests: never above the limit, rarely below it."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.delivery.pace import Pace, spread_delay

RATES = st.floats(0.05, 500) | st.sampled_from([0.5, 1.0, 10.0, 100.0])


def departures(rate: float, arrivals: list[float]) -> list[float]:
    """When requests leave whose sender looks at ``arrivals``, in order."""
    pace, left = Pace(rate), []
    for now in arrivals:
        if pace.wait(now) == 0:
            pace.take(now)
            left.append(now)
    return left


@given(RATES, st.lists(st.floats(0, 40), max_size=300))
def test_no_window_of_ten_seconds_exceeds_the_limit(
    rate: float, arrivals: list[float]
) -> None:
    """However requests arrive, at most 5 % too many leave in any 10 s."""
    left = departures(rate, sorted(arrivals))
    allowed = max(math.ceil(10 * rate), math.floor(10 * rate * 1.05))
    for start in left:
        # Not quite 10 s: sums of intervals are rounded.
        assert sum(start <= t < start + 9.999_999 for t in left) <= allowed


@given(RATES)
def test_waiting_as_told_is_enough(rate: float) -> None:
    """Whoever waits as long as he was told may leave then."""
    pace, now = Pace(rate), 5.0
    for _ in range(20):
        now += pace.wait(now)
        assert pace.wait(now) < 1e-9
        pace.take(now)


@given(RATES | st.just(1e6), st.lists(st.floats(0, 40), max_size=20))
def test_so_many_as_there_is_room_for_may_leave(
    rate: float, arrivals: list[float]
) -> None:
    """That many one right after the other, and not one more."""
    pace = Pace(rate)
    for now in sorted(arrivals):
        for _ in range(pace.room(now)):
            assert pace.wait(now) < 1e-9
            pace.take(now)
        assert pace.wait(now - 1e-6) > 0  # but for rounding, nothing is left


@pytest.mark.parametrize("rate", [1.0, 10.0, 200.0])
def test_a_sender_a_little_late_keeps_most_of_the_rate(rate: float) -> None:
    """With timers 15 ms late a backlog still leaves at 95 % of the rate or more."""
    pace, now, count = Pace(rate), 0.0, 0
    while now < 30:
        pace.take(now)
        count += 1
        now += 0.001 if pace.wait(now) == 0 else pace.wait(now) + 0.015
    assert count >= 0.95 * 30 * rate


def test_spread_covers_its_window() -> None:
    """A single request leaves anywhere in the window, of many each in its share of it;
    at once where there is none."""
    assert [spread_delay(j, 10, 1) for j in (0.0, 0.5)] == [0.0, 5.0]
    assert [spread_delay(j, 10, 5) for j in (0.0, 0.5, 1.0)] == [0.0, 1.0, 2.0]
    assert spread_delay(0.9, 0, 1) == 0


@pytest.mark.parametrize(("rate", "wait"), [(0.5, 2.0), (0.1, 10.0), (2.5, 0.4)])
def test_another_rate_holds_from_the_last_request_on(rate: float, wait: float) -> None:
    """Nobody waits out the old interval, nor gets a request for nothing."""
    pace = Pace(0.01)
    pace.take(100.0)
    pace.change(rate)
    assert pace.wait(100.0) == pytest.approx(wait)
