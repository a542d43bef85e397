"""A client of a site in memory: bytes in, the answer out, and a clock to turn."""

from typing import NamedTuple

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.web.server import Site

from relay.admin.live import Hour
from relay.admin.status import Status
from relay.admin.verdict import Verdict
from relay.admin.web import make_site
from tests.admin.sample import a_status


class Answer(NamedTuple):
    """An answer as it came over the wire; names of headers in lower case."""

    code: int
    headers: dict[str, str]
    body: bytes


class ALive:
    """What the page asks for; ``asked`` is what it was asked, ``found`` what it finds."""

    def __init__(self) -> None:
        self.asked: list[object] = []
        self.found: Deferred[dict[str, object]] | None = None

    def hour(self, after: float) -> Hour:
        self.asked.append(after)
        return Hour(every=5.0, period=60, periods=[], t=[1.0], columns={"lines": [2]})

    def verdict(self, status: Status, ready: bool) -> Verdict:
        return Verdict("careful", "It <flows>.", "a\x1b&b", "")

    def find(self, query: str, limit: int) -> "Deferred[dict[str, object]]":
        self.asked.append((query, limit))
        return self.found or succeed({"found": [], "more": False, "scanned": 0})

    def explain(self, line: bytes) -> dict[str, object]:
        self.asked.append(line)
        return {"words": [line.decode()], "accepted": 1, "refused": 0, "ignored": 0}


class Visitor:
    """One connection to a site whose callables say what they are told to."""

    def __init__(self, *, hosts: tuple[str, ...] = (), ready: bool = True) -> None:
        self.clock = Clock()
        self.ready = ready
        self.accepted: list[str] = []
        self.live = ALive()
        self.site: Site = make_site(
            status=self.status,
            metrics=self.metrics,
            ready=lambda: self.ready,
            live=self.live,
            clock=self.clock,
            hosts=hosts,
            wall=lambda: 1_000_600.0,
        )
        self.site.startFactory()
        self.connect()

    def connect(self) -> None:
        """A new connection to the same site; the one before is as it was."""
        self._transport = StringTransport()  # type: ignore[no-untyped-call]
        peer = IPv4Address("TCP", "127.0.0.1", 1)
        self._protocol = self.site.buildProtocol(peer)  # type: ignore[no-untyped-call]
        self._protocol.makeConnection(self._transport)
        self.receive = self._protocol.dataReceived

    def leave(self) -> None:
        """Close the connection from our side."""
        self._protocol.connectionLost(Failure(ConnectionDone()))  # type: ignore[no-untyped-call]

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
