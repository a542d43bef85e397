"""relay.rollup.finite: what needs no test on the hot path, and where merges end."""

import math
import sys

from relay.rollup.finite import SAFE_VALUE, SAFE_WEIGHT, clamp, clamped_mean

LARGEST = sys.float_info.max


def test_a_safe_step_cannot_leave_the_finite_numbers() -> None:
    """Added to the largest double, it is rounded away."""
    assert LARGEST + SAFE_VALUE * SAFE_WEIGHT == LARGEST


def test_clamp_stops_at_the_largest_double() -> None:
    """Infinity becomes the largest finite number of its sign."""
    assert (clamp(math.inf), clamp(-math.inf)) == (LARGEST, -LARGEST)


def test_a_mean_stays_between_the_extremes() -> None:
    """A quotient that rounds, or overflows, past an extreme is that extreme."""
    assert clamped_mean(LARGEST, 1e-300, 1.0, 5.0) == 5.0
