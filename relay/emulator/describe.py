"""Reading back: what DescribeCustomMetricList, -MetricList and -MetricLast answer.

Knows neither signatures nor HTTP. Forms of ``Result`` and ``Datapoints``: the vendor's
API reference of the three operations.
"""

import json
import re
from calendar import timegm
from collections.abc import Callable, Iterable, Mapping
from time import strptime
from types import MappingProxyType

from relay.emulator.answers import Refusal, refuse
from relay.emulator.store import Point, SeriesKey, Store

__all__ = ["DESCRIBERS", "describe"]

NAMESPACE = "acs_customMetric_"
USER_ID = "1000000000000000"
LENGTH_DEFAULT, LENGTH_MAX = 1000, 1440

Fields = Mapping[str, object]


class _RefusedError(Exception):
    """A parameter that is missing or wrong, on its way to becoming a ``Refusal``."""

    def __init__(self, code: str, parameter: str) -> None:
        super().__init__(code, parameter)
        self.refusal = refuse(code, parameter)


def describe(
    action: str, store: Store, parameters: Mapping[str, str]
) -> Fields | Refusal:
    """The answer to one of ``DESCRIBERS``, without Code, Message and RequestId."""
    try:
        return DESCRIBERS[action](store, parameters)
    except _RefusedError as refused:
        return refused.refusal


def _custom_metric_list(store: Store, parameters: Mapping[str, str]) -> Fields:
    """The series stored, by page; ``Result`` is JSON as text."""
    page = _number(parameters, "PageNumber", default=1, least=1)
    size = _number(parameters, "PageSize", default=10, least=1)
    found = [key for key in store.series() if _asked_for(key, parameters)]
    listed = found[(page - 1) * size : page * size]
    wanted = {"project": NAMESPACE + USER_ID, "status": 1}
    result = {
        "all": len(found),
        "size": size,
        "page": page,
        "param": {"metric": _json(wanted), "service": "emulator"},
        "list": [_listed(key) for key in listed],
    }
    return {"Result": _json(result)}


def _metric_list(store: Store, parameters: Mapping[str, str]) -> Fields:
    """Points by time: after StartTime, up to and with EndTime."""
    since, until = _time_ms(parameters, "StartTime"), _time_ms(parameters, "EndTime")
    start = _number(parameters, "NextToken", default=0, least=0)
    length = _number(parameters, "Length", default=LENGTH_DEFAULT, least=1)
    within = sorted(
        (
            point
            for point in _points(store, parameters)
            if (since is None or point.time_ms > since)
            and (until is None or point.time_ms <= until)
        ),
        key=lambda point: (point.time_ms, point.series),
    )
    end = start + min(length, LENGTH_MAX)
    more = {"NextToken": str(end)} if end < len(within) else {}
    return {**_datapoints(within[start:end], _period(store, parameters)), **more}


def _metric_last(store: Store, parameters: Mapping[str, str]) -> Fields:
    """The newest point of each series."""
    newest = {point.series: point for point in _points(store, parameters)}
    return _datapoints(newest.values(), _period(store, parameters))


DESCRIBERS: Mapping[str, Callable[[Store, Mapping[str, str]], Fields]] = (
    MappingProxyType(
        {
            "DescribeCustomMetricList": _custom_metric_list,
            "DescribeMetricList": _metric_list,
            "DescribeMetricLast": _metric_last,
        }
    )
)


def _asked_for(key: SeriesKey, parameters: Mapping[str, str]) -> bool:
    dimension = parameters.get("Dimension", "").strip("{}")
    return all(
        not asked or asked == has
        for asked, has in (
            (parameters.get("GroupId"), key.group_id),
            (parameters.get("MetricName"), key.metric_name),
            (dimension, key.dimension),
            (parameters.get("Md5"), key.md5),
        )
    )


def _listed(key: SeriesKey) -> Mapping[str, object]:
    return {
        "groupId": key.group_id,
        "metricName": key.metric_name,
        "dimension": key.dimension,
        "md5": key.md5,
        "project": NAMESPACE + USER_ID,
        "status": 1,
    }


def _points(store: Store, parameters: Mapping[str, str]) -> list[Point]:
    """Every point of the series and the period asked for, each series by time."""
    if not parameters.get("Namespace", "").startswith(NAMESPACE):
        raise _RefusedError("InvalidParameter", f"Namespace: {NAMESPACE}<account id>")
    if not parameters.get("MetricName"):
        raise _RefusedError("MissingParameter", "MetricName")
    period = _period(store, parameters)
    wanted = _wanted(parameters.get("Dimensions", ""))
    return [
        point
        for key in store.series()
        if key.metric_name == parameters["MetricName"]
        and any(asked.items() <= _names(key).items() for asked in wanted)
        for point in store.points(key, period)
    ]


def _names(key: SeriesKey) -> Mapping[str, str]:
    return {"groupId": key.group_id, "dimension": key.dimension}


def _wanted(text: str) -> list[dict[str, str]]:
    """``[{"groupId": …, "dimension": "k1=v1&k2=v2"}]``; nothing asks for all."""
    try:
        asked = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        raise _RefusedError("InvalidParameter", "Dimensions") from None
    listed = asked if isinstance(asked, list) else [asked]
    if not all(isinstance(one, dict) for one in listed):
        raise _RefusedError("InvalidParameter", "Dimensions")
    return [{name: str(value) for name, value in one.items()} for one in listed]


def _datapoints(points: Iterable[Point], period: int) -> Fields:
    shown = [
        {
            "timestamp": point.time_ms,
            "userId": USER_ID,
            **_names(point.series),
            **point.values,
        }
        for point in points
    ]
    return {"Datapoints": _json(shown), "Period": str(period), "Success": True}


def _period(store: Store, parameters: Mapping[str, str]) -> int:
    return _number(parameters, "Period", default=store.base_period, least=1)


def _number(
    parameters: Mapping[str, str], name: str, *, default: int, least: int
) -> int:
    text = parameters.get(name) or str(default)
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII) or int(text) < least:
        raise _RefusedError("InvalidParameter", name)
    return int(text)


def _time_ms(parameters: Mapping[str, str], name: str) -> int | None:
    """Milliseconds, or ``2026-01-02T03:04:05Z``; None where nothing is asked."""
    text = parameters.get(name, "")
    if not text:
        return None
    if re.fullmatch(r"\d{1,15}", text, re.ASCII):
        return int(text)
    try:
        return timegm(strptime(text, "%Y-%m-%dT%H:%M:%SZ")) * 1000
    except ValueError:
        raise _RefusedError("InvalidParameter", name) from None


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))
