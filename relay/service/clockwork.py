"""The hand of the clock: seals each period shortly after its end.

Timers run on the reactor's monotonic clock; wall time only names periods. What a period
held and what becomes of it are other rooms' business.
"""

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from relay.rollup.grace import SEAL_GRACE_SECONDS, aligned
from relay.service.steps import Step, Steps

__all__ = ["Clockwork"]

Sealed = TypeVar("Sealed")

LONGEST_NAP_SECONDS = 1.0
"""How long the hand sleeps at most, so that a stepped wall clock is noticed soon."""


class Clockwork(Generic[Sealed]):
    """Calls ``sealed`` with each period, oldest first, when its grace is over.

    ``seal`` is told before which period, and whether it was seen: where the process was
    stopped for longer than a period, the ones between were not, and nothing is said of
    them that nobody sent.

    ``step`` is told when the wall clock was set: which period was open, which one is,
    and says whether periods follow. ``steps`` has what was noticed. ``catch_up`` is to
    have all taken that has arrived, before a seal or a step.
    """

    _log = Logger()

    def __init__(
        self,
        *,
        seal: Callable[[int, bool], Sequence[Sealed]],
        sealed: Callable[[Sealed], object],
        step: Callable[[int, int], bool] = lambda _old, _new: False,
        catch_up: Callable[[], None] = lambda: None,
        period_seconds: int,
        clock: IReactorTime,
        wall: Callable[[], float],
    ) -> None:
        self._seal, self._sealed, self._step = seal, sealed, step
        self._catch_up = catch_up
        self._length = period_seconds
        self._grace = SEAL_GRACE_SECONDS
        self._clock, self._wall = clock, wall
        self._sealed_until = 0
        self.steps = Steps(clock.seconds, wall)
        self._timer: IDelayedCall | None = None

    def start(self, oldest: int | None = None) -> None:
        """Begin with the period that is open now, or with the ``oldest`` that is open.

        Earlier ones were never ours.
        """
        now = aligned(self._wall(), self._length)
        self._sealed_until = now if oldest is None else min(now, oldest)
        self._nap()

    def is_over(self, period: int) -> bool:
        """Whether its end and the grace have passed."""
        return period < self._boundary()

    def stop(self) -> None:
        """Rest; periods still open are the caller's to seal."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _boundary(self) -> int:
        return aligned(self._wall() - self._grace, self._length)

    def _nap(self) -> None:
        due = self._boundary() + self._length + self._grace - self._wall()
        self._timer = self._clock.callLater(
            max(0.0, min(due, LONGEST_NAP_SECONDS)), self._wake
        )

    def _wake(self) -> None:
        self._nap()
        stepped = self.steps.look()
        if stepped is not None:
            self._follow(stepped)
        boundary = self._boundary()
        if boundary > self._sealed_until:
            self._catch_up()
            seen = self._sealed_until + self._length
            self._sealed_until = boundary
            self._give_away(min(seen, boundary), True)
            if boundary > seen:
                self._give_away(boundary, False)

    def _give_away(self, before: int, seen: bool) -> None:
        for period in self._seal(before, seen):
            self._sealed(period)

    def _follow(self, stepped: Step) -> None:
        self._log.warn("the wall clock was set by {seconds:+.3f} s", seconds=stepped[1])
        self._catch_up()
        new = aligned(stepped.at, self._length)
        if self._step(aligned(stepped.at - stepped.seconds, self._length), new):
            self._sealed_until = new
