"""The transport: every way in which an attempt can fail to bring an answer, in a table;
what goes on the wire beside the signed request; how much of an answer is kept.

No sockets here: the adapter beneath the HTTP library is a double. Real peers that hang,
drip and cut are met in tests/e2e.
"""

import errno
import gzip
import io
import socket
import ssl
from collections.abc import Callable
from typing import Any

import pytest
import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.exceptions import (
    IncompleteRead,
    MaxRetryError,
    ProtocolError,
    ReadTimeoutError,
)

from relay.cloudmonitor.exchange import Request
from relay.delivery.outcome import Outcome, Unavailable, Uncertain
from relay.sink.leash import Leash
from relay.sink.transport import ANSWER_BYTES_MAX, Answer, Transport

REQUEST = Request("POST", "https://metrics.example/", (("x-acs-date", "now"),), b"a=b")


class Double(HTTPAdapter):
    """Instead of the network: raises or answers, and remembers what it was given."""

    leash: Leash

    def __init__(self) -> None:
        super().__init__()
        self.error: BaseException | None = None
        self.sent = False
        self.status = 200
        self.headers: dict[str, str] = {"Content-Length": "0"}
        self.body: io.BytesIO = io.BytesIO()
        self.prepared: list[requests.PreparedRequest] = []
        self.options: dict[str, Any] = {}

    def send(
        self,
        request: requests.PreparedRequest,
        *args: Any,
        **options: Any,
    ) -> requests.Response:
        """One attempt."""
        self.prepared.append(request)
        self.options = options
        self.leash.sent = self.sent
        if self.error is not None:
            raise self.error
        raw = urllib3.HTTPResponse(
            body=self.body,
            headers=self.headers,
            status=self.status,
            preload_content=False,
            decode_content=False,
        )
        return self.build_response(request, raw)


def attempt(double: Double, **more: Any) -> Answer | Outcome:
    """Send the request over ``double``."""
    return Transport(adapter=lambda: double, **more).send(REQUEST)


def wrapped(*errors: BaseException) -> requests.ConnectionError:
    """As the HTTP library wraps what a socket raised."""
    *_, innermost = errors
    pool: Any = None
    reason = ProtocolError("Connection aborted.", innermost)
    return requests.ConnectionError(
        MaxRetryError(pool, "https://user:s3cret@metrics.example/", reason)
    )


def untrusted() -> requests.exceptions.SSLError:
    """A certificate that does not verify."""
    error = ssl.SSLCertVerificationError(1, "certificate verify failed: x")
    error.verify_message = "unable to get local issuer certificate"
    pool: Any = None
    return requests.exceptions.SSLError(MaxRetryError(pool, "/", error))


BEFORE, AFTER = False, True
POOL: Any = None
FAILURES: list[tuple[str, BaseException, bool, Outcome]] = [
    (
        "name not resolved",
        wrapped(socket.gaierror(-2, "Name or service not known")),
        BEFORE,
        Unavailable("the name is not resolved, before anything was sent"),
    ),
    (
        "connection refused",
        wrapped(ConnectionRefusedError(errno.ECONNREFUSED, "x")),
        BEFORE,
        Unavailable("connection refused (ECONNREFUSED), before anything was sent"),
    ),
    (
        "no route",
        wrapped(OSError(errno.EHOSTUNREACH, "No route to host")),
        BEFORE,
        Unavailable("network error (EHOSTUNREACH), before anything was sent"),
    ),
    (
        "TLS handshake failed",
        requests.exceptions.SSLError(ssl.SSLError(1, "WRONG_VERSION_NUMBER")),
        BEFORE,
        Unavailable("TLS failed, before anything was sent", lasting=True),
    ),
    (
        "connect timeout",
        requests.ConnectTimeout("x"),
        BEFORE,
        Unavailable("no answer in time, before anything was sent"),
    ),
    (
        "connect timeout of the socket",
        wrapped(TimeoutError("timed out")),
        BEFORE,
        Unavailable("no answer in time, before anything was sent"),
    ),
    (
        "certificate not trusted",
        untrusted(),
        BEFORE,
        Unavailable(
            "the certificate is not trusted: unable to get local issuer certificate",
            lasting=True,
        ),
    ),
    (
        "certificate not trusted, behind a proxy",
        untrusted(),
        AFTER,
        Unavailable(
            "the certificate is not trusted: unable to get local issuer certificate",
            lasting=True,
        ),
    ),
    (
        "the proxy refuses the tunnel",
        requests.exceptions.ProxyError("https://user:s3cret@proxy"),
        AFTER,
        Unavailable("the proxy does not let us through, before anything was sent"),
    ),
    (
        "reset",
        wrapped(ConnectionResetError(errno.ECONNRESET, "x")),
        AFTER,
        Uncertain("connection reset (ECONNRESET), after the request was sent"),
    ),
    (
        "read timeout",
        requests.ReadTimeout(ReadTimeoutError(POOL, "/", "x")),
        AFTER,
        Uncertain("no answer in time, after the request was sent"),
    ),
    (
        "TLS cut",
        requests.exceptions.SSLError(ssl.SSLEOFError(8, "EOF")),
        AFTER,
        Uncertain("TLS failed, after the request was sent"),
    ),
    (
        "no more threads",
        RuntimeError("can't start new thread s3cret"),
        BEFORE,
        Unavailable("RuntimeError, before anything was sent"),
    ),
    (
        "an URL that cannot be",
        requests.exceptions.InvalidURL("s3cret"),
        BEFORE,
        Unavailable("InvalidURL, before anything was sent"),
    ),
]


@pytest.mark.parametrize(
    ("error", "sent", "outcome"),
    [row[1:] for row in FAILURES],
    ids=[row[0] for row in FAILURES],
)
def test_failures(error: BaseException, sent: bool, outcome: Outcome) -> None:
    """Before the first byte it is certain that nothing was taken, afterwards it is not;
    and no foreign text gets out."""
    double = Double()
    double.error, double.sent = error, sent
    got = attempt(double)
    assert got == outcome
    assert "s3cret" not in repr(got)


def test_an_answer_comes_whole() -> None:
    """Status, headers and body as they are, of any status."""
    double = Double()
    double.status, double.headers = 400, {"x-acs-retry-after": "500"}
    double.body = io.BytesIO(b'{"Code":"Throttling"}')
    got = attempt(double)
    assert got == Answer(400, {"x-acs-retry-after": "500"}, b'{"Code":"Throttling"}')


def test_the_request_goes_out_as_it_was_signed() -> None:
    """Our headers, and none that changes what was signed; the body byte for byte."""
    double = Double()
    attempt(double)
    (prepared,) = double.prepared
    assert prepared.body == b"a=b"
    assert prepared.headers["x-acs-date"] == "now"
    assert set(prepared.headers) == {
        "x-acs-date",
        "User-Agent",
        "Accept-Encoding",
        "Content-Length",
    }


def test_a_netrc_does_not_replace_the_signature(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    """requests would put a password there in place of ours."""
    (tmp_path / "netrc").write_text("default login u password p\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    double = Double()
    signed = REQUEST._replace(headers=(("Authorization", "ACS3 x"),))
    Transport(adapter=lambda: double, trust_env=True).send(signed)
    assert double.prepared[0].headers["Authorization"] == "ACS3 x"


@pytest.mark.parametrize(("trusted", "proxies"), [(True, True), (False, False)])
def test_proxies_of_the_environment_are_a_choice(
    monkeypatch: pytest.MonkeyPatch, trusted: bool, proxies: bool
) -> None:
    """They are heeded where that was set."""
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    double = Double()
    attempt(double, trust_env=trusted)
    assert ("https" in double.options["proxies"]) is proxies


def test_redirects_are_answers() -> None:
    """A signed request goes where it was signed for, and nowhere else."""
    double = Double()
    double.status, double.headers = 302, {"Location": "https://elsewhere.example/"}
    got = attempt(double)
    assert isinstance(got, Answer)
    assert (got.status, len(double.prepared)) == (302, 1)


def test_cookies_do_not_stick() -> None:
    """Nothing the far end sets is sent back to it."""
    double = Double()
    double.headers = {"Set-Cookie": "a=b"}
    transport = Transport(adapter=lambda: double)
    transport.send(REQUEST)
    transport.send(REQUEST)
    assert "Cookie" not in double.prepared[1].headers


def test_no_more_than_64_kib_are_kept() -> None:
    """Of an answer without end the beginning is enough."""
    double = Double()
    double.body = io.BytesIO(b"x" * 10_000_000)
    got = attempt(double)
    assert isinstance(got, Answer)
    assert (len(got.body), got.cut) == (ANSWER_BYTES_MAX, True)


def test_a_compressed_bomb_does_not_go_off() -> None:
    """Never more is unpacked than is kept."""
    double = Double()
    double.headers = {"Content-Encoding": "gzip"}
    double.body = io.BytesIO(gzip.compress(b"\0" * 50_000_000))
    got = attempt(double)
    assert isinstance(got, Answer)
    assert (len(got.body), got.cut) == (ANSWER_BYTES_MAX, True)


def test_a_compressed_answer_is_read() -> None:
    """We ask for none, yet some proxies compress."""
    double = Double()
    double.headers = {"Content-Encoding": "gzip"}
    double.body = io.BytesIO(gzip.compress(b'{"Code":"200"}'))
    got = attempt(double)
    assert isinstance(got, Answer)
    assert (got.body, got.cut) == (b'{"Code":"200"}', False)


class Broken(io.BytesIO):
    """A body that ends with an exception."""

    def __init__(self, start: bytes, error: Exception) -> None:
        super().__init__(start)
        self.error = error

    def read1(self, size: int | None = -1, /) -> bytes:
        """The start, then the exception."""
        piece = super().read1(-1 if size is None else size)
        if not piece:
            raise self.error
        return piece


@pytest.mark.parametrize(
    "error", [ConnectionResetError(104, "x"), IncompleteRead(5, 10), TimeoutError("x")]
)
def test_what_came_before_a_cut_is_kept(error: Exception) -> None:
    """The code may stand in it."""
    double = Double()
    double.body = Broken(b'{"Code":"200",', error)
    got = attempt(double)
    assert isinstance(got, Answer)
    assert (got.body, got.cut) == (b'{"Code":"200",', True)


def counting(made: list[Double]) -> Callable[[], Double]:
    """A factory that remembers what it made."""

    def make() -> Double:
        made.append(Double())
        return made[-1]

    return make


def test_a_session_is_kept_then_renewed(monkeypatch: pytest.MonkeyPatch) -> None:
    """One for requests in a row; a new one after a pause or 45 s, so that a new address
    of the name is found within a minute."""
    now, made = [100.0], list[Double]()
    monkeypatch.setattr("relay.sink.transport.time.monotonic", lambda: now[0])
    transport = Transport(adapter=counting(made))
    sessions = []
    for now[0] in (100.0, 110.0, 120.0, 130.0, 140.0, 146.0, 162.0):
        transport.send(REQUEST)
        sessions.append(len(made))
    assert sessions == [1, 1, 1, 1, 1, 2, 3]


def test_a_session_that_failed_is_not_used_again() -> None:
    """Its connection is in an unknown state."""
    made: list[Double] = []
    transport = Transport(adapter=counting(made))
    transport.send(REQUEST)
    made[0].error = wrapped(ConnectionResetError(104, "x"))
    transport.send(REQUEST)
    transport.send(REQUEST)
    assert [len(double.prepared) for double in made] == [2, 1]


def test_an_empty_answer_without_a_length_counts_as_cut() -> None:
    """Headers that end with the connection look like that."""
    double = Double()
    double.status, double.headers = 400, {}
    got = attempt(double)
    assert got == Answer(400, {}, b"", cut=True)
