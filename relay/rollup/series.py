"""A series, and the seam through which somebody else names it.

The engine knows StatsD spellings; who turns them into a metric name and Dimensions is
handed in as a ``Resolve`` and asked once a spelling. Nothing here knows the rules.
"""

from typing import NamedTuple, Protocol

from relay.statsd.sample import Kind, Reason, Tags, What

__all__ = ["Dimensions", "Resolve", "Series"]

Dimensions = tuple[tuple[str, str], ...]
"""Pairs sorted by key, as they are reported."""


class Series(NamedTuple):
    """What identifies a line on a chart: StatsD's view of it and the reported one."""

    kind: Kind
    name: str
    tags: Tags
    metric: str
    dimensions: Dimensions


class Resolve(Protocol):
    """Names a series, or says why it is not reported. Deterministic, and free of IO."""

    def __call__(self, kind: Kind, name: str, tags: Tags, /) -> Series | Reason | What:
        """``name`` is sanitised; ``tags`` are sorted by key, one a key."""
        ...
