"""The sink against real peers that hang, drip, cut, flood and redirect.

Each attempt has half a second here in place of fifteen; the bar is that it ends within
that and a second, with the right outcome, whatever the peer does.
"""

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from relay.cloudmonitor.credentials import Credentials, Secret
from relay.cloudmonitor.exchange import Request, endpoint_at
from relay.cloudmonitor.packing import compose
from relay.credentials.static import Static
from relay.delivery.batch import Batch
from relay.delivery.outcome import Accepted, Outcome, Unavailable, Uncertain
from relay.sink.cloudmonitor import CloudMonitorSink
from relay.sink.transport import ANSWER_BYTES_MAX, Answer, Transport
from tests.e2e.faulty import OK, Manners, drip, faulty, hang, read_request
from tests.sink.contract import rollup

pytestmark = pytest.mark.e2e

Figure = Callable[[str], None]
SECONDS, GRACE = 0.5, 1.0
BATCH: Batch = next(compose(rollup()).batches)


def sink_at(
    port: int, scheme: str = "http", host: str = "127.0.0.1"
) -> CloudMonitorSink:
    """One that gives an attempt half a second."""
    return CloudMonitorSink(
        endpoint=endpoint_at(f"{scheme}://{host}:{port}"),
        compose=compose,
        provider=Static(Credentials("id", Secret("secret"))),
        transport=Transport(seconds=SECONDS),
        wall=time.time,
        nonce=lambda: "n",
    )


def timed(work: Callable[[], Outcome]) -> tuple[Outcome, float]:
    """What came of it, and how long it took."""
    start = time.monotonic()
    return work(), time.monotonic() - start


def hang_in_headers(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-")
    hang(connection)


def drip_headers(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
    drip(connection, b"x")


def hang_in_body(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 57\r\n\r\n{")
    hang(connection)


def drip_body(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n")
    drip(connection, b" ")


def drip_chunks(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    drip(connection, b"1\r\n \r\n", pause=0.02)


def answer_hang(connection: socket.socket) -> None:
    read_request(connection)
    hang(connection)


SLOW: list[Manners] = [
    hang,
    answer_hang,
    hang_in_headers,
    drip_headers,
    hang_in_body,
    drip_body,
    drip_chunks,
]


@pytest.mark.bar("K3")
@pytest.mark.parametrize("manners", SLOW, ids=lambda manners: manners.__name__)
def test_a_slow_peer_is_left_in_time(manners: Manners, figure: Figure) -> None:
    """By our clock, though every socket operation was in time; the outcome is unknown,
    since the request had left."""
    with faulty(manners) as peer:
        outcome, took = timed(lambda: sink_at(peer.port).deliver(BATCH))
    assert isinstance(outcome, Uncertain)
    assert took < SECONDS + GRACE
    figure(f"{manners.__name__}: {took:.2f} s of {SECONDS} s + 1 s")


@contextmanager
def never_accepting() -> Iterator[int]:
    """The port of a listener whose queue is full: a connect gets no answer."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        address = listener.getsockname()
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(address)
        yield address[1]
        for filler in fillers:
            filler.close()


@pytest.mark.bar("K3")
def test_a_peer_that_does_not_accept_was_sent_nothing(figure: Figure) -> None:
    """Certainly not taken."""
    with never_accepting() as port:
        outcome, took = timed(lambda: sink_at(port).deliver(BATCH))
    assert isinstance(outcome, Unavailable)
    assert took < SECONDS + GRACE
    figure(f"connect: {took:.2f} s of {SECONDS} s + 1 s")


def test_a_dead_address_leaves_time_for_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A name with two addresses, of which the first does not answer."""
    with never_accepting() as dead, faulty(serve_forever) as alive:
        found = [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))
            for port in (dead, alive.port)
        ]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        outcome, took = timed(lambda: sink_at(dead).deliver(BATCH))
    assert isinstance(outcome, Accepted)
    assert took < SECONDS


class Elsewhere:
    """A name whose address is another one from some moment on, and a clock to set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, port: int) -> None:
        self.port, self.later = port, 0.0
        known, monotonic = socket.getaddrinfo, time.monotonic

        def getaddrinfo(host: str, port: int, **more: Any) -> Any:
            found = host == "localhost" and not more.get("flags")
            there = ("127.0.0.1", self.port) if found else (host, port)
            return known(*there, **more)

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        monkeypatch.setattr(time, "monotonic", lambda: monotonic() + self.later)


@pytest.mark.bar("K5")
def test_a_new_address_is_used_within_a_minute(
    monkeypatch: pytest.MonkeyPatch, figure: Figure
) -> None:
    """Though the connection to the old one is kept, in use and well."""
    with faulty(serve_forever) as old, faulty(serve_forever) as new:
        name = Elsewhere(monkeypatch, old.port)
        sink = sink_at(old.port, host="localhost")
        assert isinstance(sink.deliver(BATCH), Accepted)
        name.port = new.port
        while not new.connections and name.later < 100:
            name.later += 5
            assert isinstance(sink.deliver(BATCH), Accepted)
        assert old.connections == 1
    assert name.later <= 60
    figure(f"new address used after {name.later:g} s of requests to the old one")


@pytest.mark.bar("K5")
def test_an_address_that_died_is_given_up_with_the_attempt(
    monkeypatch: pytest.MonkeyPatch, figure: Figure
) -> None:
    """The one attempt it costs ends in time; the next one asks for the name again."""

    def once(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(OK)
        hang(connection)

    with faulty(once) as old, faulty(serve_forever) as new:
        name = Elsewhere(monkeypatch, old.port)
        sink = sink_at(old.port, host="localhost")
        assert isinstance(sink.deliver(BATCH), Accepted)
        name.port = new.port
        outcomes = [sink.deliver(BATCH) for _ in range(2)]
        assert (old.connections, new.connections) == (1, 1)
    assert [type(one) for one in outcomes] == [Uncertain, Accepted]
    figure("a dead address costs one attempt")


def test_a_tls_handshake_that_hangs_was_sent_nothing() -> None:
    """Not one byte of the request leaves before the peer has shown who it is."""
    with faulty(hang) as peer:
        outcome, took = timed(lambda: sink_at(peer.port, "https").deliver(BATCH))
    assert isinstance(outcome, Unavailable)
    assert took < SECONDS + GRACE


def test_plain_http_on_the_tls_port_is_lasting() -> None:
    """Not a matter of trying again soon."""

    def speak_plainly(connection: socket.socket) -> None:
        connection.recv(100)
        connection.sendall(OK)

    with faulty(speak_plainly) as peer:
        outcome = sink_at(peer.port, "https").deliver(BATCH)
    assert isinstance(outcome, Unavailable)
    assert outcome.lasting


def test_nobody_there_is_unavailable() -> None:
    """Refused: certainly not taken."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    outcome = sink_at(port).deliver(BATCH)
    assert outcome == Unavailable(
        "connection refused (ECONNREFUSED), before anything was sent"
    )


def reset(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 57\r\n\r\n{")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def cut_after_request(connection: socket.socket) -> None:
    read_request(connection)


def cut_in_body(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(OK[:-20])


def not_http(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(b"220 mail.example ESMTP\r\n")


def cut_in_headers(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Ty")


@pytest.mark.parametrize(
    "manners",
    [reset, cut_after_request, cut_in_headers, not_http],
    ids=lambda manners: manners.__name__,
)
def test_a_peer_that_goes_away_leaves_it_open(manners: Manners) -> None:
    """The request had left: nobody knows whether it was taken."""
    with faulty(manners) as peer:
        outcome = sink_at(peer.port).deliver(BATCH)
    assert isinstance(outcome, Uncertain)


def test_a_cut_answer_counts_if_its_code_was_read() -> None:
    """What matters came before the cut."""
    with faulty(cut_in_body) as peer:
        assert isinstance(sink_at(peer.port).deliver(BATCH), Accepted)


@pytest.mark.bar("K3")
def test_an_endless_answer_is_not_kept(figure: Figure) -> None:
    """100 MB: 64 KiB are read, and the connection is given up at once."""

    def flood(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
        for _ in range(1000):
            connection.sendall(b" " * 100_000)

    with faulty(flood) as peer:
        start = time.monotonic()
        got = Transport(seconds=5).send(bare_request(peer.port))
        took = time.monotonic() - start
    assert isinstance(got, Answer)
    assert (len(got.body), got.cut) == (ANSWER_BYTES_MAX, True)
    assert took < 1
    figure(f"100 MB: {len(got.body)} bytes kept")


def bare_request(port: int) -> Request:
    """One that only a transport looks at."""
    return Request("POST", f"http://127.0.0.1:{port}/", (), b"a=b")


def test_redirects_are_not_followed() -> None:
    """The signed request goes to one place; a captive portal is asked once a minute."""

    def elsewhere(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(
            b"HTTP/1.1 307 Temporary Redirect\r\nContent-Length: 0\r\n"
            b"Location: http://127.0.0.1:%d/\r\n\r\n" % other.port
        )

    with faulty(hang) as other, faulty(elsewhere) as peer:
        outcome = sink_at(peer.port).deliver(BATCH)
        assert other.connections == 0
    assert isinstance(outcome, Unavailable)
    assert outcome.lasting


def serve_forever(connection: socket.socket) -> None:
    while True:
        read_request(connection)
        connection.sendall(OK)


def test_a_connection_is_kept() -> None:
    """Requests in a row use one; each has its own second."""
    with faulty(serve_forever) as peer:
        sink = sink_at(peer.port)
        outcomes = [sink.deliver(BATCH) for _ in range(20)]
        assert peer.connections == 1
    assert outcomes == [Accepted("r-0000001")] * 20


def test_a_kept_connection_is_on_the_leash_too() -> None:
    """A peer that answers once and then drips is left in time."""

    def once(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(OK)
        drip_headers(connection)

    with faulty(once) as peer:
        sink = sink_at(peer.port)
        assert isinstance(sink.deliver(BATCH), Accepted)
        outcome, took = timed(lambda: sink.deliver(BATCH))
    assert isinstance(outcome, Uncertain)
    assert took < SECONDS + GRACE


def test_close_ends_what_is_under_way() -> None:
    """A stop does not wait for a peer that hangs, and nothing is sent any more."""
    with faulty(hang) as peer:
        transport = Transport(seconds=30)
        threading.Timer(0.3, transport.close).start()
        start = time.monotonic()
        got = transport.send(bare_request(peer.port))
        assert time.monotonic() - start < 1
        assert isinstance(got, Uncertain)
        again = transport.send(bare_request(peer.port))
        assert isinstance(again, Unavailable)
