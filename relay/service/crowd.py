"""A TCP door with a limit: a newcomer takes the place of whoever was silent longest.

Nobody is locked out by others who connect and say nothing, and there are never more
descriptors in use than were set aside for the door. Where there are none at all, the
door rests instead of trying again at once. What is said on a connection is not known
here.
"""

import resource
import sys
from typing import TYPE_CHECKING, cast

from twisted.internet import tcp
from twisted.internet.interfaces import (
    IAddress,
    IProtocol,
    IProtocolFactory,
    IReactorTime,
    ITCPTransport,
)
from twisted.logger import Logger
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory

__all__ = ["Crowd", "listen", "places", "spare"]

PLACES = 400
"""At a door, where descriptors are no matter. A quarter of them are for those who stay:
Twisted takes a hundred newcomers at a turn, and who goes needs a turn or two."""

PLACES_MIN = 4

BACKLOG = 1024
"""Of connections the kernel may hold for us. Where it has no more room, a client tries
again after a second."""

REST_SECONDS = 0.1
"""After a turn that let nobody in though somebody knocked: there was no descriptor."""

KEPT_DESCRIPTORS = 40
"""For sockets of the data path, the spool, requests under way and the reactor itself; a
relay with everything switched on has some thirty open."""

_FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 1\r\n"
    b"Content-Length: 0\r\n\r\n"
)
"""Said to one that goes without ever having been answered. All our doors speak HTTP."""


def places(doors: int) -> int:
    """How many connections each of so many doors may have, by the system's limit."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return PLACES
    return min(PLACES, max(PLACES_MIN, (soft - KEPT_DESCRIPTORS) // doors))


def spare(listeners: int, doors: int) -> int:
    """How many connections each of so many other listeners may have beside the doors."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return sys.maxsize
    left = soft - KEPT_DESCRIPTORS - doors * places(doors)
    return max(PLACES_MIN, left // listeners)


if TYPE_CHECKING:
    from twisted.internet.base import ReactorBase

    _Wrapping = WrappingFactory["_Visit"]
else:  # not generic in older releases of Twisted
    _Wrapping = WrappingFactory


def listen(reactor: "ReactorBase", host: str, port: int, crowd: "Crowd") -> tcp.Port:
    """As ``listenTCP``. Raises CannotListenError."""
    door = _Door(port, crowd, BACKLOG, host, reactor)
    door.startListening()
    return door


class _Door(tcp.Port):
    """The kernel says again and again that somebody knocks, until they are let in."""

    _logger = Logger(
        "twisted.internet.tcp"
    )  # that nobody can come in is Twisted's news
    factory: "Crowd"  # type: ignore[assignment]  # whose protocols are of any kind

    def doRead(self) -> None:
        before = self.factory.came
        super().doRead()
        if self.factory.came == before and not self.disconnecting:
            self.stopReading()
            cast(IReactorTime, self.reactor).callLater(REST_SECONDS, self._go_on)

    def _go_on(self) -> None:
        if self.connected and not self.disconnecting:
            self.startReading()


class Crowd(_Wrapping):
    """A factory around another, with ``limit`` connections at most, a quarter of them to stay.

    The one that goes then is the oldest of those that were never answered, else the one whose
    last answer is longest ago. ``refused`` counts those that went, ``came`` all that came.
    """

    noisy = False

    def __init__(self, factory: IProtocolFactory, limit: int) -> None:
        super().__init__(factory)
        self.protocol = _Visit
        self.refused = self.came = 0
        self._limit, self._turn = limit, 0

    def turn(self) -> int:
        """Larger each time."""
        self._turn += 1
        return self._turn

    def buildProtocol(  # type: ignore[override]  # None is what Twisted's Factory allows
        self, addr: IAddress | None
    ) -> "_Visit | None":
        """None, which closes the connection at once, while those that go linger."""
        self.came += 1
        if len(self.protocols) >= self._limit:
            self.refused += 1
            return None
        staying = [visit for visit in self.protocols if not visit.disconnecting]
        if len(staying) >= self._limit // 4:
            self.refused += 1
            min(staying, key=lambda visit: visit.rank).leave()
        return super().buildProtocol(addr)


class _Visit(ProtocolWrapper):
    """One connection. The least ``rank`` goes first."""

    def __init__(self, factory: Crowd, protocol: IProtocol) -> None:
        super().__init__(factory, protocol)
        self._crowd = factory
        self._answered = False
        self._turn = factory.turn()

    @property
    def rank(self) -> tuple[bool, int]:
        """Those that were answered come later."""
        return self._answered, self._turn

    def leave(self) -> None:
        """Make room, politely where nobody can take it for part of an answer."""
        tcp = cast(ITCPTransport, self.transport)
        self.disconnecting = 1
        if self._answered:
            tcp.abortConnection()
        else:
            tcp.write(_FULL)
            tcp.loseConnection()

    def write(self, data: bytes) -> None:
        """Pass it on, and note that there was an answer."""
        self._noted()
        super().write(data)

    def writeSequence(self, data: list[bytes]) -> None:
        """Likewise."""
        self._noted()
        super().writeSequence(data)

    def _noted(self) -> None:
        self._answered, self._turn = True, self._crowd.turn()
