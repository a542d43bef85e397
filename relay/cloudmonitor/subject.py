"""Whose an encoded entry is: a text that an item and its series have in common.

So that an answer to a request can be put down to series, though an item is opaque to
whoever sends it.
"""

from collections.abc import Sequence

from relay.cloudmonitor.datum import head_of
from relay.cloudmonitor.hybrid import is_hybrid, labels_of
from relay.rollup.series import Series

__all__ = ["subjects", "subjects_of"]


def subjects(items: Sequence[str]) -> Sequence[str]:
    """Of those of a batch, all of which are of one kind or the other.

    That of an unknown text is something that no series has.
    """
    if items and is_hybrid(items[0]):
        return [item.partition("&TS=")[0].rpartition("_")[0] for item in items]
    return [item.partition("&Period=")[0] for item in items]


def subjects_of(series: Series, group_id: str) -> tuple[str, str]:
    """What the items of a series have, as an entry of that group and as one of the
    hybrid put, which knows no groups."""
    entry = head_of(series.dimensions, group_id, series.metric)
    return entry, f"{labels_of(series.dimensions)}&Name={series.metric}"
