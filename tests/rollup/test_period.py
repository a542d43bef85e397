"""relay.rollup.period: names of periods."""

import pytest

from relay.rollup.period import PeriodClock


@pytest.mark.parametrize(
    ("now", "period"),
    [(0.0, 0), (59.999, 0), (60.0, 60), (1_700_000_007.5, 1_699_999_980)],
)
def test_periods_are_aligned_to_the_clock(now: float, period: int) -> None:
    """A period starts at a multiple of its length."""
    assert PeriodClock().at(now) == period


def test_length_is_an_argument() -> None:
    """A trial may use periods of two seconds."""
    assert PeriodClock(2).at(7.9) == 6


def test_a_step_backwards_reopens_nothing() -> None:
    """Until the clock has caught up the last period goes on."""
    clock = PeriodClock()
    assert [clock.at(now) for now in (130.0, 59.0, 119.9, 180.0)] == [
        120,
        120,
        120,
        180,
    ]
