"""relay.rollup.bins: logarithmic bins within 0.5 %, and nowhere much memory."""

import math
import sys
from array import array

import pytest
from ddsketch import DDSketch
from hypothesis import given
from hypothesis import strategies as st

from relay.rollup.bins import RELATIVE_ERROR, Bins
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


def test_ordinary_spans_take_little_memory() -> None:
    """Twelve decades of both signs, as microseconds to weeks, cost less than 64 KB."""
    bins = binned(*[s * 10.0**e for e in range(-3, 10) for s in (1, -1)])
    rows = [bins.negative._weights, bins.positive._weights]
    assert sum(row.itemsize * len(row) for row in rows) <= 65_536


@pytest.mark.parametrize("order", [1, -1])
def test_memory_is_bounded(order: int) -> None:
    """Values of every size there is cost 2.5 MB at most, whichever comes first."""
    bins = binned(
        *[sign * 10.0**e for e in range(-300, 300)[::order] for sign in (1, -1)]
    )
    rows = [bins.negative._weights, bins.positive._weights]
    assert all(isinstance(row, array) for row in rows)
    assert sum(row.itemsize * len(row) for row in rows) <= 2_500_000
