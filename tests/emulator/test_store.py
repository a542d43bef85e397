"""What the service remembers: log, series, points, repetitions, bounds."""

import json

import pytest

from relay.emulator import store as store_module
from relay.emulator.entries import Entry, Values
from relay.emulator.limits import Duplicates, Limits
from relay.emulator.store import SeriesKey, Store

KEY = SeriesKey("0", "hits", "host=web-1")


def an_entry(
    values: Values, name: str = "hits", time_ms: int = 60_000, type_: int = 1
) -> Entry:
    """An entry of 60 s."""
    return Entry("0", name, (("host", "web-1"),), type_, 60, time_ms, values)


def stored(*reports: Values, rule: Duplicates) -> Values:
    """What one point holds after several reports of it."""
    store = Store(Limits(duplicates=rule))
    for values in reports:
        assert store.add(an_entry(values), "r", 0)
    (point,) = store.points(KEY, 60)
    return point.values


def test_log_line() -> None:
    """An accepted entry is shown as replay shows it, with its request and time."""
    store = Store(Limits())
    store.add(an_entry({"Sum": 42.0, "SampleCount": 40}), "R-1", 12.5)
    (line,) = store.lines()
    assert line == (
        b'{"GroupId": "0", "MetricName": "hits", "Dimensions": {"host": "web-1"},'
        b' "Type": 1, "Period": 60, "Time": 60000,'
        b' "Values": {"Sum": 42.0, "SampleCount": 40},'
        b' "RequestId": "R-1", "received": 12.5}'
    )


@pytest.mark.parametrize(
    ("rule", "result"),
    [("replace", {"Sum": 5}), ("ignore", {"Sum": 1}), ("merge", {"Sum": 6})],
)
def test_repetition(rule: Duplicates, result: Values) -> None:
    """A second report of a point does what the rule says; the log has both."""
    assert stored({"Sum": 1}, {"Sum": 5}, rule=rule) == result


def test_merging_statistics() -> None:
    """Sums add, extremes spread, averages weigh; what cannot be merged is the last."""
    first = {
        "Sum": 30,
        "SampleCount": 3,
        "Average": 10,
        "Maximum": 20,
        "Minimum": 5,
        "LastValue": 7,
        "P99": 20,
    }
    second = {
        "Sum": 2,
        "SampleCount": 1,
        "Average": 2,
        "Maximum": 2,
        "Minimum": 2,
        "LastValue": 2,
        "P99": 2,
        "P50": 2,
    }
    assert stored(first, second, rule="merge") == {
        "Sum": 32,
        "SampleCount": 4,
        "Average": 8,
        "Maximum": 20,
        "Minimum": 2,
        "LastValue": 2,
        "P99": 2,
        "P50": 2,
    }


def test_raw_values_are_aggregated() -> None:
    """Type 0 is rolled up over both periods, and every report counts, whatever the rule."""
    store = Store(Limits(duplicates="ignore"))
    for time_ms, value in ((301_000, 1.0), (301_000, 1.0), (350_000, 4.0)):
        store.add(an_entry({"value": value}, time_ms=time_ms, type_=0), "r", 0)
    (short,), (long,) = store.points(KEY, 60), store.points(KEY, 300)
    assert (short.time_ms, long.time_ms) == (300_000, 300_000)
    assert short.values["Sum"] == long.values["Sum"] == 6
    assert (short.values["SampleCount"], short.values["Average"]) == (3, 2)
    assert (short.values["SumPerSecond"], long.values["SumPerSecond"]) == (0.1, 0.02)


def test_points_by_time() -> None:
    """Late reports find their place."""
    store = Store(Limits())
    for time_ms in (120_000, 60_000, 180_000):
        store.add(an_entry({"Sum": 1}, time_ms=time_ms), "r", 0)
    times = [point.time_ms for point in store.points(KEY, 60)]
    assert times == [60_000, 120_000, 180_000]


def test_series_quota() -> None:
    """Beyond the quota new series are refused, known ones go on."""
    store = Store(Limits(series_quota=2))
    names = ("a", "b", "c", "a")
    taken = [store.add(an_entry({"Sum": 1}, name), "r", 0) for name in names]
    assert taken == [True, True, False, True]
    assert [json.loads(line)["MetricName"] for line in store.lines()] == ["a", "b", "a"]


def test_series_is_group_name_and_dimensions() -> None:
    """Periods of one series are one series."""
    store = Store(Limits(series_quota=1))
    short = an_entry({"Sum": 1})
    long = Entry("0", "hits", short.dimensions, 1, 300, 0, {"Sum": 1})
    other = Entry("1", "hits", short.dimensions, 1, 60, 0, {"Sum": 1})
    assert [store.add(e, "r", 0) for e in (short, long, other)] == [True, True, False]


def test_clear() -> None:
    """Forgetting makes room in the quota too."""
    store = Store(Limits(series_quota=1))
    store.add(an_entry({"Sum": 1}), "r", 0)
    store.clear()
    assert not list(store.lines())
    assert store.add(an_entry({"Sum": 1}, "other"), "r", 0)
    assert not store.points(KEY, 60)


def test_log_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The log forgets its oldest lines beyond its size."""
    monkeypatch.setattr(store_module, "LOG_BYTES_MAX", 1000)
    store = Store(Limits())
    for n in range(100):
        store.add(an_entry({"Sum": n}), "r", 0)
    lines = list(store.lines())
    assert sum(map(len, lines)) <= 1000
    assert json.loads(lines[-1])["Values"] == {"Sum": 99}


def test_points_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest points go first, whatever series they belong to."""
    monkeypatch.setattr(store_module, "POINTS_MAX", 3)
    store = Store(Limits())
    for n in range(5):
        store.add(an_entry({"Sum": n}, time_ms=n * 60_000), "r", 0)
    assert [point.values["Sum"] for point in store.points(KEY, 60)] == [2, 3, 4]
