"""What is left of a series once its period is closed, in StatsD's words.

Frozen values, finite numbers. Which of them a sink reports, and under what name, is
not decided here.
"""

from typing import NamedTuple

from relay.statsd.sample import Kind

__all__ = [
    "REPORTED_IDLE",
    "CounterSummary",
    "GaugeSummary",
    "SetSummary",
    "Summary",
    "TimerSummary",
    "idle_summary",
]


class CounterSummary(NamedTuple):
    """``total`` is Σ value/rate, ``count`` Σ 1/rate; both 0 where the series was idle."""

    total: float
    count: float  # type: ignore[assignment]  # hides tuple.count, as is meant


class GaugeSummary(NamedTuple):
    """Over the values the gauge took; where it was idle ``count`` is 0 and the other
    four are its last value."""

    last: float
    mean: float
    minimum: float
    maximum: float
    count: int  # type: ignore[assignment]  # likewise


class TimerSummary(NamedTuple):
    """Of timers, histograms and distributions; never idle.

    ``count`` is Σ 1/rate, ``total`` Σ value/rate, ``percentiles`` pairs of a whole
    percentage and a value in ascending order.
    """

    count: float  # type: ignore[assignment]  # hides tuple.count, as is meant
    total: float
    mean: float
    minimum: float
    maximum: float
    percentiles: tuple[tuple[int, float], ...]


class SetSummary(NamedTuple):
    """``distinct`` members: exact up to a limit, estimated beyond; 0 where idle."""

    distinct: int


Summary = CounterSummary | GaugeSummary | TimerSummary | SetSummary

REPORTED_IDLE = frozenset({Kind.COUNTER, Kind.GAUGE, Kind.SET})
"""Kinds that report something in a period without a value."""

_IDLE_COUNTER = CounterSummary(0.0, 0.0)
_IDLE_SET = SetSummary(0)


def idle_summary(kind: Kind, last: float) -> Summary | None:
    """What a series reports without a value; ``last`` is a gauge's. None: nothing."""
    match kind:
        case Kind.COUNTER:
            return _IDLE_COUNTER
        case Kind.GAUGE:
            return GaugeSummary(last, last, last, last, 0)
        case Kind.SET:
            return _IDLE_SET
        case _:
            return None
