"""The UDP door: hands each datagram and its period to the engine, and nothing else.

It does not look into a datagram and knows neither series nor sinks.
"""

from collections.abc import Callable, Generator
from typing import Protocol

from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import DatagramProtocol
from twisted.internet.task import deferLater

__all__ = ["DRAIN_SECONDS", "Drainable", "Intake", "drain"]

DRAIN_SECONDS = 0.5
TURN_SECONDS = 0.001


class Intake(DatagramProtocol):
    """Counts what arrives and feeds it to the engine under the period it arrived in."""

    noisy = False

    def __init__(
        self,
        feed: Callable[[bytes, int], None],
        period_at: Callable[[float], int],
        wall: Callable[[], float],
    ) -> None:
        self._feed, self._period_at, self._wall = feed, period_at, wall
        self.datagrams = 0
        self.received_bytes = 0

    def datagramReceived(self, datagram: bytes, addr: object) -> None:
        self.datagrams += 1
        self.received_bytes += len(datagram)
        self._feed(datagram, self._period_at(self._wall()))


class Drainable(Protocol):
    """A bound UDP port that can be read outside the reactor's turn."""

    def doRead(self) -> None:
        """Read until the socket is empty or a bounded amount has been read."""
        ...


@inlineCallbacks
def drain(
    port: Drainable, intake: Intake, clock: IReactorTime
) -> Generator[Deferred[None], None, None]:
    """Read what the kernel still holds, for ``DRAIN_SECONDS`` at most.

    Closing a socket throws its queue away; at a stop that queue is somebody's data. A
    sender that never pauses must not keep us from stopping, hence the bound; and
    between reads the reactor has its turn, so that a second signal is heard.
    """
    deadline = clock.seconds() + DRAIN_SECONDS
    while clock.seconds() < deadline:
        before = intake.datagrams
        port.doRead()
        if intake.datagrams == before:
            return
        yield deferLater(clock, TURN_SECONDS, lambda: None)
