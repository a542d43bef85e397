"""What new series looked like that were refused: a few prefixes and names, with counts.

Enough for people to see where a flood of names comes from, and never more work than one
look-up a refused line. A prefix is what stands before the first dot. Of each period that
has refusals anew the first to come are told apart, the rest is counted together.
"""

from collections.abc import Mapping
from typing import NamedTuple

from relay.statsd.sample import Reason

__all__ = ["Overflow", "OverflowSample", "Seen"]

TOLD_APART = 20
CHARACTERS = 40


class Seen(NamedTuple):
    """Refused samples by prefix or name, and those of all other ones."""

    known: Mapping[str, int]
    others: int


class Overflow(NamedTuple):
    """Of the latest period in which new series were refused.

    ``prefixes`` are of those beyond the limit of all series, ``names`` of those beyond
    the limit of a name.
    """

    prefixes: Seen
    names: Seen


class _Few:
    """Counts the first texts that come, and the others in one."""

    __slots__ = ("known", "others")

    def __init__(self) -> None:
        self.known: dict[str, int] = {}
        self.others = 0

    def add(self, text: str, times: int) -> None:
        if text in self.known or len(self.known) < TOLD_APART:
            self.known[text] = self.known.get(text, 0) + times
        else:
            self.others += times


class OverflowSample:
    """Told of each refusal for want of room; ``period`` is the one that is open."""

    def __init__(self) -> None:
        self._period: int | None = None
        self._prefixes, self._names = _Few(), _Few()

    def add(self, reason: Reason, name: str, times: int, period: int) -> None:
        if period != self._period:
            self._period = period
            self._prefixes, self._names = _Few(), _Few()
        if reason is Reason.NAME_LIMIT:
            self._names.add(name[:CHARACTERS], times)
        else:
            prefix = name[: CHARACTERS + 1].partition(".")[0]
            self._prefixes.add(prefix[:CHARACTERS], times)

    def sample(self) -> Overflow:
        """As it is now."""
        found = (self._prefixes, self._names)
        return Overflow(*[Seen(dict(few.known), few.others) for few in found])
