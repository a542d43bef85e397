"""A real relay before peers that hang, drip, cut and flood, and behind a bad resolver.

Its reactor must not notice. An attempt has half a second here in place of fifteen.
"""

import gzip
import itertools
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.e2e.children import Child
from tests.e2e.faulty import OK, drip, faulty, hang, read_request
from tests.e2e.road import KEYS, assert_ledger_balances, get, status, wait_until
from tests.e2e.watched import LAG_SECONDS, NAME, Watch, resident_bytes

pytestmark = pytest.mark.e2e

Figure = Callable[[str], None]
SECONDS = 0.5
CLOSING = OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
BOMB = gzip.compress(b"\0" * 100_000_000)


def nothing(connection: socket.socket) -> None:
    hang(connection)


def half_the_headers(connection: socket.socket) -> None:
    connection.sendall(HEAD[:-2])
    hang(connection)


def half_the_body(connection: socket.socket) -> None:
    connection.sendall(HEAD + b'Content-Length: 57\r\n\r\n{"Co')
    hang(connection)


def a_byte_per_200_ms(connection: socket.socket) -> None:
    drip(connection, HEAD, pause=0.2)


def a_body_by_the_byte(connection: socket.socket) -> None:
    connection.sendall(HEAD + b"Content-Length: 5000\r\n\r\n")
    drip(connection, b" ", pause=0.2)


def a_reset(connection: socket.socket) -> None:
    connection.sendall(HEAD + b'Content-Length: 57\r\n\r\n{"Co')
    linger = b"\1\0\0\0\0\0\0\0"
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)


def a_hundred_megabytes(connection: socket.socket) -> None:
    connection.sendall(HEAD + b"Content-Length: 100000000\r\n\r\n")
    for _ in range(1000):
        connection.sendall(b" " * 100_000)


def a_bomb(connection: socket.socket) -> None:
    size = len(BOMB)
    head = b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % size
    connection.sendall(HEAD + head + BOMB)


FAULTS = [
    *(nothing, half_the_headers, half_the_body, a_byte_per_200_ms),
    *(a_body_by_the_byte, a_reset, a_hundred_megabytes, a_bomb),
]


class Moody:
    """Manners that have each fault once, and are good in between."""

    def __init__(self) -> None:
        self._turn = itertools.count()
        self.done = 0

    def __call__(self, connection: socket.socket) -> None:
        """As ``Manners``."""
        read_request(connection)
        turn, good = divmod(next(self._turn), 2)
        if good or turn >= len(FAULTS):
            self.done = turn + 1
            connection.sendall(CLOSING)
        else:
            FAULTS[turn](connection)


def started(port: int, watch: Watch, *more: str) -> Child:
    """A relay that reports to ``port`` each second."""
    return Child.start(
        [
            *("run", "--sink", "cloudmonitor", "--state", "off", "--period", "1"),
            *("--endpoint", f"http://{NAME}:{port}", "--stop-timeout", "1"),
            *("--request-timeout", str(SECONDS), "--uncertain-retries", "1000"),
            *("--listen", "udp://127.0.0.1:0", "--http", "127.0.0.1:0", *more),
        ],
        env={**KEYS, **watch.env},
    )


@pytest.fixture
def door() -> Iterator[socket.socket]:
    """To send lines from."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as one:
        yield one


def send(door: socket.socket, relay: Child, text: bytes) -> None:
    """One datagram."""
    where = urlsplit(relay.urls["listening"][0])
    door.sendto(text, (where.hostname, where.port))


def slow_requests(http: str) -> float:
    """Requests that took longer than an attempt may: its seconds, and one."""
    found = dict[str, float]()
    for line in get(f"{http}/metrics").splitlines():
        if line.startswith("cms_relay_request_seconds_bucket"):
            bound = line.split('"')[1]
            found[bound] = float(line.rpartition(" ")[2])
    bound = max(b for b in found if b != "+Inf" and float(b) <= SECONDS + 1)
    return found["+Inf"] - found[bound]


@pytest.mark.bar("K3", "L2")
def test_no_fault_of_a_peer_holds_up_the_relay(
    tmp_path: Path, door: socket.socket, figure: Figure
) -> None:
    """Each attempt ends in time, little of any answer is kept, timers fire in time."""
    manners, watch = Moody(), Watch(tmp_path)
    with faulty(manners) as peer:
        relay = started(peer.port, watch)
        watch.resolve(port=peer.port)
        http, before = relay.urls["http"][0], resident_bytes(relay)
        send(door, relay, b"\n".join(b"a%d:1|c" % n for n in range(60)))
        wait_until("not every fault was met", lambda: manners.done > len(FAULTS))
        grown = resident_bytes(relay) - before
        slow, ledger = slow_requests(http), status(http)["ledger"]
        p99 = watch.p99()
        assert relay.stop() == 0
    assert slow == 0
    assert grown < 16 * 2**20
    assert p99 <= LAG_SECONDS
    assert ledger["entries"]["parked"] == 0
    assert_ledger_balances(ledger)
    figure(
        f"{len(FAULTS)} faults in a relay: every attempt within {SECONDS} s + 1 s,"
        f" {grown / 2**20:.0f} MiB grown, lag p99 {p99 * 1e3:.1f} ms"
    )


def delivered(http: str) -> int:
    return int(status(http)["ledger"]["entries"]["acked"])


def reason(http: str) -> str:
    return str(status(http)["sink"]["reason"])


@pytest.mark.bar("K5", "L2")
def test_no_resolver_holds_up_the_relay(
    tmp_path: Path, door: socket.socket, figure: Figure
) -> None:
    """A name that is not there, a server that fails, 30 s of silence: each is named, what
    is received is kept, and is delivered once the name is known."""
    watch = Watch(tmp_path)
    troubles: list[tuple[dict[str, float], str]] = [
        ({"error": socket.EAI_NONAME}, "the name is not resolved"),
        ({"error": socket.EAI_AGAIN}, "the name is not resolved"),
        ({"hang": 30.0, "error": socket.EAI_AGAIN}, "the resolver does not answer"),
    ]
    with faulty(serve_once) as peer:
        relay = started(peer.port, watch)
        http, slowest = relay.urls["http"][0], 0.0
        for does, words in troubles:
            watch.resolve(**does)
            send(door, relay, b"a:1|c")
            wait_until(words, lambda words=words: words in reason(http))  # type: ignore[misc]  # bound now
            began = time.monotonic()
            assert get(f"{http}/healthz") == "ok\n"
            slowest = max(slowest, time.monotonic() - began)
            if "hang" not in does:
                had = delivered(http)
                watch.resolve(port=peer.port)
                wait_until("delivered", lambda had=had: delivered(http) > had)  # type: ignore[misc]  # likewise
        p99, ledger = watch.p99(), status(http)["ledger"]
        began = time.monotonic()
        assert relay.stop() == 0
        stop = time.monotonic() - began
    assert p99 <= LAG_SECONDS
    assert slowest <= 0.25
    assert stop <= 1 + 1
    assert_ledger_balances(ledger)
    assert sum(ledger["samples"].values()) == len(troubles)
    figure(
        f"no name, failure, 30 s of silence: lag p99 {p99 * 1e3:.1f} ms, health page"
        f" {slowest * 1e3:.0f} ms, stop {stop:.1f} s"
    )


def serve_once(connection: socket.socket) -> None:
    """A good answer, and the connection ends."""
    read_request(connection)
    connection.sendall(CLOSING)
