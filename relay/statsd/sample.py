"""What a line of StatsD can turn out to be: a sample, a refusal, an event, or ignored.

Bad input is normal input, so it is a value with a reason out of a closed list. This
module knows nothing of how lines are cut (grammar) nor of what becomes of samples.
"""

import enum
from typing import NamedTuple

__all__ = ["Event", "Ignored", "Item", "Kind", "Reason", "Refusal", "Sample", "Tags"]
__all__ += ["What"]

Tags = tuple[tuple[str, str | None], ...]
"""Pairs sorted by key, one a key; a bare tag has the value None."""


class Kind(enum.Enum):
    """The StatsD kinds; the value is the word used in JSON, labels and settings."""

    COUNTER = "counter"
    GAUGE = "gauge"
    TIMER = "timer"
    HISTOGRAM = "histogram"
    DISTRIBUTION = "distribution"
    SET = "set"

    # Members are single objects; Enum's own hash is a call of Python's for each look-up.
    __hash__ = object.__hash__


class Reason(enum.Enum):
    """Why a section was refused. The list is closed; the value is the public word."""

    NO_VALUE = "no_value"
    NO_TYPE = "no_type"
    EMPTY_NAME = "empty_name"
    BAD_VALUE = "bad_value"
    BAD_RATE = "bad_rate"
    UNKNOWN_TYPE = "unknown_type"
    BAD_TIMESTAMP = "bad_timestamp"
    BAD_EVENT = "bad_event"
    BAD_SERVICE_CHECK = "bad_service_check"
    MIXED_DIALECTS = "mixed_dialects"
    TOO_LONG = "too_long"
    LATE = "late"
    FUTURE = "future"
    OVERFLOW = "overflow"
    SERIES_LIMIT = "series_limit"
    NAME_LIMIT = "name_limit"
    SERIES_QUOTA = "series_quota"
    DROPPED_BY_RULE = "dropped_by_rule"

    @property
    def sentence(self) -> str:
        """The reason for people, as ``explain --reasons`` prints it."""
        return _SENTENCES[self]


_SENTENCES = {
    Reason.NO_VALUE: "there is no ':' with a value behind the name",
    Reason.NO_TYPE: "the value has no '|type' behind it",
    Reason.EMPTY_NAME: "nothing is left of the name once it is sanitised",
    Reason.BAD_VALUE: "the value is not a finite decimal number, or a negative ms",
    Reason.BAD_RATE: "the rate is not '@' and a plain decimal number above zero",
    Reason.UNKNOWN_TYPE: "the type is none of c, g, ms, h, d, s",
    Reason.BAD_TIMESTAMP: "the T field is not a whole number of seconds from 1 on",
    Reason.BAD_EVENT: "the line begins with _e{ but is no well-formed event",
    Reason.BAD_SERVICE_CHECK: "the line begins with _sc| but is no service check",
    Reason.MIXED_DIALECTS: "tags in the name (influx, librato, signalfx) and |# at once",
    Reason.TOO_LONG: "the line, its name or its tags are longer, or more, than is taken",
    Reason.LATE: "the T field names a period that has been closed already",
    Reason.FUTURE: "the T field is more than 60 s ahead of the open period's end",
    Reason.OVERFLOW: "adding the sample would leave the finite numbers",
    Reason.SERIES_LIMIT: "a new series, and the relay holds as many, or took as many, as it may",
    Reason.NAME_LIMIT: "a new series, and as many of its name are held as may be",
    Reason.SERIES_QUOTA: "a new series, and as many are reported as may be",
    Reason.DROPPED_BY_RULE: "a mapping rule says that the series is not reported",
}


class What(enum.Enum):
    """What a well-formed line that is not reported was."""

    EVENT = "event"
    SERVICE_CHECK = "service_check"
    CLIENT_TELEMETRY = "client_telemetry"


class Sample(NamedTuple):
    """One typed section of a line, with the tags of the line.

    ``name`` is sanitised; ``values`` are numbers, or texts where kind is SET, at least
    one; ``relative`` is true where the values are deltas of a gauge; ``rate`` is as
    sent, 1.0 where none was; ``tags_raw`` lists every tag as it was written, and is
    empty unless a key came twice; ``timestamp`` is in Unix seconds.
    """

    name: str
    kind: Kind
    values: tuple[float, ...] | tuple[str, ...]
    relative: bool = False
    rate: float = 1.0
    tags: Tags = ()
    tags_raw: tuple[str, ...] = ()
    timestamp: int | None = None
    container: str | None = None


class Refusal(NamedTuple):
    """A section that was refused; ``text`` is the line it stood on."""

    text: str
    reason: Reason


class Ignored(NamedTuple):
    """A line that is well formed and not for us."""

    text: str
    what: What


class Event(NamedTuple):
    """An event of DogStatsD that somebody wants; ``timestamp`` is in Unix seconds."""

    title: str
    text: str
    timestamp: int | None = None
    hostname: str | None = None
    aggregation_key: str | None = None
    priority: str = "normal"
    source: str | None = None
    alert_type: str = "info"
    tags: Tags = ()


Item = Sample | Refusal | Ignored | Event
