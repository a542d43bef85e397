"""What the service remembers: a log of accepted entries, and series with their points.

Knows the quota and what a repetition does; memory is bounded, the oldest goes first.
"""

import hashlib
import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from relay.cloudmonitor.contract import TYPE_RAW
from relay.emulator.entries import Entry, Values
from relay.emulator.limits import Duplicates, Limits
from relay.emulator.listed import Log

__all__ = ["QUOTA_REACHED", "Point", "SeriesKey", "Store"]

QUOTA_REACHED = "reach Max time series num"
LOG_BYTES_MAX = 256 * 1024 * 1024
POINTS_MAX = 200_000


class SeriesKey(NamedTuple):
    """A series in the vendor's sense: what the quota counts."""

    group_id: str
    metric_name: str
    dimension: str

    @property
    def dimensions(self) -> dict[str, str]:
        """The pairs of ``dimension``: neither keys nor values can hold ``=`` or ``&``."""
        parts = (part.partition("=") for part in self.dimension.split("&") if part)
        return {key: value for key, _, value in parts}

    @property
    def md5(self) -> str:
        """A name for it, of the kind that reading back takes and gives."""
        text = "&".join(self).encode()
        return hashlib.md5(text, usedforsecurity=False).hexdigest()


class Point(NamedTuple):
    """What one series had in one period."""

    series: SeriesKey
    period: int
    time_ms: int
    values: Values


class Store:
    """The memory of the look-alike; one thread."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._log = Log(LOG_BYTES_MAX)
        self._series: dict[SeriesKey, dict[int, dict[int, Values]]] = {}
        self._metrics: dict[str, list[SeriesKey]] = {}
        self._oldest: deque[tuple[SeriesKey, int, int]] = deque()

    @property
    def periods(self) -> tuple[int, ...]:
        """The periods there are, in seconds, the shortest first."""
        return self._limits.periods

    @property
    def base_period(self) -> int:
        """The shortest of them."""
        return self.periods[0]

    def add(self, entry: Entry, request_id: str, received: float) -> bool:
        """Keep an entry; False when it would make a series beyond the quota."""
        key = SeriesKey(entry.group_id, entry.metric_name, entry.dimension)
        if key not in self._series:
            if len(self._series) >= self._limits.series_quota:
                return False
            self._series[key] = {}
            self._metrics.setdefault(key.metric_name, []).append(key)
        self._log.append(_line(entry, request_id, received))
        if entry.type == TYPE_RAW:
            for period in self._limits.periods:
                start = entry.time_ms // (period * 1000) * period * 1000
                self._put(key, period, start, _raw(entry, period), "merge")
        elif entry.period is not None:
            rule = self._limits.duplicates
            self._put(key, entry.period, entry.time_ms, entry.values, rule)
        return True

    def clear(self) -> None:
        """Forget entries, series and points."""
        self._log.clear()
        self._series.clear()
        self._metrics.clear()
        self._oldest.clear()

    def lines(self) -> Iterator[bytes]:
        """The accepted entries as JSON, without line ends, in order of acceptance."""
        return iter(self._log)

    def series(self) -> Iterable[SeriesKey]:
        """Every series, oldest first."""
        return self._series.keys()

    def metrics(self) -> Mapping[str, Sequence[SeriesKey]]:
        """The series of each metric name, both oldest first."""
        return self._metrics

    def points(self, key: SeriesKey, period: int) -> list[Point]:
        """The points of one series and period, by time."""
        found = self._series.get(key, {}).get(period, {})
        return [Point(key, period, time, found[time]) for time in sorted(found)]

    def _put(
        self,
        key: SeriesKey,
        period: int,
        time_ms: int,
        values: Values,
        rule: Duplicates,
    ) -> None:
        points = self._series[key].setdefault(period, {})
        if time_ms in points:
            points[time_ms] = _AGAIN[rule](points[time_ms], values)
            return
        points[time_ms] = values
        self._oldest.append((key, period, time_ms))
        if len(self._oldest) > POINTS_MAX:
            old_key, old_period, old_time = self._oldest.popleft()
            self._series[old_key][old_period].pop(old_time, None)


def _line(entry: Entry, request_id: str, received: float) -> bytes:
    shown = {
        "GroupId": entry.group_id,
        "MetricName": entry.metric_name,
        "Dimensions": dict(entry.dimensions),
        "Type": entry.type,
        "Period": entry.period,
        "Time": entry.time_ms,
        "Values": entry.values,
        "RequestId": request_id,
        "received": received,
    }
    return json.dumps(shown).encode()


def _raw(entry: Entry, period: int) -> Values:
    """A raw value as the service aggregates it."""
    value = entry.values["value"]
    same = dict.fromkeys(("Average", "Maximum", "Minimum", "Sum", "LastValue"), value)
    per_second = {"SumPerSecond": value / period, "CountPerSecond": 1 / period}
    return {**same, **per_second, "SampleCount": 1}


def _merge(old: Values, new: Values) -> Values:
    """Both reports as one; what cannot be merged (percentiles, last) is the new one's."""
    merged = {**old, **new}
    for name in old.keys() & new.keys() & _MERGED.keys():
        merged[name] = _MERGED[name](old[name], new[name])
    if "Average" in old and "Average" in new:
        weights = old.get("SampleCount", 1), new.get("SampleCount", 1)
        total = old["Average"] * weights[0] + new["Average"] * weights[1]
        merged["Average"] = total / (sum(weights) or 1)
    return merged


def _add(a: float, b: float) -> float:
    return a + b


_MERGED: Mapping[str, Callable[[float, float], float]] = MappingProxyType(
    {
        "Sum": _add,
        "SampleCount": _add,
        "SumPerSecond": _add,
        "CountPerSecond": _add,
        "Maximum": max,
        "Minimum": min,
    }
)
_AGAIN: Mapping[Duplicates, Callable[[Values, Values], Values]] = MappingProxyType(
    {
        "replace": lambda _old, new: new,
        "ignore": lambda old, _new: old,
        "merge": _merge,
    }
)
