"""Whose an encoded entry is: a text that an item and its series have in common.

So that an answer to a request can be put down to series, though an item is opaque to
whoever sends it. A group does not count: by rules that change it a series may be in
another one since.
"""

from collections.abc import Sequence

from relay.cloudmonitor.datum import dimensions_of
from relay.cloudmonitor.hybrid import is_hybrid, labels_of
from relay.cloudmonitor.signing import pe
from relay.rollup.series import Series

__all__ = ["subjects", "subjects_of"]


def subjects(items: Sequence[str]) -> Sequence[str]:
    """Of those of a batch, all of which are of one kind or the other.

    That of an unknown text is something that no series has.
    """
    if items and is_hybrid(items[0]):
        return [item.partition("&TS=")[0].rpartition("_")[0] for item in items]
    apart = (item.partition("&GroupId=") for item in items)
    return [
        f"{dimensions}{rest.partition('&Period=')[0].partition('&')[2]}"
        for dimensions, _, rest in apart
    ]


def subjects_of(series: Series) -> tuple[str, str]:
    """What the items of a series have, as an entry and as one of the hybrid put."""
    metric, dimensions = series.metric, series.dimensions
    return (
        f"Dimensions={dimensions_of(dimensions)}MetricName={pe(metric)}",
        f"{labels_of(dimensions)}&Name={metric}",
    )
