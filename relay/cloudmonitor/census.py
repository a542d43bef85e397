"""How many series there are, and which tag they are due to.

Works on series, whoever found them. What they cost in requests or money, and what is
done about it, is not known here.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from relay.rollup.series import Series

__all__ = ["Metric", "Tag", "census", "saved_by_tag"]


class Tag(NamedTuple):
    """``values`` are distinct ones, None (a series without it) apart; ``saves`` is how
    many series of the metric would be gone without the tag."""

    key: str
    values: int
    saves: int


class Metric(NamedTuple):
    """Series of one metric name as it is reported, and its tags, the costliest first."""

    name: str
    series: int
    tags: Sequence[Tag]


def census(found: Iterable[Series]) -> Sequence[Metric]:
    """By metric, those with most series first."""
    by_metric: dict[str, list[Series]] = defaultdict(list)
    for series in found:
        by_metric[series.metric].append(series)
    metrics = [Metric(name, len(of), _tags(of)) for name, of in by_metric.items()]
    return sorted(metrics, key=lambda metric: (-metric.series, metric.name))


def saved_by_tag(metrics: Iterable[Metric]) -> Sequence[Tag]:
    """Of each key in all metrics together, what saves most first."""
    values: dict[str, int] = defaultdict(int)
    saves: dict[str, int] = defaultdict(int)
    for metric in metrics:
        for tag in metric.tags:
            values[tag.key] = max(values[tag.key], tag.values)
            saves[tag.key] += tag.saves
    return _costliest_first(Tag(key, values[key], saves[key]) for key in values)


def _tags(found: Sequence[Series]) -> Sequence[Tag]:
    """By tags as they were sent: beyond eight they are no Dimensions, but tell apart."""
    keys = {key for series in found for key, _ in series.tags}
    return _costliest_first(_tag(key, found) for key in keys)


def _tag(key: str, found: Sequence[Series]) -> Tag:
    values = {value for series in found for own, value in series.tags if own == key}
    left = {
        (
            series.kind,
            series.name,
            tuple(pair for pair in series.tags if pair[0] != key),
        )
        for series in found
    }
    return Tag(key, len(values), len(found) - len(left))


def _costliest_first(tags: Iterable[Tag]) -> Sequence[Tag]:
    return sorted(tags, key=lambda tag: (-tag.saves, -tag.values, tag.key))
