"""Notices when somebody sets the wall clock, by comparing it with one that nobody sets.

What a step does to periods is other rooms' business. A slewed clock, as chrony and a
smeared leap second have it, is not a step: it goes wrong by less than a thousandth.
"""

from collections.abc import Callable
from typing import NamedTuple

__all__ = ["Step", "Steps"]

LEAST_SECONDS = 0.25
"""What is less changes no period: the one before is open for longer than that."""

READING_SECONDS = 0.05
"""If the two clocks could not be read within that, the difference says nothing."""


class Step(NamedTuple):
    """The wall clock was set to ``at``, Unix seconds, ahead by ``seconds``, or back."""

    at: float
    seconds: float


class Steps:
    """``monotonic`` and ``wall`` are the two clocks, both in seconds.

    ``count`` and ``last`` are what was noticed so far.
    """

    def __init__(
        self, monotonic: Callable[[], float], wall: Callable[[], float]
    ) -> None:
        self._monotonic, self._wall = monotonic, wall
        self._difference = wall() - monotonic()
        self.count = 0
        self.last: Step | None = None

    def look(self) -> Step | None:
        """The step since the last look, if there was one."""
        before = self._monotonic()
        at = self._wall()
        if self._monotonic() - before > READING_SECONDS:
            return None
        difference = at - before
        seconds, self._difference = difference - self._difference, difference
        if abs(seconds) < LEAST_SECONDS:
            return None
        self.count += 1
        self.last = Step(at, seconds)
        return self.last
