"""relay.rollup.reported: one series of each metric and Dimensions."""

import sys
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.rollup.engines import engine_names, reported_by
from relay.rollup.reported import PythonReported, Reported
from relay.rollup.series import Dimensions, Series
from relay.statsd.sample import Kind

DIMENSIONS: tuple[Dimensions, ...] = ((), (("k", "v"),), (("k", "w"), ("l", "v")))


def native() -> Reported:
    if "native" not in engine_names():
        pytest.skip("the native engine was not built")
    return reported_by("native")()


@pytest.fixture(
    params=[PythonReported, pytest.param(native, marks=pytest.mark.native)],
    ids=["python", "native"],
)
def reported(request: pytest.FixtureRequest) -> Reported:
    made: Callable[[], Reported] = request.param
    return made()


def series(name: str, metric: str = "m", dimensions: Dimensions = ()) -> Series:
    return Series(Kind.COUNTER, name, (), metric, dimensions)


@pytest.mark.parametrize("name", ["a.b", "a_b", "a", ".", "a-b", "4.b"])
@pytest.mark.parametrize("metric", ["a_b", "a.b", "a", "", "m_4_b"])
def test_a_metric_is_what_it_was_said_to_be(name: str, metric: str) -> None:
    """Whether or not it is the name with underscores for its dots."""
    made = series(name, metric)
    assert made.metric == metric
    assert (made == series(name, "other")) == (metric == "other")
    assert repr(metric) in repr(made)
    assert len({made, series(name, metric)}) == 1


def test_who_is_reported_alike_is_found(reported: Reported) -> None:
    """Whatever it is called in StatsD."""
    first = series("a.b", "a_b")
    reported.put(first)
    assert reported.get(series("a_b", "a_b")) is first
    assert reported.get(series("a.b", "a_c")) is None
    assert reported.get(series("a.b", "a_b", DIMENSIONS[1])) is None


def test_another_takes_the_place(reported: Reported) -> None:
    """There is one of each."""
    second = series("b")
    reported.put(series("a"))
    reported.put(second)
    assert reported.all() == [second]
    assert reported.get(series("c")) is second


def test_thousands_come_and_go(reported: Reported) -> None:
    """Each is found until it goes; who is not there cannot go."""
    every = [
        series(f"n.{n}", f"n_{n}", dimensions)
        for n in range(2000)
        for dimensions in DIMENSIONS
    ]
    for one in every:
        reported.put(one)
    gone, stay = every[::2], every[1::2]
    for one in gone:
        reported.remove(one)
    assert [reported.get(one) for one in gone] == [None] * len(gone)
    assert [reported.get(one) for one in stay] == stay
    assert len(reported) == len(stay) == len(set(reported.all()))
    with pytest.raises(KeyError):
        reported.remove(gone[0])


OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from(("put", "remove")), st.integers(0, 11), st.integers(0, 2)
    ),
    max_size=60,
)


@pytest.mark.native
@settings(max_examples=200)
@given(OPERATIONS)
def test_both_do_the_same(operations: list[tuple[str, int, int]]) -> None:
    """Whatever comes and goes."""
    both = PythonReported(), native()
    for operation, number, which in operations:
        one = series(f"n.{number}", f"n_{number // 2}", DIMENSIONS[which])
        for reported in both:
            if operation == "put":
                reported.put(one)
            elif reported.get(one) is not None:
                reported.remove(one)
        assert both[0].get(one) is both[1].get(one)
    assert len(both[0]) == len(both[1])
    assert set(both[0].all()) == set(both[1].all())


@pytest.mark.native
def test_a_native_one_lets_go_of_what_it_held() -> None:
    """Series have the references they had before, whichever way they went."""
    every = [series(f"n{n}", f"m{n // 2}") for n in range(200)]
    before = [sys.getrefcount(one) for one in every]
    reported = native()
    for one in every:
        reported.put(one)
    for one in every[:100:2]:
        assert reported.get(one) is not None
        reported.remove(one)
    del reported, one
    assert [sys.getrefcount(one) for one in every] == before


@pytest.mark.native
def test_a_native_one_says_what_is_no_series() -> None:
    """Never a crash."""
    with pytest.raises(TypeError):
        native().put((1, 2))  # type: ignore[arg-type]
    with pytest.raises(AttributeError):
        native().get((1, 2, 3, 4, 5))  # type: ignore[arg-type]
