"""Series that were seen in earlier periods, and report something while they are idle.

Each close walks over all that are idle anyway, so lists of them do; in a dict they would
take twice the room, and to let that grow holds all threads. No list is long, so that
nothing that is done to one takes more than some milliseconds.
"""

from collections.abc import Iterable, Iterator
from itertools import compress

from relay.rollup.series import Series

__all__ = ["MOST", "Unseen", "together"]

MOST = 50_000
"""In one ``Unseen``."""


class Unseen:
    """Some of them, in lists side by side.

    ``last`` is what a gauge was, 0 of others; ``seen`` the age of the period.
    """

    __slots__ = ("last", "seen", "series")

    def __init__(
        self, series: list[Series], last: list[float], seen: list[int]
    ) -> None:
        self.series, self.last, self.seen = series, last, seen

    def rows(self) -> Iterator[tuple[Series, float]]:
        return zip(self.series, self.last, strict=True)

    def keep(self, kept: list[bool]) -> None:
        """Forget all but those."""
        if not all(kept):
            self.series = list(compress(self.series, kept))
            self.last = list(compress(self.last, kept))
            self.seen = list(compress(self.seen, kept))

    def absorb(self, other: "Unseen") -> None:
        """Have what ``other`` has as well."""
        self.series += other.series
        self.last += other.last
        self.seen += other.seen


def together(some: Iterable[Unseen]) -> list[Unseen]:
    """The same in as few as there have to be, in the same order."""
    fewer: list[Unseen] = []
    for unseen in some:
        if fewer and len(fewer[-1].series) + len(unseen.series) <= MOST:
            fewer[-1].absorb(unseen)
        elif unseen.series:
            fewer.append(unseen)
    return fewer
