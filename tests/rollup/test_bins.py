"""relay.rollup.bins: logarithmic bins within 0.5 %, and nowhere much memory."""

import math
import sys

import pytest
from ddsketch import DDSketch
from hypothesis import given
from hypothesis import strategies as st

from relay.rollup.bins import MOST_CHUNKS, RELATIVE_ERROR, Bins
from relay.rollup.rank import nearest_ranks

ordinary = st.floats(1e-3, 1e9) | st.floats(-1e9, -1e-3) | st.just(0.0)


def binned(*values: float, weight: float = 1.0) -> Bins:
    bins = Bins()
    bins.add(values, weight)
    return bins


def close(found: float, value: float) -> bool:
    return abs(found - value) <= RELATIVE_ERROR * abs(value)


@given(
    st.floats(allow_nan=False, allow_infinity=False).filter(
        lambda x: abs(x) < sys.float_info.max * 0.99 and (x == 0 or abs(x) > 1e-300)
    )
)
def test_each_value_comes_back_within_the_error(value: float) -> None:
    """Of either sign, of any size, and zero."""
    [(found, weight)] = binned(value).ascending()
    assert close(found, value)
    assert weight == 1.0


@given(st.lists(ordinary, min_size=1, max_size=200))
def test_ranks_are_within_the_error_of_the_exact_ones(values: list[float]) -> None:
    """The bin of a rank holds the sample of that rank."""
    percentages = [1, 25, 50, 75, 99]
    exact = nearest_ranks([(v, 1.0) for v in sorted(values)], len(values), percentages)
    found = nearest_ranks(binned(*values).ascending(), len(values), percentages)
    for (_, one), (_, other) in zip(found, exact, strict=True):
        assert close(one, other)


@given(st.lists(ordinary), st.lists(ordinary))
def test_merging_is_adding_it_all_at_once(
    left: list[float], right: list[float]
) -> None:
    """Bins of two parts, merged, are the bins of the whole."""
    both = binned(*left)
    both.absorb(binned(*right))
    assert list(both.ascending()) == list(binned(*left, *right).ascending())


@given(st.lists(st.floats(1e-3, 1e9), min_size=50, max_size=300))
def test_an_implementation_of_others_agrees(values: list[float]) -> None:
    """DDSketch by Datadog with the same error is never further away than both errors."""
    theirs = DDSketch(RELATIVE_ERROR)
    for value in values:
        theirs.add(value)
    ranks = nearest_ranks(binned(*values).ascending(), len(values), [50])
    # Their rank is floor(q (n - 1)), counted from 0; q is chosen to mean our sample.
    rank = math.floor(50 / 100 * len(values) + 0.5) - 1
    other = theirs.get_quantile_value((rank + 0.5) / (len(values) - 1))
    assert other is not None
    assert ranks[0][1] == pytest.approx(other, rel=2.1 * RELATIVE_ERROR)


def test_an_absurd_sample_does_not_spoil_the_others() -> None:
    """However far apart magnitudes are, each is within the error."""
    values = [1e-300, 1.0, 1.5, 1e300]
    found = [value for value, _ in binned(*values).ascending()]
    assert all(close(one, other) for one, other in zip(found, values, strict=True))


def values_of_all_sizes() -> list[float]:
    return [sign * 10.0**e for e in range(-300, 300) for sign in (1, -1)]


def chunks(bins: Bins) -> int:
    return len(bins.negative.chunks) + len(bins.positive.chunks)


def test_ordinary_spans_are_never_given_up() -> None:
    """Nine decades of both signs, without a gap."""
    values = [1.001**n for n in range(22_000)]
    bins = binned(*values, *[-value for value in values])
    assert chunks(bins) <= MOST_CHUNKS
    found = [value for value, _ in bins.ascending()]
    assert close(found[len(found) // 2], 1.0)


@pytest.mark.parametrize("order", [1, -1])
def test_memory_is_bounded(order: int) -> None:
    """Whatever values come first: all weight is kept, the largest values in their bins,
    the smallest magnitudes in one."""
    values = values_of_all_sizes()[::order]
    bins = binned(*values)
    assert chunks(bins) == MOST_CHUNKS
    found = list(bins.ascending())
    assert sum(weight for _, weight in found) == len(values)
    assert close(found[0][0], min(values))
    assert close(found[-1][0], max(values))


def test_parts_may_be_of_different_sizes() -> None:
    """Merging bounds them too."""
    bins = binned(*values_of_all_sizes()[:600])
    bins.absorb(binned(*values_of_all_sizes()[600:]))
    assert chunks(bins) == MOST_CHUNKS
    assert sum(weight for _, weight in bins.ascending()) == 1200
