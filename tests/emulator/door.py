"""A look-alike in memory, and just enough of a client to talk to it.

The signing here is the test's own: ten lines after the vendor's description of V1.
"""

import base64
import hashlib
import hmac
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from relay.emulator.limits import Limits
from relay.emulator.site import EmulatorSite, make_site

NOW = 1_767_323_045
NOW_TEXT = "2026-01-02T03:04:05Z"
ENTRY: Mapping[str, str] = {
    "GroupId": "0",
    "MetricName": "hits",
    "Dimensions": '{"host":"web-1"}',
    "Type": "1",
    "Period": "60",
    "Time": "1767322980000",
    "Values": '{"Sum":42}',
}

_nonces = itertools.count()


@dataclass(frozen=True)
class Reply:
    """An HTTP answer, taken apart."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        """The body, as the API answers."""
        answer: dict[str, Any] = json.loads(self.body)
        return answer

    @property
    def code(self) -> str:
        """The vendor's code."""
        return str(self.json["Code"])


class Connection:
    """The client's end of a connection without a socket."""

    def __init__(self, site: EmulatorSite) -> None:
        self._transport = StringTransport()  # type: ignore[no-untyped-call]
        address = IPv4Address("TCP", "127.0.0.1", 1)
        channel = site.buildProtocol(address)  # type: ignore[no-untyped-call]
        assert channel is not None
        self._channel = channel
        self._channel.makeConnection(self._transport)

    def feed(self, sent: bytes) -> None:
        """Let these bytes arrive."""
        self._channel.dataReceived(sent)

    def lose(self) -> None:
        """Hang up."""
        self._channel.connectionLost(Failure(ConnectionDone()))  # type: ignore[no-untyped-call]

    @property
    def came(self) -> bytes:
        """Everything the site sent so far."""
        return bytes(self._transport.value())  # type: ignore[no-untyped-call]

    @property
    def ended(self) -> bool:
        """Whether the site hung up."""
        return bool(self._transport.disconnecting)


class Door:
    """A site without a socket; ``clock`` moves its delays and its time of day."""

    def __init__(
        self,
        limits: Limits | None = None,
        keys: Mapping[str, str] | None = None,
        tokens: Mapping[str, str] | None = None,
    ) -> None:
        self.clock = Clock()
        self.site = make_site(
            keys=keys or {"id": "secret"},
            tokens=tokens,
            now=lambda: NOW + self.clock.seconds(),
            clock=self.clock,
            limits=limits,
        )
        self.emulator = self.site.emulator

    def open(self, request: bytes = b"") -> "Connection":
        """Send bytes on a new connection."""
        connection = Connection(self.site)
        connection.feed(request)
        return connection

    def send(self, request: bytes) -> Reply:
        """Send a whole request and read the answer to it."""
        return read_reply(self.open(request).came)

    def call(self, parameters: Mapping[str, str], method: str = "POST") -> Reply:
        """Send a V1 call in a form body, or in the URL of a GET."""
        return self.send(http_call(parameters, method))

    def put(self, *entries: Mapping[str, str]) -> Reply:
        """PutCustomMetric."""
        return self.call(signed(put_parameters(*entries)))

    def get(self, path: str, method: str = "GET", body: bytes = b"") -> Reply:
        """Ask for something beside the API."""
        return self.send(http(method, path, {"Host": "127.0.0.1:8128"}, body))

    def entries(self) -> list[dict[str, Any]]:
        """What was accepted, in order."""
        lines = self.get("/_emulator/entries").body.splitlines()
        return [json.loads(line) for line in lines]


def http(
    method: str, target: str, headers: Mapping[str, str], body: bytes = b""
) -> bytes:
    """A request as bytes; ``Content-Length`` is added."""
    lines = [f"{method} {target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines += [f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


def http_call(parameters: Mapping[str, str], method: str = "POST") -> bytes:
    """A call of the API, its parameters where ``method`` has them."""
    form = urlencode(parameters)
    if method == "GET":
        return http("GET", f"/?{form}", {"Host": "emulator"})
    headers = {
        "Host": "emulator",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    return http(method, "/", headers, form.encode())


def put_parameters(*entries: Mapping[str, str]) -> dict[str, str]:
    """The parameters of PutCustomMetric, unsigned."""
    numbered = {
        f"MetricList.{n}.{field}": value
        for n, entry in enumerate(entries, 1)
        for field, value in entry.items()
    }
    return {"Action": "PutCustomMetric", **numbered}


def signed(
    parameters: Mapping[str, str], method: str = "POST", **changed: str
) -> dict[str, str]:
    """``parameters`` with everything a V1 call needs; ``changed`` goes in before signing."""
    full = {
        "Version": "2019-01-01",
        "Format": "JSON",
        "AccessKeyId": "id",
        "SignatureMethod": "HMAC-SHA1",
        "SignatureVersion": "1.0",
        "SignatureNonce": f"nonce-{next(_nonces)}",
        "Timestamp": NOW_TEXT,
        **parameters,
        **changed,
    }
    return full | {"Signature": signature(list(full.items()), method)}


def signature(pairs: Sequence[tuple[str, str]], method: str = "POST") -> str:
    """V1 over these parameters with the secret ``secret``."""
    canonical = "&".join(f"{_pe(k)}={_pe(v)}" for k, v in sorted(pairs))
    text = f"{method}&%2F&{_pe(canonical)}"
    mac = hmac.new(b"secret&", text.encode(), hashlib.sha1).digest()
    return base64.b64encode(mac).decode()


def entry(**changed: str) -> dict[str, str]:
    """The usual entry with some fields changed."""
    return {**ENTRY, **changed}


def without(field: str) -> dict[str, str]:
    """The usual entry without a field."""
    return {name: value for name, value in ENTRY.items() if name != field}


def many(count: int) -> Iterator[dict[str, str]]:
    """Entries of different series."""
    return (entry(MetricName=f"hits_{n}") for n in range(count))


def read_reply(raw: bytes) -> Reply:
    """Take an answer apart."""
    head, _, body = raw.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    return Reply(int(status.split()[1]), headers, body)


def _pe(text: str) -> str:
    return quote(text, safe="~")
