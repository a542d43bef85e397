"""How late the reactor's timers fire: the one figure that says whether it is held up."""

from collections import deque

from twisted.internet.interfaces import IDelayedCall, IReactorTime

__all__ = ["ReactorLag"]

TICK_SECONDS = 0.1
WINDOW_TICKS = 150


class ReactorLag:
    """The worst lateness of a 100 ms timer over the last 15 s, in seconds.

    The window is longer than a usual scrape interval's half, so that a short stall is
    seen by the next scrape.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._recent: deque[float] = deque([0.0], maxlen=WINDOW_TICKS)
        self._due = 0.0
        self._timer: IDelayedCall | None = None

    @property
    def worst(self) -> float:
        """Seconds; 0 before the first tick."""
        return max(self._recent)

    def start(self) -> None:
        """Begin to measure."""
        self._due = self._clock.seconds() + TICK_SECONDS
        self._timer = self._clock.callLater(TICK_SECONDS, self._tick)

    def stop(self) -> None:
        """Cease to measure."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tick(self) -> None:
        self._recent.append(max(0.0, self._clock.seconds() - self._due))
        self.start()
