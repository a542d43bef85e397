"""Entries of PutHybridMonitorMetricData: names, labels, numbers, packing."""

import re
from urllib.parse import parse_qsl

from hypothesis import given
from hypothesis import strategies as st

from relay.cloudmonitor.contract import HYBRID_KEY, HYBRID_NAME
from relay.cloudmonitor.credentials import Credentials, Secret
from relay.cloudmonitor.datum import identity
from relay.cloudmonitor.exchange import Endpoint, put_request
from relay.cloudmonitor.hybrid import (
    compose_hybrid,
    decode_hybrid,
    hybrid_operation,
    is_hybrid,
)
from relay.cloudmonitor.packing import compose
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

HOST: Dimensions = (("instance", "h"),)
SUMMARIES: dict[Kind, Summary] = {
    Kind.COUNTER: CounterSummary(42.0, 40.0),
    Kind.GAUGE: GaugeSummary(2.0, 1.5, 1.0, 2.0, 2),
    Kind.TIMER: TimerSummary(4.0, 10.0, 2.5, 1.0, 4.0, ((50, 2.0), (99, 4.0))),
    Kind.SET: SetSummary(7),
}


def rollup(*rows: tuple[str, Kind], dimensions: Dimensions = HOST) -> Rollup:
    """A minute with a series for each name."""
    return Rollup(
        120,
        60,
        [
            (Series(kind, name, (), name, dimensions), SUMMARIES[kind])
            for name, kind in rows
        ],
    )


def items(one: Rollup) -> list[str]:
    packed = compose_hybrid(one, namespace="statsd")
    return [item for batch in packed.batches for item in batch.items]


def values(kind: Kind) -> dict[object, object]:
    """What is reported of a series ``a`` of that kind."""
    found = map(decode_hybrid, items(rollup(("a", kind))))
    return {one["Name"]: one["Value"] for one in found}


def test_a_statistic_is_a_series() -> None:
    """But for what can be computed of others: rates, and the mean of what has a sum."""
    assert values(Kind.COUNTER) == {"a_sum": 42.0, "a_count": 40}
    assert values(Kind.SET) == {"a_last": 7.0}
    assert values(Kind.GAUGE) == {
        "a_last": 2.0,
        "a_avg": 1.5,
        "a_max": 2.0,
        "a_min": 1.0,
        "a_count": 2,
    }
    assert values(Kind.TIMER) == {
        "a_count": 4,
        "a_sum": 10.0,
        "a_max": 4.0,
        "a_min": 1.0,
        "a_p50": 2.0,
        "a_p99": 4.0,
    }


@given(
    st.sets(st.from_regex(r"[a-z](_?[a-z0-9])*_?", fullmatch=True), max_size=6),
    st.sampled_from(Kind),
)
def test_no_two_series_end_in_one(names: set[str], kind: Kind) -> None:
    """Whatever their names are: each statistic has an end that no other name makes."""
    others = {f"{name}_{end}" for name in names for end in ("count", "sum", "last")}
    kind = kind if kind in SUMMARIES else Kind.TIMER
    found = [
        decode_hybrid(one)["Name"]
        for one in items(rollup(*((name, kind) for name in names | others)))
    ]
    assert len(found) == len(set(found))
    assert all(re.fullmatch(HYBRID_NAME, f"{name}") for name in found)


def test_an_entry_has_labels_and_the_start_of_the_period() -> None:
    """In milliseconds; the numbers of the fields are sorted as text."""
    many = tuple((f"k{n:02}", f"v {n}") for n in range(12))
    (item,) = items(rollup(("a", Kind.SET), dimensions=many))
    assert decode_hybrid(item) == {
        "Name": "a_last",
        "Labels": dict(many),
        "TS": 120_000,
        "Value": 7.0,
    }
    names = [name for name, _ in parse_qsl(item)]
    assert names == sorted(names)
    assert is_hybrid(item)


@given(st.sets(st.from_regex(r"_{0,2}[0-9a][a]?", fullmatch=True), max_size=8))
def test_keys_of_labels_are_good_and_differ(keys: set[str]) -> None:
    """None begins with a digit, and none is lost for it."""
    dimensions = tuple((key, "v") for key in sorted(keys)) or HOST
    (item,) = items(rollup(("a", Kind.SET), dimensions=dimensions))
    labels = decode_hybrid(item)["Labels"]
    assert isinstance(labels, dict)
    assert len(labels) == len(dimensions)
    assert all(re.fullmatch(HYBRID_KEY, key) for key in labels)
    assert set(labels) >= {key for key in keys if not key.lstrip("_")[0].isdigit()}


def test_series_that_differ_in_a_key_alone_still_do() -> None:
    """``0`` has to become ``_0``, so that ``_0`` cannot stay what it is."""
    found = [
        items(rollup(("a", Kind.SET), dimensions=((key, "v"),)))
        for key in ("0", "_0", "__0")
    ]
    assert len({tuple(some) for some in found}) == 3


def test_batches_keep_both_limits() -> None:
    """A hundred entries, and the bytes of the body with its namespace."""
    whole = rollup(*((f"n{n}", Kind.TIMER) for n in range(100)))
    batches = list(compose_hybrid(whole, namespace="n" * 50).batches)
    assert [len(batch.items) for batch in batches] == [100] * 6
    for most in range(3000, 4000, 37):
        packed = compose_hybrid(whole, namespace="n" * 50, max_bytes=most)
        small = [batch.items for batch in packed.batches]
        assert max(len(body(batch, "n" * 50)) for batch in small) <= most
        assert sum(map(len, small)) == 600


def body(some: tuple[str, ...], namespace: str) -> bytes:
    return put_request(
        some,
        endpoint=Endpoint("http", "127.0.0.1"),
        credentials=Credentials("id", Secret("s")),
        now=0.0,
        nonce="n",
        operation=hybrid_operation(namespace),
    ).body


def test_a_request_names_the_namespace() -> None:
    """Once, behind the entries, in canonical form."""
    fields = parse_qsl(body(tuple(items(rollup(("a", Kind.SET)))), "my space").decode())
    assert fields == [
        ("MetricList.1.Labels.1.Key", "instance"),
        ("MetricList.1.Labels.1.Value", "h"),
        ("MetricList.1.Name", "a_last"),
        ("MetricList.1.TS", "120000"),
        ("MetricList.1.Value", "7.0"),
        ("Namespace", "my space"),
    ]


def test_a_repetition_is_told_by_all_but_its_value() -> None:
    """As with the other entries, so that a kill reports nothing twice."""
    one, *_ = items(rollup(("a", Kind.COUNTER)))
    other = one.replace("Value=42.0", "Value=43.0")
    assert one != other
    assert identity(one) == identity(other)
    assert len({identity(item) for item in items(rollup(("a", Kind.TIMER)))}) == 6
    (batch,) = compose(rollup(("a", Kind.SET))).batches
    assert not is_hybrid(batch.items[0])
