"""relay.rollup.distinct: counting without keeping."""

import pytest

from relay.rollup.distinct import HyperLogLog


def counted(*members: int) -> HyperLogLog:
    sketch = HyperLogLog()
    sketch.add(b"member-%d" % member for member in members)
    return sketch


@pytest.mark.parametrize("many", [1, 100, 1025, 5_000, 20_000, 60_000, 200_000])
def test_the_estimate_is_within_three_percent(many: int) -> None:
    """Over all sizes, also where older estimators change their formula."""
    assert counted(*range(many)).estimate() == pytest.approx(many, rel=0.03)


def test_none_is_none() -> None:
    """An empty sketch estimates 0."""
    assert HyperLogLog().estimate() == 0


def test_a_member_counts_once() -> None:
    """Adding it again changes nothing."""
    assert counted(*[1, 2, 3] * 50).estimate() == 3


def test_merging_is_counting_it_all_at_once() -> None:
    """Overlaps included."""
    both = counted(*range(6_000))
    both.absorb(counted(*range(4_000, 10_000)))
    assert both.registers == counted(*range(10_000)).registers


def test_the_hash_is_the_same_in_every_process() -> None:
    """What another process counted can be merged; so the register is fixed here."""
    [(register, rank)] = [(i, r) for i, r in enumerate(counted(7).registers) if r]
    assert (register, rank) == (15008, 1)
