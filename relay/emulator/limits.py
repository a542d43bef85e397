"""What the look-alike allows: the vendor's limits, each to be set otherwise."""

from dataclasses import dataclass
from typing import Literal

from relay.cloudmonitor.contract import (
    BODY_BYTES_MAX,
    ENTRIES_MAX,
    EVENTS_MAX,
    PERIODS,
)

__all__ = ["DUPLICATES", "EDITIONS", "Duplicates", "Edition", "Limits"]

Edition = Literal["free", "paid"]
Duplicates = Literal["replace", "merge", "ignore"]

EDITIONS: tuple[Edition, ...] = ("free", "paid")
DUPLICATES: tuple[Duplicates, ...] = ("replace", "merge", "ignore")


@dataclass(frozen=True, slots=True)
class Limits:
    """Where the service's own limit is unknown the default does not get in the way.

    ``edition``: the free one refuses Type 0. ``duplicates``: what a second report of one
    series, period and time does to the stored point. ``late_window_seconds``: entries
    older than that are refused; None takes all.
    """

    entries_per_request: int = ENTRIES_MAX
    events_per_request: int = EVENTS_MAX
    body_bytes: int = BODY_BYTES_MAX
    url_bytes: int = 64 * 1024
    series_quota: int = 100_000
    edition: Edition = "paid"
    duplicates: Duplicates = "replace"
    late_window_seconds: float | None = None
    periods: tuple[int, ...] = PERIODS
