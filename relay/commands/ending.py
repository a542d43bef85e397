"""How signals end a command: what has only just begun, and what has things to put away.

Of the standard library, so that it is there before all the rest: as the first process of a
container one that comes before its handler is lost.
"""

import os
import signal
from collections.abc import Callable
from typing import Final

__all__ = ["ONE_REQUEST_SECONDS", "SIGNALS", "StopRequests", "end_at_signals"]

SIGNALS = (signal.SIGTERM, signal.SIGINT)

ONE_REQUEST_SECONDS: Final = 0.2
"""What comes so soon after the first is the same request: timeout(1) signals its child and
then its process group, and shells and supervisors have it alike. No person is so fast."""


def end_at_signals() -> None:
    """Until there is something to stop, a signal ends the process with status 0.

    Not by an exception: raised in a callback of the garbage collection it would be
    printed and forgotten, and the relay would go on. A parent may have blocked them.
    """
    for signum in SIGNALS:
        signal.signal(signum, lambda *_: os._exit(0))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)


class StopRequests:
    """Calls ``first`` at the first request to stop, and ``again`` at those after it."""

    def __init__(
        self, first: Callable[[], object], again: Callable[[], object]
    ) -> None:
        self._first, self._again = first, again
        self._first_at: float | None = None

    @property
    def is_made(self) -> bool:
        """Whether there was one."""
        return self._first_at is not None

    def take(self, at: float) -> None:
        """A signal of that moment, in seconds of a clock that nobody sets."""
        if self._first_at is None:
            self._first_at = at
            self._first()
        elif at - self._first_at >= ONE_REQUEST_SECONDS:
            self._again()
