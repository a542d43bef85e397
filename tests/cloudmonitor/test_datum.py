"""Entries: the statistics of each kind, and their encoding."""

import json
import math
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.cloudmonitor.contract import STATISTICS
from relay.cloudmonitor.datum import (
    Datum,
    data,
    decode,
    dimensions_of,
    encode,
    in_group,
    items,
    values_of,
)
from relay.cloudmonitor.signing import pe
from relay.rollup.engine import Rollup
from relay.rollup.series import Dimensions, Series
from relay.rollup.summary import (
    CounterSummary,
    GaugeSummary,
    SetSummary,
    Summary,
    TimerSummary,
)
from relay.statsd.sample import Kind

COUNTER = CounterSummary(42.0, 40.0)
GAUGE = GaugeSummary(3.0, 2.5, 1.0, 4.0, 6)
TIMER = TimerSummary(10.0, 55.0, 5.5, 1.0, 10.0, ((50, 5.0), (99, 10.0)))
SERIES = Series(Kind.COUNTER, "a.b", (), "a_b", (("env", "prod"), ("host", "w/1")))
ENTRY = Datum("0", "a_b", SERIES.dimensions, 60, 120_000, {"Sum": 1.0})


@pytest.mark.parametrize(
    ("summary", "shown"),
    [
        (COUNTER, '{"Sum": 42.0, "SumPerSecond": 0.7, "SampleCount": 40}'),
        (
            GAUGE,
            (
                '{"LastValue": 3.0, "Average": 2.5, "Maximum": 4.0, "Minimum": 1.0,'
                ' "SampleCount": 6}'
            ),
        ),
        (
            TIMER,
            (
                '{"SampleCount": 10, "CountPerSecond": 0.16666666666666666,'
                ' "Sum": 55.0, "Average": 5.5, "Maximum": 10.0, "Minimum": 1.0,'
                ' "P50": 5.0, "P99": 10.0}'
            ),
        ),
        (SetSummary(7), '{"LastValue": 7.0}'),
    ],
)
def test_the_statistics_of_a_kind(summary: Summary, shown: str) -> None:
    """Which, in which order, and that counts are whole where they can be."""
    values = values_of(summary, 60)
    assert json.dumps(values) == shown
    assert set(values) <= set(STATISTICS)


def test_rates_are_of_the_period() -> None:
    """Per second of the period's own length."""
    assert values_of(COUNTER, 300)["SumPerSecond"] == 42 / 300
    assert values_of(TIMER, 2)["CountPerSecond"] == 5.0


@pytest.mark.parametrize("count", [2.5, 1e300, 2.0**53])
def test_a_count_that_is_not_whole(count: float) -> None:
    """Fractions stay, and an order of magnitude is not written with 300 digits."""
    shown = values_of(CounterSummary(0.0, count), 60)["SampleCount"]
    assert isinstance(shown, float)
    assert shown == count


def test_a_rollup_becomes_entries() -> None:
    """One a row, in order, stamped with the start of the period in milliseconds."""
    other = SERIES._replace(name="b")
    rollup = Rollup(120, 60, [(SERIES, COUNTER), (other, SetSummary(0))])
    values = {"Sum": 42.0, "SumPerSecond": 0.7, "SampleCount": 40}
    assert list(data(rollup, in_group("7"))) == [
        Datum("7", "a_b", SERIES.dimensions, 60, 120_000, values),
        Datum("7", "b", SERIES.dimensions, 60, 120_000, {"LastValue": 0.0}),
    ]


def test_the_object_that_is_shown() -> None:
    """The vendor's words; Dimensions and Values as objects."""
    assert ENTRY.as_object() == {
        "GroupId": "0",
        "MetricName": "a_b",
        "Dimensions": {"env": "prod", "host": "w/1"},
        "Type": 1,
        "Period": 60,
        "Time": 120_000,
        "Values": {"Sum": 1.0},
    }


def test_the_item() -> None:
    """Sorted fields, compact JSON, RFC 3986."""
    assert encode(ENTRY) == (
        "Dimensions=%7B%22env%22%3A%22prod%22%2C%22host%22%3A%22w%2F1%22%7D"
        "&GroupId=0&MetricName=a_b&Period=60&Time=120000&Type=1"
        "&Values=%7B%22Sum%22%3A1.0%7D"
    )


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_a_number_that_is_not_finite(number: float) -> None:
    """No engine hands one over; should one do so, it does not leave."""
    with pytest.raises(ValueError, match="JSON"):
        encode(ENTRY._replace(values={"Sum": number}))


@pytest.mark.parametrize("text", ["", "a", "a=b", encode(ENTRY) + "&More=1"])
def test_a_text_that_is_no_item(text: str) -> None:
    """It is refused, not guessed at."""
    with pytest.raises(ValueError):  # noqa: PT011  # several texts
        decode(text)


FINITE = st.floats(allow_nan=False, allow_infinity=False)


@given(
    st.builds(
        Datum,
        group_id=st.text(),
        metric=st.text(),
        dimensions=st.dictionaries(st.text(), st.text()).map(
            lambda pairs: tuple(sorted(pairs.items()))
        ),
        period=st.integers(1),
        time_ms=st.integers(0),
        values=st.dictionaries(st.sampled_from(STATISTICS), FINITE | st.integers()),
    )
)
def test_decoding_gives_back_what_was_encoded(datum: Datum) -> None:
    """Whatever texts and finite numbers are in it; and the item is ASCII."""
    item = encode(datum)
    assert item.isascii()
    assert decode(item) == datum


@given(
    st.dictionaries(
        st.sampled_from(sorted(STATISTICS)),
        st.floats(allow_nan=False, allow_infinity=False) | st.integers(0, 2**53),
    )
)
def test_values_are_compact_json(values: dict[str, float]) -> None:
    """Percent-encoded as any text is; exponents have a plus sign."""
    plain = json.dumps(values, separators=(",", ":"))
    assert encode(ENTRY._replace(values=values)).endswith(f"&Values={pe(plain)}")


@given(
    st.dictionaries(st.text(max_size=9), st.text(max_size=9), max_size=4).map(
        lambda found: tuple(found.items())
    )
)
def test_dimensions_are_encoded_json(dimensions: Dimensions) -> None:
    """Whatever is in them: quotes, control characters, signs of other alphabets."""
    text = json.dumps(dict(dimensions), ensure_ascii=False, separators=(",", ":"))
    assert dimensions_of(dimensions) == quote(text, safe="~")


COUNTS = FINITE | st.integers(0, 2**60).map(float)

SUMMARIES: st.SearchStrategy[Summary] = st.one_of(
    st.builds(CounterSummary, FINITE, COUNTS),
    st.builds(GaugeSummary, FINITE, FINITE, FINITE, FINITE, st.integers(0)),
    st.builds(
        TimerSummary,
        *(COUNTS, FINITE, FINITE, FINITE, FINITE),
        st.lists(
            st.tuples(st.integers(1, 100), FINITE), unique_by=lambda pair: pair[0]
        ).map(tuple),
    ),
    st.builds(SetSummary, st.integers(0, 2**53)),
)


@given(
    st.lists(
        st.tuples(
            st.builds(
                Series,
                st.sampled_from(Kind),
                st.text(),
                st.just(()),
                st.text() | st.from_regex("[a-z0-9_]+", fullmatch=True),
                st.lists(st.tuples(st.text(), st.text()), max_size=3).map(tuple),
            ),
            SUMMARIES,
        ),
        max_size=5,
    ),
    st.integers(0, 2**31),
    st.sampled_from([5, 60, 300]),
    st.text(),
)
def test_items_are_the_encoded_data(
    rows: list[tuple[Series, Summary]], start: int, length: int, group: str
) -> None:
    """The short way gives the same texts."""
    rollup = Rollup(start, length, rows)
    group_of = in_group(group)
    assert list(items(rollup, group_of)) == list(map(encode, data(rollup, group_of)))


@pytest.mark.parametrize("count", [1.0, 1, 20.0, 0.5, 1e15, 2.0**53, 1e300, 0.0, -3.0])
def test_items_of_counters_that_only_count_ones(count: float) -> None:
    """They are remembered, for each length of a period."""
    for length in (60, 300, 60):
        rollup = Rollup(0, length, [(SERIES, CounterSummary(float(count), count))])
        assert list(items(rollup)) == list(map(encode, data(rollup)))


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_summary_that_is_not_finite(number: float) -> None:
    """It does not leave the short way either."""
    rollup = Rollup(0, 60, [(SERIES, CounterSummary(number, 1.0))])
    with pytest.raises(ValueError, match="JSON"):
        list(items(rollup))
