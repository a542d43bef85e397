"""The wall clock is set while a relay runs: bars T1 and T2, with libfaketime.

The monotonic clock is left alone, as it is by whoever sets a clock.
"""

import json
import re
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from pathlib import Path
from threading import Barrier
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest

from tests.e2e.children import ROOT, Child, clean_environment
from tests.e2e.road import assert_ledger_balances, get, status

LIBRARY = next(
    (path for path in sorted(Path("/usr/lib").glob("**/faketime/libfaketime.so.1"))),
    None,
)

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.bar("T1", "T2"),
    pytest.mark.skipif(LIBRARY is None, reason="libfaketime is not installed"),
]

PERIOD = 1
STEPS = (-0.5, 0.5, -90.0, 90.0, -3600.0, 3600.0, 86_400.0, -86_400.0)
LEAP_SECOND = -1.0
THERE_AND_BACK = (3600.0, LEAP_SECOND, -3600.0, -90.0, 86_400.0)


class Entry(NamedTuple):
    """An entry that was told, and the relay's wall clock when it was."""

    period: int
    time: float
    total: float
    told: float


class Seen(NamedTuple):
    """What became of the lines that were sent."""

    sent: int
    entries: Sequence[Entry]
    status: Mapping[str, Any]
    lag: float

    def assert_kept(self) -> None:
        """Nothing lost, no name told twice or ahead, for periods of both lengths."""
        names = Counter((entry.period, entry.time) for entry in self.entries)
        assert max(names.values()) == 1
        assert all(entry.time <= entry.told + 60 for entry in self.entries)
        for period in (PERIOD, 5 * PERIOD):
            told = (entry.total for entry in self.entries if entry.period == period)
            assert sum(told) == self.sent
        assert_ledger_balances(self.status["ledger"])


class Subject:
    """A relay with a wall clock of its own; its entries come on standard output."""

    def __init__(self, folder: Path) -> None:
        self._clock = folder / "clock"
        self._offset, self._sent = 0.0, 0
        self._entries: list[Entry] = []
        self.set(0)
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "relay", "run", "--sink", "stdout"),
                *("--listen", "udp://127.0.0.1:0", "--http", "127.0.0.1:0"),
                *("--period", str(PERIOD), "--instance", "i"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=clean_environment()
            | {
                "LD_PRELOAD": str(LIBRARY),
                "FAKETIME_TIMESTAMP_FILE": str(self._clock),
                "FAKETIME_NO_CACHE": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",  # its name in older versions:
                "DONT_FAKE_MONOTONIC": "1",
            },
        )
        self._child = Child(process)
        self._reader = threading.Thread(target=self._read, args=(process.stdout,))
        self._reader.start()
        self._child.wait_ready()
        self._door = urlsplit(self._child.urls["listening"][0])

    def set(self, by: float) -> None:
        """By so many seconds from where it is."""
        self._offset += by
        fresh = self._clock.with_suffix(".new")  # it is read at any moment
        fresh.write_text(f"{self._offset:+.3f}")
        fresh.replace(self._clock)

    def send(self, seconds: float) -> None:
        """A line every ten milliseconds or so."""
        end = time.monotonic() + seconds
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            while time.monotonic() < end:
                sender.sendto(b"a:1|c", (self._door.hostname, self._door.port))
                self._sent += 1
                time.sleep(0.01)

    def end(self) -> Seen:
        """All there is to see of it."""
        shown = status(self._child.urls["http"][0])
        metrics = get(f"{self._child.urls['http'][0]}/metrics")
        [lag] = re.findall(
            r"^cms_relay_reactor_lag_seconds (\S+)$", metrics, re.MULTILINE
        )
        assert self._child.stop() == 0
        self._reader.join()
        return Seen(self._sent, self._entries, shown, float(lag))

    def _read(self, lines: Any) -> None:
        with lines:
            for line in lines:
                found, now = json.loads(line), time.time() + self._offset
                total = found["Values"]["Sum"]
                self._entries.append(
                    Entry(found["Period"], found["Time"] / 1000, total, now)
                )


def one_step(folder: Path, by: float, started: Barrier) -> Seen:
    """Lines before and after it, for long enough to be told before the stop."""
    subject = Subject(folder)
    started.wait()
    subject.send(1.0)
    subject.set(by)
    subject.send(4.5)
    return subject.end()


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Mapping[float, Seen]:
    """By the step that was made; all at the same time, since most of it is waiting.

    None begins before all have started: eight starts keep timers from a processor.
    """
    folders = [tmp_path_factory.mktemp("clock") for _ in STEPS]
    started = Barrier(len(STEPS), timeout=60)
    with ThreadPoolExecutor(len(STEPS)) as pool:
        found = pool.map(one_step, folders, STEPS, repeat(started))
        return dict(zip(STEPS, found, strict=True))


@pytest.mark.parametrize("by", STEPS)
def test_the_clock_is_set_once(
    seen: Mapping[float, Seen], by: float, figure: Callable[[str], None]
) -> None:
    """The bar, and the step is counted and shown."""
    seen[by].assert_kept()
    assert seen[by].status["clock_steps"] == 1
    noticed = seen[by].status["last_clock_step"]["seconds"]
    assert noticed == pytest.approx(by, abs=0.05)
    figure(
        f"{by:+g} s: 0 lines lost, 0 periods twice or ahead, lag {seen[by].lag:.2f} s"
    )


@pytest.mark.parametrize("by", STEPS)
def test_timers_go_on(seen: Mapping[float, Seen], by: float) -> None:
    """None is late by two seconds, and periods are told before the stop."""
    assert seen[by].lag < 2
    assert seen[by].status["ledger"]["entries"]["closed"] > 0


@pytest.mark.bar("T2")
def test_there_and_back_and_a_second_that_comes_twice(
    tmp_path: Path, figure: Callable[[str], None]
) -> None:
    """Names that were given away, names that were passed over, and names far ahead."""
    subject = Subject(tmp_path)
    for by in THERE_AND_BACK:
        subject.send(0.5)
        subject.set(by)
    subject.send(1.5)
    subject.end().assert_kept()
    figure(f"steps of {', '.join(f'{by:+g}' for by in THERE_AND_BACK)} s: as T1")
