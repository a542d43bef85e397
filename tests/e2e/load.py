"""Load on a running relay, and what it does to the process, as seen from outside.

The load is that of the reliability bars: lines in datagrams of 32, of 60 % counters that
add 1, 20 % gauges, 15 % timers and 5 % sets.
"""

import re
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from tests.e2e.children import Child
from tests.e2e.road import get

__all__ = [
    "Load",
    "Sent",
    "descriptors",
    "health_seconds",
    "metric",
    "p99",
    "resident_bytes",
    "threads",
]

PROGRAM = """
import json, select, socket, sys, time
host, port, seconds, per_second, series = sys.argv[1], *map(float, sys.argv[2:])
kinds = ["c"] * 12 + ["g"] * 4 + ["ms"] * 3 + ["s"]
lines = [
    (kinds[n % 20], f"load.{kinds[n % 20]}{n}:{1 if n % 20 < 12 else n}|{kinds[n % 20]}")
    for n in range(int(series))
]
while len(lines) % 32:
    lines += lines
pieces = [
    ("\\n".join(line for _, line in part).encode(), sum(kind == "c" for kind, _ in part))
    for part in (lines[at : at + 32] for at in range(0, len(lines), 32))
]
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sent = counters = 0
began = time.monotonic()
while True:
    now = time.monotonic() - began
    if now > seconds or select.select([sys.stdin], [], [], 0)[0]:
        break
    due = int(min(now, seconds) * per_second / 32) - sent
    for _ in range(max(0, min(due, 40))):
        piece, count = pieces[sent % len(pieces)]
        sender.sendto(piece, (host, int(port)))
        sent, counters = sent + 1, counters + count
    time.sleep(0.005)
print(json.dumps([sent, sent * 32, counters]))
"""


class Sent(NamedTuple):
    """What a load came to."""

    datagrams: int
    lines: int
    counters: int


class Load:
    """A process that sends to ``relay`` from now on, until it is stopped."""

    def __init__(
        self,
        relay: Child,
        *,
        seconds: float = 1e6,
        per_second: int = 10_000,
        series: int = 10_000,
    ) -> None:
        door = urlsplit(relay.urls["listening"][0])
        numbers = [str(n) for n in (door.port, seconds, per_second, series)]
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(door.hostname), *numbers],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def stop(self) -> Sent:
        """No more."""
        return self._end("stop\n")

    def wait(self) -> Sent:
        """Until its time is over."""
        self._process.wait()
        return self._end(None)

    def _end(self, said: str | None) -> Sent:
        out, _ = self._process.communicate(said)
        datagrams, lines, counters = map(int, re.findall(r"\d+", out))
        return Sent(datagrams, lines, counters)


def health_seconds(http: str, seconds: float, pause: float = 0.02) -> list[float]:
    """How long each answer took, sorted; asked for on a new connection every time.

    An answer takes a few turns of the reactor, so none is faster than a timer in it.
    """
    taken = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.monotonic()
        assert get(f"{http}/healthz") == "ok\n"
        taken.append(time.monotonic() - began)
        time.sleep(pause)
    return sorted(taken)


def p99(taken: list[float]) -> float:
    """By nearest rank, of what is sorted."""
    return taken[max(0, round(len(taken) * 0.99) - 1)]


def metric(http: str, name: str) -> float:
    """The sum over all labels of one of our metrics."""
    return sum(
        float(line.rpartition(" ")[2])
        for line in get(f"{http}/metrics").splitlines()
        if re.match(rf"cms_relay_{name}[{{ ]", line)
    )


def resident_bytes(child: Child) -> int:
    """RSS."""
    return 1024 * _number(child, "VmRSS")


def threads(child: Child) -> int:
    """How many there are."""
    return _number(child, "Threads")


def descriptors(child: Child) -> int:
    """How many are open."""
    return len(list(Path(f"/proc/{child.process.pid}/fd").iterdir()))


def _number(child: Child, key: str) -> int:
    text = Path(f"/proc/{child.process.pid}/status").read_text()
    [found] = re.findall(rf"^{key}:\s+(\d+)", text, re.MULTILINE)
    return int(found)
