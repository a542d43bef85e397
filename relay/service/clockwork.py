"""The hand of the clock: seals each period shortly after its end.

Timers run on the reactor's monotonic clock; wall time only names periods. What a period
held and what becomes of it are other rooms' business.
"""

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from relay.rollup.grace import seal_grace

__all__ = ["Clockwork"]

Sealed = TypeVar("Sealed")

LONGEST_NAP_SECONDS = 1.0
"""How long the hand sleeps at most, so that a stepped wall clock is noticed soon."""


class Clockwork(Generic[Sealed]):
    """Calls ``sealed`` with each period, oldest first, when its grace is over."""

    def __init__(
        self,
        *,
        seal: Callable[[int], Sequence[Sealed]],
        sealed: Callable[[Sealed], object],
        period_seconds: int,
        clock: IReactorTime,
        wall: Callable[[], float],
    ) -> None:
        self._seal, self._sealed = seal, sealed
        self._length = period_seconds
        self._grace = seal_grace(period_seconds)
        self._clock, self._wall = clock, wall
        self._sealed_until = 0
        self._timer: IDelayedCall | None = None

    def start(self) -> None:
        """Begin with the period that is open now; earlier ones were never ours."""
        self._sealed_until = int(self._wall() // self._length) * self._length
        self._nap()

    def stop(self) -> None:
        """Rest; periods still open are the caller's to seal."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _boundary(self) -> int:
        settled = self._wall() - self._grace
        return int(settled // self._length) * self._length

    def _nap(self) -> None:
        due = self._boundary() + self._length + self._grace - self._wall()
        self._timer = self._clock.callLater(
            max(0.0, min(due, LONGEST_NAP_SECONDS)), self._wake
        )

    def _wake(self) -> None:
        self._nap()
        boundary = self._boundary()
        if boundary > self._sealed_until:
            self._sealed_until = boundary
            for period in self._seal(boundary):
                self._sealed(period)
