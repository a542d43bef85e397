"""Ports of each kind, bound and taken down: UDP, TCP, Unix datagrams and streams.

A port is opened with the intake that its packets go to. Which ports there are to be is
not known here, nor what a packet holds. All raise RelayError where an address is taken.
"""

import os
import socket
import struct
from collections.abc import Collection, Generator, Iterable, Sequence
from typing import Any, NamedTuple

from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.error import CannotListenError
from twisted.internet.task import deferLater
from twisted.internet.unix import DatagramPort

from relay.errors import RelayError
from relay.service.drainer import Drainer
from relay.service.entrance import TCPEntrance, UnixEntrance
from relay.service.gather import Gatherer
from relay.service.inherit import Inherited
from relay.service.intake import Datagrams, Intake, drain, drain_streams
from relay.service.kernel import KernelDrops, ReceiveBuffer, granted, receive_buffer
from relay.service.socket_file import MODE, made, make_way, remove
from relay.service.streams import Streams

__all__ = ["Port", "adopt", "bound_together", "tcp", "udp", "unix", "unixgram"]

LARGEST_DATAGRAM = 65_535
"""Twisted's own default cuts at 8,192 bytes without a sign."""

READ_BYTES = 32 * 1024
"""Read at a turn of the reactor. An answer over HTTP takes several turns: in a flood of
datagrams of one line it came within 32 ms, with Twisted's own 256 KiB within 230 ms, on
an idle machine. What is read a second is the same within 3 %."""

BACKLOG = 1024
"""Connections that wait to be accepted; the kernel may allow fewer."""


class Port(NamedTuple):
    """A bound socket: Twisted's port, where its packets go, what belongs to its kind.

    ``drops`` and ``buffer`` are of UDP, as are further sockets ``beside`` it, of the same
    address and with the same intake; ``streams`` are the connections of a listener.
    """

    bound: Any
    intake: Intake
    drops: KernelDrops | None = None
    buffer: ReceiveBuffer | None = None
    streams: Streams | None = None
    path: str = ""
    inode: int = 0
    gatherer: Gatherer | None = None
    drainer: Drainer | None = None
    beside: "tuple[Port, ...]" = ()

    @property
    def dropped(self) -> int | None:
        """Datagrams that the kernel dropped; None where it does not say, or it is no UDP."""
        sockets = (self, *self.beside)
        counts = [one.drops.count() for one in sockets if one.drops is not None]
        known = [count for count in counts if count is not None]
        return sum(known) if known else None

    def resized(self, buffer_bytes: int, *, lower: bool) -> "Port":
        """With the receive buffer that is asked for now."""
        if self.buffer is None or self.buffer.asked == buffer_bytes:
            return self
        buffer = receive_buffer(self.bound.socket, buffer_bytes, lower=lower)
        if self.drainer is not None:
            self.drainer.look_at_buffer()
        beside = tuple(one.resized(buffer_bytes, lower=lower) for one in self.beside)
        return self._replace(buffer=buffer, beside=beside)

    @inlineCallbacks
    def close(self, reactor: Any) -> Generator[Deferred[Any], Any, None]:
        """Read what the kernel still holds, then close."""
        sockets = (self, *self.beside)
        for one in sockets:
            if one.drainer is not None:
                one.drainer.stop()
        if self.drainer is not None:
            # What its thread has said to the reactor is heard before the door is closed.
            yield deferLater(reactor, 0, lambda: None)
        for one in sockets:
            if one.gatherer is not None:
                one.gatherer.stop()
        if self.streams is None:
            yield drain(_All(sockets), self.intake, reactor)
        else:
            yield drain_streams(self.intake, reactor)
        for one in sockets:
            yield one.bound.stopListening()
        if self.streams is not None:
            self.streams.end()
        if self.path:
            remove(self.path, self.inode)


class _All:
    """The sockets of a port, read in turn."""

    def __init__(self, sockets: Iterable[Port]) -> None:
        self._sockets = tuple(sockets)

    def doRead(self) -> None:
        for one in self._sockets:
            one.bound.doRead()


def udp(
    reactor: Any,
    host: str,
    port: int,
    intake: Intake,
    buffer_bytes: int,
    *,
    listeners: int = 1,
) -> Port:
    """Datagrams; a port of 0 is any that is free. As many sockets as ``listeners``."""
    if listeners > 1:
        return _several(reactor, (host, port, listeners), intake, buffer_bytes)
    door = Datagrams(intake)
    try:
        bound = reactor.listenUDP(
            port, door, interface=host, maxPacketSize=LARGEST_DATAGRAM
        )
    except CannotListenError as error:
        raise RelayError(f"{error.socketError}") from None
    buffer = receive_buffer(bound.socket, buffer_bytes)
    return _of_udp(reactor, bound, intake, buffer)


def adopt(reactor: Any, handed: Inherited, intake: Intake, buffer_bytes: int) -> Port:
    """A socket of UDP that somebody else bound; its descriptor is let go."""
    bound = reactor.adoptDatagramPort(
        handed.fileno, handed.family, Datagrams(intake), maxPacketSize=LARGEST_DATAGRAM
    )
    handed.let_go()  # the port has a descriptor of its own
    buffer = receive_buffer(bound.socket, buffer_bytes, lower=False)
    return _of_udp(reactor, bound, intake, buffer)


def _several(
    reactor: Any, wanted: tuple[str, int, int], intake: Intake, buffer_bytes: int
) -> Port:
    try:
        sockets = bound_together(*wanted)
    except OSError as error:
        raise RelayError(f"{error}") from None
    opened = []
    for one in sockets:
        bound = reactor.adoptDatagramPort(
            one.fileno(), one.family, Datagrams(intake), maxPacketSize=LARGEST_DATAGRAM
        )
        one.close()  # the port has a descriptor of its own
        buffer = receive_buffer(bound.socket, buffer_bytes)
        opened.append(_of_udp(reactor, bound, intake, buffer))
    return opened[0]._replace(beside=tuple(opened[1:]))


def bound_together(host: str, port: int, count: int) -> Sequence[socket.socket]:
    """Sockets on one port, to which the kernel deals senders; they do not block.

    Raises OSError where the port is taken, by another relay too: SO_REUSEPORT by itself
    would have them share it, each with a part of the senders.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    if port:
        with socket.socket(family, socket.SOCK_DGRAM) as alone:
            alone.bind((host, port))
    made: list[socket.socket] = []
    try:
        for _ in range(count):
            made.append(socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK))
            made[-1].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            made[-1].bind((host, port))
            port = made[-1].getsockname()[1]
    except OSError:
        for one in made:
            one.close()
        raise
    return made


def _of_udp(reactor: Any, bound: Any, intake: Intake, buffer: ReceiveBuffer) -> Port:
    gatherer = Gatherer(
        bound,
        intake,
        reactor,
        read_bytes=READ_BYTES,
        buffer=lambda: granted(bound.socket),
    )
    drops = KernelDrops(bound.fileno())
    port = Port(bound, intake, drops, buffer, gatherer=gatherer)
    if intake.drain is None:
        return port
    drainer = Drainer(
        bound,
        intake.drain(bound.fileno()),
        intake,
        reactor,
        buffer=lambda: granted(bound.socket),
    )
    drainer.start()
    return port._replace(drainer=drainer)


def tcp(reactor: Any, host: str, port: int, streams: Streams) -> Port:
    """Connections that bring lines."""
    try:
        bound = TCPEntrance(port, streams, BACKLOG, host, reactor)
        bound.startListening()
    except CannotListenError as error:
        raise RelayError(f"{error.socketError}") from None
    return Port(bound, streams.intake, streams=streams)


def unix(reactor: Any, path: str, mode: int | None, streams: Streams) -> Port:
    """Connections that bring lines, or frames with a length."""
    make_way(path)
    try:
        with made():
            access = MODE if mode is None else mode
            bound = UnixEntrance(os.fsencode(path), streams, BACKLOG, access, reactor)
            bound.startListening()
    except CannotListenError as error:
        raise RelayError(f"{error.socketError}") from None
    inode = os.lstat(path).st_ino
    return Port(bound, streams.intake, streams=streams, path=path, inode=inode)


def unixgram(
    reactor: Any,
    path: str,
    mode: int | None,
    uids: Collection[int],
    intake: Intake,
) -> Port:
    """Datagrams; only of senders of ``uids``, if there are any."""
    make_way(path)
    bound = _Credible(path, intake, MODE if mode is None else mode, uids, reactor)
    try:
        with made():
            bound.startListening()
    except CannotListenError as error:
        raise RelayError(f"{error.socketError}") from None
    bound.maxThroughput = READ_BYTES
    return Port(bound, intake, path=path, inode=os.lstat(path).st_ino)


class _Credible(DatagramPort):
    """A port that looks who sent a datagram, where it matters.

    Source: unix(7), SCM_CREDENTIALS; the kernel vouches for them.
    """

    _CREDENTIALS = struct.Struct("=iII")  # pid, uid, gid

    def __init__(
        self,
        path: str,
        intake: Intake,
        mode: int,
        uids: Collection[int],
        reactor: Any,
    ) -> None:
        super().__init__(path, Datagrams(intake), LARGEST_DATAGRAM, mode, reactor)
        self._intake, self._uids = intake, uids

    def startListening(self) -> None:
        super().startListening()
        if self._uids:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)

    def doRead(self) -> None:
        if not self._uids:
            super().doRead()
            return
        read = 0
        room = socket.CMSG_SPACE(self._CREDENTIALS.size)
        while read < self.maxThroughput:
            try:
                datagram, about, _, _ = self.socket.recvmsg(LARGEST_DATAGRAM, room)
            except OSError:  # nothing more, or an error of one datagram
                return
            read += max(len(datagram), 1)
            if any(self._is_allowed(*one) for one in about):
                self._intake.take(datagram, self)
            else:
                self._intake.strangers += 1

    def _is_allowed(self, level: int, kind: int, raw: bytes) -> bool:
        if (level, kind) != (socket.SOL_SOCKET, socket.SCM_CREDENTIALS):
            return False
        return self._CREDENTIALS.unpack(raw[: self._CREDENTIALS.size])[1] in self._uids
