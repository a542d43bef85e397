"""A series, and the seam through which somebody else names it.

The engine knows StatsD spellings; who turns them into a metric name and Dimensions is
handed in as a ``Resolve`` and asked once a spelling. Nothing here knows the rules.
"""

from typing import NamedTuple, Protocol, Self

from relay.statsd.sample import Kind, Reason, Tags, What

__all__ = ["Dimensions", "Resolve", "Series"]

Dimensions = tuple[tuple[str, str], ...]
"""Pairs sorted by key, as they are reported."""


class _Series(NamedTuple):
    kind: Kind
    name: str
    tags: Tags
    other_metric: str | None
    dimensions: Dimensions


class Series(_Series):
    """What identifies a line on a chart: StatsD's view of it and the reported one.

    ``metric`` is the reported name. Most are the name with underscores for its dots; of
    those it is made when somebody asks, since it would be a seventh of a series' memory.
    """

    __slots__ = ()

    def __new__(
        cls, kind: Kind, name: str, tags: Tags, metric: str, dimensions: Dimensions
    ) -> Self:
        other = None if metric == name.replace(".", "_") else metric
        return tuple.__new__(cls, (kind, name, tags, other, dimensions))

    @property
    def metric(self) -> str:
        other = self.other_metric
        return self.name.replace(".", "_") if other is None else other

    def __repr__(self) -> str:
        kind, name, tags, _, dimensions = self
        shown = f"{kind!s}, {name!r}, {tags!r}, {self.metric!r}, {dimensions!r}"
        return f"Series({shown})"


class Resolve(Protocol):
    """Names a series, or says why it is not reported. Deterministic, and free of IO."""

    def __call__(self, kind: Kind, name: str, tags: Tags, /) -> Series | Reason | What:
        """``name`` is sanitised; ``tags`` are sorted by key, one a key."""
        ...
