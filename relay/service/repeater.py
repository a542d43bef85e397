"""Copies every packet, as it came, to other daemons: so that an old one can run beside us.

A target that is dead or slow costs a counter and nothing else. What a packet holds is
not looked at; a relay that repeats to itself floods itself, as the reference does.
"""

import socket
from collections.abc import Sequence
from ipaddress import ip_address
from typing import Any, Protocol

from twisted.application.internet import ClientService
from twisted.internet.defer import Deferred, maybeDeferred, succeed
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.interfaces import IAddress, IPushProducer
from twisted.internet.protocol import Factory
from twisted.internet.protocol import Protocol as Connection
from twisted.internet.task import LoopingCall
from zope.interface import implementer

__all__ = ["Repeater", "StreamTarget", "Target", "UdpTarget"]

RESOLVE_SECONDS = 60.0
"""How old an address may be; the look-up is done in a thread."""

UNSENT_BYTES_MAX = 2**20
"""What may wait for a target that reads slowly."""


class Target(Protocol):
    """Where copies go. ``sent`` and ``lost`` count packets."""

    url: str
    sent: int
    lost: int

    def start(self) -> None:
        """Find it."""
        ...

    def send(self, packet: bytes) -> None:
        """Pass one on, or count it as lost; never waits, never raises."""
        ...

    def stop(self) -> None:
        """Let go of it."""
        ...


class Repeater:
    """Sends to all ``targets``."""

    def __init__(self, targets: Sequence[Target]) -> None:
        self.targets = targets

    def start(self) -> None:
        """Find the targets."""
        for target in self.targets:
            target.start()

    def send(self, packet: bytes) -> None:
        """Pass one on to each."""
        for target in self.targets:
            target.send(packet)

    def stop(self) -> None:
        """Let go of them."""
        for target in self.targets:
            target.stop()


class UdpTarget:
    """Each packet as a datagram. ``host`` is looked up now and then."""

    def __init__(self, url: str, host: str, port: int, reactor: Any) -> None:
        self.url, self.sent, self.lost = url, 0, 0
        self._host, self._port, self._reactor = host, port, reactor
        self._socket: socket.socket | None = None
        self._address = ""
        self._lookups = LoopingCall(self._look_up)
        self._lookups.clock = reactor

    def start(self) -> None:
        """Look up the name."""
        self._lookups.start(RESOLVE_SECONDS)

    def send(self, packet: bytes) -> None:
        """Lost where there is no address yet, and where the system says so."""
        if self._socket is not None:
            try:
                self._socket.send(packet)
            except OSError:  # of this packet, or of the one before: nobody listens
                pass
            else:
                self.sent += 1
                return
        self.lost += 1

    def stop(self) -> None:
        """Close the socket."""
        if self._lookups.running:
            self._lookups.stop()
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _resolve(self, host: str) -> "Deferred[str]":
        try:
            return succeed(str(ip_address(host)))
        except ValueError:
            found: Deferred[str] = self._reactor.resolve(host)
            return found

    def _look_up(self) -> "Deferred[None]":
        found: Deferred[str] = maybeDeferred(self._resolve, self._host)
        # Not found now; the address of before stays, and it is asked again.
        return found.addCallbacks(self._connect, lambda _: None)

    def _connect(self, address: str) -> None:
        if address == self._address or not self._lookups.running:
            return
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        new = socket.socket(family, socket.SOCK_DGRAM)
        new.setblocking(False)
        try:
            new.connect((address, self._port))
        except OSError:  # there is no way there now
            new.close()
            return
        if self._socket is not None:
            self._socket.close()
        self._socket, self._address = new, address


class StreamTarget:
    """Each packet followed by a line feed, over one TCP connection that is made again."""

    def __init__(self, url: str, host: str, port: int, reactor: Any) -> None:
        self.url, self.sent, self.lost = url, 0, 0
        self._connection: _Writing | None = None
        self._service = ClientService(
            HostnameEndpoint(reactor, host, port), _Connecting(self), clock=reactor
        )

    def start(self) -> None:
        """Connect, and again whenever the connection is lost."""
        self._service.startService()

    def send(self, packet: bytes) -> None:
        """Lost where there is no connection, or where too much waits for it."""
        if self._connection is None or self._connection.is_full:
            self.lost += 1
        else:
            self._connection.write(packet)
            self.sent += 1

    def stop(self) -> None:
        """Close the connection once all is written that can be."""
        self._service.stopService()

    def connected(self, connection: "_Writing | None") -> None:
        """There is one, or none any more."""
        self._connection = connection


@implementer(IPushProducer)
class _Writing(Connection):
    """A connection that nothing is expected from; ``is_full`` where it reads slowly."""

    def __init__(self, target: StreamTarget) -> None:
        self._target = target
        self.is_full = False

    def connectionMade(self) -> None:
        transport: Any = self.transport
        transport.bufferSize = UNSENT_BYTES_MAX
        transport.registerProducer(self, True)
        self._target.connected(self)

    def connectionLost(self, reason: object = None) -> None:
        self._target.connected(None)

    def write(self, packet: bytes) -> None:
        """Followed by a line feed, as the reference does."""
        transport: Any = self.transport
        transport.write(packet + b"\n")

    def pauseProducing(self) -> None:
        self.is_full = True

    def resumeProducing(self) -> None:
        self.is_full = False

    def stopProducing(self) -> None:
        self.is_full = True


class _Connecting(Factory):
    """Makes the connection of a target."""

    noisy = False

    def __init__(self, target: StreamTarget) -> None:
        self._target = target

    def buildProtocol(self, addr: IAddress | None) -> _Writing:
        return _Writing(self._target)
