"""What a checkpoint costs: ``python -m tests.bench.bench_checkpoint``.

For 10,000 and 100,000 series, each with samples in the open period: how long taking the
snapshot holds the reactor, how long making its parts takes elsewhere, the largest gap
that makes in a thread beside it, how many bytes it is, how long a start needs to read
it, how long it takes until it is on the disk. Then what a line costs where all series
are saved every ten seconds of traffic.
"""

import gc
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from zlib import compress

from relay.cloudmonitor.naming import Namer
from relay.rollup.engine import Engine
from relay.rollup.engines import open_engine
from relay.spool.checkpoint import Checkpoint
from relay.statsd.grammar import Grammar
from tests.bench.bench_close import measured
from tests.bench.bench_engine import engine, timed
from tests.bench.workload import datagrams

REPEATS = 5
LINES_A_SECOND = 10_000


def report(label: str, figure: float, unit: str) -> None:
    print(f"{label:56} {figure:9.3f} {unit}", flush=True)


def saved(subject: Engine) -> Iterator[tuple[float, float, float, list[bytes]]]:
    """Seconds to take it, to make its parts, the gap beside that, and the parts."""
    for _ in range(REPEATS):
        start = perf_counter()
        snapshot = subject.snapshot()
        taking = perf_counter() - start
        parts: list[bytes] = []
        making, gap = measured(lambda: parts.extend(snapshot))  # noqa: B023 - at once
        yield taking, making, gap, parts


def restored(parts: list[bytes], carry: list[bytes]) -> float:
    """Seconds, with a real namer."""
    start = perf_counter()
    namer = Namer(instance="host")
    open_engine("auto", namer, Grammar()).restore(parts, carry)
    return perf_counter() - start


def sizes(series: int) -> None:
    subject, sent = engine(), datagrams(4 * series, series)
    timed(subject, sent, 0)
    for sealed in subject.seal(60):
        subject.close(sealed)
    timed(subject, sent, 60)
    gc.freeze()  # as the daemon does
    takings, makings, gaps, all_parts = zip(*saved(subject), strict=True)
    parts = all_parts[-1]
    carry = list(subject.carry())
    word = f"{series:,} series, "
    report(f"{word}take a snapshot, at most", max(takings) * 1e3, "ms")
    report(f"{word}make its parts", median(makings) * 1e3, "ms")
    report(f"{word}largest gap beside that", max(gaps) * 1e3, "ms")
    report(f"{word}parts", sum(map(len, parts)) / 1e6, "MB")
    packed = sum(len(compress(part, 1)) for part in parts)
    report(f"{word}parts, compressed", packed / 1e6, "MB")
    report(f"{word}carry", sum(map(len, carry)) / 1e6, "MB")
    report(f"{word}restore both", restored(parts, carry), "s")
    with TemporaryDirectory() as folder:
        checkpoint = Checkpoint.open(Path(folder) / "state")
        start = perf_counter()
        checkpoint.save_open(subject.snapshot(), 0.0)
        saved_open = perf_counter()
        checkpoint.commit(subject.carry(), 0.0)
        report(f"{word}save what is open, durable", saved_open - start, "s")
        report(f"{word}commit a period, durable", perf_counter() - saved_open, "s")


def feeding(series: int, save_every_seconds: int) -> float:
    """µs a line of processor time over a minute; 0 saves nothing."""
    subject = engine()
    sent = datagrams(60 * LINES_A_SECOND, series)
    step = max(1, len(sent) * save_every_seconds // 60)
    cost = 0.0
    for at in range(0, len(sent), step if save_every_seconds else len(sent)):
        cost += timed(subject, sent[at : at + step] if save_every_seconds else sent, 0)
        if save_every_seconds:
            list(subject.snapshot())
    return cost / (60 * LINES_A_SECOND) * 1e6


def main() -> None:
    for series in (10_000, 100_000):
        sizes(series)
    for series in (10_000, 100_000):
        for every, word in ((0, "saving nothing"), (10, "saved every 10 s")):
            found = feeding(series, every)
            report(f"10,000 lines/s, {series:,} series, {word}", found, "µs/line")


if __name__ == "__main__":
    main()
