"""The management console of a running relay, as its peers know it from the reference."""

import json
import re
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.e2e.children import Child
from tests.e2e.load import descriptors, metric
from tests.e2e.road import status, wait_until

pytestmark = pytest.mark.e2e

REFERENCE: dict[str, Any] = json.loads(
    Path(__file__)
    .parents[1]
    .joinpath("vectors", "console-reference.json")
    .read_text("utf-8")
)
DUMPS = ("counters", "gauges", "timers")


@pytest.fixture
def relay() -> Iterator[Child]:
    """With a console, and a door of TCP beside that of UDP."""
    child = Child.start(
        [
            *("run", "--sink", "null", "--period", "3600", "--instance", "i"),
            *("--listen", "udp://127.0.0.1:0", "--listen", "tcp://127.0.0.1:0"),
            *("--http", "127.0.0.1:0", "--console", "127.0.0.1:0"),
        ]
    )
    yield child
    assert child.stop() == 0


def connected(url: str) -> socket.socket:
    where = urlsplit(url)
    return socket.create_connection((str(where.hostname), int(where.port or 0)), 10)


def send(relay: Child, text: bytes) -> None:
    door = urlsplit(relay.urls["listening"][0])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(text, (door.hostname, door.port))


def asked(peer: socket.socket, command: str, end: str) -> str:
    """The reply, which ends so."""
    peer.sendall(command.encode() + b"\n")
    found = b""
    while not found.endswith(end.encode()):
        piece = peer.recv(65536)
        assert piece, f"hung up after {found!r}"
        found += piece
    return found.decode()


def pairs(dump: str) -> dict[str, str]:
    """Of what the runtime of the reference prints of a table, without its own figures."""
    found = re.findall(r"'?([\w.;=-]+)'?: (\[[^]]*\]|[\d.]+)", dump)
    return {key: value for key, value in found if not key.startswith("statsd.")}


def test_the_references_conversation_is_answered_alike(relay: Child) -> None:
    """Byte for byte, but for dumps, where a line holds what is printed there, and for
    moments; timers have their statistics in place of their values."""
    send(relay, "\n".join(REFERENCE["lines"]).encode())
    http = relay.urls["http"][0]
    wait_until("unread", lambda: status(http)["ledger"]["lines"] == 12)
    with closing(connected(relay.urls["console"][0])) as peer:
        for command, reply in REFERENCE["said"]:
            word = command.split()[0]
            ours = asked(peer, command, "END\n\n" if "END" in reply else reply[-4:])
            if word in DUMPS:
                lines = [line.split(": ") for line in ours.splitlines() if ": " in line]
                theirs = pairs(reply)
                assert [key for key, *_ in lines] == list(theirs), command
                if word != "timers":
                    assert dict(lines) == theirs
                assert ours.endswith("\nEND\n\n")
            elif word == "stats":
                assert shape(ours)[:3] == shape(reply)[:3]
                assert ours.endswith("END\n\n")
            else:
                assert ours == reply, command
    assert metric(http, "series_forgotten_total") == 7


def shape(stats: str) -> list[str]:
    """Names, and what is not a moment."""
    return [
        line if "bad_lines" in line else line.partition(":")[0]
        for line in stats.splitlines()
    ]


def test_stats_are_what_checks_look_at(relay: Child) -> None:
    """Seconds since the last message and the last flush; a last exception long ago."""
    send(relay, b"a:1|c\nx:y|c")
    wait_until("unread", lambda: status(relay.urls["http"][0])["ledger"]["lines"] == 2)
    with closing(connected(relay.urls["console"][0])) as peer:
        said = asked(peer, "stats", "END\n\n")
    figures = dict(line.split(": ") for line in said.splitlines() if ": " in line)
    assert list(figures) == [
        *("uptime", "messages.last_msg_seen", "messages.bad_lines_seen"),
        *("null.last_flush", "null.last_exception", "null.flush_time"),
        "null.flush_length",
    ]
    assert int(figures["messages.last_msg_seen"]) < 30
    assert figures["messages.bad_lines_seen"] == "1"
    assert int(figures["null.last_exception"]) > 1_000_000_000


def test_a_health_check_in_any_segments(relay: Child) -> None:
    """Byte by byte, two commands in one segment, without a line's end, kept open."""
    with closing(connected(relay.urls["console"][0])) as peer:
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in b"health\r\n":
            peer.sendall(bytes([byte]))
        assert peer.recv(100) == b"health: up\n"
        assert asked(peer, "health down\nhealth", "down\nhealth: down\n") != ""
        peer.sendall(b"health up")  # as some checks do
        assert peer.recv(100) == b"health: up\n"
        peer.sendall(b"quit\n")
        assert peer.recv(100) == b""


def test_what_the_reference_has_not(relay: Child) -> None:
    """Sets, the last refused lines, what a line becomes, and the settings in force."""
    send(relay, b"s:a|s\ns:b|s\nx:y|c\nh:1|h")
    wait_until("unread", lambda: status(relay.urls["http"][0])["ledger"]["lines"] == 4)
    with closing(connected(relay.urls["console"][0])) as peer:
        assert asked(peer, "sets", "END\n\n") == "s: 2\n\nEND\n\n"
        assert asked(peer, "timers", "END\n\n") == (
            "h: count 1, mean 1, minimum 1, maximum 1\n\nEND\n\n"
        )
        assert asked(peer, "bad", "END\n\n") == "x:y|c: bad_value\nEND\n\n"
        said = asked(peer, "explain a b:3|c|@0.5", "END\n\n")
        assert "counter a_b: 3; rate 0.5" in said
        assert "reported as a_b with instance=i" in said
        assert asked(peer, "delsets s", "END\n\n") == "deleted: s\nEND\n\n"
        peer.sendall(b"config\nquit\n")
        said = b"".join(iter(lambda: peer.recv(65536), b"")).decode()
    assert said.startswith("\n")
    assert "\nsink: null\n" in said
    assert re.search(r"\nlisten > 1: tcp://127\.0\.0\.1:0\n", said)


def test_it_is_off_where_nobody_asked_for_it() -> None:
    """And then nothing says that there is one."""
    child = Child.start(
        [
            *("run", "--sink", "null", "--listen", "udp://127.0.0.1:0"),
            *("--http", "127.0.0.1:0"),
        ]
    )
    assert "console" not in child.urls
    assert status(child.urls["http"][0])["console"] is None
    assert child.stop() == 0


CONNECTIONS = 10_000


def test_connections_come_and_go(relay: Child) -> None:
    """Ten thousand, at the console and at the door of TCP, leave no descriptor behind."""
    http, door = relay.urls["http"][0], relay.urls["listening"][1]
    with closing(connected(relay.urls["console"][0])) as peer:
        asked(peer, "health", "up\n")
    usual = descriptors(relay)
    for number in range(CONNECTIONS // 2):
        with closing(connected(door)) as peer:
            peer.sendall(b"a:1|c\n")
        with closing(connected(relay.urls["console"][0])) as peer:
            peer.sendall(b"health\n")
            if number % 10 == 0:  # the others hang up before they are answered
                assert peer.recv(100) == b"health: up\n"
    # What waits to be accepted is no descriptor of the relay yet: its lines come first.
    wait_until(
        "lines are missing",
        lambda: status(http)["ledger"]["lines"] == CONNECTIONS // 2,
    )
    wait_until("descriptors are left", lambda: descriptors(relay) <= usual)
