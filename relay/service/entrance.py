"""How a listener lets connections in: as many as have a place, the others in a moment.

Who connects, says a line and hangs up takes a place for two or three turns of the reactor.
So while all places are taken newcomers stand in the kernel's queue, and are let in as
places become free; only where none does in a while are they refused. What is said on a
connection is not known here.
"""

from typing import Any, Protocol

from twisted.internet import tcp, unix
from twisted.internet.interfaces import IDelayedCall

__all__ = ["Entrance", "Places", "TCPEntrance", "UnixEntrance"]

PATIENCE_SECONDS = 0.1
"""That all places have to be taken before somebody is refused. A backlog of 1,024 fills in
no less at 10,000 connections a second."""


class Places(Protocol):
    """A factory of so many connections; it calls ``on_leave`` when one has ended."""

    on_leave: Any

    def free(self) -> int:
        """How many more may come."""
        ...


class Entrance:
    """Before a port of Twisted's in the order of bases: decides when it accepts."""

    factory: Any
    reactor: Any
    numberAccepts: int  # noqa: N815 - named by Twisted
    disconnecting: Any
    _waits: IDelayedCall | None = None
    _refuses = False

    def startListening(self) -> None:
        super().startListening()  # type: ignore[misc]
        places: Places = self.factory
        places.on_leave = self._let_in

    def doRead(self) -> None:
        """Accept, or stand back for a moment."""
        free = self.factory.free()
        if free > 0:
            self._refuses = False
            self.numberAccepts = min(self.numberAccepts, free)
        elif not self._refuses:
            self.stopReading()  # type: ignore[attr-defined]
            self._waits = self.reactor.callLater(PATIENCE_SECONDS, self._refuse)
            return
        super().doRead()  # type: ignore[misc]

    def connectionLost(self, reason: Any) -> None:
        """The port is closed."""
        self._stop_waiting()
        super().connectionLost(reason)  # type: ignore[misc]

    def _refuse(self) -> None:
        self._refuses = True
        self._let_in()

    def _let_in(self) -> None:
        if self._stop_waiting() and not self.disconnecting:
            self.startReading()  # type: ignore[attr-defined]

    def _stop_waiting(self) -> bool:
        """Whether there was anything to stop."""
        waits, self._waits = self._waits, None
        if waits is not None and waits.active():
            waits.cancel()
        return waits is not None


class TCPEntrance(Entrance, tcp.Port):
    """As ``listenTCP`` makes them."""


class UnixEntrance(Entrance, unix.Port):
    """As ``listenUNIX`` makes them."""
