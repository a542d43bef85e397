"""Steps of the wall clock: noticed once, and nothing else is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.service.steps import Step, Steps


class Clocks:
    """A monotonic clock, and a wall clock beside it."""

    def __init__(self) -> None:
        self.now, self.wall_now = 100.0, 1_000.0
        self.reading = 0.0

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> float:
        self.now += self.reading
        return self.wall_now

    def goes_on(self, seconds: float, wall_seconds: float) -> None:
        self.now += seconds
        self.wall_now += wall_seconds


@pytest.mark.parametrize("by", [-0.5, 0.5, -1.0, 90.0, -3600.0, 86_400.0])
def test_a_step_is_noticed_once(by: float) -> None:
    """Its size, and what the clock showed after it."""
    clocks = Clocks()
    steps = Steps(clocks.monotonic, clocks.wall)
    clocks.goes_on(1.0, 1.0 + by)
    noticed = steps.look()
    assert noticed == Step(at=1_001.0 + by, seconds=by)
    clocks.goes_on(1.0, 1.0)
    assert steps.look() is None
    assert (steps.count, steps.last) == (1, noticed)


@given(st.lists(st.floats(-0.001, 0.001), max_size=50))
def test_a_slewed_clock_is_not_a_stepped_one(rates: list[float]) -> None:
    """A smeared leap second and chrony's corrections are far below the limit."""
    clocks = Clocks()
    steps = Steps(clocks.monotonic, clocks.wall)
    for rate in rates:
        clocks.goes_on(1.0, 1.0 + rate)
        assert steps.look() is None


def test_a_slow_reading_says_nothing() -> None:
    """A process that was stopped between the two clocks has seen no step."""
    clocks = Clocks()
    steps = Steps(clocks.monotonic, clocks.wall)
    clocks.goes_on(1.0, 1.0)
    clocks.reading = 5.0
    assert steps.look() is None
    clocks.reading = 0.0
    clocks.goes_on(1.0, 6.0)
    assert steps.look() is None
    assert steps.count == 0
