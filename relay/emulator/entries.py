"""What the service makes of the entries of a request: refuses some, rewrites the rest.

The real service replaces and cuts names without a word; so does this, so that names
that collide there collide here. No storage, no clock: ``now`` is an argument.
"""

import json
import math
import re
from calendar import timegm
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from time import strptime

from relay.cloudmonitor.contract import (
    DIMENSION_TEXT_MAX,
    DIMENSIONS_MAX,
    NAME_BYTES_MAX,
    STATISTICS,
    TYPE_AGGREGATED,
    TYPE_RAW,
)
from relay.emulator.answers import Refusal
from relay.emulator.limits import Limits
from relay.emulator.listed import elements_of
from relay.emulator.wire import Pairs

__all__ = ["Entry", "Malformed", "MalformedError", "Refused", "Values"]
__all__ += ["digits", "judge", "read_list", "time_ms"]

Values = Mapping[str, int | float]

# The three messages that are documented; what else is refused has words of ours.
FREE_EDITION = "not allowed original value, please upgrade service"
TYPE_INVALID = "type is invalid"


@dataclass(frozen=True, slots=True)
class Entry:
    """One element of MetricList as the service keeps it; ``period`` may lack for Type 0."""

    group_id: str
    metric_name: str
    dimensions: tuple[tuple[str, str], ...]
    type: int
    period: int | None
    time_ms: int
    values: Values

    @property
    def dimension(self) -> str:
        """The service's own identity text: ``k1=v1&k2=v2``, keys ascending."""
        return "&".join(f"{key}={value}" for key, value in self.dimensions)


@dataclass(frozen=True, slots=True)
class Malformed:
    """An element that cannot be read: the whole request is refused with 400."""

    message: str


@dataclass(frozen=True, slots=True)
class Refused:
    """An element that breaks a rule: it is left out, the rest taken, with 206."""

    message: str


class MalformedError(Exception):
    """Text that cannot be read, on its way to becoming a ``Malformed``."""


class _RefusedError(Exception):
    """A broken rule, on its way to becoming a ``Refused``."""


MANDATORY = ("GroupId", "MetricName", "Dimensions", "Type", "Values")


def read_list(parameters: Pairs, limits: Limits) -> list[Mapping[str, str]] | Refusal:
    """Gather ``MetricList.N.Field``; N counts from 1 without gaps."""
    return elements_of(
        parameters, "MetricList", mandatory=MANDATORY, most=limits.entries_per_request
    )


def judge(
    element: Mapping[str, str], now: float, limits: Limits
) -> Entry | Malformed | Refused:
    """Read one element; ``now`` in Unix seconds is its time where it has none."""
    try:
        entry = _entry(element, now)
        _check(entry, now, limits)
    except MalformedError as problem:
        return Malformed(str(problem))
    except _RefusedError as problem:
        return Refused(str(problem))
    return entry


def _entry(element: Mapping[str, str], now: float) -> Entry:
    return Entry(
        group_id=digits("GroupId", element["GroupId"]),
        metric_name=_metric_name(element["MetricName"]),
        dimensions=_dimensions(element["Dimensions"]),
        type=_type(element["Type"]),
        period=_period(element.get("Period", "")),
        time_ms=time_ms(element["Time"]) if element.get("Time") else int(now * 1000),
        values=_values(element["Values"]),
    )


def _check(entry: Entry, now: float, limits: Limits) -> None:
    """The rules that cost an entry, in the order of the vendor's messages."""
    for broken, message in (
        (
            entry.type == TYPE_RAW and limits.edition == "free",
            FREE_EDITION,
        ),
        (
            entry.type == TYPE_AGGREGATED and entry.period not in limits.periods,
            "period is invalid",
        ),
        (not _values_fit(entry), "values is invalid"),
        (_too_late(entry, now, limits), "time is out of range"),
    ):
        if broken:
            raise _RefusedError(message)


def _values_fit(entry: Entry) -> bool:
    keys = set(entry.values)
    if entry.type == TYPE_RAW:
        return keys == {"value"}
    return bool(keys) and keys <= set(STATISTICS)


def _too_late(entry: Entry, now: float, limits: Limits) -> bool:
    window = limits.late_window_seconds
    return window is not None and entry.time_ms < (now - window) * 1000


def digits(field: str, text: str) -> str:
    """``text``, if it is a number. Raises MalformedError."""
    if not re.fullmatch(r"\d{1,19}", text, re.ASCII):
        raise MalformedError(f"{field} is not a number")
    return text


def _type(text: str) -> int:
    if text not in {str(TYPE_RAW), str(TYPE_AGGREGATED)}:
        raise _RefusedError(TYPE_INVALID)
    return int(text)


def _period(text: str) -> int | None:
    return int(digits("Period", text)) if text else None


def _metric_name(text: str) -> str:
    """First a letter, else ``A`` in its place; other strangers become ``_``; then cut."""
    first = text[0] if re.match("[A-Za-z]", text) else "A"
    return (first + re.sub("[^A-Za-z0-9_]", "_", text[1:]))[:NAME_BYTES_MAX]


def _dimensions(text: str) -> tuple[tuple[str, str], ...]:
    """Sorted pairs; keys that become one by rewriting are one, the last value wins."""
    given = _json_object("Dimensions", text)
    if len(given) > DIMENSIONS_MAX:
        raise _RefusedError(f"dimensions exceed {DIMENSIONS_MAX}")
    pairs: dict[str, str] = {}
    for key, value in given.items():
        if not isinstance(value, str):
            raise MalformedError("Dimensions has a value that is not text")
        if not key or not value:
            raise _RefusedError("dimensions has an empty key or value")
        pairs[_dimension_text(key)] = _dimension_text(value)
    return tuple(sorted(pairs.items()))


def _dimension_text(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._/\\-]", "_", text)[:DIMENSION_TEXT_MAX]


def _values(text: str) -> Values:
    values: dict[str, int | float] = {}
    for name, value in _json_object("Values", text).items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise MalformedError(f"Values has a {name[:20]} that is not a number")
        if not _is_finite(value):
            raise _RefusedError("values is invalid")
        values[name] = value
    return values


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer beyond the largest float
        return False


def _json_object(field: str, text: str) -> dict[str, object]:
    try:
        value = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise MalformedError(f"{field} is not JSON") from None
    if not isinstance(value, dict):
        raise MalformedError(f"{field} is not a JSON object")
    return value


def _no_constant(word: str) -> float:
    """NaN and Infinity are Python's, not JSON's."""
    raise ValueError(word)


# The three forms of Time that the vendor's pages name.


def time_ms(text: str) -> int:
    """Unix milliseconds of any of the forms. Raises MalformedError."""
    for pattern, milliseconds in _TIME_FORMS:
        if re.fullmatch(pattern, text, re.ASCII):
            try:
                return milliseconds(text)
            except ValueError:
                break
    raise MalformedError("Time is not a time")


def _from_zone(text: str) -> int:
    return round(datetime.strptime(text, "%Y%m%dT%H%M%S.%f%z").timestamp() * 1000)


_TIME_FORMS: Sequence[tuple[str, Callable[[str], int]]] = (
    (r"\d{1,15}", int),
    (
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
        lambda text: timegm(strptime(text, "%Y-%m-%dT%H:%M:%SZ")) * 1000,
    ),
    (r"\d{8}T\d{6}\.\d{3}[+-]\d{4}", _from_zone),
)
