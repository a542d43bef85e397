"""Few descriptors, and no threads to be had: bar A4."""

import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.e2e.children import Child, clean_environment
from tests.e2e.load import Load, descriptors, health_seconds
from tests.e2e.road import (
    KEYS,
    assert_ledger_balances,
    entries,
    get,
    status,
    wait_until,
)

pytestmark = pytest.mark.e2e

FEW = 64
SOMEBODY = 54321
CPU_SHARE = 0.5
"""Of a core; a reactor that cannot accept and tries again at once takes all of one."""


def few() -> None:
    """In the child."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (FEW, FEW))


def started(
    site: Child,
    folder: Path,
    *,
    first: Callable[[], None] | None = None,
    through: Sequence[str] = (),
) -> Child:
    return Child.start(
        [
            *("run", "--sink", "cloudmonitor", "--state", str(folder)),
            *("--endpoint", site.urls["emulator"][0], "--period", "1"),
            *("--listen", "udp://127.0.0.1:0", "--http", "127.0.0.1:0"),
            *("--requests-per-second", "500"),
        ],
        env=KEYS,
        first=first,
        through=through,
    )


def emulator() -> Child:
    return Child.start(["emulator", "--listen", "127.0.0.1:0", "--period", "1"])


def cpu_seconds(child: Child) -> float:
    text = Path(f"/proc/{child.process.pid}/stat").read_text()
    fields = text.rpartition(")")[2].split()
    ticks: int = os.sysconf("SC_CLK_TCK")
    return (int(fields[11]) + int(fields[12])) / ticks


def counted(site: Child) -> float:
    """Lines of counters that arrived, each of which adds 1.

    What was sent twice counts once: an answer may be lost for want of a descriptor.
    """
    found = {
        (entry["MetricName"], entry["Time"]): entry["Values"]["Sum"]
        for entry in entries(site.urls["emulator"][0])
        if entry["Period"] == 1 and entry["MetricName"].startswith("load_c")
    }
    return float(sum(found.values()))


def wait_all(site: Child, relay: Child, counters: int) -> None:
    """Until everything has arrived."""
    http = relay.urls["http"][0]
    wait_until(
        "entries wait", lambda: status(http)["ledger"]["entries"]["waiting"] == 0
    )
    for _ in range(100):
        if counted(site) == counters:
            return
        time.sleep(0.1)
    assert counted(site) == counters, (status(http), relay.stderr)


def answers(http: str) -> bool:
    """Whoever comes with two hundred others may be turned away."""
    try:
        return get(f"{http}/healthz") == "ok\n"
    except OSError:
        return False


def knocks(relay: Child, many: int) -> list[socket.socket]:
    where, found = urlsplit(relay.urls["http"][0]), []
    for _ in range(many):
        with suppress(OSError):
            address = (str(where.hostname), int(where.port or 0))
            found.append(socket.create_connection(address, timeout=2))
    return found


def hung_up(some: list[socket.socket]) -> None:
    for one in some:
        one.close()


@pytest.mark.parametrize(
    ("command", "limit"),
    [*(("run", limit) for limit in (5, 6, 8, 12, 16)), ("record", 5), ("record", 6)],
)
def test_too_few_descriptors_to_start_are_the_reason_that_is_given(
    tmp_path: Path, command: str, limit: int
) -> None:
    """Not the file that happened to be the first too many; status 1."""
    words = {
        "run": (
            *("--region", "cn-hangzhou", "--state", str(tmp_path), "--report-events"),
            *("--http", "127.0.0.1:0", "--console", "127.0.0.1:0"),
        ),
        "record": (),
    }
    run = (sys.executable, "-m", "relay")
    done = subprocess.run(
        [*run, command, "--listen", "udp://127.0.0.1:0", *words[command]],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
        env=clean_environment() | KEYS,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit)),
    )
    assert done.stderr == (
        f"cms-relay: the limit on open files, {limit}, is too low: ulimit -n 16384, or "
        "LimitNOFILE=16384 in the unit of systemd\n"
    )
    assert done.returncode == 1


@pytest.mark.bar("A4")
def test_with_few_descriptors_the_spool_has_those_it_needs(
    tmp_path: Path, figure: Callable[[str], None]
) -> None:
    """Idle clients take none from it, and whoever asks for a page gets one."""
    site = emulator()
    relay = started(site, tmp_path / "state", first=few)
    http = relay.urls["http"][0]
    load = Load(relay, series=100)
    waiting = knocks(relay, 200)
    wait_until("nobody is let in", lambda: answers(http))
    before = cpu_seconds(relay)
    taken = health_seconds(http, 2.5)
    used = (cpu_seconds(relay) - before) / 2.5
    most = descriptors(relay)
    assert status(http)["spool"]["degraded"] is None
    sent = load.stop()
    wait_until("lines are lost", lambda: status(http)["ledger"]["lines"] == sent.lines)
    wait_all(site, relay, sent.counters)
    shown = status(http)
    assert shown["spool"]["degraded"] is None
    assert_ledger_balances(shown["ledger"])
    assert used <= CPU_SHARE
    figure(
        f"{most} of {FEW} descriptors in use with 200 clients, {len(taken)} pages"
        f" answered, {sent.counters} counts and none lost, {used:.0%} of a core"
    )
    hung_up(waiting)
    assert relay.stop() == 0
    assert site.stop() == 0


@pytest.mark.bar("A4", "L2")
def test_without_any_descriptor_what_is_closed_waits(
    tmp_path: Path, figure: Callable[[str], None]
) -> None:
    """No file, no request, no page, and no busy loop; all is made good afterwards."""
    site = emulator()
    relay = started(site, tmp_path / "state")
    http, pid = relay.urls["http"][0], relay.process.pid
    load = Load(relay, series=100)
    wait_until("not yet", lambda: counted(site) > 0)
    usual = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, usual[1]))
    before = cpu_seconds(relay)
    waiting = knocks(relay, 5)
    polite = [one.recv(1) for one in waiting if _can_read(one)]
    load_went_on = Load(relay, series=100, seconds=1.5).wait()
    used = (cpu_seconds(relay) - before) / 1.5
    resource.prlimit(pid, resource.RLIMIT_NOFILE, usual)
    sent = load.stop()
    lines = sent.lines + load_went_on.lines
    counters = sent.counters + load_went_on.counters
    wait_until("lines are lost", lambda: status(http)["ledger"]["lines"] == lines)
    wait_all(site, relay, counters)
    wait_until("degraded", lambda: status(http)["spool"]["degraded"] is None)
    ledger = status(http)["ledger"]
    assert_ledger_balances(ledger)
    assert sum(ledger["entries"]["dropped"].values()) == 0
    assert used <= CPU_SHARE
    figure(
        f"1.5 s without one: {counters} counts and none lost, {used:.0%} of a core,"
        f" {len(polite)} of {len(waiting)} clients turned away"
    )
    hung_up(waiting)
    assert relay.stop() == 0
    assert site.stop() == 0


def _can_read(one: socket.socket) -> bool:
    one.settimeout(0.2)
    try:
        one.recv(1, socket.MSG_PEEK)
    except TimeoutError:
        return False
    except OSError:
        return False
    return True


def somebody() -> list[str]:
    """A command that runs another as a user whose threads the system limits.

    It may read what root can, in case the checkout is root's alone.
    """
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("root's threads are not limited, and there is no setpriv")
    words = [f"--{what}={SOMEBODY}" for what in ("reuid", "regid")]
    words += [
        f"--{what}=-all,+dac_read_search"
        for what in ("inh-caps", "ambient-caps", "bounding-set")
    ]
    return ["setpriv", *words, "--clear-groups"]


@pytest.mark.bar("A4", "L2")
def test_without_another_thread_it_goes_on_and_stops(
    tmp_path: Path, figure: Callable[[str], None]
) -> None:
    """It has those it needs from the start on."""
    site = emulator()
    with tempfile.TemporaryDirectory() as room:
        if os.geteuid() == 0:
            os.chown(room, SOMEBODY, SOMEBODY)
        text = goes_on_without_threads(site, Path(room) / "state")
    figure(text)
    assert site.stop() == 0


def goes_on_without_threads(site: Child, folder: Path) -> str:
    relay = started(site, folder, through=somebody())
    http = relay.urls["http"][0]
    no_more = f"resource.prlimit({relay.process.pid}, resource.RLIMIT_NPROC, (0, 0))"
    program = ["-c", f"import resource; {no_more}"]
    subprocess.run([*somebody(), sys.executable, *program], check=True)
    sent = Load(relay, series=100, seconds=2.0).wait()
    wait_until("lines are lost", lambda: status(http)["ledger"]["lines"] == sent.lines)
    wait_all(site, relay, sent.counters)
    assert get(f"{http}/healthz") == "ok\n"
    assert_ledger_balances(status(http)["ledger"])
    assert relay.stop(seconds=12) == 0
    return f"{sent.counters} counts and none lost, stopped with status 0"
