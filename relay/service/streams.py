"""Connections that bring lines: TCP and Unix streams, bounded in number, length and rest.

What a packet holds and what becomes of it is not known here.
"""

import socket
import struct
from collections.abc import Callable, Collection
from typing import Any

from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.internet.protocol import Factory, Protocol
from twisted.protocols.policies import TimeoutMixin
from twisted.python.failure import Failure

from relay.service.intake import Intake
from relay.statsd.framing import Framer

__all__ = ["CAUSES", "Streams"]

CAUSES = ("peer", "idle", "too_long", "cut", "stop", "crowd", "stranger")
"""Why connections ended: the peer closed, was silent, sent a line or frame beyond all
measure, closed within a frame; the relay stopped; there were too many; not allowed."""

_CREDENTIALS = struct.Struct("=iII")  # pid, uid, gid: unix(7), SO_PEERCRED


class Streams(Factory):
    """Makes the connections of one listener, ``most`` at a time, and counts them.

    One that is silent for ``idle_seconds`` (0: for ever) is closed. ``lengths``: frames
    with a length are understood besides lines. Only ``uids`` are heard, or all.
    """

    noisy = False

    def __init__(
        self,
        intake: Intake,
        clock: IReactorTime,
        *,
        most: int,
        idle_seconds: float,
        lengths: bool = False,
        uids: Collection[int] = (),
    ) -> None:
        self.intake, self.clock = intake, clock
        self.idle_seconds, self.lengths = idle_seconds, lengths
        self._most, self._uids = most, uids
        self.open: set[_Stream] = set()
        self.ended = dict.fromkeys(CAUSES, 0)
        self.on_leave: Callable[[], None] = lambda: None

    def free(self) -> int:
        """How many more may come."""
        return self._most - len(self.open)

    def buildProtocol(self, addr: IAddress | None) -> "_Stream | None":
        if self.free() <= 0:
            self.ended["crowd"] += 1
            return None  # which closes it
        return _Stream(self)

    def allows(self, transport: Any) -> bool:
        """Whether its peer may send."""
        return not self._uids or _uid_of(transport.socket) in self._uids

    def leave(self, stream: "_Stream", cause: str) -> None:
        """It has ended."""
        self.open.discard(stream)
        self.ended[cause] += 1
        self.on_leave()

    def end(self) -> None:
        """Close all of them, with what they have brought."""
        for stream in list(self.open):
            stream.end("stop")


class _Stream(Protocol, TimeoutMixin):
    """One connection."""

    def __init__(self, streams: Streams) -> None:
        self._streams = streams
        self._framer = Framer(lengths=streams.lengths)
        self._cause = "peer"
        self.callLater: Callable[..., Any] = streams.clock.callLater

    def connectionMade(self) -> None:
        self._streams.open.add(self)
        if not self._streams.allows(self.transport):
            self.end("stranger")
            return
        self.setTimeout(self._streams.idle_seconds or None)

    def dataReceived(self, data: bytes) -> None:
        self.resetTimeout()
        for packet in self._framer.take(data):
            self._streams.intake.take(packet, self.transport)
        if self._framer.is_broken:
            self.end("too_long")

    def timeoutConnection(self) -> None:
        self.end("idle")

    def end(self, cause: str) -> None:
        """Close it from our side."""
        self._cause = cause
        transport: Any = self.transport
        transport.abortConnection()

    def connectionLost(self, reason: Failure | None = None) -> None:
        self.setTimeout(None)
        was_broken = self._framer.is_broken
        last = self._framer.end()
        if last and self._cause != "stranger":
            self._streams.intake.take(last, None)
        if self._framer.is_broken and not was_broken:
            self._cause = "cut"
        self._streams.leave(self, self._cause)


def _uid_of(connection: socket.socket) -> int:
    raw = connection.getsockopt(
        socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size
    )
    _, uid, _ = _CREDENTIALS.unpack(raw)
    return int(uid)
