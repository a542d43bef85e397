"""What the page's script is told: the metrics there are, and the points of one."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from relay.emulator import explore
from tests.emulator.door import NOW, Door, entry

MINUTE_MS = NOW // 60 * 60 * 1000


@pytest.fixture
def door() -> Door:
    """Two series of one metric with three minutes each, one of another."""
    door = Door()
    door.put(
        *(
            entry(
                Dimensions=json.dumps({"host": host, "zone": "z"}),
                Time=str(MINUTE_MS - minute * 60_000),
                Values=json.dumps({"P99": minute, "Average": 10 * minute + place}),
            )
            for place, host in enumerate(("web-1", "web-2"))
            for minute in (3, 2, 1)
        ),
        entry(MetricName="Misses", GroupId="7"),
    )
    return door


def metrics(door: Door, **query: str) -> dict[str, Any]:
    """The list."""
    return door.get(f"/_emulator/metrics?{urlencode(query)}").json


def points(door: Door, **query: str) -> dict[str, Any]:
    """What shall be drawn."""
    return door.get(f"/_emulator/points?{urlencode({'metric': 'hits', **query})}").json


def test_every_metric_is_listed_once_with_its_series(door: Door) -> None:
    """By name, with how many series it has."""
    assert metrics(door) == {
        "metrics": [
            {"MetricName": "Misses", "series": 1},
            {"MetricName": "hits", "series": 2},
        ],
        "left_off": 0,
        "series": 3,
    }


@pytest.mark.parametrize("search", ["MISS", "isse", " misses "])
def test_search_finds_parts_of_names_in_any_case(door: Door, search: str) -> None:
    """Blanks around it do not count."""
    found = metrics(door, search=search)["metrics"]
    assert [one["MetricName"] for one in found] == ["Misses"]


def test_a_long_list_says_what_it_left_off(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first by name come, the others are counted."""
    monkeypatch.setattr(explore, "METRICS_MAX", 1)
    found = metrics(door)
    assert [one["MetricName"] for one in found["metrics"]] == ["Misses"]
    assert found["left_off"] == 1


def test_forgotten_entries_are_no_metrics(door: Door) -> None:
    """DELETE empties the list as well."""
    door.get("/_emulator/entries", "DELETE")
    assert metrics(door) == {"metrics": [], "left_off": 0, "series": 0}


def test_points_of_a_statistic_by_series_and_time(door: Door) -> None:
    """One row of times and values a series, ordered by Dimensions."""
    answer = points(door, statistic="P99")
    assert answer["Statistic"] == "P99"
    assert [(one["Dimensions"], one["GroupId"]) for one in answer["series"]] == [
        ({"host": "web-1", "zone": "z"}, "0"),
        ({"host": "web-2", "zone": "z"}, "0"),
    ]
    for one in answer["series"]:
        assert one["times"] == [MINUTE_MS - minute * 60_000 for minute in (3, 2, 1)]
        assert one["values"] == [3, 2, 1]


@pytest.mark.parametrize("statistic", ["", "Sum", "nothing"])
def test_a_statistic_that_is_not_stored_gives_way_to_the_main_one(
    door: Door, statistic: str
) -> None:
    """The answer names the one it has, and those there are."""
    answer = points(door, statistic=statistic)
    assert answer["Statistic"] == "Average"
    assert answer["statistics"] == ["Average", "P99"]
    assert answer["series"][1]["values"] == [31, 21, 11]


@pytest.mark.parametrize(
    ("values", "main"),
    [
        ({"Sum": 1, "SumPerSecond": 1, "SampleCount": 1}, "Sum"),
        ({"Sum": 1, "Average": 1, "SampleCount": 1, "P99": 1}, "Average"),
        ({"LastValue": 1, "Average": 1, "Maximum": 1}, "LastValue"),
        ({"P99": 1, "P50": 1}, "P50"),
    ],
    ids=["counter", "timer", "gauge", "nothing usual"],
)
def test_main_statistic_of_a_kind(values: dict[str, int], main: str) -> None:
    """What is drawn where nothing is chosen."""
    door = Door()
    door.put(entry(Values=json.dumps(values)))
    assert points(door)["Statistic"] == main


def test_series_are_chosen_by_dimension_and_group(door: Door) -> None:
    """Others are left off, but their values can still be chosen."""
    answer = points(door, **{"d.host": "web-2"})
    assert [one["Dimensions"]["host"] for one in answer["series"]] == ["web-2"]
    assert answer["dimensions"] == {"host": ["web-1", "web-2"], "zone": ["z"]}
    assert points(door, group="7")["series"] == []
    assert points(door, group="7")["groups"] == ["0"]
    assert len(points(door, group="7", metric="Misses")["series"]) == 1


def test_time_range_ends_now(door: Door) -> None:
    """Points before it, and of the future, are left off."""
    dimensions = '{"host":"web-1","zone":"z"}'
    future = str((NOW + 600) * 1000)
    door.put(entry(Dimensions=dimensions, Time=future, Values='{"P99":9}'))
    answer = points(door, seconds="100", statistic="P99")
    assert answer["series"][0]["values"] == [1]
    assert (answer["since"], answer["now"]) == ((NOW - 100) * 1000, NOW * 1000)


@pytest.mark.parametrize("query", [{}, {"seconds": "0"}, {"seconds": ""}])
def test_without_a_time_range_everything_is_there(
    door: Door, query: dict[str, str]
) -> None:
    """Old points too."""
    answer = points(door, **query)
    assert [len(one["times"]) for one in answer["series"]] == [3, 3]
    assert answer["since"] is None


def test_periods_are_apart(door: Door) -> None:
    """An entry of 300 s is no point among those of 60."""
    door.put(entry(Period="300", Values='{"Sum":5}', Dimensions='{"host":"web-1"}'))
    answer = points(door, period="300")
    assert answer["periods"] == [60, 300]
    assert [one["values"] for one in answer["series"]] == [[5]]


def test_many_series_are_bounded_and_counted(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first come, the rest is a number."""
    monkeypatch.setattr(explore, "SERIES_MAX", 1)
    answer = points(door)
    assert (len(answer["series"]), answer["left_off"]) == (1, 1)


def test_series_without_points_take_no_place(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that have none in the time range are passed over."""
    door.put(entry(Dimensions='{"host":"a"}', Time="0"))
    monkeypatch.setattr(explore, "SERIES_MAX", 1)
    answer = points(door, seconds="3600")
    assert [one["Dimensions"]["host"] for one in answer["series"]] == ["web-1"]
    assert answer["left_off"] == 1


def test_many_points_are_the_newest(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest are left off."""
    monkeypatch.setattr(explore, "POINTS_MAX", 2)
    assert points(door, statistic="P99")["series"][0]["values"] == [2, 1]


def test_an_unknown_metric_has_no_series(door: Door) -> None:
    """A link may be older than the emulator."""
    answer = points(door, metric="gone")
    assert (answer["series"], answer["Statistic"]) == ([], None)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("", "metric must name one"),
        ("metric=hits&period=x", "period must be a number of seconds"),
        ("metric=hits&seconds=-1", "seconds must be a number of seconds"),
        ("metric=hits&seconds=1e9", "seconds must be a number of seconds"),
    ],
)
def test_bad_parameters_are_explained(door: Door, query: str, said: str) -> None:
    """400 and a sentence."""
    reply = door.get(f"/_emulator/points?{query}")
    assert reply.status == 400
    assert said in reply.body.decode()
