"""Floods of names, noise, and datagrams made to hold the reactor: bars H1, H3, H4.

Memory is measured in processes of their own, since one that ran other tests has room
already.
"""

import json
import re
import socket
import subprocess
import sys
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.e2e.children import ROOT, Child, clean_environment
from tests.e2e.road import assert_ledger_balances, status, wait_until

pytestmark = pytest.mark.e2e

MIB = 2**20
MOST = 65_507
SLICE_SECONDS = 0.010


def measured(*words: object) -> dict[str, Any]:
    """What ``tests.e2e.hostile`` prints."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.e2e.hostile", *map(str, words)],
        env=clean_environment(),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.bar("H1")
@pytest.mark.parametrize(
    ("names", "pad"),
    [
        (500_000, 0),
        pytest.param(500_000, 990, marks=pytest.mark.soak),
        pytest.param(10_000_000, 0, marks=pytest.mark.soak),
    ],
    ids=["quick", "long names", "full"],
)
def test_a_flood_of_names(names: int, pad: int, figure: Callable[[str], None]) -> None:
    """It costs little memory and no line of what was known; it is counted, with what
    its names have in common; and in the next period new series are welcome again."""
    found = measured("flood", names, pad)
    figure(
        f"{names} names with {pad} characters more: {found['more_bytes'] / MIB:+.1f} MiB,"
        f" {found['known_lost']:.0f} known lines lost, {found['refused']} refused,"
        f" {found['wanted']} of 500 new ones taken next"
    )
    assert found["more_bytes"] <= 64 * MIB
    assert found["known_lost"] == 0
    assert names * 0.9 < found["refused"] < names
    assert found["series"] <= 100_000
    assert (set(found["prefixes"]), found["others"]) == ({"flood"}, 0)
    assert (found["wanted"], found["refused_after"]) == (500, 0)


@pytest.mark.bar("H3", "L1")
@pytest.mark.parametrize(
    "many",
    [20_000, pytest.param(1_000_000, marks=pytest.mark.soak)],
    ids=["quick", "full"],
)
def test_noise(many: int, figure: Callable[[str], None]) -> None:
    """Nothing is raised by random and mutated bytes, each section that the grammar finds
    is counted once, and nothing grows."""
    found = measured("noise", many, 1)
    figure(
        f"{many} datagrams, {found['sections']} sections: exact,"
        f" {found['more_bytes'] / MIB:+.1f} MiB"
    )
    assert found["sections"] == found["counted"] == found["said"]
    assert found["lines"] == found["counted_lines"]
    assert abs(found["more_bytes"]) <= 5 * MIB


def filled(line: Callable[[int], bytes]) -> bytes:
    """As many lines as a datagram has room for."""
    found: list[bytes] = []
    room = MOST
    while len(text := line(len(found))) < room:
        found.append(text)
        room -= len(text) + 1
    return b"\n".join(found)


HOSTILE = {
    "lines of two bytes": b"a\n" * (MOST // 2),
    "empty lines": b"\n" * MOST,
    "new counters": filled(lambda n: b"%x:1|c" % n),
    "new timers": filled(lambda n: b"%x:1|ms" % n),
    "new sets": filled(lambda n: b"%x:%x|s" % (n, n)),
    "new tags": filled(lambda n: b"a:1|c|#%x" % n),
    "one set": filled(lambda n: b"s:%x|s" % n),
    "one timer": filled(lambda _: b"t:1|ms"),
    "packed values": filled(lambda n: b"p%d" % n + b":1" * 4_000 + b"|ms"),
    "bad packed values": filled(lambda n: b"p%d" % n + b":" * 8_000 + b"|ms"),
    "packed deltas": filled(lambda n: b"p%d" % n + b":+1:1" * 127 + b"|g"),
    "sections": filled(lambda n: b"p%d" % n + b":1|c" * 256),
    "too many sections": filled(lambda n: b"p%d" % n + b":1|c" * 2_000),
    "fields": filled(lambda n: b"p%d:1|h" % n + b"|@1" * 2_000),
    "tags": filled(
        lambda n: b"p%d:1|c|#" % n + b",".join(b"k%d" % k for k in range(256))
    ),
    "too many tags": filled(lambda n: b"p%d:1|c|#" % n + b"k," * 3_000),
    "10,000 tags": b"t:1|c|#" + b",".join(b"%x" % n for n in range(10_000)),
    "20,000 packed values": b"a" + b":1" * 20_000 + b"|ms",
    "a name of 64 KB": b"a" * (MOST - 5) + b":1|c",
    "64 KB that are not UTF-8": b"\xff" * (MOST - 5) + b":1|c",
    "a number of 64 KB": b"a:" + b"1" * (MOST - 5) + b"|c",
}


@pytest.mark.bar("H4")
def test_no_datagram_holds_the_reactor(figure: Callable[[str], None]) -> None:
    """Whatever it is made of; the largest is read whole, and its lines in order."""
    relay = Child.start(
        [
            *("run", "--sink", "null", "--state", "off", "--instance", "web-1"),
            *("--listen", "udp://127.0.0.1:0", "--http", "127.0.0.1:0"),
        ],
        module="tests.e2e.hostile",
    )
    http, door = relay.urls["http"][0], urlsplit(relay.urls["listening"][0])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect((str(door.hostname), int(door.port or 0)))

        def sent(datagram: bytes) -> dict[str, Any]:
            before = status(http)["ledger"]["samples"]["distribution"]
            sender.send(datagram)
            sender.send(b"last:1|d")  # which waits behind it
            wait_until("not taken", lambda: markers(http) > before)
            ledger: dict[str, Any] = status(http)["ledger"]
            return ledger

        for size in (8_193, MOST):
            whole = b"whole:1|c\n" * (size // 10) + b"whole:1|c"[: size % 10]
            before = status(http)["ledger"]
            after = sent(whole)
            assert after["samples"]["counter"] - before["samples"]["counter"] == (
                size // 10
            )
        for datagram in HOSTILE.values():
            for _ in range(2):  # new, and known
                assert_ledger_balances(sent(datagram))
    assert relay.stop() == 0
    [longest] = re.findall(r"(?m)^longest (\S+)$", relay.stderr)
    figure(
        f"{len(HOSTILE)} kinds of 64 KB: {float(longest) * 1000:.1f} ms at a time at most"
    )
    assert float(longest) <= SLICE_SECONDS


def markers(http: str) -> int:
    return int(status(http)["ledger"]["samples"]["distribution"])
