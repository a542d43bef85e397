"""How many series may be reported, and for whom the last places are kept.

Series cost money, and beyond what was paid for the service refuses new ones by itself:
which of them, is then left to chance. So a relay counts for itself. Holds no series, and
has no clock: periods come as arguments.
"""

from collections.abc import Collection
from typing import Final

__all__ = ["NEARLY", "SHUT_SECONDS", "Quota"]

NEARLY: Final = 0.8
"""So much of the quota being used is worth a warning."""

SHUT_SECONDS: Final = 3600
"""Series are paid for by the hour: so long after the service said that there are too
many, new ones may find places again."""

_TENTHS_KEPT_MOST: Final = 5


class Quota:
    """At most ``limit`` series, 0 being none at all.

    Of the places a tenth is kept for each of ``priorities`` that is above one's own, half
    of them at most: a flood of what matters little leaves room for what matters.
    """

    def __init__(self, limit: int = 0, priorities: Collection[int] = ()) -> None:
        self.limit = limit
        self._levels = sorted({0, *priorities}, reverse=True)
        self._is_told_full = False
        self._shut_until: int | None = None

    def share(self, priority: int) -> int:
        """So many series may there be when another one of ``priority`` is to come."""
        above = sum(level > priority for level in self._levels)
        return self.limit - self.limit * min(above, _TENTHS_KEPT_MOST) // 10

    def service_is_full(self) -> None:
        """The service has refused new series for there are too many."""
        self._is_told_full = True

    def is_shut(self, now: int) -> bool:
        """Whether no new ones may come, in the period ``now``: the service said so."""
        if self._is_told_full:
            self._is_told_full, self._shut_until = False, now + SHUT_SECONDS
        if self._shut_until is not None and now >= self._shut_until:
            self._shut_until = None
        return self._shut_until is not None

    @property
    def is_refused(self) -> bool:
        """Whether the service refuses new series, as far as is known."""
        return self._is_told_full or self._shut_until is not None

    def is_nearly_used(self, series: int) -> bool:
        """Whether so many are worth a warning."""
        return bool(self.limit) and series >= NEARLY * self.limit
