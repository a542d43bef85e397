"""SIGHUP: a new configuration comes into force whole, or the old one stays.

Bar A2, with fewer lines; and of R6 what it says about SIGHUP.
"""

import signal
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.e2e.children import Child
from tests.e2e.road import assert_ledger_balances, get, status, wait_until
from tests.vectors.record_console import free_port

pytestmark = pytest.mark.e2e

GOOD = """
listen = [{listen}]
sink = "null"
http = "127.0.0.1:0"
period = 3600
requests_per_second = {rate}
percentiles = [50, {percentile}]
"""


def quoted(*urls: str) -> str:
    return ", ".join(f'"{url}"' for url in urls)


def free_url() -> str:
    return f"udp://127.0.0.1:{free_port(socket.SOCK_DGRAM)}"


class Subject:
    """A relay and its configuration file."""

    def __init__(self, folder: Path, *urls: str) -> None:
        self.file = folder / "relay.toml"
        self.write(*urls)
        self.child = Child.start(["run", str(self.file)])
        self.http = self.child.urls["http"][0]

    def write(self, *urls: str, rate: float = 10, percentile: int = 99) -> None:
        self.file.write_text(
            GOOD.format(listen=quoted(*urls), rate=rate, percentile=percentile)
        )

    def reload(self) -> dict[str, Any]:
        """What /status says of it."""
        before = self.reloads()
        self.child.process.send_signal(signal.SIGHUP)
        wait_until("not reloaded", lambda: self.reloads() > before)
        said: dict[str, Any] = status(self.http)["last_reload"]
        return said

    def reloads(self) -> float:
        text = get(f"{self.http}/metrics")
        return sum(
            float(line.split()[1])
            for line in text.splitlines()
            if line.startswith("cms_relay_reloads_total{")
        )

    def sockets(self) -> set[str]:
        """The UDP sockets of the process, as the kernel numbers them."""
        mine = set()
        for link in Path(f"/proc/{self.child.process.pid}/fd").iterdir():
            with suppress(FileNotFoundError):  # closed a moment ago
                mine.add(link.readlink().name[8:-1])
        rows = Path("/proc/net/udp").read_text().splitlines()[1:]
        return {row.split()[9] for row in rows} & mine


class Load(threading.Thread):
    """Sends a line every half millisecond or so until it is told to stop."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.sent = 0
        self._where = (urlsplit(url).hostname, urlsplit(url).port)
        self._over = threading.Event()

    def run(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            while not self._over.wait(0.0005):
                sender.sendto(b"load:1|c", self._where)
                self.sent += 1

    def stop(self) -> int:
        self._over.set()
        self.join()
        return self.sent


@pytest.mark.bar("A2", "L1")
def test_twenty_reloads_under_load_lose_nothing(
    tmp_path: Path, figure: Callable[[str], None]
) -> None:
    """Every second one is invalid: the old configuration stays, and the reason shows."""
    url = free_url()
    subject = Subject(tmp_path, url)
    before = subject.sockets()
    load = Load(url)
    load.start()
    for number in range(10):
        subject.write(url, rate=20 + number)
        good = subject.reload()
        assert (good["applied"], good["text"]) == (True, "requests_per_second")
        in_force = status(subject.http)["configuration_hash"]
        subject.file.write_text(f"period = {number}x")
        bad = subject.reload()
        assert not bad["applied"]
        assert str(subject.file) in bad["text"]
        assert status(subject.http)["configuration_hash"] == in_force
    sent = load.stop()
    wait_until("lost", lambda: status(subject.http)["ledger"]["lines"] == sent)
    assert sent > 1000
    assert subject.sockets() == before
    assert_ledger_balances(status(subject.http)["ledger"])
    assert subject.child.stop() == 0


def test_sockets_come_and_go_and_the_others_stay_open(tmp_path: Path) -> None:
    """What is listed before and after is the same socket."""
    stays, goes, comes = free_url(), free_url(), free_url()
    subject = Subject(tmp_path, stays, goes)
    before = subject.sockets()
    subject.write(stays, comes)
    assert subject.reload()["applied"]
    shown = [one["url"] for one in status(subject.http)["listeners"]]
    assert shown == [stays, comes]
    assert len(subject.sockets()) == len(subject.sockets() & before) + 1 == 2
    assert f"listening {comes}" in subject.child.stderr
    assert subject.child.stop() == 0


def test_a_socket_that_is_taken_refuses_the_whole(tmp_path: Path) -> None:
    """Nothing of a configuration is in force that cannot be in force whole."""
    stays, fresh = free_url(), free_url()
    subject = Subject(tmp_path, stays)
    before = subject.sockets()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        busy = f"udp://127.0.0.1:{taken.getsockname()[1]}"
        subject.write(stays, fresh, busy, rate=99)
        refused = subject.reload()
    assert not refused["applied"]
    assert busy in refused["text"]
    assert subject.sockets() == before
    assert subject.child.stop() == 0


def test_what_needs_a_restart_is_named(tmp_path: Path) -> None:
    """And the rest of that configuration waits for the restart as well."""
    url = free_url()
    subject = Subject(tmp_path, url)
    subject.write(url, rate=50)
    subject.file.write_text(subject.file.read_text().replace("3600", "1800"))
    refused = subject.reload()
    assert (refused["applied"], refused["text"]) == (
        False,
        "period: to change that, restart",
    )
    assert subject.child.stop() == 0


def test_a_storm_of_signals_costs_nothing(tmp_path: Path) -> None:
    """Many in a while are one reload, and none of them ends the process."""
    subject = Subject(tmp_path, free_url())
    end = time.monotonic() + 1.0
    sent = 0
    while time.monotonic() < end:
        subject.child.process.send_signal(signal.SIGHUP)
        sent += 1
    wait_until("no answer", lambda: subject.reloads() >= 1)
    assert sent > 100
    assert subject.reloads() <= 8
    assert subject.child.stop() == 0


def test_a_signal_during_the_stop_ends_nothing(tmp_path: Path) -> None:
    """Whoever asks for a reload then gets a relay that stops as it should."""
    process = Subject(tmp_path, free_url()).child.process
    process.send_signal(signal.SIGTERM)
    while process.poll() is None:
        process.send_signal(signal.SIGHUP)
        time.sleep(0.002)
    assert process.returncode == 0
