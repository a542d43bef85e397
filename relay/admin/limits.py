"""A web site that takes little: small requests, for a short time, and GET needs no body.

What is answered is not its business.
"""

from io import BytesIO

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.web import http, server
from twisted.web.resource import Resource

__all__ = ["SmallSite"]

REQUEST_SECONDS = 30
"""How long a request may take to arrive, and a connection may be idle."""

HEADERS_BYTES = 8192
HEADERS = 100
BODY_BYTES = 4096
"""As large as a client's mistake; nothing here reads a body."""

_TOO_LARGE = (
    b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
)


class _Channel(http.HTTPChannel):
    """One connection."""

    _log = Logger("twisted.web.http")  # that a client was idle is Twisted's news
    totalHeadersSize = HEADERS_BYTES  # noqa: N815 - named by Twisted
    maxHeaders = HEADERS  # noqa: N815 - named by Twisted

    _refused = False

    def resetTimeout(self) -> None:
        """Nothing: who sends a byte now and then is as idle as who sends none.

        The time counts from the connection's start, and anew from each answer.
        """

    def refuse(self, answer: bytes) -> None:
        """Say ``answer``, close, and hear nothing of the body that follows."""
        self._refused = True
        self.write(answer)
        self.loseConnection()

    def rawDataReceived(self, data: bytes) -> None:
        if not self._refused:
            super().rawDataReceived(data)


class _Request(server.Request):
    """One request; refused before its body is read where that is announced as large."""

    channel: _Channel

    def gotLength(self, length: int | None) -> None:
        """``length`` is None for a body in chunks, whose size nobody knows."""
        self.content = BytesIO()
        if length is None or length > BODY_BYTES:
            self.requestHeaders.removeHeader(b"expect")
            self.channel.refuse(_TOO_LARGE)


class SmallSite(server.Site):
    """Without an access log, and without the timer that Twisted runs for one."""

    protocol = _Channel  # type: ignore[assignment]  # without HTTP/2 in between
    requestFactory = _Request  # noqa: N815 - named by Twisted

    def __init__(self, resource: Resource, clock: IReactorTime) -> None:
        super().__init__(
            resource,
            timeout=REQUEST_SECONDS,
            reactor=clock,
            parsePOSTFormSubmission=False,
        )

    def startFactory(self) -> None:
        """No log file to open."""

    def stopFactory(self) -> None:
        """No log file to close."""

    def log(self, request: http.Request) -> None:
        """Nothing is logged per request."""
