"""Stops of a relay with a state folder: what is open goes on, or is reported.

The socket is handed over, so that every line that was sent is read by one life or the
next; what the service has at the end is compared with what was sent.
"""

import resource
import signal
import socket
import subprocess
import sys
import time
import urllib.error
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from relay.commands.ending import ONE_REQUEST_SECONDS
from tests.e2e.children import ROOT, Child
from tests.e2e.lives import (
    PERIOD,
    Load,
    Site,
    hits,
    load_lines,
    repeated,
    start_emulator,
)
from tests.e2e.road import assert_ledger_balances, get, script, status, wait_until

pytestmark = pytest.mark.e2e

RATE, SERIES = 10_000, 10_000
STOP_SECONDS = 10.0
LAST_STOP_SECONDS = 120
"""Of a life that delivers everything, however slow the machine is."""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """An emulator, a socket and a folder that outlive the relays."""
    emulator = start_emulator()
    with Site.open(emulator, tmp_path / "state") as opened:
        yield opened
    assert emulator.stop() == 0


LONG_PERIOD = 20
"""So long that the stop comes within one; what is left of it is reported at the end."""


@pytest.fixture
def slow_site(tmp_path: Path) -> Iterator[Site]:
    """Likewise, with periods that outlive a relay."""
    emulator = start_emulator(LONG_PERIOD)
    with Site.open(emulator, tmp_path / "state", LONG_PERIOD) as opened:
        yield opened
    assert emulator.stop() == 0


@pytest.mark.bar("R4", "L4", "L1")
@pytest.mark.parametrize("way", ["handover", "send"])
def test_a_stop_under_load_loses_nothing_and_reports_nothing_twice(
    slow_site: Site, way: str, figure: Callable[[str], None]
) -> None:
    """Load L over a stop and a start: the sums are those of what was sent."""
    site = slow_site
    load = Load(site.holder.getsockname(), load_lines(SERIES), RATE)
    first = site.ready("--stop", way, "--entries-per-request", "100")
    last = ("--stop", "send", "--stop-timeout", str(LAST_STOP_SECONDS))
    start = site.warm(*last, "--entries-per-request", "100")
    load.start()
    read(first, RATE)
    began = time.monotonic()
    assert first.stop() == 0
    took = time.monotonic() - began
    second = start()
    second.wait_ready()
    shown = status(second.urls["http"][0])
    assert_ledger_balances(shown["ledger"])
    assert shown["predecessor"]["clean"]
    time.sleep(0.5)
    load.stop()
    read(second, load.sent.total())
    assert second.stop(seconds=LAST_STOP_SECONDS) == 0
    found = site.entries()
    for length in (LONG_PERIOD, 5 * LONG_PERIOD):
        assert hits(found, length) == load.hits
    assert repeated(found) == 0
    assert took < STOP_SECONDS
    figure(f"{way}: {took:.1f} s, 0 of {load.sent.total()} lines lost, 0 entries twice")


def read(relay: Child, lines: int) -> None:
    """Wait until at least so many lines came in, in all lives."""
    http = relay.urls["http"][0]
    wait_until("lines are missing", lambda: status(http)["ledger"]["lines"] >= lines)
    assert_ledger_balances(status(http)["ledger"])


LIMIT = 1.0
"""Of a stop, by its setting."""

HANGING_DNS = """
import socket, time
known = socket.getaddrinfo
def getaddrinfo(host, *rest, **more):
    time.sleep(3600 if host in ("localhost", b"localhost") else 0)
    return known(host, *rest, **more)
socket.getaddrinfo = getaddrinfo
"""
"""As a sitecustomize: a resolver that never answers for one name."""


def send(site: Site, text: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(text, site.holder.getsockname())


def waiting(relay: Child) -> bool:
    shown = status(relay.urls["http"][0])["ledger"]["entries"]
    return bool(shown["waiting"] > 0)


def stopped(relay: Child) -> float:
    """Seconds of an ordinary stop, which ends with status 0."""
    began = time.monotonic()
    assert relay.stop() == 0
    return time.monotonic() - began


@pytest.mark.bar("R5")
@pytest.mark.parametrize("trouble", ["sink", "dns"])
def test_a_stop_ends_in_time_while_delivery_hangs(
    site: Site, tmp_path: Path, trouble: str, figure: Callable[[str], None]
) -> None:
    """And what waits is there for the next start, which delivers it."""
    flags, variables = ["--stop-timeout", str(LIMIT)], dict[str, str]()
    if trouble == "dns":
        (tmp_path / "sitecustomize.py").write_text(HANGING_DNS)
        variables["PYTHONPATH"] = f"{tmp_path}:{ROOT}"
        flags += ["--endpoint", site.url.replace("127.0.0.1", "localhost")]
    else:
        script(site.url, [{"hang": 600, "times": 10_000}])
    first = site.relay(*flags, **variables)
    first.wait_ready()
    send(site, b"w.c1:7|c")
    wait_until("the period was not closed", lambda: waiting(first))
    took = stopped(first)
    assert took <= LIMIT + 1
    script(site.url, [])
    second = site.ready("--stop", "send")
    wait_until("not delivered", lambda: hits(site.entries(), PERIOD) == {"w": 7.0})
    assert second.stop() == 0
    repeated(site.entries())  # what had left may have been taken: the same again
    figure(f"{trouble}: {took:.1f} s with a limit of {LIMIT:g} s, nothing lost")


@pytest.mark.bar("R5")
def test_a_stop_on_a_full_disk_reports_what_it_cannot_hand_over(
    site: Site, figure: Callable[[str], None]
) -> None:
    """No byte can be written: what is open is sent instead, in time."""
    relay = site.ready("--stop-timeout", str(LIMIT))
    resource.prlimit(relay.process.pid, resource.RLIMIT_FSIZE, (0, 0))
    send(site, b"w.c1:7|c")
    read(relay, 1)
    took = stopped(relay)
    assert took <= LIMIT + 1
    assert hits(site.entries(), PERIOD) == {"w": 7.0}
    figure(f"disk: {took:.1f} s with a limit of {LIMIT:g} s, nothing lost")


@pytest.mark.bar("R6")
def test_a_second_signal_ends_it_and_what_is_left_can_be_read(
    site: Site, figure: Callable[[str], None]
) -> None:
    """At most a second later, though the sink hangs and the limit is a minute."""
    script(site.url, [{"hang": 600, "times": 10_000}])
    first = site.ready("--stop-timeout", "60")
    send(site, b"w.c1:7|c")
    wait_until("the period was not closed", lambda: waiting(first))
    first.process.send_signal(signal.SIGTERM)
    wait_until("it does not stop", lambda: not is_ready(first))
    time.sleep(ONE_REQUEST_SECONDS)
    began = time.monotonic()
    assert first.stop() == 1
    took = time.monotonic() - began
    assert took <= 1
    assert "closed entries wait in" in first.stderr
    script(site.url, [])
    second = site.ready("--stop", "send")
    wait_until("not delivered", lambda: hits(site.entries(), PERIOD) == {"w": 7.0})
    assert second.stop() == 0
    figure(f"second SIGTERM: {took:.2f} s")


def is_ready(relay: Child) -> bool:
    try:
        return bool(get(f"{relay.urls['http'][0]}/readyz"))
    except urllib.error.HTTPError:
        return False


@pytest.mark.bar("R6")
def test_a_signal_during_the_start_ends_it(
    site: Site, figure: Callable[[str], None]
) -> None:
    """Within five seconds, at whatever moment, and the folder is as good as before."""
    first = site.ready()
    send(site, b"w.c1:7|c")
    read(first, 1)
    assert first.stop() == 0
    took = []
    for after in (0.02, 0.1, 0.2, 0.3):
        relay = site.relay()
        time.sleep(after)
        relay.process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        assert relay.process.wait(30) in (0, -signal.SIGTERM)  # before it is Python
        took.append(time.monotonic() - began)
    assert max(took) <= 5
    last = site.ready("--stop", "send")
    assert last.stop() == 0
    assert hits(site.entries(), PERIOD) == {"w": 7.0}
    figure(f"SIGTERM during the start: {max(took):.1f} s")


def said_by(program: str) -> tuple[int, str, str]:
    """The status, output and errors of a program in Python."""
    ended = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return ended.returncode, ended.stdout, ended.stderr


def test_a_signal_amid_garbage_collection_is_heard() -> None:
    """An exception in it would be printed and forgotten, and the start would go on."""
    program = """
import signal
from relay.commands.ending import end_at_signals

class Garbage:
    def __del__(self):
        signal.raise_signal(signal.SIGTERM)

end_at_signals()
Garbage()
print("still here")
"""
    assert said_by(program) == (0, "", "")


def test_a_signal_is_heard_before_the_command_is_looked_for() -> None:
    """As the first process of a container it is lost where there is no handler."""
    program = """
import signal, sys
from relay import cli

cli._parsed = lambda words: signal.raise_signal(signal.SIGTERM)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
sys.argv = ["cms-relay", "run"]
cli.main()
"""
    assert said_by(program) == (0, "", "")
