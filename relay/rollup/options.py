"""What every engine can be told when it is made."""

from collections.abc import Callable, Collection, Sequence
from typing import TypedDict

from relay.rollup.series import Series
from relay.rollup.treatment import Rules
from relay.statsd.sample import Event, Kind

__all__ = ["CoreOptions"]


class CoreOptions(TypedDict, total=False):
    """The keyword arguments of ``Core``, which has their defaults."""

    period_seconds: int
    long_factor: int
    percentiles: Sequence[int]
    series_limit: int
    idle_ttl_seconds: int
    silent_kinds: Collection[Kind]
    gauge_ttl: int
    exact_samples: int
    exact_members: int
    future_seconds: int
    series_limit_per_name: int
    new_series_limit: int
    released: Callable[[Series], None]
    rules: Rules | None
    event: Callable[[Event], None]
