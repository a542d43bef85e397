"""What takes minutes: a process that was stopped, boundaries, leaks. Bars T3, T4 and A5."""

import os
import signal
import socket
import statistics
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.e2e.children import Child
from tests.e2e.lives import start_emulator
from tests.e2e.load import Load, descriptors, metric, resident_bytes, threads
from tests.e2e.road import (
    assert_ledger_balances,
    entries,
    script,
    start_relay,
    status,
    wait_until,
)

pytestmark = [pytest.mark.e2e, pytest.mark.soak]

STOPPED_SECONDS = 130
CATCH_UP_SECONDS = 5
SEAL_SECONDS = 2
DELIVERED_SECONDS = 600
DRIFT_SECONDS = 0.05


def minute_of(now: float) -> int:
    return int(now // 60) * 60


def of_counters(site: Child) -> list[dict[str, Any]]:
    """The entries of Period 60 about what the load counts."""
    return [
        entry
        for entry in entries(site.urls["emulator"][0])
        if entry["Period"] == 60 and entry["MetricName"].startswith("load_c")
    ]


@pytest.mark.bar("T3", "L1", "L3")
def test_a_stopped_process_catches_up(figure: Callable[[str], None]) -> None:
    """Minutes that passed meanwhile are absent, and what the kernel dropped is counted."""
    site = Child.start(["emulator", "--listen", "127.0.0.1:0"])
    relay = start_relay(site, 60)
    http = relay.urls["http"][0]
    time.sleep(60 - time.time() % 60 + 30)  # half a minute of load before the stop
    load = Load(relay)
    time.sleep(15)
    stopped_at = time.time()
    relay.process.send_signal(signal.SIGSTOP)
    time.sleep(STOPPED_SECONDS)
    relay.process.send_signal(signal.SIGCONT)
    went_on_at = time.time()
    first = minute_of(stopped_at)
    wait_until(
        "the minute of the stop was not closed",
        lambda: any(e["Time"] == first * 1000 for e in of_counters(site)),
        CATCH_UP_SECONDS,
    )
    caught_up = time.time() - went_on_at
    time.sleep(60 - time.time() % 60 + 10)
    sent = load.stop()
    drops = metric(http, "kernel_drops_total")
    lines = status(http)["ledger"]["lines"]
    assert lines + drops * 32 == sent.lines
    assert_ledger_balances(status(http)["ledger"])
    missing = range(first + 60, minute_of(went_on_at), 60)
    assert len(missing) >= 1
    times = {e["Time"] // 1000 for e in of_counters(site)}
    assert not times & set(missing), "a minute that nobody saw was reported"
    assert minute_of(went_on_at) in times
    assert relay.stop() == 0
    total = sum(e["Values"]["Sum"] for e in of_counters(site))
    assert total == pytest.approx(lines * 0.6, rel=0.001)
    assert site.stop() == 0
    figure(
        f"stopped {STOPPED_SECONDS} s: caught up in {caught_up:.1f} s,"
        f" {len(missing)} minutes absent, {drops:.0f} datagrams dropped by the kernel and"
        f" counted, of {sent.datagrams}"
    )


@pytest.mark.bar("T4")
def test_boundaries_do_not_drift(figure: Callable[[str], None]) -> None:
    """Ten minutes under load: each period is cut at the minute.

    Two lines, 100 ms apart around each boundary, have to be in two entries; a finer cut
    is made by moving one of them closer.
    """
    site = Child.start(["emulator", "--listen", "127.0.0.1:0"])
    relay = start_relay(site, 60)
    load = Load(relay, seconds=660)
    door = urlsplit(relay.urls["listening"][0])
    where = (str(door.hostname), int(door.port or 0))
    boundaries = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for _ in range(10):
            boundary = minute_of(time.time()) + 60
            for offset, name in ((-DRIFT_SECONDS, "before"), (DRIFT_SECONDS, "after")):
                wait_for(boundary + offset)
                sender.sendto(f"edge.{name}:1|c".encode(), where)
            boundaries.append(boundary)
    time.sleep(SEAL_SECONDS + 60)
    load.stop()
    assert relay.stop() == 0
    found = {
        (entry["MetricName"], entry["Time"] // 1000): entry["Values"]["Sum"]
        for entry in entries(site.urls["emulator"][0])
        if entry["Period"] == 60 and entry["MetricName"].startswith("edge_")
    }
    for boundary in boundaries:
        assert found["edge_before", boundary - 60] == 1.0
        assert found["edge_after", boundary] == 1.0
    assert site.stop() == 0
    figure(
        f"{len(boundaries)} boundaries within {DRIFT_SECONDS * 1000:.0f} ms, no drift"
    )


def wait_for(moment: float) -> None:
    """Sleep until shortly before, then look at the clock all the time."""
    time.sleep(max(0.0, moment - time.time() - 0.01))
    while time.time() < moment:
        continue


FAULTS: tuple[dict[str, object], ...] = (
    {"status": 503, "times": 2},
    {"code": "Throttling.User", "status": 400, "retry_after_ms": 500, "times": 3},
    {"cut": "headers", "times": 2},
    {"cut": "body", "times": 2},
    {"hang": 3, "times": 2},
    {"body_code": 500, "times": 2},
)
"""So few that each is over before the next minute: what is scripted waits for its turn, and
a relay that backs off tries once in a while."""

HOUR_PERIODS = 60


@pytest.mark.bar("A5", "L1", "L2")
def test_nothing_leaks(tmp_path: Path, figure: Callable[[str], None]) -> None:
    """Under load with a fault in every period, for two hours of periods of a minute.

    SOAK_PERIOD makes all of it shorter alike. The slope is that of a straight line through
    what was measured after ten periods.
    """
    period = int(os.environ.get("SOAK_PERIOD", "60"))
    seconds = 2 * HOUR_PERIODS * period
    site = start_emulator(period)
    relay = start_relay(site, period, "--state", str(tmp_path / "state"))
    http = relay.urls["http"][0]
    load = Load(relay)
    began, measured = time.monotonic(), list[tuple[float, int, int, int]]()
    minute = 0
    while (passed := time.monotonic() - began) < seconds:
        if passed >= period * minute:
            script(site.urls["emulator"][0], [FAULTS[minute % len(FAULTS)]])
            minute += 1
        measured.append(
            (passed, resident_bytes(relay), descriptors(relay), threads(relay))
        )
        forget(site)
        time.sleep(period / 12)
    script(site.urls["emulator"][0], [])
    sent = load.stop()
    settled = [row for row in measured if row[0] >= 10 * period]
    slope, _ = statistics.linear_regression(
        [row[0] / period for row in settled], [row[1] for row in settled]
    )
    tenths = [
        [row for row in measured if tenth <= 10 * row[0] / seconds < tenth + 1]
        for tenth in range(10)
    ]
    resident = [statistics.median(row[1] for row in tenth) for tenth in tenths]
    # Connections come and go with faults; one that is not given back lifts the median.
    usual = [
        [statistics.median(row[column] for row in tenth) for tenth in tenths[1:]]
        for column in (2, 3)
    ]
    ledger = status(http)["ledger"]
    figure(
        f"{seconds // period} periods of {period} s, {sent.lines} lines, requests"
        f" {ledger['requests']}: RSS slope {slope * HOUR_PERIODS / 2**20:+.2f} MiB in 60"
        f" periods, by tenths {' '.join(f'{one / 2**20:.1f}' for one in resident)} MiB;"
        f" descriptors by tenths {' '.join(f'{one:g}' for one in usual[0])}, threads"
        f" {' '.join(f'{one:g}' for one in usual[1])}"
    )
    wait_until("lines are lost", lambda: status(http)["ledger"]["lines"] == sent.lines)
    wait_until(
        "entries wait",
        lambda: status(http)["ledger"]["entries"]["waiting"] == 0,
        DELIVERED_SECONDS,
    )
    ledger = status(http)["ledger"]
    assert_ledger_balances(ledger)
    assert metric(http, "kernel_drops_total") == 0
    assert relay.stop() == 0
    assert site.stop() == 0
    for by_tenth in usual:
        half = len(by_tenth) // 2
        assert max(by_tenth[half:]) <= max(by_tenth[:half])
    assert slope * HOUR_PERIODS <= 2**20


def forget(site: Child) -> None:
    """The emulator's memory is not what is measured."""
    url = f"{site.urls['emulator'][0]}/_emulator/entries"
    request = urllib.request.Request(url, method="DELETE")  # noqa: S310 - our own URL
    urllib.request.urlopen(request, timeout=30).close()  # noqa: S310
