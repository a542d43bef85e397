"""Boundaries and the grace of periods."""

from relay.rollup.grace import SEAL_GRACE_SECONDS, aligned


def test_boundaries_are_multiples_of_the_length() -> None:
    """The boundary is the last multiple at or before the moment, fractions included."""
    assert [aligned(n, 60) for n in (0, 59.9, 60, 119.999, -0.5)] == [0, 0, 60, 60, -60]


def test_the_grace_is_that_of_the_contract() -> None:
    """Two seconds, however short the periods are; several are open at once then."""
    assert SEAL_GRACE_SECONDS == 2.0
