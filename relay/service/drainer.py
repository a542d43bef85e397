"""A UDP socket that a thread of its own drains, where the engine can do that.

The reactor binds and closes the socket and reads it no more in between; what the thread
reads it feeds itself, without the reactor. Which period that belongs to is the engine's
business too: it looks at the wall clock for each batch.
"""

import sys
from collections.abc import Callable
from threading import Thread
from typing import Any

from twisted.logger import Logger
from twisted.python.failure import Failure

from relay.rollup.engine import Drain
from relay.service.gather import Rests
from relay.service.intake import Intake

__all__ = ["Drainer"]

SWITCH_SECONDS = 0.0005
"""How long a thread keeps the GIL that another one wants; Python's own 5 ms, for each of
the first batches of a period while the last one is being closed, is more than a receive
buffer holds at a million lines a second."""

JOIN_SECONDS = 5.0
"""More than the longest batch takes by far."""


class Drainer:
    """Has ``drain`` read ``port`` in a thread, counted as what arrives at ``intake``.

    ``buffer`` gives the bytes that the kernel holds for the socket; with few of them an
    empty socket is not left alone. A defect of the engine is logged, and costs the lines
    that brought it about.
    """

    _log = Logger()

    def __init__(
        self,
        port: Any,
        drain: Drain,
        intake: Intake,
        clock: Any,
        *,
        buffer: Callable[[], int],
    ) -> None:
        self._port, self._drain, self._intake = port, drain, intake
        self._clock, self._buffer = clock, buffer
        self._is_over = False
        self._thread = Thread(target=self._work, name="drain", daemon=True)
        intake.drained.append(drain)

    def start(self) -> None:
        """From now on the reactor does not read the port."""
        sys.setswitchinterval(min(sys.getswitchinterval(), SWITCH_SECONDS))
        self._port.stopReading()
        self.look_at_buffer()
        self._thread.start()

    def look_at_buffer(self) -> None:
        """It may have been changed."""
        self._drain.rest, self._drain.longest_rest = Rests.of(self._buffer())

    def stop(self) -> None:
        """Wait until the batch that is being taken is; the rest is the reactor's again."""
        self._is_over = True
        self._drain.stop()
        self._thread.join(JOIN_SECONDS)

    def _work(self) -> None:
        while not self._is_over:
            try:
                self._drain.run()
            except OSError:
                self._tell(Failure())
                return
            except Exception:  # noqa: BLE001 - whatever it is, the socket is read on
                self._tell(Failure())

    def _tell(self, failure: Failure) -> None:
        self._clock.callFromThread(
            self._log.failure, "a defect while draining", failure
        )
