"""What closing a period costs, and how long it holds up everybody else.

``python -m tests.bench.bench_close``: 50,000 series are closed and their rows iterated,
base and long period, in one thread, while another ticks every millisecond as a reactor
would. The largest gap between two ticks, less that of an idle process, is what closing
costs the reactor at a time. All of it twice: with garbage collection as it comes, and
with all that has survived a period set aside from it after each.
"""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from statistics import median
from threading import Event, Thread
from time import perf_counter, sleep
from typing import NamedTuple

from relay.rollup.engine import Engine, Sealed
from tests.bench.bench_engine import engine, timed
from tests.bench.workload import datagrams

SERIES = 50_000
LINES = 400_000
REPEATS = 5
TICK_SECONDS = 0.001


class Ticker:
    """Notes the largest time between two ticks."""

    def __init__(self) -> None:
        self.largest = 0.0
        self._stop = Event()

    def run(self) -> None:
        last = perf_counter()
        while not self._stop.is_set():
            sleep(TICK_SECONDS)
            now = perf_counter()
            self.largest = max(self.largest, now - last)
            last = now

    @contextmanager
    def ticking(self) -> Iterator[None]:
        thread = Thread(target=self.run)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()


class Measured(NamedTuple):
    """Seconds, all three."""

    sealing: float
    closing: float
    gap: float


def close(subject: Engine, sealed: Sealed) -> int:
    """Close a period and look at every row, as composing does."""
    return sum(1 for rollup in subject.close(sealed) for _ in rollup.rows)


def measured(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds, and the largest gap in the thread beside it."""
    ticker = Ticker()
    with ticker.ticking():
        start = perf_counter()
        work()
        took = perf_counter() - start
    return took, ticker.largest


def day(sent: list[bytes], after: Callable[[], None]) -> Iterator[Measured]:
    """Minute by minute: what sealing took, what closing took, the gap it made.

    ``after`` is called behind each, like a daemon that has nothing to do just then.
    """
    subject = engine()
    for minute in range(5 * REPEATS):
        timed(subject, sent, minute * 60)
        start = perf_counter()
        [sealed] = subject.seal(minute * 60 + 60)
        sealing = perf_counter() - start
        yield Measured(sealing, *measured(partial(close, subject, sealed)))
        del sealed  # here, since freeing the last one is no part of the next seal
        after()


def main() -> None:
    sent = datagrams(LINES, SERIES)
    for label, after in (("", lambda: None), (", with gc.freeze()", gc.freeze)):
        found = list(day(sent, after))
        long = found[4::5]
        base = [one for one in found if one not in long]
        report(f"seal{label}", max(one.sealing for one in found) * 1e6, "µs, at most")
        for name, some in (("close 60 s", base), ("close 60 s and 300 s", long)):
            report(f"{name}{label}", median(one.closing for one in some), "s")
            gap = max(one.gap for one in some) * 1e3
            report(f"{name}, largest gap{label}", gap, "ms")
    _, idle = measured(partial(sleep, 0.5))
    report("nothing, largest gap", idle * 1e3, "ms")


def report(label: str, figure: float, unit: str) -> None:
    print(f"{label:56} {figure:9.3f} {unit}", flush=True)


if __name__ == "__main__":
    main()
