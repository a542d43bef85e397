"""Which period a moment of the wall clock belongs to.

Periods are aligned to the clock: they start at multiples of their length. No clock is
read here.
"""

__all__ = ["PeriodClock"]


class PeriodClock:
    """Names periods, and never goes back to one before the last it named.

    A wall clock that is stepped backwards must not reopen a period that may have been
    reported already, so until it has caught up the last period goes on.
    """

    def __init__(self, length: int = 60) -> None:
        self._length = length
        self._latest: int | None = None

    def at(self, now: float) -> int:
        """Where the period that holds ``now`` starts, both in Unix seconds."""
        period = int(now // self._length) * self._length
        if self._latest is None or period > self._latest:
            self._latest = period
        return self._latest
