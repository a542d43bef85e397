"""A relay whose disk refuses, or that finds much on it: bars S2, R8 and S1."""

import os
import re
import resource
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from relay.delivery.batch import Batch
from relay.spool.file import FileSpool
from tests.e2e.children import Child
from tests.e2e.lives import (
    PERIOD,
    Load,
    Site,
    hits,
    load_lines,
    repeated,
    start_emulator,
)
from tests.e2e.load import resident_bytes
from tests.e2e.road import (
    assert_ledger_balances,
    get,
    script,
    start_relay,
    status,
    wait_until,
)

pytestmark = pytest.mark.e2e


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """An emulator, a socket and a folder."""
    emulator = start_emulator()
    with Site.open(emulator, tmp_path / "state") as opened:
        yield opened
    assert emulator.stop() == 0


def degraded(relay: Child) -> bool:
    return status(relay.urls["http"][0])["spool"]["degraded"] is not None


@pytest.mark.bar("S2", "L2")
def test_a_disk_that_refuses_costs_nothing_while_the_service_is_there(
    site: Site, figure: Callable[[str], None]
) -> None:
    """No byte can be written for a while: periods go out from memory, then to disk."""
    lines = [f"{{}}.c{n}:1|c" for n in range(100)]
    load = Load(site.holder.getsockname(), lines, 1000)
    relay = site.ready("--stop", "send", "--checkpoint-interval", "0.5")
    http = relay.urls["http"][0]
    load.start()
    room = resource.prlimit(relay.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(relay.process.pid, resource.RLIMIT_FSIZE, (0, room[1]))
    wait_until("nobody noticed", lambda: degraded(relay))
    before = status(http)["ledger"]["entries"]["acked"]
    wait_until(
        "live periods do not go out",
        lambda: status(http)["ledger"]["entries"]["acked"] > before + 100,
    )
    assert_ledger_balances(status(http)["ledger"])
    resource.prlimit(relay.process.pid, resource.RLIMIT_FSIZE, room)
    wait_until("it did not recover", lambda: not degraded(relay), 2 * PERIOD + 3)
    load.stop()
    read(relay, load.sent.total())
    assert relay.stop() == 0
    found = site.entries()
    assert hits(found, PERIOD) == load.hits
    assert repeated(found) == 0
    figure(f"no byte for a while: 0 of {load.sent.total()} lines lost, 0 entries twice")


def read(relay: Child, lines: int) -> None:
    http = relay.urls["http"][0]
    wait_until("lines are missing", lambda: status(http)["ledger"]["lines"] >= lines)


def start_with(folder: Path, segments: int, emulator: Child) -> tuple[Child, float]:
    """A relay that finds so many segments, and the seconds it needed to be ready.

    Of its own: what others do on the machine meanwhile is not its fault.
    """
    spool = FileSpool.open(folder, limit_bytes=2**28, max_age_seconds=1e9)
    now = int(time.time())
    for nth in range(segments):
        item = f"MetricName=m{nth}&Time={now}"
        spool.append([Batch(f"b{nth}", now - segments + nth, (item,) * 20)])
    spool.close()
    relay = start_relay(emulator, PERIOD, "--state", str(folder))
    fields = Path(f"/proc/{relay.process.pid}/stat").read_text().rsplit(")", 1)[1]
    ticks = sum(map(int, fields.split()[11:13]))  # utime, stime: proc(5)
    return relay, ticks / os.sysconf("SC_CLK_TCK")


@pytest.mark.bar("R8")
def test_much_that_waits_costs_neither_time_nor_memory(
    tmp_path: Path, figure: Callable[[str], None]
) -> None:
    """A backlog is never loaded whole: 0, 1 and 1,000 segments."""
    emulator = start_emulator()
    script(emulator.urls["emulator"][0], [{"status": 503, "times": 10_000}])
    took, grown = dict[int, float](), dict[int, int]()
    for segments, most in ((0, 2), (1, 2), (1000, 5)):
        relay, seconds = start_with(tmp_path / f"{segments}", segments, emulator)
        waits = status(relay.urls["http"][0])["ledger"]["entries"]["waiting"]
        assert waits == 20 * segments
        took[segments], grown[segments] = seconds, resident_bytes(relay)
        assert seconds <= most
        relay.kill()
    more = grown[1000] - grown[0]
    assert more <= 64 * 2**20
    emulator.kill()
    said = ", ".join(f"{n}: {seconds:.1f} s" for n, seconds in took.items())
    figure(f"{said}; {more / 2**20:.0f} MiB more with 1,000")


@pytest.mark.soak
@pytest.mark.bar("S1")
@pytest.mark.parametrize(("series", "within"), [(10_000, 2.0), (100_000, 15.0)])
def test_a_large_period_is_durable_soon(
    tmp_path: Path, series: int, within: float, figure: Callable[[str], None]
) -> None:
    """Seconds from the seal to the last segment, and how late timers are meanwhile."""
    emulator = start_emulator(30)
    script(emulator.urls["emulator"][0], [{"status": 503, "times": 100_000}])
    relay = start_relay(emulator, 30, "--state", str(tmp_path / "s"))
    http, door = relay.urls["http"][0], urlsplit(relay.urls["listening"][0])
    time.sleep(30 - time.time() % 30 + 1)
    lines = load_lines(series)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for at in range(0, series, 32):
            text = "\n".join(lines[at : at + 32]).replace("{}", "w")
            sender.sendto(text.encode(), (door.hostname, door.port))
            time.sleep(0.001)
    wait_until("unread", lambda: status(http)["ledger"]["lines"] == series)
    time.sleep(
        max(0.0, 32 - time.time() % 30 - 16)
    )  # what the first names cost is over
    sealed_at = (int(time.time()) // 30 + 1) * 30 + 2
    wait_until(
        "not durable",
        lambda: status(http)["ledger"]["entries"]["waiting"] >= series,
        120,
    )
    took = time.time() - sealed_at
    text = get(f"{http}/metrics")
    [lag] = re.findall(r"^cms_relay_reactor_lag_seconds (\S+)$", text, re.MULTILINE)
    assert took <= within
    figure(f"{series} series: {took:.1f} s after the seal, worst lag {lag} s")
    relay.kill()
    emulator.kill()
