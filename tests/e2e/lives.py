"""Several lives of one relay, on one state folder, one socket and one emulator.

The socket is held by the test, as a service manager does, so that whatever is missing at
the end was lost by a relay and not between two of them.
"""

import random
import socket
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.e2e.children import Child
from tests.e2e.manager import handed, held, url_of, warm
from tests.e2e.road import KEYS, entries

__all__ = [
    "PERIOD",
    "Load",
    "Site",
    "hits",
    "identity",
    "load_lines",
    "repeated",
    "start_emulator",
]

PERIOD = 2
LINES_A_DATAGRAM = 32
GRACE = 2


def start_emulator(period: int = PERIOD) -> Child:
    """One that takes short periods."""
    return Child.start(["emulator", "--listen", "127.0.0.1:0", "--period", str(period)])


class Load(threading.Thread):
    """Sends ``lines`` over and over, ``rate`` a second, until told to stop.

    Each line has ``{}`` where ``word`` goes; ``sent`` counts lines by word, ``hits``
    those of counters, each of which adds 1.
    """

    def __init__(self, where: Any, lines: Sequence[str], rate: int) -> None:
        super().__init__(daemon=True)
        self.word = "w"
        self.sent: Counter[str] = Counter()
        self.hits: Counter[str] = Counter()
        self._where, self._rate = where, rate
        self._pieces = [
            "\n".join(lines[at : at + LINES_A_DATAGRAM])
            for at in range(0, len(lines), LINES_A_DATAGRAM)
        ]
        self._over = threading.Event()

    def run(self) -> None:
        began, number = time.monotonic(), 0
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            while not self._over.is_set():
                piece = self._pieces[number % len(self._pieces)]
                word = self.word
                sender.sendto(piece.replace("{}", word).encode(), self._where)
                self.sent[word] += piece.count("\n") + 1
                self.hits[word] += piece.count("|c")
                number += 1
                due = began + number * LINES_A_DATAGRAM / self._rate
                time.sleep(max(0.0, due - time.monotonic()))

    def stop(self) -> None:
        """And wait until it has."""
        self._over.set()
        self.join()


def load_lines(series: int) -> list[str]:
    """The mixture of load L, one line a series; counters add 1."""
    dice = random.Random(1)  # noqa: S311 - a fixed workload
    forms = [
        *(60 * ["{{}}.c{}:1|c"]),
        *(20 * ["{{}}.g{}:{}|g"]),
        *(15 * ["{{}}.t{}:{}|ms"]),
        *(5 * ["{{}}.s{}:{}|s"]),
    ]
    lines = [forms[n % 100].format(n, n % 7) for n in range(series)]
    dice.shuffle(lines)
    return lines


class Site:
    """What outlives the relays: an emulator, a folder, a socket."""

    def __init__(
        self, emulator: Child, folder: Path, holder: socket.socket, period: int
    ) -> None:
        self.emulator, self.folder, self.holder = emulator, folder, holder
        self.period = period
        self.url = emulator.urls["emulator"][0]

    @classmethod
    @contextmanager
    def open(
        cls, emulator: Child, folder: Path, period: int = PERIOD
    ) -> Iterator["Site"]:
        """One that reports to ``emulator``; several may."""
        with held() as holder:
            yield cls(emulator, folder, holder, period)

    def relay(self, *more: str, **variables: str) -> Child:
        """Not ready yet."""
        return handed(self.holder, *self._args(more), **{**KEYS, **variables})

    def warm(self, *more: str) -> Callable[[], Child]:
        """One that has its modules; it starts when called, and is not ready then."""
        return warm(self.holder, *self._args(more), **KEYS)

    def _args(self, more: Sequence[str]) -> Sequence[str]:
        return (
            *("run", "--sink", "cloudmonitor", "--endpoint", self.url),
            *("--listen", url_of(self.holder), "--http", "127.0.0.1:0"),
            *("--state", str(self.folder), "--period", str(self.period), *more),
            *("--instance", "test-host"),
        )

    def ready(self, *more: str) -> Child:
        """Ready."""
        child = self.relay(*more)
        child.wait_ready()
        return child

    def entries(self) -> list[dict[str, Any]]:
        """What the service got of both period lengths."""
        return entries(self.url)


def identity(entry: dict[str, Any]) -> tuple[object, ...]:
    """What must be reported once."""
    dimensions = tuple(sorted(entry["Dimensions"].items()))
    return entry["MetricName"], dimensions, entry["Period"], entry["Time"]


def repeated(found: Sequence[dict[str, Any]]) -> int:
    """How many entries came again; fails unless each repetition is the same entry."""
    seen: dict[tuple[object, ...], object] = {}
    again = 0
    for entry in found:
        name = identity(entry)
        if name in seen:
            again += 1
            assert seen[name] == entry["Values"], f"two versions of {name}"
        seen[name] = entry["Values"]
    return again


def hits(found: Sequence[dict[str, Any]], length: int) -> dict[str, float]:
    """What the counters of ``load_lines`` add up to by word, each entry once."""
    once = {identity(entry): entry for entry in found if entry["Period"] == length}
    sums: dict[str, float] = defaultdict(float)
    for entry in once.values():
        word, _, kind = entry["MetricName"].rpartition("_")
        if kind.startswith("c"):
            sums[word] += entry["Values"]["Sum"]
    return {word: total for word, total in sums.items() if total}
