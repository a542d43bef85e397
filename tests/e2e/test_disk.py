"""A relay whose disk refuses, or that finds much on it: bars S2, R8 and S1."""

import os
import random
import re
import resource
import shutil
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from relay.delivery.batch import Batch
from relay.spool import segment as form
from relay.spool.file import FileSpool
from tests.bench.bench_spool import batches
from tests.e2e.children import ROOT, Child, clean_environment
from tests.e2e.lives import (
    PERIOD,
    Load,
    Site,
    hits,
    load_lines,
    repeated,
    start_emulator,
)
from tests.e2e.load import health_seconds, p99
from tests.e2e.road import (
    KEYS,
    assert_ledger_balances,
    script,
    start_relay,
    status,
    wait_until,
)

pytestmark = pytest.mark.e2e

LOOK = 1.0
"""Seconds a test may need to see what is so."""

SERIES = 1000
STARTS = 3
"""The fastest counts: others on the machine only make them slower."""


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
    wait_until("it did not recover", lambda: not degraded(relay), PERIOD + LOOK)
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


FULL = """
set -e
mount --make-rprivate /
mount -t tmpfs -o size=4m none "$STATE"
head -c 4120000 /dev/zero > "$STATE/of-somebody-else"
exec "$@"
"""


def start_on_a_full_disk(site: Site, *more: str) -> Child:
    """A relay whose state folder is a tmpfs of 4 MiB, nearly all of it taken."""
    command = [
        *("unshare", "-m", "sh", "-c", FULL, "sh", sys.executable, "-m", "relay"),
        *("run", "--sink", "cloudmonitor", "--endpoint", site.url, "--instance", "i"),
        *("--listen", "udp://127.0.0.1:0", "--http", "127.0.0.1:0"),
        *("--state", str(site.folder), "--period", str(site.period), *more),
    ]
    site.folder.mkdir()
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=clean_environment() | KEYS | {"STATE": str(site.folder)},
        cwd=ROOT,
    )
    relay = Child(process)
    relay.wait_ready()
    return relay


@pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("unshare") is None,
    reason="a file system of its own takes root and unshare",
)
@pytest.mark.bar("S2", "L1", "L2")
def test_a_full_disk_costs_the_oldest_periods(
    tmp_path: Path, figure: Callable[[str], None]
) -> None:
    """While the service is away: counted, and no line; the newest are there at the end."""
    emulator = start_emulator(1)
    with Site.open(emulator, tmp_path / "state", 1) as site:
        script(site.url, [{"status": 503, "times": 10_000}])
        relay = start_on_a_full_disk(
            site, "--stop", "send", "--entries-per-request", "100"
        )
        http, door = relay.urls["http"][0], urlsplit(relay.urls["listening"][0])
        lines = [f"{{}}.c{n}:1|c" for n in range(SERIES)]
        load = Load((door.hostname, door.port), lines, 5 * SERIES)
        load.start()
        dropped = _entries_until(http, "dropped", lambda found: found["space"] > 0)
        script(site.url, [])
        Path(f"/proc/{relay.process.pid}/root{site.folder}/of-somebody-else").unlink()
        wait_until("not well again", lambda: not degraded(relay), site.period + LOOK)
        load.stop()
        read(relay, load.sent.total())
        assert_ledger_balances(status(http)["ledger"])
        gone = status(http)["ledger"]["entries"]["dropped"]["space"]
        assert relay.stop() == 0
        found = [entry for entry in site.entries() if entry["Period"] == 1]
    kept = Counter(entry["Time"] for entry in found)
    whole = [time for time, count in sorted(kept.items()) if count == SERIES]
    newest = max(kept)
    assert newest - whole[0] == (len(whole) - 1) * 1000, "a newer one went before it"
    assert gone >= dropped["space"]
    assert emulator.stop() == 0
    figure(
        f"4 MiB, full: {load.sent.total()} lines, none refused; {gone} oldest entries "
        f"dropped and counted, the newest {len(whole)} periods whole"
    )


def _entries_until(
    http: str, key: str, reached: Callable[[dict[str, int]], bool]
) -> dict[str, int]:
    found: dict[str, int] = {}

    def look() -> bool:
        found.update(status(http)["ledger"]["entries"][key])
        return reached(found)

    wait_until(f"{key} is {found}", look)
    return found


SEGMENT_BYTES = 200_000


def backlog(folder: Path, segments: int) -> int:
    """So many segments that wait, each of its own minute; how many entries they hold."""
    FileSpool.open(folder, limit_bytes=2**30, max_age_seconds=1e9).close()
    dice = random.Random(1)  # noqa: S311 - so that it cannot be compressed
    now = int(time.time())
    items = tuple(
        f"MetricName={dice.randbytes(500).hex()}&Time={now}" for _ in range(20)
    )
    one = [Batch(f"b{n}", now, items) for n in range(SEGMENT_BYTES // 10_000)]
    [body] = form.bodies(one, 2**30)
    for nth in range(segments):
        content, _ = form.seal(body, nth + 1, now - segments + nth)
        (folder / "spool" / f"{nth + 1:016}.seg").write_bytes(content)
    return segments * body.entries


def peak_bytes(relay: Child) -> int:
    """The most it ever had in memory. Source: proc(5), VmHWM."""
    text = Path(f"/proc/{relay.process.pid}/status").read_text()
    [kilobytes] = re.findall(r"(?m)^VmHWM:\s+(\d+) kB", text)
    return int(kilobytes) * 1024


@pytest.mark.bar("R8")
def test_much_that_waits_costs_neither_time_nor_memory(
    tmp_path: Path, figure: Callable[[str], None]
) -> None:
    """A backlog is never loaded whole: none, one and 1,000 segments of 200 KB."""
    emulator = start_emulator()
    script(emulator.urls["emulator"][0], [{"status": 503, "times": 10_000}])
    took, peak = dict[int, float](), dict[int, int]()
    for segments, most in ((0, 2), (1, 2), (1000, 5)):
        folder = tmp_path / f"{segments}"
        entries = backlog(folder, segments)
        flags = ("--state", str(folder), "--spool-bytes", str(2**30))
        for _ in range(STARTS):
            began = time.monotonic()
            relay = start_relay(emulator, PERIOD, *flags)
            took[segments] = time.monotonic() - began
            if took[segments] <= most:
                break
            relay.kill()
        http = relay.urls["http"][0]
        assert status(http)["ledger"]["entries"]["waiting"] == entries
        if segments:
            wait_until("no request", lambda h=http: tried(h) > 0)  # type: ignore[misc]  # bound now
        peak[segments] = peak_bytes(relay)
        assert took[segments] <= most
        relay.kill()
    more = peak[1000] - peak[0]
    assert more <= 64 * 2**20
    emulator.kill()
    said = ", ".join(f"{n}: {seconds:.1f} s" for n, seconds in took.items())
    figure(f"{said}; at most {more / 2**20:.0f} MiB more with 1,000 of 200 KB")


def tried(http: str) -> int:
    return sum(status(http)["ledger"]["requests"].values())


@pytest.mark.soak
@pytest.mark.bar("S1")
@pytest.mark.parametrize(
    ("series", "within", "share"), [(10_000, 2.0, 0.1), (100_000, 15.0, 1.0)]
)
def test_a_large_period_is_durable_soon(
    tmp_path: Path,
    series: int,
    within: float,
    share: float,
    figure: Callable[[str], None],
) -> None:
    """Seconds from the seal to the last segment, how late timers are meanwhile, and what
    of it is the spool's."""
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
    sealed_at = (int(time.time()) // 30 + 1) * 30 + 2
    time.sleep(sealed_at - time.time())
    late = list[float]()
    while status(http)["ledger"]["entries"]["waiting"] < series:
        late += health_seconds(http, 0.2)
    took = time.time() - sealed_at
    spool = FileSpool.open(tmp_path / "t", limit_bytes=2**30, max_age_seconds=1e9)
    period = batches(series, 0)
    began = time.perf_counter()
    spool.append(period)
    spooled = time.perf_counter() - began
    figure(
        f"{series} series: {took:.1f} s after the seal, spool {spooled * 1000:.0f} ms, "
        f"health p99 meanwhile {p99(late) * 1000:.0f} ms"
    )
    assert took <= within
    assert spooled <= share
    assert p99(late) <= 0.05
    relay.kill()
    emulator.kill()
