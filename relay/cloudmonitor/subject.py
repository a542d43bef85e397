"""Whose an encoded entry is: a text that an item and its series have in common.

So that an answer to a request can be put down to series, though an item is opaque to
whoever sends it. A group does not count: no series is in two.
"""

from relay.cloudmonitor.datum import dimensions_of
from relay.cloudmonitor.hybrid import is_hybrid, labels_of
from relay.cloudmonitor.signing import pe
from relay.rollup.series import Series

__all__ = ["subject", "subjects_of"]


def subject(item: str) -> str:
    """Of an item of either kind; of an unknown text something that no series has."""
    if is_hybrid(item):
        name = item.partition("&TS=")[0]
        return name.rpartition("_")[0]
    dimensions, _, rest = item.partition("&GroupId=")
    return f"{dimensions}&{rest.partition('&MetricName=')[2].partition('&')[0]}"


def subjects_of(series: Series) -> tuple[str, str]:
    """What the items of a series have, as an entry and as one of the hybrid put."""
    metric, dimensions = series.metric, series.dimensions
    return (
        f"Dimensions={dimensions_of(dimensions)}&{pe(metric)}",
        f"{labels_of(dimensions)}&Name={metric}",
    )
