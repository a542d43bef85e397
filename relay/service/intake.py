"""The UDP door: hands each datagram and its period to the engine, and nothing else.

It does not look into a datagram and knows neither series nor sinks.
"""

from collections.abc import Callable
from typing import Protocol

from twisted.internet.protocol import DatagramProtocol

__all__ = ["Drainable", "Intake", "drain"]


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


def drain(port: Drainable, intake: Intake, *, most: int = 100_000) -> None:
    """Read what the kernel still holds, at most ``most`` datagrams.

    Closing a socket throws its queue away; at a stop that queue is somebody's data. A
    sender that never pauses must not keep us from stopping, hence the bound.
    """
    start = intake.datagrams
    while intake.datagrams - start < most:
        before = intake.datagrams
        port.doRead()
        if intake.datagrams == before:
            return
