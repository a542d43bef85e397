"""What the page's script asks for: which metrics there are, and the points of one.

Reads the store and changes nothing. Every answer is bounded, and says what it left off.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from relay.cloudmonitor.contract import STATISTICS
from relay.emulator.store import Point, SeriesKey, Store
from relay.emulator.wire import Pairs

__all__ = ["MAIN_STATISTICS", "find_metrics", "find_points", "main_statistic"]

METRICS_MAX, SERIES_MAX, POINTS_MAX, CHOICES_MAX = 500, 20, 3000, 500
LOOKED_AT_MAX = 5000
MAIN_STATISTICS = ("LastValue", "Average", "Sum", "Maximum", "SampleCount")
"""What says most: of a gauge or set the first, of a timer the second, of a counter Sum."""

Found = Mapping[str, object]


def find_metrics(store: Store, query: Pairs) -> Found:
    """The metrics whose names hold the parameter ``search``, by name."""
    wanted = dict(query).get("search", "").strip().lower()
    metrics = store.metrics()
    names = sorted(name for name in metrics if wanted in name.lower())
    return {
        "metrics": [
            {"MetricName": name, "series": len(metrics[name])}
            for name in names[:METRICS_MAX]
        ],
        "left_off": max(0, len(names) - METRICS_MAX),
        "series": sum(map(len, metrics.values())),
    }


class _Choice(NamedTuple):
    """What shall be drawn: until ``now_ms``, or, without ``since_ms``, all there is."""

    metric: str
    group: str | None
    dimensions: Mapping[str, str]
    period: int
    statistic: str | None
    since_ms: int | None
    now_ms: int

    def holds(self, key: SeriesKey) -> bool:
        return self.group in (None, key.group_id) and (
            not self.dimensions or self.dimensions.items() <= key.dimensions.items()
        )

    def in_time(self, point: Point) -> bool:
        since = self.since_ms
        return since is None or since <= point.time_ms <= self.now_ms


def find_points(store: Store, query: Pairs, now: float) -> Found | str:
    """One statistic of a metric over time, or a sentence on what the query lacks.

    Parameters: ``metric``; ``period`` (the shortest); ``statistic`` (what the points
    have of the usual ones); ``seconds`` until now (0: all); ``group`` and ``d.KEY`` leave
    off series that have others.
    """
    choice = _read(store, query, now)
    if isinstance(choice, str):
        return choice
    all_keys = store.metrics().get(choice.metric, ())
    keys = sorted(key for key in all_keys if choice.holds(key))
    drawn, looked_at = _drawn(store, keys, choice)
    names = {name for points in drawn.values() for p in points for name in p.values}
    statistic = main_statistic(names, choice.statistic)
    series = [_series(key, drawn[key], statistic or "") for key in drawn]
    return {
        "now": int(now * 1000),
        "since": choice.since_ms,
        "MetricName": choice.metric,
        "Period": choice.period,
        "Statistic": statistic,
        "periods": list(store.periods),
        "statistics": [name for name in STATISTICS if name in names],
        "groups": sorted({key.group_id for key in all_keys}),
        "dimensions": _choices(all_keys),
        "series": [one for one in series if one["times"]],
        "left_off": len(keys) - looked_at,
    }


def main_statistic(names: Iterable[str], wanted: str | None = None) -> str | None:
    """``wanted`` if it is among the names, else the one that says most."""
    known = set(names)
    ordered = (wanted, *MAIN_STATISTICS, *STATISTICS)
    return next((name for name in ordered if name in known), None)


def _read(store: Store, query: Pairs, now: float) -> _Choice | str:
    given = {name: value for name, value in query if value}
    numbers: dict[str, int] = {}
    for name in {"period", "seconds"} & given.keys():
        if not re.fullmatch(r"\d{1,9}", given[name], re.ASCII):
            return f"{name} must be a number of seconds"
        numbers[name] = int(given[name])
    if "metric" not in given:
        return "metric must name one; /_emulator/metrics lists them"
    seconds = numbers.get("seconds") or None
    return _Choice(
        metric=given["metric"],
        group=given.get("group"),
        dimensions={k[2:]: v for k, v in given.items() if k.startswith("d.")},
        period=numbers.get("period", store.base_period),
        statistic=given.get("statistic"),
        since_ms=None if seconds is None else int((now - seconds) * 1000),
        now_ms=int(now * 1000),
    )


def _choices(keys: Iterable[SeriesKey]) -> Mapping[str, Sequence[str]]:
    """The values that each dimension has."""
    values: dict[str, set[str]] = {}
    for key in keys:
        for name, value in key.dimensions.items():
            values.setdefault(name, set()).add(value)
    return {name: sorted(values[name])[:CHOICES_MAX] for name in sorted(values)}


def _drawn(
    store: Store, keys: Sequence[SeriesKey], choice: _Choice
) -> tuple[Mapping[SeriesKey, Sequence[Point]], int]:
    """The first series that have points in time, and how many it took to find them."""
    drawn: dict[SeriesKey, Sequence[Point]] = {}
    for looked_at, key in enumerate(keys[:LOOKED_AT_MAX]):
        if len(drawn) == SERIES_MAX:
            return drawn, looked_at
        points = [p for p in store.points(key, choice.period) if choice.in_time(p)]
        if points:
            drawn[key] = points
    return drawn, min(len(keys), LOOKED_AT_MAX)


def _series(key: SeriesKey, points: Sequence[Point], statistic: str) -> Found:
    shown = [p for p in points if statistic in p.values][-POINTS_MAX:]
    return {
        "id": key.md5,
        "GroupId": key.group_id,
        "Dimensions": key.dimensions,
        "times": [point.time_ms for point in shown],
        "values": [point.values[statistic] for point in shown],
    }
