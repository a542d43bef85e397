"""Boundaries and the grace of periods."""

from relay.rollup.grace import aligned, seal_grace


def test_boundaries_are_multiples_of_the_length() -> None:
    """The boundary is the last multiple at or before the moment, fractions included."""
    assert [aligned(n, 60) for n in (0, 59.9, 60, 119.999, -0.5)] == [0, 0, 60, 60, -60]


def test_short_periods_have_a_shorter_grace() -> None:
    """The grace never reaches beyond half a period."""
    assert [seal_grace(n) for n in (1, 2, 4, 60)] == [0.5, 1.0, 2.0, 2.0]
