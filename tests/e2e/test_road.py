"""The whole road with real processes: what is sent over UDP is what CloudMonitor gets.

A relay and the emulator are children of their own; the only things compared are lines
that were sent and entries that a verified request brought.
"""

import json
import random
import socket
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.e2e.children import Child
from tests.e2e.road import (
    assert_ledger_balances,
    entries,
    get,
    start_relay,
    status,
    wait_until,
)

pytestmark = pytest.mark.e2e

PERIOD_SECONDS = 2
LINES = 100_000
LINES_A_DATAGRAM = 40
DATAGRAMS_A_BURST = 50


@pytest.fixture
def emulator() -> Iterator[Child]:
    """The look-alike in a process of its own, taking the short periods."""
    child = Child.start(
        ["emulator", "--listen", "127.0.0.1:0", "--period", str(PERIOD_SECONDS)]
    )
    yield child
    assert child.stop() == 0


def mixed_lines(count: int) -> Iterator[tuple[str, str, float]]:
    """Lines of mixed kinds with the metric they belong to and what they add to it."""
    dice = random.Random(7)  # noqa: S311 - a fixed workload, not a secret
    for i in range(count):
        n = i % 200
        match dice.randrange(10):
            case 0 | 1 | 2:
                yield f"road.hits.{n}:1|c", f"road_hits_{n}", 1.0
            case 3:
                yield f"road.some.{n}:2|c|@0.5|#env:prod", f"road_some_{n}", 4.0
            case 4 | 5:
                yield f"road.ms.{n}:{n}.5|ms", f"road_ms_{n}", n + 0.5
            case 6:
                yield f"road.packed.{n}:1:2:3|d|#b:2,a:1", f"road_packed_{n}", 6.0
            case 7:
                yield f"road.level.{n}:{i}|g", f"road_level_{n}", 0.0
            case 8:
                yield f"road.users.{n}:u{i % 7}|s", f"road_users_{n}", 0.0
            case _:
                yield f"road.bad.{n}:x|c", "", 0.0


def send_paced(to: str, http: str, lines: list[str]) -> int:
    """Send in bursts, each only when the last has been read; returns the datagrams."""
    where = urlsplit(to)
    sent_lines = sent_datagrams = 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect((where.hostname, where.port))
        while sent_lines < len(lines):
            for _ in range(DATAGRAMS_A_BURST):
                chunk = lines[sent_lines : sent_lines + LINES_A_DATAGRAM]
                if chunk:
                    sender.send("\n".join(chunk).encode())
                    sent_lines, sent_datagrams = (
                        sent_lines + len(chunk),
                        sent_datagrams + 1,
                    )
            wait_until(
                "the relay did not read what was sent",
                partial(_has_read, http, sent_lines),
            )
    return sent_datagrams


def _has_read(http: str, lines: int) -> bool:
    return bool(status(http)["ledger"]["lines"] == lines)


def summed(found: list[dict[str, Any]], length: int) -> dict[str, float]:
    """``Sum`` by metric over the entries of one period length."""
    sums: dict[str, float] = defaultdict(float)
    for entry in found:
        if entry["Period"] == length:
            sums[entry["MetricName"]] += entry["Values"].get("Sum", 0.0)
    return {name: total for name, total in sums.items() if total}


def test_every_line_arrives_exactly_once(emulator: Child) -> None:
    """100,000 lines over UDP: the sums at the emulator equal what was sent, in periods
    of both lengths, also through a stop; the ledger is exact."""
    relay = start_relay(emulator, PERIOD_SECONDS)
    workload = list(mixed_lines(LINES))
    http = relay.urls["http"][0]
    datagrams = send_paced(
        relay.urls["listening"][0], http, [line for line, _, _ in workload]
    )
    ledger = status(http)["ledger"]
    assert_ledger_balances(ledger)
    assert ledger["lines"] == LINES
    bad = sum(1 for _, name, _ in workload if not name)
    assert ledger["refused"]["bad_value"] == bad == sum(ledger["refused"].values())
    assert [one["datagrams"] for one in status(http)["listeners"]] == [datagrams]

    assert relay.stop() == 0
    expected: dict[str, float] = defaultdict(float)
    for _, name, adds in workload:
        expected[name] += adds
    expected = {name: total for name, total in expected.items() if total}
    found = entries(emulator.urls["emulator"][0])
    assert summed(found, PERIOD_SECONDS) == pytest.approx(expected)
    assert summed(found, 5 * PERIOD_SECONDS) == pytest.approx(expected)
    identities = [
        (e["MetricName"], json.dumps(e["Dimensions"]), e["Period"], e["Time"])
        for e in found
    ]
    assert len(identities) == len(set(identities))


def test_entries_of_all_closed_periods_are_accounted(emulator: Child) -> None:
    """Once nothing waits, closed entries = acked = entries at the emulator."""
    relay = start_relay(emulator, PERIOD_SECONDS)
    http, site = relay.urls["http"][0], emulator.urls["emulator"][0]
    send_paced(
        relay.urls["listening"][0],
        http,
        [line for line, _, _ in mixed_lines(2_000)],
    )
    wait_until(
        "no period was delivered",
        lambda: status(http)["ledger"]["entries"]["acked"] > 0,
    )

    def settled() -> bool:
        before = status(http)["ledger"]["entries"]
        arrived = len(entries(site))
        after = status(http)["ledger"]["entries"]
        assert_ledger_balances(status(http)["ledger"])
        return bool(before == after and after["waiting"] == 0) and (
            arrived == after["acked"] == after["closed"]
        )

    wait_until("the entries never added up", settled)
    assert relay.stop() == 0


def test_readme_road_hello_is_visible() -> None:
    """`run --sink emulator`, then `send hello:1|c`: the series is in the emulator."""
    relay = Child.start(
        [
            *("run", "--sink", "emulator", "--emulator", "127.0.0.1:0"),
            *("--listen", "udp://127.0.0.1:0", "--http", "127.0.0.1:0"),
            *("--period", str(PERIOD_SECONDS)),
        ]
    )
    site = relay.urls["emulator"][0]
    assert "hello:1|c" in relay.stderr
    subprocess.run(
        [
            *(sys.executable, "-m", "relay", "send"),
            *("--to", relay.urls["listening"][0], "hello:1|c"),
        ],
        check=True,
    )

    def visible() -> bool:
        return any(
            entry["MetricName"] == "hello" and entry["Values"].get("Sum") == 1
            for entry in entries(site)
        )

    wait_until("hello did not arrive", visible, seconds=20)
    signatures = [
        json.loads(line)["signature"]
        for line in get(f"{site}/_emulator/requests").splitlines()
    ]
    assert set(signatures) == {"V3"}
    assert relay.stop() == 0


def test_ipv6_door(emulator: Child) -> None:
    """A UDP listener on ::1 takes lines as the one on 127.0.0.1 does."""
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    relay = start_relay(emulator, PERIOD_SECONDS, "--listen", "udp://[::1]:0")
    six = next(url for url in relay.urls["listening"] if "[::1]" in url)
    where = urlsplit(six)
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"six:1|c\n", (where.hostname, where.port))
    http = relay.urls["http"][0]
    wait_until("nothing came in", lambda: status(http)["ledger"]["lines"] == 1)
    assert relay.stop() == 0
    assert summed(entries(emulator.urls["emulator"][0]), PERIOD_SECONDS) == {"six": 1.0}
