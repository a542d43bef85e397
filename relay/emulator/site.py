"""The door: HTTP in and out with twisted.web, faults acted out on the connection.

Decides nothing about calls: what is said is up to the service and to what stands
beside it. Here it is only put on the wire, whole, late or cut.
"""

from collections.abc import Callable, Mapping
from functools import partial
from io import BytesIO
from typing import IO, cast

from twisted.internet.interfaces import IReactorTime, ITCPTransport
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel, datetimeToString
from twisted.web.http import Request as HTTPRequest
from twisted.web.resource import IResource, Resource
from twisted.web.server import NOT_DONE_YET, Request, Site
from zope.interface import implementer

from relay.emulator.answers import Answer, html_answer, reason
from relay.emulator.beside import Beside
from relay.emulator.faults import Fault
from relay.emulator.limits import Limits
from relay.emulator.service import Emulator, action_of
from relay.emulator.verify import Key
from relay.emulator.wire import Call, read_call

__all__ = ["EmulatorSite", "make_site"]

# Beyond the first a request gets its 414 unread, beyond the second no answer at all.
HEAD_BYTES_MAX = 1024 * 1024
BODY_BYTES_READ = 16 * 1024 * 1024
IDLE_SECONDS = 30
"""How long a request may take to arrive, and a connection may be idle. Not a minute: a
relay that reports once in that time would meet a connection on its way out."""


def make_site(
    *,
    keys: Mapping[str, str],
    now: Callable[[], float],
    clock: IReactorTime,
    limits: Limits | None = None,
    tokens: Mapping[str, str] | None = None,
    any_host: bool = False,
) -> "EmulatorSite":
    """A look-alike to listen with; its ``emulator`` has the store and the faults.

    ``keys``: secrets by key id; ``tokens``: tokens of the temporary ones among them.
    ``now``: Unix seconds; ``clock``: for delays. ``any_host``: answers beside the API
    under any name, needed where it is reached by one, from another machine.
    """
    given = dict(tokens or {})
    emulator = Emulator(
        keys={name: Key(secret, given.get(name)) for name, secret in keys.items()},
        now=now,
        limits=limits or Limits(),
    )
    return EmulatorSite(emulator, clock, any_host=any_host)


class _Channel(HTTPChannel):
    """Lets URLs pass that are long enough to be refused with 414 by the service."""

    _log = Logger("twisted.web.http")  # that a client was idle is Twisted's news
    MAX_LENGTH = HEAD_BYTES_MAX
    totalHeadersSize = HEAD_BYTES_MAX  # noqa: N815 - named by Twisted

    def __init__(self, body_bytes_kept: int) -> None:
        super().__init__()
        self.body_bytes_kept = body_bytes_kept

    def resetTimeout(self) -> None:
        """Nothing: who sends a byte now and then is as idle as who sends none.

        The time counts from the connection's start, and anew from each answer.
        """

    def lineLengthExceeded(self, line: bytes) -> None:
        answer = html_answer(414)
        self.tcp.write(_head(answer, close=True) + answer.body)
        self.tcp.loseConnection()

    @property
    def tcp(self) -> ITCPTransport:
        """The connection, as what it is while there is a request on it."""
        return cast(ITCPTransport, self.transport)


class _Request(Request):
    """Keeps one byte more of a body than is allowed, and hears out some megabytes."""

    _received = 0

    def gotLength(self, length: int | None) -> None:
        self.content = BytesIO()  # memory, not a file: it cannot grow

    def handleContentChunk(self, data: bytes) -> None:
        channel = cast(_Channel, self.channel)
        keep = channel.body_bytes_kept - self._received
        self._received += len(data)
        if self._received > BODY_BYTES_READ:
            channel.tcp.abortConnection()
        elif keep > 0:
            super().handleContentChunk(data[:keep])


class EmulatorSite(Site):
    """The web site around one ``Emulator``."""

    requestFactory = _Request  # noqa: N815 - named by Twisted

    def __init__(
        self, emulator: Emulator, clock: IReactorTime, *, any_host: bool = False
    ) -> None:
        self.emulator = emulator
        door = _Door(emulator, Beside(emulator, any_host=any_host), clock)
        super().__init__(door, timeout=IDLE_SECONDS, reactor=clock)
        channel = partial(_Channel, emulator.limits.body_bytes + 1)
        self.protocol = channel  # type: ignore[assignment] # no HTTP/2 here

    def log(self, request: HTTPRequest) -> None:
        """No access log: with V1 the URL has the signature and the token."""


@implementer(IResource)
class _Door(Resource):
    """All paths of the site."""

    isLeaf = True  # noqa: N815 - named by Twisted

    def __init__(self, emulator: Emulator, beside: Beside, clock: IReactorTime) -> None:
        super().__init__()
        self._emulator, self._beside, self._clock = emulator, beside, clock

    def render(self, request: Request) -> int:
        call = read_call(
            request.method,
            request.uri,
            (
                (name, value)
                for name, values in request.requestHeaders.getAllRawHeaders()
                for value in values
            ),
            cast(IO[bytes], request.content).read(),
        )
        if self._beside.is_asked(call):
            self._write(request, self._beside.answer(call))
        else:
            self._api(request, call)
        return NOT_DONE_YET

    def _api(self, request: Request, call: Call) -> None:
        fault = self._emulator.faults.take(action_of(call)) or Fault()
        answer = self._emulator.answer(call, fault)
        if fault.cut is not None:
            self._begin(request, answer, fault)
            end = self._cut
        else:
            end = self._write_later
        if not fault.hang:
            end(request, answer, fault)
            return
        delayed = self._clock.callLater(fault.hang, end, request, answer, fault)

        def gone(_: Failure) -> None:
            if delayed.active():
                delayed.cancel()

        request.notifyFinish().addErrback(gone)

    def _begin(self, request: Request, answer: Answer, fault: Fault) -> None:
        """Send as much of an answer as comes before the cut."""
        head = _head(answer)
        match fault.cut:
            case "headers":
                request.channel.write(head[: len(head) // 2])
            case "body":
                request.channel.write(head + answer.body[: len(answer.body) // 2])
            case _:
                pass

    def _cut(self, request: Request, answer: Answer, fault: Fault) -> None:
        tcp = cast(_Channel, request.channel).tcp
        if fault.cut == "accept":
            tcp.abortConnection()
        else:
            tcp.loseConnection()

    def _write_later(self, request: Request, answer: Answer, fault: Fault) -> None:
        self._write(request, answer, fault.clock_offset)

    def _write(
        self, request: Request, answer: Answer, clock_offset: float = 0.0
    ) -> None:
        request.setResponseCode(answer.status, reason(answer.status).encode())
        now = self._emulator.now() + clock_offset
        headers = {
            "Content-Type": answer.content_type,
            "Content-Length": str(len(answer.body)),
            "Date": datetimeToString(now).decode(),
            "Server": "emulator",
            **answer.headers,
        }
        for name, value in headers.items():
            request.setHeader(name, value)
        request.write(answer.body)
        request.finish()


def _head(answer: Answer, *, close: bool = False) -> bytes:
    """Status line and headers, for answers that do not go their normal way."""
    lines = [
        f"HTTP/1.1 {answer.status} {reason(answer.status)}",
        f"Content-Type: {answer.content_type}",
        f"Content-Length: {len(answer.body)}",
        *(["Connection: close"] if close else []),
        *(f"{name}: {value}" for name, value in answer.headers.items()),
    ]
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode()
