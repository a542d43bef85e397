"""A thousand idle clients, bodies and headers without end: bar A1."""

import resource
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import pytest

from tests.e2e.children import Child
from tests.e2e.load import Load, health_seconds, metric, p99, resident_bytes
from tests.e2e.road import get, status, wait_until

pytestmark = pytest.mark.e2e

VISITORS = 1000
RSS_MORE_BYTES = 30 * 2**20
ANSWER_SECONDS = 0.25
IDLE_SECONDS = 60
BODY_BYTES = 100 * 2**20
DOORS = ("http", "emulator")


@pytest.fixture
def many_descriptors() -> Iterator[None]:
    """For the thousand sockets of this side."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    if before[1] != resource.RLIM_INFINITY and before[1] < 3 * VISITORS:
        pytest.skip(f"this machine allows {before[1]} descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (3 * VISITORS, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


class Visitors:
    """Connections to both doors; every second one sends a byte now and then."""

    def __init__(self, relay: Child) -> None:
        where = [urlsplit(relay.urls[word][0]) for word in DOORS]
        self.sockets = [
            socket.create_connection((url.hostname, url.port))
            for _ in range(VISITORS)
            for url in where
        ]
        for one in self.sockets[::2]:
            with suppress(OSError):
                one.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ")

    def drip(self) -> None:
        for one in self.sockets[::2]:
            with suppress(OSError):
                one.send(b"x")

    def left(self) -> int:
        """How many are still connected."""
        return sum(map(_is_open, self.sockets))

    def close(self) -> None:
        for one in self.sockets:
            one.close()


def _is_open(one: socket.socket) -> bool:
    try:
        while one.recv(4096, socket.MSG_DONTWAIT):
            continue
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def sent_until_refused(url: str, head: bytes, piece: bytes, many: int) -> int:
    """How many bytes a door takes of a request."""
    where, sent = urlsplit(url), 0
    with socket.create_connection((where.hostname, where.port), timeout=5) as one:
        with suppress(OSError):
            one.sendall(head)
            for _ in range(many):
                one.sendall(piece)
                sent += len(piece)
        with suppress(OSError):
            while one.recv(65536):
                continue
    return sent


def started() -> Child:
    return Child.start(
        [
            *("run", "--sink", "emulator", "--state", "off", "--period", "2"),
            *("--listen", "udp://127.0.0.1:0", "--http", "127.0.0.1:0"),
            *("--emulator", "127.0.0.1:0"),
        ]
    )


def refused(http: str) -> float:
    """How many had to go; none that is known of while a crowd arrives."""
    try:
        return metric(http, "connections_refused_total")
    except OSError:
        return 0


@pytest.mark.bar("A1")
@pytest.mark.usefixtures("many_descriptors")
def test_a_crowd_costs_little_and_nobody_else(
    figure: Callable[[str], None], request: pytest.FixtureRequest
) -> None:
    """Whoever behaves is answered, every line arrives, and memory stays.

    Once the crowd is there: while hundreds arrive in one turn, whoever is among them and
    was not answered yet may have to go with them.
    """
    relay = started()
    http = relay.urls["http"][0]
    load = Load(relay, series=100)
    wait_until("no load", lambda: status(http)["ledger"]["lines"] > 10_000)
    baseline = resident_bytes(relay)
    visitors = Visitors(relay)
    request.addfinalizer(visitors.close)
    wait_until("the crowd has not come", lambda: refused(http) >= 2 * VISITORS - 210)
    visitors.drip()
    taken = health_seconds(http, 2.5)
    assert p99(taken) <= ANSWER_SECONDS
    for word in DOORS:
        url = relay.urls[word][0]
        post = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n"
        body = sent_until_refused(url, post % BODY_BYTES, bytes(2**20), 100)
        assert body < BODY_BYTES
        line = b"GET / HTTP/1.1\r\nHost: localhost\r\n"
        sent_until_refused(url, line, b"X-Header: y\r\n", 10_000)
    more = resident_bytes(relay) - baseline
    assert more <= RSS_MORE_BYTES
    sent = load.stop()
    wait_until("lines are lost", lambda: status(http)["ledger"]["lines"] == sent.lines)
    figure(
        f"{2 * VISITORS} connections: {more / 2**20:.1f} MiB more, {sent.lines} lines and"
        f" none lost, health p99 {p99(taken) * 1000:.0f} ms, {refused(http):.0f} had to go"
    )
    assert relay.stop() == 0


@pytest.mark.bar("A1")
@pytest.mark.soak
@pytest.mark.usefixtures("many_descriptors")
def test_idle_connections_are_closed_within_a_minute(
    figure: Callable[[str], None],
) -> None:
    """Also those that send a byte every second."""
    relay = started()
    visitors = Visitors(relay)
    began = time.monotonic()
    while visitors.left() and time.monotonic() < began + IDLE_SECONDS:
        visitors.drip()
        time.sleep(1)
    assert visitors.left() == 0
    figure(f"the last of them closed after {time.monotonic() - began:.0f} s")
    visitors.close()
    assert get(f"{relay.urls['http'][0]}/healthz") == "ok\n"
    assert relay.stop() == 0
