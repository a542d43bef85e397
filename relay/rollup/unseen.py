"""Series that were seen last in one period, and report something while they are idle.

Each close walks over all that are idle anyway, so lists of them do; in a dict they would
take three times the room, and to let that grow holds all threads.
"""

from collections.abc import Iterator
from itertools import compress

from relay.rollup.pieces import free, listed
from relay.rollup.series import Series

__all__ = ["Unseen"]


class Unseen:
    """``last`` has what a gauge was, and 0 of others; ``seen`` is the age of the period."""

    __slots__ = ("last", "seen", "series")

    def __init__(self, seen: int) -> None:
        self.seen = seen
        self.series: list[Series] = []
        self.last: list[float] = []

    def add(self, series: Series, last: float) -> None:
        self.series.append(series)
        self.last.append(last)

    def rows(self) -> Iterator[tuple[Series, float]]:
        return zip(self.series, self.last, strict=True)

    def others(self, kept: list[bool]) -> Iterator[tuple[Series, float]]:
        """The rows that are not kept."""
        for row, is_kept in zip(self.rows(), kept, strict=True):
            if not is_kept:
                yield row

    def keep(self, kept: list[bool]) -> None:
        """Forget all but those."""
        if all(kept):
            return
        series, last = self.series, self.last
        self.series, self.last = (
            listed(compress(series, kept)),
            listed(compress(last, kept)),
        )
        free(series)
        free(last)
