"""relay.rollup.rank: percentiles as the reference rounds them."""

import pytest

from relay.rollup.rank import nearest_ranks, uniform_ranks

# Values seen from statsd/statsd on Node.js 20: its upper_P, as the protocol notes list it.
SEEN = [
    (range(1, 11), 90, 9),
    (range(10, 51, 10), 90, 50),
    (range(1, 16), 90, 14),
    (range(1, 101), 50, 50),
    (range(1, 101), 90, 90),
    (range(1, 101), 95, 95),
    (range(1, 101), 99, 99),
    (range(1, 51), 57, 28),
    ([100], 50, 100),
]


@pytest.mark.parametrize(("values", "percentage", "expected"), SEEN)
def test_the_reference_is_reproduced(
    values: range, percentage: int, expected: float
) -> None:
    """Nearest rank, halves rounded up, divided by 100 before multiplying."""
    ascending = [float(value) for value in values]
    assert uniform_ranks(ascending, 1.0, [percentage]) == ((percentage, expected),)


@pytest.mark.parametrize(("values", "percentage", "expected"), SEEN)
def test_both_ways_agree(values: range, percentage: int, expected: float) -> None:
    """Walking over pairs gives what the short way gives."""
    pairs = [(float(value), 1.0) for value in values]
    assert nearest_ranks(pairs, len(pairs), [percentage]) == ((percentage, expected),)


def test_weights_move_the_rank() -> None:
    """One sample at a rate of 0.1 outweighs nine others."""
    pairs = [(1.0, 1.0)] * 9 + [(100.0, 10.0)]
    assert nearest_ranks(pairs, 19.0, [47, 50]) == ((47, 1.0), (50, 100.0))


def test_one_weight_for_all_counts_too() -> None:
    """Three samples of weight ten: the rank is counted in weights, not in samples."""
    assert uniform_ranks([1.0, 2.0, 3.0], 10.0, [50, 98]) == ((50, 2.0), (98, 3.0))


def test_there_is_always_a_first_one() -> None:
    """A rank of 0 gives the smallest value."""
    assert uniform_ranks([7.0, 8.0], 0.01, [50]) == ((50, 7.0),)
    assert nearest_ranks([(7.0, 0.01), (8.0, 0.01)], 0.02, [50]) == ((50, 7.0),)


def test_a_sum_that_rounds_down_still_has_a_last_one() -> None:
    """A target beyond the cumulated weight gives the largest value."""
    assert nearest_ranks([(1.0, 1.0), (2.0, 1.0)], 3.0, [99]) == ((99, 2.0),)
