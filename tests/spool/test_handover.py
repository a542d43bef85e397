"""From one process to the next, whenever the power goes: nothing twice, little lost.

The road without its network and its clock: an engine, a spool of files and a checkpoint
on a model disk, wired by the rules of ``relay.spool.checkpoint``. Every life ends after
some operation of the disk; the last one is left alone and delivers what there is.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from relay.cloudmonitor.datum import decode, identity
from relay.cloudmonitor.naming import Namer
from relay.cloudmonitor.packing import compose, unreported
from relay.delivery.batch import Batch
from relay.rollup.engine import Rollup
from relay.rollup.python import PythonEngine
from relay.spool.checkpoint import Checkpoint
from relay.spool.file import FileSpool
from relay.statsd.grammar import Grammar
from tests.spool.model import Crash, Disk, Luck, ModelFiles

STATE = Path("state")
LINES = b"hits:1|c other.hits:1|c other_hits:9|c level:+1|g who:%d|s took:5|ms"


@dataclass
class World:
    """What outlives all processes: lines by period, and what the service got.

    ``sure`` are those that were in a checkpoint or in the spool.
    """

    sent: Counter[int] = field(default_factory=Counter)
    sure: Counter[int] = field(default_factory=Counter)
    got: dict[str, set[str]] = field(default_factory=dict)

    def take(self, batch: Batch) -> None:
        for item in batch.items:
            self.got.setdefault(identity(item), set()).add(item)

    def sums(self, metric: str, period: int) -> Iterator[tuple[int, float]]:
        """What the service has of a counter, by start."""
        for items in self.got.values():
            for datum in map(decode, items):
                is_twin = "statsd_series" in dict(datum.dimensions)
                if (datum.metric, datum.period, is_twin) == (metric, period, False):
                    yield datum.time_ms // 1000, datum.values["Sum"]


class Process:
    """One life, wired as the daemon is."""

    def __init__(self, files: ModelFiles, world: World, now: int) -> None:
        self.world = world
        self._mine = world.sure.copy()  # at least so many lines
        self.spool = FileSpool.open(
            STATE, limit_bytes=2**20, max_age_seconds=1e9, files=files
        )
        self.checkpoint = Checkpoint.open(STATE, files=files)
        self.namer = Namer(instance="web")
        self.engine = PythonEngine(self.namer, Grammar(), released=self.namer.release)
        start = self.checkpoint.load()
        assert not start.damaged
        assert self.namer.restore(start.owners) is None
        restored = self.engine.restore(start.snapshot, start.carry)
        assert (restored.unfit_snapshot, restored.unfit_carry) == (None, None)
        self.namer.settle()
        assert self.checkpoint.begin(now)
        for period in restored.periods:
            if period + 60 <= now:
                self.seal(period + 60, recovered=True)
        self.save(now)

    def feed(self, now: int) -> None:
        period = now - now % 60
        self.world.sent[period] += 1
        self._mine[period] += 1
        lines = (LINES % now).split()
        if now // 60 % 2 and self.world.sure:  # the first comer of twins comes last
            lines.reverse()
        self.engine.feed(b"\n".join(lines), period)

    def save(self, now: int) -> None:
        mine = self._mine.copy()
        snapshot = self.engine.snapshot()
        assert self.checkpoint.save_owners(self.namer.save(), now)
        assert self.checkpoint.save_open(snapshot, now)
        self.world.sure |= mine

    def seal(self, before: int, *, recovered: bool = False) -> None:
        for sealed in self.engine.seal(before):
            self._store(self.engine.close(sealed), recovered=recovered)

    def _store(self, rollups: Sequence[Rollup], *, recovered: bool) -> None:
        mine = Counter(
            {r.start: self._mine[r.start] for r in rollups if r.length == 60}
        )
        batches = [
            batch
            for rollup in rollups
            for batch in compose(rollup, max_entries=2).batches
        ]
        if recovered:
            there = self.spool.waiting({batch.closed_at for batch in batches})
            batches = list(unreported(batches, there))
        self.spool.append(batches)
        assert self.checkpoint.commit(self.engine.carry(), 0)
        if not recovered:
            self.world.sure |= mine

    def deliver(self) -> None:
        while (batch := self.spool.take(0.0)[0]) is not None:
            self.world.take(batch)
            self.spool.acknowledge(batch.id)

    def stop(self, now: int) -> None:
        """Hand over: what is open stays open."""
        self.save(now)
        self.checkpoint.end()
        self.checkpoint.close()
        self.spool.close()


def life(files: ModelFiles, world: World, begin: int, end: int) -> None:
    """Lines, checkpoints between them, delivery now and then."""
    process = Process(files, world, begin)
    for now in range(begin, end, 10):
        process.feed(now)
        if now % 40 == 20:  # never right before a period is sealed
            process.save(now)
        if now % 60 == 10 and now > begin:
            process.seal(now - 10)
        if now % 60 == 10:
            process.deliver()
    process.stop(end)


def check(world: World) -> None:
    for items in world.got.values():
        assert len(items) == 1, f"two versions of one entry: {items}"
    for metric in ("hits", "other_hits"):
        found = dict(world.sums(metric, 60))
        for start, total in found.items():
            assert world.sure[start] <= total <= world.sent[start]
        assert {start for start, lines in world.sure.items() if lines} <= found.keys()


def the_rest(disk: Disk, world: World, now: int) -> None:
    """A last successor, which nothing befalls, until all periods are closed."""
    process = Process(ModelFiles(disk), world, now)
    for _ in range(6):
        now += 60
        process.feed(now)
        process.seal(now)
    process.seal(now + 60)
    process.deliver()


def ended_after(operations: float, world: World) -> ModelFiles:
    files = ModelFiles(Disk(), operations)
    with suppress(Crash):
        life(files, world, 0, 330)
    return files


OPERATIONS = int(ended_after(float("inf"), World()).operations)
EVERY = 5
"""Each kind of luck has crashes of its own; those of all are every one."""


@pytest.mark.parametrize("gap", [0, 400])
@pytest.mark.parametrize(("first", "luck"), [*enumerate(Luck, 1)])
def test_a_kill_after_any_operation_reports_nothing_twice(
    first: int, luck: Luck, gap: int
) -> None:
    """And loses at most what came since the last checkpoint, and no durable entry."""
    assert OPERATIONS > 300
    for operations in range(first, OPERATIONS + 1, EVERY):
        world = World()
        files = ended_after(operations, world)
        now = max(world.sent, default=0) + 50 + gap
        the_rest(files.disk.crashed(luck), world, now)
        check(world)


@pytest.mark.parametrize("luck", [Luck.KEPT, Luck.DROPPED, Luck.TORN])
def test_kills_during_recovery_report_nothing_twice(luck: Luck) -> None:
    """Twenty starts in a row that end early, each a little later than the one before."""
    for operations in range(150, OPERATIONS + 1, 29):
        world = World()
        disk = ended_after(operations, world).disk.crashed(luck)
        now = max(world.sent) + 100
        for more in range(5, 105, 5):
            with suppress(Crash):
                Process(ModelFiles(disk, more), world, now)
            disk = disk.crashed(luck)
        the_rest(disk, world, now)
        check(world)


def test_a_handover_loses_nothing_at_all() -> None:
    """One life in three: each period once, base and long, with every line of all."""
    parted, whole, disk, other = World(), World(), Disk(), Disk()
    for begin, end in ((0, 130), (130, 260), (260, 330)):
        life(ModelFiles(disk), parted, begin, end)
    life(ModelFiles(other), whole, 0, 330)
    for world, left in ((parted, disk), (whole, other)):
        the_rest(left, world, 330)
    assert parted.got == whole.got
    assert dict(parted.sums("hits", 300))[0] == 30.0
