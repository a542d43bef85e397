"""How a listener lets connections in: as many as have a place, the others in a moment.

Who connects, says a line and hangs up takes a place for two or three turns of the reactor.
So while all places are taken newcomers stand in the kernel's queue, and are let in as
places become free; where too few do, all who stand there are refused. What is said on a
connection is not known here.
"""

from typing import Any, Protocol

from twisted.internet import tcp, unix
from twisted.internet.interfaces import IDelayedCall

__all__ = ["Entrance", "Places", "TCPEntrance", "UnixEntrance"]

PATIENCE_SECONDS = 0.1
"""Between looks at how many have left while others stood outside."""

LEAVE_AT_LEAST = 10
"""From one look to the next: who stands last in a queue of 1,024 is let in within 10 s."""

AT_ONCE = 100
"""Are refused in a turn, as many as Twisted begins with."""

TURNS = 3
"""Of the reactor, before a look counts: a process that was held up hears only then of those
who have left meanwhile."""


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
    _look: IDelayedCall | None = None
    _left = 0
    _stands_back = _refuses = False

    def startListening(self) -> None:
        super().startListening()  # type: ignore[misc]
        places: Places = self.factory
        places.on_leave = self._one_less

    def doRead(self) -> None:
        """Accept, or stand back for a moment."""
        free = self.factory.free()
        if free > 0:
            self._refuses = False
            self.numberAccepts = min(self.numberAccepts, free)
        elif self._refuses:
            self.numberAccepts = AT_ONCE
        else:
            self._stands_back = True
            self.stopReading()  # type: ignore[attr-defined]
            if self._look is None:
                self._watch()
            return
        super().doRead()  # type: ignore[misc]

    def connectionLost(self, reason: Any) -> None:
        """The port is closed."""
        self._stands_back = False
        if self._look is not None:
            self._look.cancel()
            self._look = None
        super().connectionLost(reason)  # type: ignore[misc]

    def _one_less(self) -> None:
        self._left += 1
        self._come_forward()

    def _come_forward(self) -> None:
        if self._stands_back and not self.disconnecting:
            self._stands_back = False
            self.startReading()  # type: ignore[attr-defined]

    def _watch(self) -> None:
        self._left = 0
        self._look = self.reactor.callLater(PATIENCE_SECONDS, self._judge, TURNS)

    def _judge(self, turns: int) -> None:
        """Whether those outside may go on waiting."""
        self._look = None
        if turns > 0:
            self._look = self.reactor.callLater(0, self._judge, turns - 1)
        elif self._left >= LEAVE_AT_LEAST:
            self._watch()
        elif self._stands_back:
            self._refuses = True
            self._come_forward()


class TCPEntrance(Entrance, tcp.Port):
    """As ``listenTCP`` makes them."""


class UnixEntrance(Entrance, unix.Port):
    """As ``listenUNIX`` makes them."""
