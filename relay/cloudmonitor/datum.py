"""An entry of MetricList: from a closed period to the text that a request carries.

An encoded entry, an *item*, is the percent-encoded fields without their number, so that
it can be stored, counted and moved between requests without being read. Nothing here
knows how many entries make a request, nor who signs it.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote

from relay.cloudmonitor.contract import FIELDS, TYPE_AGGREGATED
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

__all__ = [
    "ALL_IN_NONE",
    "Datum",
    "GroupOf",
    "Values",
    "data",
    "decode",
    "dimensions_of",
    "encode",
    "identity",
    "in_group",
    "items",
    "values_of",
]

Values = Mapping[str, float]
"""Statistics by the vendor's names; a whole SampleCount is an int."""

GroupOf = Callable[[Series], str]
"""The application group that the entries of a series belong to."""

_WHOLE_BELOW = 2.0**53  # beyond, a float is no count any more but an order of magnitude


class Datum(NamedTuple):
    """One entry; ``period`` in seconds, ``time_ms`` is its start in Unix milliseconds."""

    group_id: str
    metric: str
    dimensions: Dimensions
    period: int
    time_ms: int
    values: Values

    def as_object(self) -> dict[str, object]:
        """As it is shown to people and scripts: Dimensions and Values as objects."""
        return {
            "GroupId": self.group_id,
            "MetricName": self.metric,
            "Dimensions": dict(self.dimensions),
            "Type": TYPE_AGGREGATED,
            "Period": self.period,
            "Time": self.time_ms,
            "Values": dict(self.values),
        }


def in_group(group_id: str) -> GroupOf:
    """All of them."""
    return lambda _: group_id


ALL_IN_NONE = in_group("0")
"""Entries belong to no application group."""


def data(rollup: Rollup, group_of: GroupOf = ALL_IN_NONE) -> Iterator[Datum]:
    """An entry for each row, in order."""
    for series, summary in rollup.rows:
        yield Datum(
            group_of(series),
            series.metric,
            series.dimensions,
            rollup.length,
            rollup.start * 1000,
            values_of(summary, rollup.length),
        )


def values_of(summary: Summary, seconds: int) -> Values:
    """The statistics that are reported of a period of ``seconds``; all finite."""
    match summary:
        case CounterSummary():
            return {
                "Sum": float(summary.total),
                "SumPerSecond": summary.total / seconds,
                "SampleCount": _count(summary.count),
            }
        case GaugeSummary():
            return {
                "LastValue": float(summary.last),
                "Average": float(summary.mean),
                "Maximum": float(summary.maximum),
                "Minimum": float(summary.minimum),
                "SampleCount": summary.count,
            }
        case TimerSummary():
            return {
                "SampleCount": _count(summary.count),
                "CountPerSecond": summary.count / seconds,
                "Sum": float(summary.total),
                "Average": float(summary.mean),
                "Maximum": float(summary.maximum),
                "Minimum": float(summary.minimum),
                **{f"P{p}": float(value) for p, value in summary.percentiles},
            }
        case SetSummary():
            return {"LastValue": float(summary.distinct)}


def encode(datum: Datum) -> str:
    """The item: ASCII, sorted fields, compact JSON.

    Raises ValueError for a number that is not finite, which no engine may hand over.
    """
    return (
        f"Dimensions={dimensions_of(datum.dimensions)}"
        f"&GroupId={_plain(datum.group_id)}"
        f"&MetricName={_plain(datum.metric)}"
        f"{_of_period(datum.time_ms, datum.period)}{_values(datum.values)}"
    )


def items(rollup: Rollup, group_of: GroupOf = ALL_IN_NONE) -> Iterator[str]:
    """The same items as those of ``data``, in half the time: every period has all series."""
    seconds = rollup.length
    of_period = _of_period(rollup.start * 1000, seconds)
    dimensions: Dimensions | None = None
    encoded = ""
    for series, summary in rollup.rows:
        if series.dimensions is not dimensions:
            dimensions = series.dimensions  # one object, where there are no tags
            encoded = dimensions_of(dimensions)
        yield (
            f"Dimensions={encoded}"
            f"&GroupId={_group(group_of(series))}"
            f"&MetricName={_plain(series.metric)}"
            f"{of_period}{_statistics(summary, seconds)}"
        )


def identity(item: str) -> str:
    """What of an item says whose it is: of two with the same, one is a repetition."""
    return item.partition("&Value")[0]


def decode(item: str) -> Datum:
    """What was encoded. Raises ValueError for a text that is no item."""
    fields = dict(pair.split("=", 1) for pair in item.split("&"))
    if tuple(fields) != FIELDS:
        raise ValueError(f"not an entry of ours: {item[:80]!r}")
    texts = {name: unquote(text) for name, text in fields.items()}
    return Datum(
        texts["GroupId"],
        texts["MetricName"],
        tuple(json.loads(texts["Dimensions"]).items()),
        int(texts["Period"]),
        int(texts["Time"]),
        json.loads(texts["Values"]),
    )


@lru_cache(maxsize=1024)
def dimensions_of(dimensions: Dimensions) -> str:
    """As they stand in an item, namely ``pe(_json(dict(dimensions)))``.

    Most series have the same few; where they do not, their pairs are the same few.
    """
    return f"%7B{'%2C'.join(map(_pair, dimensions))}%7D"


@lru_cache(maxsize=8192)
def _pair(pair: tuple[str, str]) -> str:
    key, value = (pe(_json(text)) for text in pair)
    return f"{key}%3A{value}"


def _of_period(time_ms: int, period: int) -> str:
    """The fields that all entries of a period have in common, up to the Values."""
    return f"&Period={period}&Time={time_ms}&Type={TYPE_AGGREGATED}&Values="


def _values(values: Values) -> str:
    """As ``pe(_json(values))``, in a fifth of the time; names are plain letters."""
    return _finite(
        "%2C".join([f"%22{name}%22%3A{value!r}" for name, value in values.items()])
    )


def _statistics(summary: Summary, seconds: int) -> str:
    """As ``_values(values_of(summary, seconds))``, in a third of the time."""
    match summary:
        case CounterSummary():
            total, count = summary
            if total == count > 0:
                return _of_ones(count, seconds)
            text = _sums(total, count, seconds)
        case GaugeSummary():
            last, mean, minimum, maximum, number = summary
            text = (
                f"%22LastValue%22%3A{last!r}%2C%22Average%22%3A{mean!r}"
                f"%2C%22Maximum%22%3A{maximum!r}%2C%22Minimum%22%3A{minimum!r}"
                f"%2C%22SampleCount%22%3A{number!r}"
            )
        case TimerSummary():
            count, total, mean, minimum, maximum, percentiles = summary
            ranks = [f"%2C%22P{p}%22%3A{value!r}" for p, value in percentiles]
            text = (
                f"%22SampleCount%22%3A{_count(count)!r}"
                f"%2C%22CountPerSecond%22%3A{count / seconds!r}"
                f"%2C%22Sum%22%3A{total!r}%2C%22Average%22%3A{mean!r}"
                f"%2C%22Maximum%22%3A{maximum!r}%2C%22Minimum%22%3A{minimum!r}"
                f"{''.join(ranks)}"
            )
        case SetSummary():
            text = f"%22LastValue%22%3A{float(summary.distinct)!r}"
    return _finite(text)


def _sums(total: float, count: float, seconds: int) -> str:
    return (
        f"%22Sum%22%3A{total!r}"
        f"%2C%22SumPerSecond%22%3A{total / seconds!r}"
        f"%2C%22SampleCount%22%3A{_count(count)!r}"
    )


@lru_cache(maxsize=2048)
def _of_ones(count: float, seconds: int) -> str:
    """Of a counter to which only ones came: most, and most counts are small."""
    return _finite(_sums(float(count), count, seconds))


def _finite(members: str) -> str:
    """As an object. None of the names has an ``inf`` or ``nan`` in it, which is how numbers
    look that JSON does not have."""
    if "inf" in members or "nan" in members:
        raise ValueError(f"a number that JSON does not have: {unquote(members)}")
    return f"%7B{members.replace('+', '%2B')}%7D"


def _plain(text: str) -> str:
    """As ``pe``, in a tenth of the time where nothing is to encode, as in most names."""
    is_plain = (text.isidentifier() and text.isascii()) or _is_unreserved(text)
    return text if is_plain else pe(text)


_is_unreserved = re.compile(r"[A-Za-z0-9_.~-]*").fullmatch

_group = lru_cache(maxsize=1024)(_plain)
"""There are few."""


def _count(samples: float) -> float:
    """Whole where it is."""
    if -_WHOLE_BELOW < samples < _WHOLE_BELOW:
        whole = int(samples)
        if whole == samples:
            return whole
    return float(samples)


_json = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, separators=(",", ":")
).encode
