"""relay.rollup.taken: names of periods that are given away."""

from hypothesis import given
from hypothesis import strategies as st

from relay.rollup.taken import SPANS_MAX, Taken

names = st.integers(0, 40).map(lambda n: 60 * n)
taken_names = st.lists(names, max_size=30)


def after(starts: list[int], length: int = 60) -> Taken:
    taken = Taken(length)
    for start in starts:
        taken.add(start)
    return taken


@given(taken_names, names)
def test_it_knows_what_was_added_and_nothing_else(starts: list[int], name: int) -> None:
    """In any order, and again."""
    assert (name in after(starts)) == (name in starts)


@given(taken_names, names)
def test_the_first_free_name_is_the_next_that_was_not_added(
    starts: list[int], name: int
) -> None:
    """The name itself, if that is free."""
    expected = next(n for n in range(name, 10_000, 60) if n not in starts)
    assert after(starts).first_free(name) == expected


@given(taken_names, names, st.integers(0, 59))
def test_the_last_free_name_is_the_latest_before(
    starts: list[int], name: int, seconds: int
) -> None:
    """Of a moment within a free period, that period."""
    expected = next(n for n in range(name, -10_000, -60) if n not in starts)
    assert after(starts).last_free(name + seconds) == expected


@given(taken_names)
def test_neighbours_are_one_span(starts: list[int]) -> None:
    """What it keeps grows with the jumps of the clock, not with time."""
    spans = after(starts).spans
    jumps = sum(start + 60 not in starts for start in set(starts))
    assert len(spans) == jumps
    assert Taken(60, spans).spans == spans


def test_with_many_jumps_the_nearest_runs_count_as_one() -> None:
    """What lies between two of them is given away unused; nothing is given twice."""
    starts = [600 * n for n in range(SPANS_MAX)]
    taken = after([*starts, 600 * SPANS_MAX - 120])
    assert len(taken.spans) == SPANS_MAX
    assert all(start in taken for start in starts)
    assert taken.first_free(600 * (SPANS_MAX - 1) + 60) == 600 * SPANS_MAX - 60
