"""A hundred relay processes that one hand restarts, before one emulator: bar K8."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.e2e.children import ROOT, Child, clean_environment
from tests.e2e.road import KEYS, assert_ledger_balances, get, status
from tests.service.test_fleet import RELAYS, SPREAD, worst

pytestmark = [pytest.mark.e2e, pytest.mark.soak, pytest.mark.bar("K8", "L2")]

SERIES = 60
MINUTE = 60.0


def start_all(emulator: str, folder: Path) -> Sequence[Child]:
    """All at once, each with its own state folder."""
    fleet = [
        Child(
            subprocess.Popen(
                [
                    *(sys.executable, "-m", "relay", "run", "--sink", "cloudmonitor"),
                    *("--endpoint", emulator, "--state", str(folder / f"{n}")),
                    *("--listen", "udp://127.0.0.1:0", "--http", "127.0.0.1:0"),
                    *("--instance", f"host-{n}", "--send-spread", f"{SPREAD:g}"),
                    *("--requests-per-second", "10"),
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                env=clean_environment() | KEYS,
                cwd=ROOT,
            )
        )
        for n in range(RELAYS)
    ]
    for relay in fleet:
        relay.wait_ready(300)
    return fleet


def end_all(fleet: Sequence[Child]) -> None:
    """All at once, in order."""
    for relay in fleet:
        relay.process.terminate()
    assert [relay.process.wait(120) for relay in fleet] == [0] * RELAYS
    for relay in fleet:
        relay.kill()  # lets go of its pipe


def send_to(fleet: Sequence[Child]) -> None:
    """So that each has something to report, for an hour."""
    text = b"\n".join(b"shop.hits%d:1|c" % n for n in range(SERIES))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        for relay in fleet:
            where = urlsplit(relay.urls["listening"][0])
            door.sendto(text, (where.hostname, where.port))


def requests(emulator: str, since: float) -> Sequence[float]:
    """When each arrived."""
    told = map(json.loads, get(f"{emulator}/_emulator/requests").splitlines())
    return [one["received"] for one in told if one["received"] >= since]


def until_the_next_minute() -> float:
    """Sleeps; gives the Unix time of its beginning."""
    now = time.time()
    boundary = (now // MINUTE + 1) * MINUTE
    time.sleep(boundary - now)
    return boundary


def test_a_fleet_that_is_restarted_at_once(
    tmp_path: Path, figure: Callable[[str], None]
) -> None:
    """No ten seconds hold more than 35 % of a minute's requests, from the restart on."""
    site = Child.start(["emulator", "--listen", "127.0.0.1:0"])
    emulator = site.urls["emulator"][0]
    fleet = start_all(emulator, tmp_path)
    send_to(fleet)
    until_the_next_minute()
    time.sleep(3)  # a minute closes two seconds after its end; most of it still waits
    end_all(fleet)
    restarted = time.time()
    fleet = start_all(emulator, tmp_path)
    send_to(fleet)
    shares = []
    began = until_the_next_minute()
    for _ in range(2):
        since, began = began, until_the_next_minute()
        found = [at for at in requests(emulator, since) if at < began]
        assert len(found) >= 3 * RELAYS
        shares.append(worst(found) / len(found))
    a_minute = len(found)
    burst = worst(requests(emulator, restarted)) / a_minute
    assert max(*shares, burst) <= 0.35
    for relay in fleet:
        assert_ledger_balances(status(relay.urls["http"][0])["ledger"])
    end_all(fleet)
    figure(
        f"{RELAYS} processes, spread {SPREAD:g} s: worst 10 s since the restart hold"
        f" {burst:.0%} of a minute's {a_minute} requests, of two minutes"
        f" {', '.join(f'{share:.0%}' for share in shares)}"
    )
