"""Several sockets on one port, each drained by a thread: what arrives, what is refused."""

import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from relay.pipeline import engine_names
from tests.e2e.children import ROOT, Child, clean_environment
from tests.e2e.lives import PERIOD, start_emulator
from tests.e2e.load import metric, threads
from tests.e2e.road import (
    assert_ledger_balances,
    entries,
    start_relay,
    status,
    wait_until,
)

if "native" not in engine_names():
    pytest.skip("the native engine was not built", allow_module_level=True)

pytestmark = [pytest.mark.e2e, pytest.mark.native]

LISTENERS, SENDERS = 4, 12


class Sender(threading.Thread):
    """One source port, so one of the sockets; a known number of each kind."""

    def __init__(self, url: str, number: int, seconds: float) -> None:
        super().__init__(daemon=True)
        parts = urlsplit(url)
        self._to, self._number = (parts.hostname, parts.port), number
        self._seconds = seconds
        self.datagrams = 0

    def run(self) -> None:
        lines = [
            *(f"c{n}:1|c" for n in range(40)),
            *(f"t{n}:{self._number}|ms" for n in range(20)),
            *(f"s{n}:{self._number}|s" for n in range(5)),
            *(f"g{n}:3|g" for n in range(5)),
            f"own.{self._number}:1|c",
        ]
        datagram = "\n".join(lines).encode()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.connect(self._to)
            until = time.monotonic() + self._seconds
            while time.monotonic() < until:
                sender.send(datagram)
                self.datagrams += 1
                time.sleep(0.002)


def rows_of(relay: Child) -> list[list[str]]:
    """The process's UDP sockets, as the kernel shows them."""
    links = Path(f"/proc/{relay.process.pid}/fd").iterdir()
    mine = {link.readlink().name[8:-1] for link in links}
    rows = [row.split() for row in Path("/proc/net/udp").read_text().splitlines()[1:]]
    return [row for row in rows if row[9] in mine]


def sums(found: Sequence[dict[str, Any]], length: int) -> Counter[str]:
    """What counters add up to, and how many samples timers had."""
    total: Counter[str] = Counter()
    for entry in found:
        if entry["Period"] == length:
            word, values = entry["MetricName"], entry["Values"]
            total[word] += values.get("Sum" if word[0] in "co" else "SampleCount", 0)
    return total


def test_senders_on_several_sockets_are_added_up_exactly() -> None:
    """Over many periods, with looks and reloads in between, and nothing lost at a stop."""
    emulator = start_emulator()
    relay = start_relay(emulator, PERIOD, "--listeners", str(LISTENERS))
    [url], http = relay.urls["listening"], relay.urls["http"][0]
    assert len({row[1] for row in rows_of(relay)}) == 1
    [shown] = status(http)["listeners"]
    assert len(rows_of(relay)) == shown["sockets"] == LISTENERS
    senders = [Sender(url, number, 4 * PERIOD) for number in range(SENDERS)]
    for sender in senders:
        sender.start()
    while any(sender.is_alive() for sender in senders):
        assert_ledger_balances(status(http)["ledger"])
        relay.process.send_signal(signal.SIGHUP)
        time.sleep(0.3)
    sent = sum(sender.datagrams for sender in senders)
    assert relay.stop() == 0
    found = entries(emulator.urls["emulator"][0])
    for length in (PERIOD, 5 * PERIOD):
        total = sums(found, length)
        assert {total[f"c{n}"] for n in range(40)} == {sent}
        assert {total[f"t{n}"] for n in range(20)} == {sent}
        assert {total[f"g{n}"] for n in range(5)} == {sent}
        own = {f"own.{n}": sender.datagrams for n, sender in enumerate(senders)}
        assert {word: total[word.replace(".", "_")] for word in own} == own
    most = max(
        entry["Values"]["LastValue"] for entry in found if entry["MetricName"] == "s0"
    )
    assert most == SENDERS
    assert emulator.stop() == 0


def start(*more: str, listen: str = "udp://127.0.0.1:0") -> Child:
    words = ("run", "--sink", "null", "--http", "127.0.0.1:0", "--listen", listen)
    return Child.start([*words, *more])


@pytest.mark.parametrize("listeners", ["1", "2"])
@pytest.mark.parametrize("holders", ["1", "2"])
def test_a_port_that_another_relay_has_is_refused(holders: str, listeners: str) -> None:
    """However many sockets either of them has: it would take a part of the senders away."""
    holder = start("--listeners", holders)
    [url] = holder.urls["listening"]
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "relay", "run", "--sink", "null", "--http", "off"),
            *("--listen", url, "--listeners", listeners),
        ],
        env=clean_environment(),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.returncode != 0
    assert f"--listen {url}: [Errno 98] Address already in use" in ended.stderr
    assert holder.stop() == 0


def test_what_several_sockets_drop_and_hold_is_told_in_one() -> None:
    """A stopped relay drops what its buffers have no room for; each socket's is counted."""
    relay = start("--listeners", "2", "--receive-buffer", "8192")
    [url], http = relay.urls["listening"], relay.urls["http"][0]
    parts = urlsplit(url)
    relay.process.send_signal(signal.SIGSTOP)
    for _ in range(50):  # as many source ports, so both of the sockets
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for _ in range(40):
                sender.sendto(b"a:1|c", (parts.hostname, parts.port))
    dropped = [int(row[12]) for row in rows_of(relay)]
    relay.process.send_signal(signal.SIGCONT)
    assert len(dropped) == 2
    assert all(dropped)
    assert metric(http, "kernel_drops_total") == sum(dropped)
    [shown] = status(http)["listeners"]
    assert shown["kernel_drops"] == sum(dropped)
    wait_until(
        "datagrams are missing",
        lambda: status(http)["listeners"][0]["datagrams"] == 2000 - sum(dropped),
    )
    assert relay.stop() == 0


def test_a_door_that_is_listed_no_more_is_closed_whole(tmp_path: Path) -> None:
    """By a reload: its sockets and threads go, those of the one that stays do not."""
    file = tmp_path / "relay.toml"
    form = 'sink = "null"\nhttp = "127.0.0.1:0"\nlisteners = 2\nlisten = [{}]\n'
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        stays = f'"udp://127.0.0.1:{probe.getsockname()[1]}"'
    file.write_text(form.format(f'{stays}, "udp://127.0.0.1:0"'))
    relay = Child.start(["run", str(file)])
    before, drains = {row[9] for row in rows_of(relay)}, threads(relay)
    assert len(before) == 4
    file.write_text(form.format(stays))
    relay.process.send_signal(signal.SIGHUP)
    wait_until("still open", lambda: len(rows_of(relay)) == 2)
    assert {row[9] for row in rows_of(relay)} < before
    wait_until("still drained", lambda: threads(relay) == drains - 2)
    assert relay.stop() == 0


@pytest.mark.parametrize(
    ("more", "why"),
    [
        (("--repeat", "udp://127.0.0.1:9"), "what is copied on (repeat) is read by"),
        ((), None),
    ],
)
def test_sockets_that_gain_nothing_are_not_opened(
    more: tuple[str, ...], why: str | None
) -> None:
    """Where the reactor reads there is one, and a line that says why."""
    relay = start("--listeners", "3", *more)
    port = f":{urlsplit(relay.urls['listening'][0]).port:04X}"
    bound = [row for row in rows_of(relay) if row[1].endswith(port)]
    assert len(bound) == (1 if why else 3)
    assert ("listeners 3: each UDP address has one socket" in relay.stderr) is bool(why)
    assert (why or "") in relay.stderr
    assert relay.stop() == 0
