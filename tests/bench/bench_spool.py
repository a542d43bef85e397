"""What a spool of files costs: closing, starting, draining, and the memory of a backlog.

``python -m tests.bench.bench_spool [FOLDER]``, one figure a line. FOLDER should be on the
disk that is asked about; without it, the system's folder for temporary files. The largest
gap is what a thread that ticks every millisecond meets while a period is written.
"""

import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

from relay.cloudmonitor.datum import Datum, encode
from relay.cloudmonitor.packing import pack
from relay.delivery.batch import Batch
from relay.spool.file import FileSpool
from tests.bench.bench_close import measured, report

LIMIT_BYTES = 2**30
REPEATS = 5
BACKLOG = (360, 10_000)
"""Six hours of minutes, and the entries of each."""

PAGE_BYTES = 4096

PERCENTILES = ("P50", "P75", "P90", "P95", "P98", "P99")


def batches(entries: int, period: int) -> Sequence[Batch]:
    """A period as it is composed: counters mostly, some timers."""
    items = (encode(_datum(n, period)) for n in range(entries))
    packed = pack(items, prefix=f"{period}/60", closed_at=period + 60)
    return list(packed.batches)


def _datum(n: int, period: int) -> Datum:
    seed = (n * 2_654_435_761 + period) % 1_000_003
    values: dict[str, float] = {"SampleCount": seed % 977, "Sum": seed / 7}
    if n % 5 == 0:
        values |= {p: seed / (20 - i) for i, p in enumerate(PERCENTILES)}
    dimensions = (("env", "prod"), ("instance", "web-1"), ("route", f"r{n % 211}"))
    return Datum("0", f"shop_{n % 97}_{n}", dimensions, 60, period * 1000, values)


def opened(folder: Path) -> FileSpool:
    return FileSpool.open(folder, limit_bytes=LIMIT_BYTES, max_age_seconds=1e9)


def closing(folder: Path, entries: int) -> None:
    """Appending one period, over and over."""
    spool = opened(folder / str(entries))
    work = batches(entries, 0)
    found = [measured(partial(spool.append, work)) for _ in range(REPEATS)]
    size = spool.tally().bytes / REPEATS / entries
    report(f"append {entries} entries", median(took for took, _ in found) * 1e3, "ms")
    report(f"  longest of {REPEATS}", max(took for took, _ in found) * 1e3, "ms")
    report("  largest gap in a thread beside it", max(g for _, g in found) * 1e3, "ms")
    report("  on the disk", size, "bytes an entry")
    spool.close()


def starting(folder: Path) -> None:
    """A start with a thousand segments."""
    spool = opened(folder / "start")
    for n in range(1000):
        spool.append(batches(20, n * 60))
    spool.close()
    took, _ = measured(lambda: opened(folder / "start").close())
    report("start with 1,000 segments", took * 1e3, "ms")


def draining(folder: Path) -> None:
    """Six hours without a sink, and the way back."""
    periods, entries = BACKLOG
    spool = opened(folder / "drain")
    work = batches(entries, 0)
    before = most = resident_mebibytes()
    for n in range(periods):
        spool.append([b._replace(closed_at=n * 60) for b in work])
        most = max(most, resident_mebibytes())
    tally = spool.tally()
    report("backlog", tally.bytes / 2**20, "MiB")
    report("  memory at most while it grew", most - before, "MiB")
    spool.close()
    spool = opened(folder / "drain")
    start, delivered, most = perf_counter(), 0, before
    while (batch := spool.take(1e6)[0]) is not None:
        spool.acknowledge(batch.id)
        delivered += 1
        if delivered % 100 == 0:
            most = max(most, resident_mebibytes())
    took = perf_counter() - start
    report("drain", took / delivered * 1e6, "µs a batch")
    report("  memory at most while it shrank", most - before, "MiB")


def resident_mebibytes() -> float:
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * PAGE_BYTES / 2**20


def main(folder: str | None) -> None:
    parts: Sequence[Callable[[Path], None]] = (
        draining,
        starting,
        partial(closing, entries=10_000),
        partial(closing, entries=100_000),
    )
    for part in parts:
        with TemporaryDirectory(dir=folder) as fresh:
            part(Path(fresh))


if __name__ == "__main__":
    main(sys.argv[1] if sys.argv[1:] else None)
