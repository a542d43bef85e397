"""Stops of a relay with a state folder: what is open goes on, or is reported.

The socket is handed over, so that every line that was sent is read by one life or the
next; what the service has at the end is compared with what was sent.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

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
from tests.e2e.road import assert_ledger_balances, status, wait_until

pytestmark = pytest.mark.e2e

RATE, SERIES = 10_000, 10_000
STOP_SECONDS = 10.0


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """An emulator, a socket and a folder that outlive the relays."""
    emulator = start_emulator()
    with Site.open(emulator, tmp_path / "state") as opened:
        yield opened
    assert emulator.stop() == 0


@pytest.mark.bar("R4", "L4", "L1")
@pytest.mark.parametrize("way", ["handover", "send"])
def test_a_stop_under_load_loses_nothing_and_reports_nothing_twice(
    site: Site, way: str, figure: Callable[[str], None]
) -> None:
    """Load L over a stop and a start: the sums are those of what was sent."""
    load = Load(site.holder.getsockname(), load_lines(SERIES), RATE)
    first = site.ready("--stop", way, "--entries-per-request", "100")
    load.start()
    read(first, RATE)
    began = time.monotonic()
    assert first.stop() == 0
    took = time.monotonic() - began
    second = site.ready("--stop", "send", "--entries-per-request", "100")
    shown = status(second.urls["http"][0])
    assert_ledger_balances(shown["ledger"])
    assert shown["predecessor"]["clean"]
    time.sleep(1.0)
    load.stop()
    read(second, load.sent.total())
    assert second.stop() == 0
    found = site.entries()
    for length in (PERIOD, 5 * PERIOD):
        assert hits(found, length) == load.hits
    assert repeated(found) == 0
    assert took < STOP_SECONDS
    figure(f"{way}: {took:.1f} s, 0 of {load.sent.total()} lines lost, 0 entries twice")


def read(relay: Child, lines: int) -> None:
    """Wait until at least so many lines came in, in all lives."""
    http = relay.urls["http"][0]
    wait_until("lines are missing", lambda: status(http)["ledger"]["lines"] >= lines)
    assert_ledger_balances(status(http)["ledger"])
