"""Six hours without the service, and the way back: bars S4, S5, S6.

A spool of files on a real disk and the courier, on a simulated clock. Entries are encoded
as in real life. Full size, ten thousand series, is a soak; so is what the drain of that
takes.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest
from twisted.internet.task import Clock

from relay.cloudmonitor.datum import Datum, encode
from relay.cloudmonitor.packing import pack
from relay.delivery.batch import Batch
from relay.delivery.outcome import Accepted, Outcome, Unavailable
from relay.spool.file import FileSpool
from relay.spool.memory import MemorySpool
from tests.service.courier_rig import WALL_AT_START, Rig, SlowLane

Figure = Callable[[str], None]
MINUTE, PERIODS = 60, 360
RATE, LATENCY = 10.0, 0.05
MAX_AGE = 6 * 3600.0
RSS_MORE_BYTES = 64 * 2**20


class Size(NamedTuple):
    """How much there is of everything."""

    series: int
    entries_per_request: int
    limit_bytes: int
    step: float

    def __str__(self) -> str:
        return f"{self.series} series"


QUICK = Size(200, 20, 64 * 2**20, 0.1)
FULL = Size(10_000, 100, 2**30, 0.1)
SIZES = [
    pytest.param(QUICK, id="quick"),
    pytest.param(FULL, id="full", marks=pytest.mark.soak),
]


def period(size: Size, closed_at: int) -> Sequence[Batch]:
    """The entries of a minute: each series once, a fifth of them with its long period."""
    start = closed_at - MINUTE
    items = (encode(_datum(n, start)) for n in range(size.series * 6 // 5))
    prefix = f"{start}/60"
    most = size.entries_per_request
    packed = pack(items, prefix=prefix, closed_at=closed_at, max_entries=most)
    return list(packed.batches)


def _datum(n: int, start: int) -> Datum:
    seed = (n * 2_654_435_761 + start) % 1_000_003
    values: dict[str, float] = {"SampleCount": seed % 977, "Sum": seed / 7}
    dimensions = (("env", "prod"), ("instance", "web-1"), ("route", f"r{n % 211}"))
    return Datum("0", f"shop_{n % 97}_{n}", dimensions, 60, start * 1000, values)


def resident_bytes() -> int:
    """Of this process."""
    text = Path("/proc/self/status").read_text()
    [found] = re.findall(r"^VmRSS:\s+(\d+) kB", text, re.MULTILINE)
    return int(found) * 1024


class Outage:
    """A relay whose service goes away and comes back; all it took, by period."""

    def __init__(self, size: Size, folder: Path) -> None:
        self.size, self.folder = size, folder
        self.clock = Clock()
        self.spool = FileSpool.open(
            folder, limit_bytes=size.limit_bytes, max_age_seconds=MAX_AGE
        )
        self.rig = Rig(
            clock=self.clock,
            spool=self.spool,
            http=SlowLane(self.clock, lambda: LATENCY),
            rate=RATE,
            jitter=0.9,
        )
        self.rig.sink.answer = self.answer
        self.away = False
        self.closed: Counter[int] = Counter()
        self.taken: Counter[int] = Counter()
        self.order: list[int] = []
        """When the period of each batch that was taken had ended."""
        self.late: dict[int, float] = {}
        """When the last entry of a period was taken, after its end."""
        self.largest = self.resident = 0

    def answer(self, batch: Batch) -> Outcome:
        if self.away:
            return Unavailable("connection refused")
        self.rig.sink.calls.clear()
        self.taken[batch.closed_at] += len(batch.items)
        self.order.append(batch.closed_at)
        self.late[batch.closed_at] = self.rig.wall() - batch.closed_at
        return Accepted()

    def minute(self) -> None:
        """Time passes, a period ends, samples are taken."""
        self.rig.run(MINUTE, step=self.size.step)
        closed_at = round(self.rig.wall())
        batches = period(self.size, closed_at)
        entries = sum(len(batch.items) for batch in batches)
        self.closed[closed_at] += entries
        self.rig.ledger.closed(entries, self.spool.append(batches))
        self.rig.courier.wake()
        self.rig.sink.taken.clear()
        on_disk = sum(f.stat().st_size for f in self.folder.rglob("*") if f.is_file())
        self.largest = max(self.largest, on_disk, self.spool.tally().bytes)
        self.resident = max(self.resident, resident_bytes())

    @property
    def backlog(self) -> bool:
        """Whether more waits than the newest period."""
        return self.rig.ledger.tally.entries > max(self.closed.values())


@pytest.fixture
def outage(size: Size, tmp_path: Path) -> Iterator[Outage]:
    """One whose folder is let go in the end."""
    one = Outage(size, tmp_path / "state")
    with closing(one.spool):
        yield one


@pytest.mark.bar("S4", "S5", "L2")
@pytest.mark.parametrize("size", SIZES)
def test_six_hours_away_and_back(outage: Outage, size: Size, figure: Figure) -> None:
    """Everything arrives, oldest first at what the newest periods leave of the rate; they
    are hardly late for it, and neither disk nor memory is used beyond its limit."""
    for _ in range(5):
        outage.minute()
    normal, baseline = p95(outage.late.values()), outage.resident
    outage.away = True
    for _ in range(PERIODS - 1):
        outage.minute()
    assert outage.rig.ledger.snapshot().dropped["space"] == 0

    outage.away = False
    outage.rig.run(MINUTE / 2, step=size.step)  # until it tries again
    outage.order.clear()
    back, before = outage.rig.wall(), len(outage.late)
    while outage.backlog:
        outage.minute()
    took, requests = outage.rig.wall() - back, len(outage.order)
    share = requests / took / RATE
    live = [late for at, late in outage.late.items() if at > back]
    outage.rig.run(2 * MINUTE, step=size.step)

    backlog = [at for at in outage.order if at <= back - 2 * MINUTE]
    unordered = sum(later < earlier for earlier, later in pairwise(backlog))
    counts = outage.rig.ledger.snapshot()
    assert unordered == 0
    assert p95(live) <= normal + 5
    assert share >= 0.8
    assert outage.taken == outage.closed
    assert (counts.waiting, sum(counts.dropped.values())) == (0, 0)
    assert counts.balances
    assert outage.largest <= size.limit_bytes
    grown = outage.resident - baseline
    assert grown <= RSS_MORE_BYTES
    assert before < len(outage.late)
    figure(
        f"{size}, 6 h away: {sum(outage.closed.values())} entries, all delivered in"
        f" {took / 60:.0f} min at {share:.0%} of the rate, oldest first; live p95"
        f" {p95(live):.1f} s late, {normal:.1f} s before; spool"
        f" {outage.largest / 2**20:.0f} MiB, memory {grown / 2**20:+.0f} MiB"
    )


def p95(late: Iterable[float]) -> float:
    found = sorted(late)
    return found[int(len(found) * 0.95)]


@pytest.mark.bar("S4", "L2")
def test_a_spool_too_small_keeps_the_newest(tmp_path: Path, figure: Figure) -> None:
    """It stays within its limit at every sample; what had to go was the oldest, and is
    counted; the rest arrives."""
    size = QUICK._replace(limit_bytes=2**20, step=1.0)
    outage = Outage(size, tmp_path / "state")
    with closing(outage.spool):
        outage.away = True
        for _ in range(PERIODS // 2):
            outage.minute()
        outage.away = False
        while outage.backlog:
            outage.minute()
        outage.rig.run(2 * MINUTE)
    counts = outage.rig.ledger.snapshot()
    lost = counts.dropped["space"]
    assert outage.largest <= size.limit_bytes
    missing = [at for at in outage.closed if outage.taken[at] < outage.closed[at]]
    assert max(missing) < min(at for at in outage.taken if at not in missing)
    assert sum(outage.closed.values()) - sum(outage.taken.values()) == lost > 0
    assert counts.balances
    figure(
        f"limit {size.limit_bytes} bytes: largest {outage.largest}, {lost} oldest entries"
        " dropped and counted, the others delivered"
    )


@pytest.mark.bar("S6", "L2")
@pytest.mark.parametrize("kind", ["memory", "files"])
def test_what_is_past_the_age_limit_is_not_sent(
    kind: str, tmp_path: Path, figure: Figure
) -> None:
    """Seven hours away: of each minute it is known whether it is too old, and not one
    younger is touched."""
    memory = MemorySpool(limit_bytes=10**9, max_age_seconds=MAX_AGE)
    files = FileSpool.open(tmp_path, limit_bytes=2**30, max_age_seconds=MAX_AGE)
    spool = memory if kind == "memory" else files
    rig = Rig(spool=spool, jitter=0.9)
    rig.sink.answer = lambda _: Unavailable("connection refused")
    for minute in range(7 * 60):
        rig.close(f"m{minute}:", items=3)
        rig.run(MINUTE, step=5.0)
    rig.sink.calls.clear()
    sent = list[tuple[float, str]]()

    def answer(batch: Batch) -> Outcome:
        sent.append((rig.wall() - batch.closed_at, batch.id))
        return Accepted()

    rig.sink.answer = answer
    now = rig.wall()
    rig.run(2 * MINUTE)
    counts = rig.ledger.snapshot()
    oldest = max(age for age, _ in sent)
    assert oldest <= MAX_AGE
    first = min(int(name[1:-1]) for _, name in sent)
    known = {int(name[1:-1]) for _, name in sent}
    assert known == set(range(first, 7 * 60))
    assert now + 2 * MINUTE - (WALL_AT_START + (first - 1) * MINUTE) > MAX_AGE
    assert counts.dropped["expired"] == 3 * first
    assert (counts.acked, counts.waiting) == (3 * len(known), 0)
    assert counts.balances
    files.close()
    figure(
        f"{kind}: {counts.dropped['expired']} entries expired unsent, oldest sent"
        f" {oldest:.0f} s old of {MAX_AGE:.0f}, {counts.acked} younger ones all delivered"
    )
