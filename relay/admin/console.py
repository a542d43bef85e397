"""The management console's connections: bytes into lines, replies out as they are taken.

What a line means is the conversation's business. The reference takes each chunk for a
command; here a line ends with LF, or where a client sends none, after a short pause.
"""

from collections import deque
from collections.abc import Iterator
from itertools import islice

from twisted.internet.interfaces import (
    IAddress,
    IDelayedCall,
    IPullProducer,
    IReactorTime,
)
from twisted.internet.protocol import Protocol, ServerFactory, connectionDone
from twisted.internet.tcp import Connection as TcpConnection
from twisted.python.failure import Failure
from zope.interface import implementer

from relay.admin.conversation import ERROR, Conversation

__all__ = ["ConsoleFactory"]

PAUSE_SECONDS = 0.2
"""After this a chunk without LF is a command; segments of one come closer together."""

IDLE_SECONDS = 600
"""The reference waits for ever; checks that keep a connection ask every few seconds."""

LINE_BYTES = 4096
CONNECTIONS = 64
SLICE_LINES = 256
"""Lines of a reply a turn of the reactor makes."""


@implementer(IPullProducer)
class _Connection(Protocol):
    """One peer. While a reply is under way nothing more is read of it."""

    transport: TcpConnection

    def __init__(self, factory: "ConsoleFactory") -> None:
        self._factory = factory
        self._rest = b""
        self._lines: deque[bytes] = deque()
        self._reply: Iterator[str] | None = None
        self._pause: IDelayedCall | None = None
        self._idle: IDelayedCall | None = None
        self._closing = False

    def connectionMade(self) -> None:
        self._idle = self._factory.clock.callLater(IDLE_SECONDS, self._expire)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._closing, self._reply = True, None
        for timer in (self._pause, self._idle):
            if timer is not None and timer.active():
                timer.cancel()
        self._factory.open.discard(self)

    def dataReceived(self, data: bytes) -> None:
        if self._closing:
            return
        self._awake()
        if self._pause is not None and self._pause.active():
            self._pause.cancel()
        *whole, self._rest = (self._rest + data).split(b"\n")
        self._lines.extend(whole)
        if any(len(line) > LINE_BYTES for line in (*whole, self._rest)):
            self._factory.too_long += 1
            self.transport.write(ERROR.encode())
            self._hang_up()
            return
        if self._rest:
            self._pause = self._factory.clock.callLater(PAUSE_SECONDS, self._complete)
        self._go_on()

    def resumeProducing(self) -> None:
        """The peer took what it was given: some more of the reply, or its end."""
        if self._reply is None:
            return
        self._awake()
        text = "".join(islice(self._reply, SLICE_LINES))
        if text:
            self.transport.write(text.encode("utf-8", "replace"))
            return
        self._reply = None
        self.transport.unregisterProducer()
        self.transport.resumeProducing()
        self._go_on()

    def stopProducing(self) -> None:
        self._reply = None

    def _go_on(self) -> None:
        """Answer the next line, unless the one before is being answered."""
        if self._reply is not None or self._closing or not self._lines:
            return
        line = self._lines.popleft().decode("utf-8", "replace")
        self._reply = self._factory.conversation.answer(line)
        if self._reply is None:
            self._hang_up()
            return
        self.transport.pauseProducing()
        self.transport.registerProducer(self, streaming=False)

    def _complete(self) -> None:
        """No LF came."""
        line, self._rest = self._rest, b""
        self._lines.append(line)
        self._go_on()

    def _awake(self) -> None:
        if self._idle is not None:
            self._idle.reset(IDLE_SECONDS)

    def _expire(self) -> None:
        self._factory.idle += 1
        self._closing = True
        self.transport.abortConnection()

    def _hang_up(self) -> None:
        self._closing = True
        self._lines.clear()
        self.transport.loseConnection()


class ConsoleFactory(ServerFactory):
    """At most so many connections; what was refused, and why, is counted."""

    noisy = False

    def __init__(self, conversation: Conversation, clock: IReactorTime) -> None:
        self.conversation = conversation
        self.clock = clock
        self.open: set[Protocol] = set()
        self.too_many = self.too_long = self.idle = 0

    def buildProtocol(self, addr: IAddress | None) -> Protocol | None:
        if len(self.open) >= CONNECTIONS:
            self.too_many += 1
            return None
        connection = _Connection(self)
        self.open.add(connection)
        return connection
