"""Reading back what was put, through the signed API."""

import json
from typing import Any

import pytest

from tests.emulator.door import Door, entry, signed

NAMESPACE = "acs_customMetric_1000000000000000"


@pytest.fixture
def door() -> Door:
    """A service with three points of one series and one of another."""
    door = Door()
    for minute in range(3):
        time = str(1767322800000 + minute * 60_000)
        door.put(entry(Time=time, Values=f'{{"Sum":{minute}}}'))
    door.put(
        entry(Dimensions='{"b":"2","a":"1"}', Time="1767322800000", GroupId="7"),
        entry(Period="300", Time="1767322800000"),
    )
    return door


def ask(door: Door, action: str, **parameters: str) -> dict[str, Any]:
    """The answer to a reading call."""
    reply = door.call(signed({"Action": action, **parameters}))
    assert reply.code == "200", reply.body
    return reply.json


def points(door: Door, action: str = "DescribeMetricList", **more: str) -> list[Any]:
    """The data points of an answer."""
    asked = {"Namespace": NAMESPACE, "MetricName": "hits"} | more
    found: list[Any] = json.loads(ask(door, action, **asked)["Datapoints"])
    return found


def refused(door: Door, action: str, **parameters: str) -> str:
    """The code of a refusal."""
    return door.call(signed({"Action": action, **parameters})).code


def test_series_are_listed(door: Door) -> None:
    """The identity that the service stored, with its sorted dimensions."""
    result = json.loads(ask(door, "DescribeCustomMetricList")["Result"])
    assert (result["all"], result["page"], result["size"]) == (2, 1, 10)
    listed = [(s["groupId"], s["metricName"], s["dimension"]) for s in result["list"]]
    assert listed == [("0", "hits", "host=web-1"), ("7", "hits", "a=1&b=2")]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"GroupId": "7"}, 1),
        ({"MetricName": "hits"}, 2),
        ({"MetricName": "hit"}, 0),
        ({"Dimension": "{a=1&b=2}"}, 1),
        ({"Dimension": "a=1&b=2"}, 1),
        ({"Md5": "00"}, 0),
        ({"GroupId": "0", "Dimension": "{a=1&b=2}"}, 0),
    ],
)
def test_series_are_filtered(door: Door, filters: dict[str, str], found: int) -> None:
    """By group, name, dimensions and MD5, all of them together."""
    result = json.loads(ask(door, "DescribeCustomMetricList", **filters)["Result"])
    assert (result["all"], len(result["list"])) == (found, found)


def test_md5_finds_its_series(door: Door) -> None:
    """The MD5 that is listed can be asked for."""
    listed = json.loads(ask(door, "DescribeCustomMetricList")["Result"])["list"]
    again = ask(door, "DescribeCustomMetricList", Md5=listed[1]["md5"])
    assert json.loads(again["Result"])["list"] == [listed[1]]


def test_series_by_page(door: Door) -> None:
    """Pages count from 1."""
    asked = {"PageSize": "1", "PageNumber": "2"}
    result = json.loads(ask(door, "DescribeCustomMetricList", **asked)["Result"])
    assert [series["groupId"] for series in result["list"]] == ["7"]
    assert (result["all"], result["page"]) == (2, 2)


def test_points(door: Door) -> None:
    """All points of a name, by time, with the values as sent."""
    found = points(door, Dimensions='[{"groupId":"0","dimension":"host=web-1"}]')
    assert [(p["timestamp"], p["Sum"]) for p in found] == [
        (1767322800000, 0),
        (1767322860000, 1),
        (1767322920000, 2),
    ]
    assert found[0]["dimension"] == "host=web-1"


def test_start_is_excluded_and_end_included(door: Door) -> None:
    """As documented, in milliseconds or as a date."""
    window = {"StartTime": "1767322800000", "EndTime": "2026-01-02T03:01:00Z"}
    assert [p["Sum"] for p in points(door, **window)] == [1]


def test_other_period(door: Door) -> None:
    """Periods are kept apart."""
    assert [p["Sum"] for p in points(door, Period="300")] == [42]
    assert points(door, Period="900") == []


def test_length_and_next(door: Door) -> None:
    """Long answers go on where NextToken says."""
    asked = {"Namespace": NAMESPACE, "MetricName": "hits", "Length": "3"}
    first = ask(door, "DescribeMetricList", **asked)
    rest = ask(door, "DescribeMetricList", **asked, NextToken=first["NextToken"])
    counts = [len(json.loads(answer["Datapoints"])) for answer in (first, rest)]
    assert counts == [3, 1]
    assert "NextToken" not in rest


def test_no_next_behind_the_last(door: Door) -> None:
    """An answer that holds just all of it does not go on."""
    asked = {"Namespace": NAMESPACE, "MetricName": "hits", "Length": "4"}
    answer = ask(door, "DescribeMetricList", **asked)
    assert len(json.loads(answer["Datapoints"])) == 4
    assert "NextToken" not in answer


def test_newest_point(door: Door) -> None:
    """One point a series, the last one."""
    found = points(door, "DescribeMetricLast")
    assert [(p["groupId"], p["Sum"]) for p in found] == [("0", 2), ("7", 42)]


def test_success_in_the_vendors_form(door: Door) -> None:
    """Code and Period are text, Success is not."""
    answer = ask(door, "DescribeMetricList", Namespace=NAMESPACE, MetricName="hits")
    assert (answer["Code"], answer["Period"], answer["Success"]) == ("200", "60", True)


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"MetricName": "hits"}, "InvalidParameter"),
        ({"Namespace": "acs_ecs_dashboard", "MetricName": "hits"}, "InvalidParameter"),
        ({"Namespace": NAMESPACE}, "MissingParameter"),
        (
            {"Namespace": NAMESPACE, "MetricName": "h", "Period": "x"},
            "InvalidParameter",
        ),
        (
            {"Namespace": NAMESPACE, "MetricName": "h", "Length": "0"},
            "InvalidParameter",
        ),
        (
            {"Namespace": NAMESPACE, "MetricName": "h", "StartTime": "x"},
            "InvalidParameter",
        ),
        (
            {"Namespace": NAMESPACE, "MetricName": "h", "Dimensions": "{"},
            "InvalidParameter",
        ),
        (
            {"Namespace": NAMESPACE, "MetricName": "h", "Dimensions": "[1]"},
            "InvalidParameter",
        ),
    ],
)
def test_refusals(door: Door, parameters: dict[str, str], code: str) -> None:
    """What is missing or wrong is refused by the gateway."""
    assert refused(door, "DescribeMetricList", **parameters) == code


@pytest.mark.parametrize("parameter", ["PageNumber", "PageSize"])
def test_pages_are_numbers_from_one(door: Door, parameter: str) -> None:
    """Zero is no page, and no page size."""
    code = refused(door, "DescribeCustomMetricList", **{parameter: "0"})
    assert code == "InvalidParameter"
