"""A client of a site in memory: bytes in, the answer out, and a clock to turn."""

from typing import NamedTuple

from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.web.server import Site

from relay.admin.status import Status
from relay.admin.web import make_site
from tests.admin.sample import a_status


class Answer(NamedTuple):
    """An answer as it came over the wire; names of headers in lower case."""

    code: int
    headers: dict[str, str]
    body: bytes


class Visitor:
    """One connection to a site whose callables say what they are told to."""

    def __init__(self, *, hosts: tuple[str, ...] = (), ready: bool = True) -> None:
        self.clock = Clock()
        self.ready = ready
        self.accepted: list[str] = []
        self._transport = StringTransport()  # type: ignore[no-untyped-call]
        self.site: Site = make_site(
            status=self.status,
            metrics=self.metrics,
            ready=lambda: self.ready,
            clock=self.clock,
            hosts=hosts,
            wall=lambda: 1_000_600.0,
        )
        self.site.startFactory()
        peer = IPv4Address("TCP", "127.0.0.1", 1)
        protocol = self.site.buildProtocol(peer)  # type: ignore[no-untyped-call]
        protocol.makeConnection(self._transport)
        self.receive = protocol.dataReceived

    def status(self) -> Status:
        return a_status()

    def metrics(self, accept: str) -> tuple[str, bytes]:
        self.accepted.append(accept)
        return "text/plain; version=0.0.4; charset=utf-8", b"up 1\n"

    def ask(self, path: str = "/", method: str = "GET", **headers: str) -> Answer:
        """One request; ``_`` in the name of a header stands for ``-``."""
        lines = [f"{method} {path} HTTP/1.1"]
        lines += [
            f"{name.replace('_', '-')}: {value}"
            for name, value in {"Host": "localhost", **headers}.items()
        ]
        self._transport.clear()  # type: ignore[no-untyped-call]
        self.receive("\r\n".join([*lines, "", ""]).encode("latin-1"))
        return self.answer()

    @property
    def sent(self) -> bytes:
        """What has come since the last request."""
        return bytes(self._transport.value())  # type: ignore[no-untyped-call]

    @property
    def closed(self) -> bool:
        """Whether the site has closed the connection."""
        return bool(self._transport.disconnecting)

    def answer(self) -> Answer:
        """The first answer in what was sent."""
        head, _, body = self.sent.partition(b"\r\n\r\n")
        first, *rest = head.decode("ascii").split("\r\n")
        pairs = (line.split(": ", 1) for line in rest)
        return Answer(
            int(first.split()[1]), {name.lower(): value for name, value in pairs}, body
        )
