"""relay.rollup.pieces and relay.rollup.unseen: no single step over very many."""

import pytest

from relay.rollup.pieces import free, free_dict, listed
from relay.rollup.series import Series
from relay.rollup.unseen import MOST, Unseen, together
from relay.statsd.sample import Kind


def some(count: int) -> Unseen:
    series = [Series(Kind.COUNTER, f"n{n}", (), f"n{n}", ()) for n in range(count)]
    return Unseen(series, [0.0] * count, [60] * count)


@pytest.mark.parametrize("count", [0, 1, 49_999, 50_000, 50_001, 123_456])
def test_a_list_is_made_and_a_collection_emptied_whatever_its_size(count: int) -> None:
    """Pieces that end where it ends are as good as others."""
    whole, named = listed(range(count)), dict.fromkeys(range(count), "")
    assert whole == list(range(count))
    free(whole)
    free_dict(named)
    assert (whole, named) == ([], {})


def test_few_lists_of_idle_series_stay_few() -> None:
    """Those that have become short are joined, in order, and empty ones go."""
    joined = together([some(3), some(0), some(MOST - 3), some(2), some(1)])
    assert [len(each.series) for each in joined] == [MOST, 3]
    assert [len(each.last) for each in joined] == [MOST, 3]
    assert [len(each.seen) for each in joined] == [MOST, 3]
    assert [each.name for each in joined[1].series] == ["n0", "n1", "n0"]
