"""TLS peers that are not who they should be: nothing is said to them.

The peers are real, their certificates made for the test. A peer counts the connections
and keeps whatever bytes of a request it got to see in the clear.
"""

import socket
import ssl
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from relay.cloudmonitor.credentials import Credentials, Secret
from relay.cloudmonitor.exchange import endpoint_at
from relay.cloudmonitor.packing import compose
from relay.credentials.static import Static
from relay.delivery.outcome import Accepted, Outcome, Unavailable
from relay.errors import ConfigError
from relay.sink.cloudmonitor import CloudMonitorSink
from relay.sink.transport import Transport
from tests.e2e.children import Child
from tests.e2e.faulty import OK, Faulty, faulty, hang, read_request
from tests.e2e.road import KEYS, assert_ledger_balances, status, wait_until
from tests.service.courier_rig import Rig
from tests.sink.contract import rollup

pytestmark = [pytest.mark.e2e, pytest.mark.bar("K4")]

Figure = Callable[[str], None]
BATCH = next(compose(rollup()).batches)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Whom the relay trusts, where it is told to."""
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Path:
    """Its certificate."""
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return path


class TlsPeer:
    """Manners of a TLS server; ``heard`` is what came through in the clear."""

    def __init__(
        self,
        certificate: trustme.LeafCert,
        *,
        newest: ssl.TLSVersion = ssl.TLSVersion.MAXIMUM_SUPPORTED,
        answer: bytes = OK,
    ) -> None:
        self.heard = b""
        self._answer = answer
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if newest is not ssl.TLSVersion.MAXIMUM_SUPPORTED:
            self._context.set_ciphers("ALL:@SECLEVEL=0")
            with warnings.catch_warnings(action="ignore"):
                self._context.minimum_version = newest
                self._context.maximum_version = newest
        certificate.configure_cert(self._context)

    def __call__(self, connection: socket.socket) -> None:
        """As ``Manners``."""
        with (
            suppress(ssl.SSLError),
            self._context.wrap_socket(connection, server_side=True) as secure,
        ):
            while data := secure.recv(65536):
                self.heard += data
                if b"\r\n\r\n" in self.heard:
                    secure.sendall(self._answer)


class PlainPeer:
    """Speaks HTTP where TLS is expected."""

    heard = b""

    def __call__(self, connection: socket.socket) -> None:
        """As ``Manners``."""
        connection.recv(65536)  # the hello of a handshake, which says nothing
        connection.sendall(OK)
        while data := connection.recv(65536):
            self.heard += data


Peer = TlsPeer | PlainPeer


def unknown(_: trustme.CA) -> Peer:
    return TlsPeer(trustme.CA().issue_cert("127.0.0.1"))


def expired(ca: trustme.CA) -> Peer:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    return TlsPeer(ca.issue_cert("127.0.0.1", not_after=yesterday))


def wrong_name(ca: trustme.CA) -> Peer:
    return TlsPeer(ca.issue_cert("metrics.example.com"))


def old_tls(ca: trustme.CA) -> Peer:
    return TlsPeer(ca.issue_cert("127.0.0.1"), newest=ssl.TLSVersion.TLSv1_1)


def plain(_: trustme.CA) -> Peer:
    return PlainPeer()


FAULTS: list[tuple[Callable[[trustme.CA], Peer], str]] = [
    (unknown, "the certificate is not trusted: unable to get local issuer"),
    (expired, "the certificate is not trusted: certificate has expired"),
    (wrong_name, "the certificate is not trusted: IP address mismatch"),
    (old_tls, "TLS failed"),
    (plain, "TLS failed"),
]
FAULT = pytest.mark.parametrize(
    ("make", "reason"), FAULTS, ids=[make.__name__ for make, _ in FAULTS]
)


def sink_at(port: int, ca_file: Path) -> CloudMonitorSink:
    """One that trusts the test's authority."""
    return CloudMonitorSink(
        endpoint=endpoint_at(f"https://127.0.0.1:{port}"),
        compose=compose,
        provider=Static(Credentials("id", Secret("secret"))),
        transport=Transport(seconds=5, ca_file=ca_file),
        wall=time.time,
        nonce=lambda: "n",
    )


def held_for_ten_minutes(peer: Faulty, ca_file: Path) -> Outcome:
    """A courier's ten minutes before ``peer``, on a simulated clock."""
    sink = sink_at(peer.port, ca_file)
    rig = Rig(sink=sink, proven=False)
    for minute in range(10):
        closed = BATCH._replace(id=f"{minute}", closed_at=int(rig.wall()))
        rig.ledger.closed(len(BATCH.items), rig.spool.append([closed]))
        rig.courier.wake()
        rig.run(60, step=1.0)
    status = rig.courier.status()
    assert status.state == "held"
    counts = rig.ledger.snapshot()
    assert (counts.waiting, counts.balances) == (10 * len(BATCH.items), True)
    return Unavailable(status.reason)


@FAULT
def test_not_a_byte_is_said_to_the_wrong_peer(
    make: Callable[[trustme.CA], Peer],
    reason: str,
    authority: trustme.CA,
    ca_file: Path,
    figure: Figure,
) -> None:
    """Ten minutes of it: one attempt each, nothing sent, the reason in the status."""
    manners = make(authority)
    with faulty(manners) as peer:
        outcome = held_for_ten_minutes(peer, ca_file)
        attempts = peer.connections
    assert isinstance(outcome, Unavailable)
    assert outcome.reason.startswith(reason)
    assert manners.heard == b""
    assert attempts <= 10
    figure(f"{make.__name__}: 0 bytes sent, {attempts} attempts in 10 min")


def redirecting(port: int) -> bytes:
    """To somewhere else."""
    return (
        b"HTTP/1.1 307 Temporary Redirect\r\nContent-Length: 0\r\n"
        b"Location: https://127.0.0.1:%d/\r\n\r\n" % port
    )


def test_a_redirect_is_not_followed(
    authority: trustme.CA, ca_file: Path, figure: Figure
) -> None:
    """The other place is not even connected to; the first is asked once a minute."""
    certificate = authority.issue_cert("127.0.0.1")
    with faulty(hang) as other:
        manners = TlsPeer(certificate, answer=redirecting(other.port))
        with faulty(manners) as peer:
            outcome = held_for_ten_minutes(peer, ca_file)
            requests = manners.heard.count(b"POST / ")
        assert other.connections == 0
    assert isinstance(outcome, Unavailable)
    assert outcome.reason.startswith("HTTP 307")
    assert requests <= 10
    figure(f"redirect: followed 0 times, {requests} requests in 10 min")


@pytest.fixture
def relay_at() -> Callable[..., Child]:
    """Starts a relay that reports to a port by TLS, with more flags or variables."""

    def start(port: int, *more: str, **env: str) -> Child:
        return Child.start(
            [
                *("run", "--sink", "cloudmonitor", "--state", "off", "--period", "1"),
                *("--endpoint", f"https://127.0.0.1:{port}", "--stop-timeout", "0"),
                *("--listen", "udp://127.0.0.1:0", "--http", "127.0.0.1:0", *more),
            ],
            env=KEYS | env,
        )

    return start


def say_something(relay: Child) -> None:
    """So that there is an entry to deliver."""
    host, _, port = relay.urls["listening"][0].removeprefix("udp://").partition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        door.sendto(b"a:1|c", (host, int(port)))


def test_the_status_says_why(
    authority: trustme.CA, ca_file: Path, relay_at: Callable[..., Child], figure: Figure
) -> None:
    """After the first attempt of a real relay, and there is no second for a while."""
    manners = expired(authority)
    with faulty(manners) as peer:
        relay = relay_at(peer.port, "--ca-file", str(ca_file))
        say_something(relay)
        http = relay.urls["http"][0]
        wait_until("held", lambda: status(http)["sink"]["state"] == "held")
        attempts = peer.connections
        wait_until(
            "more periods",
            lambda: status(http)["ledger"]["entries"]["waiting"] >= 2,
        )
        assert (attempts, peer.connections, manners.heard) == (1, 1, b"")
        told = status(http)
    assert "certificate has expired" in told["sink"]["reason"]
    assert_ledger_balances(told["ledger"])
    figure("a real relay: reason in /status after 1 attempt, no second one")


def test_a_private_authority_can_be_trusted(
    authority: trustme.CA, ca_file: Path, relay_at: Callable[..., Child]
) -> None:
    """By a variable that other programs heed; the flag is used above."""

    def serve(connection: socket.socket) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        with context.wrap_socket(connection, server_side=True) as secure:
            while True:
                read_request(secure)
                secure.sendall(OK)

    with faulty(serve) as peer:
        relay = relay_at(peer.port, SSL_CERT_FILE=str(ca_file))
        say_something(relay)
        http = relay.urls["http"][0]
        wait_until("delivered", lambda: status(http)["ledger"]["entries"]["acked"] >= 1)


def test_certifis_roots_do_not_hold_beside_it(ca_file: Path) -> None:
    """The file takes their place: whom it does not name is not trusted."""
    manners = unknown(trustme.CA())
    with faulty(manners) as peer:
        outcome = sink_at(peer.port, ca_file).deliver(BATCH)
    assert isinstance(outcome, Unavailable)
    assert outcome.lasting


@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_a_file_without_certificates_is_a_wrong_setting(
    tmp_path: Path, content: str | None
) -> None:
    """Said at the start, not with each attempt."""
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ConfigError, match=r"ca\.pem"):
        Transport(ca_file=path)


def test_a_known_peer_is_spoken_to(authority: trustme.CA, ca_file: Path) -> None:
    """The same peer with the right certificate gets the request."""
    manners = TlsPeer(authority.issue_cert("127.0.0.1"))
    with faulty(manners) as peer:
        assert isinstance(sink_at(peer.port, ca_file).deliver(BATCH), Accepted)
    assert manners.heard.startswith(b"POST / ")
