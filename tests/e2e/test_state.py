"""Closed periods in a state folder outlive the process, however it ends."""

import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.e2e.children import ROOT, Child, clean_environment
from tests.e2e.road import (
    assert_ledger_balances,
    entries,
    script,
    start_relay,
    status,
    wait_until,
)

pytestmark = pytest.mark.e2e


def send(relay: Child, text: bytes) -> None:
    """One datagram."""
    where = urlsplit(relay.urls["listening"][0])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(text, (where.hostname, where.port))


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM])
def test_what_waited_is_delivered_by_the_successor(tmp_path: Path, signum: int) -> None:
    """Closed while the service was away, then the relay ended: nothing is missing."""
    site = Child.start(["emulator", "--listen", "127.0.0.1:0", "--period", "2"])
    script(site.urls["emulator"][0], [{"status": 503, "times": 10_000}])
    folder = ("--state", str(tmp_path / "state"), "--stop-timeout", "1")
    first = start_relay(site, 2, *folder)
    send(first, b"kept:7|c")
    http = first.urls["http"][0]
    wait_until(
        "the period was not closed",
        lambda: status(http)["ledger"]["entries"]["waiting"] > 0,
    )
    assert status(http)["state"] == str(tmp_path / "state")
    first.stop(signum)
    assert entries(site.urls["emulator"][0]) == []

    script(site.urls["emulator"][0], [])
    second = start_relay(site, 2, *folder)
    http = second.urls["http"][0]
    wait_until(
        "the backlog was not delivered",
        lambda: status(http)["ledger"]["entries"]["waiting"] == 0,
    )
    assert_ledger_balances(status(http)["ledger"])
    found = entries(site.urls["emulator"][0])
    sums = [e["Values"]["Sum"] for e in found if e["Period"] == 2]
    assert sum(sums) == 7.0
    assert second.stop() == 0
    assert site.stop() == 0


@pytest.mark.bar("R9")
def test_a_folder_belongs_to_one_relay(
    tmp_path: Path, figure: Callable[[str], None]
) -> None:
    """The second one names the folder and ends; after a kill the folder is free."""
    words = ["run", "--sink", "null", "--http", "off", "--state", str(tmp_path / "s")]
    words += ["--listen", "udp://127.0.0.1:0"]
    first = Child.start(words)
    second = subprocess.run(
        [sys.executable, "-m", "relay", *words],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env=clean_environment(),
        cwd=ROOT,
    )
    assert second.returncode == 1
    assert str(tmp_path / "s") in second.stderr
    first.stop(signal.SIGKILL)
    assert Child.start(words).stop() == 0
    figure(f"a second relay: status {second.returncode}, names the folder; free after")
