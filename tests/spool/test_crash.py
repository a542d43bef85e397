"""Crashes after every single operation of the disk, and what the next start finds."""

from collections.abc import Callable
from contextlib import suppress

import pytest

from relay.delivery.batch import Batch
from relay.spool.file import FileSpool
from tests.spool.model import Crash, Disk, Inode, Luck, ModelFiles
from tests.spool.rig import batch, bulky, items, on, taken

NOW = 1000.0
WRITTEN = {"tmp", "ack", "jsonl"}
REMOVED = {"seg", "ack"}
MAX_AGE = 500.0
FIRST = [batch("a", 940, items=5), batch("b", 940), batch("c", 940), batch("d", 1000)]
SECOND = [bulky(f"e{n}", 1000, kibibytes=12) for n in range(4)]
OLD = [batch("old", 400)]


class Life:
    """What a process does, what it was promised, and what it gave up."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self.promised: set[str] = set()
        self.settled: set[str] = set()

    def append(self, spool: FileSpool, batches: list[Batch]) -> None:
        self.seen |= items(batches)
        spool.append(batches)
        self.promised |= items(batches)

    def take(self, spool: FileSpool) -> Batch:
        found, _ = spool.take(NOW)
        assert found is not None
        return found

    def acknowledge(self, spool: FileSpool, *some: Batch) -> None:
        for one in some:
            self.settled |= items([one])
            spool.acknowledge(one.id)

    def run(self, files: ModelFiles) -> None:
        """Every operation of a spool, and every way a segment can go."""
        spool = on(files, max_age_seconds=MAX_AGE)
        self.append(spool, FIRST)
        whole, second, third = (self.take(spool) for _ in range(3))
        spool.give_back(second.id, True)
        spool.split(whole.id)
        half = self.take(spool)
        self.settled |= items([third])
        spool.park(third.id, "syntax")
        self.acknowledge(spool, half)
        self.settled |= items(OLD)  # it is older than the limit
        self.append(spool, OLD)
        self.append(spool, SECOND)
        self.acknowledge(spool, *(self.take(spool) for _ in range(5)))
        spool.close()


def ended_after(operations: float) -> tuple[Life, ModelFiles]:
    """A life that the power cut short."""
    life, files = Life(), ModelFiles(Disk(), operations)
    with suppress(Crash):
        life.run(files)
    return life, files


OPERATIONS = ended_after(float("inf"))[1].operations


def owed(life: Life, disk: Disk) -> None:
    """All that was promised and not settled is there, and nothing else."""
    spool = on(disk, max_age_seconds=MAX_AGE)
    tally = spool.tally()
    found = taken(spool, NOW)
    after = spool.tally()
    assert life.promised - life.settled <= items(found) <= life.seen
    assert tally.entries == after.entries + after.dropped["expired"]
    assert after.entries == sum(len(one.items) for one in found)
    assert (after.dropped["damaged"], after.quarantined, after.degraded) == (0, 0, "")


def test_the_life_does_what_it_is_to_be_killed_in() -> None:
    """Every operation on files happens in it, so every one of them gets its crash."""
    files = ModelFiles(Disk())
    Life().run(files)
    seen = {operation for operation, _ in files.done}
    assert seen >= {"open_folder", "lock", "open_write", "write", "sync", "rename"}
    assert seen >= {"unlink", "open_read", "read", "names"}
    # Every kind of file and folder that is written, synced, renamed or removed.
    assert {n.rpartition(".")[2] for op, n in files.done if op == "write"} == WRITTEN
    assert {n.rpartition(".")[2] for op, n in files.done if op == "unlink"} >= REMOVED
    assert {"spool", ""} <= {n for op, n in files.done if op == "sync"}
    assert OPERATIONS > 60


@pytest.mark.bar("R2")
@pytest.mark.parametrize("luck", Luck)
def test_a_crash_after_any_operation_loses_nothing(
    luck: Luck, figure: Callable[[str], None]
) -> None:
    """Whatever was not synced by then is kept, dropped or torn."""
    for operations in range(1, OPERATIONS + 1):
        life, files = ended_after(operations)
        owed(life, files.disk.crashed(luck))
    figure(f"{OPERATIONS} crash points, unsynced: {luck.value} kept, 0 lost")


@pytest.mark.bar("R2")
@pytest.mark.parametrize("luck", Luck)
def test_crashes_during_recovery_lose_nothing_and_litter_nothing(luck: Luck) -> None:
    """Twenty starts in a row that end early, each a little later than the one before."""
    for operations in range(1, OPERATIONS + 1, 7):
        life, files = ended_after(operations)
        disk = files.disk.crashed(luck)
        count = sum(len(folder.now) for folder in disk.folders.values())
        for more in range(1, 21):
            with suppress(Crash):  # it may have been through by then
                taken(on(ModelFiles(disk, more), max_age_seconds=MAX_AGE), NOW)
            disk = disk.crashed(luck)
        assert sum(len(folder.now) for folder in disk.folders.values()) <= count
        owed(life, disk)


def test_a_segment_is_synced_under_another_name_before_it_gets_its_own() -> None:
    """The order that makes it durable: content, name, folder."""
    files = ModelFiles(Disk())
    spool = on(files)
    files.done.clear()
    spool.append([batch("a")])
    temporary = "0000000000000001.tmp"
    assert files.done == [
        ("open_write", temporary),
        ("write", temporary),
        ("sync", temporary),
        ("rename", temporary),
        ("sync", "spool"),
    ]


def test_a_segment_goes_before_its_marks() -> None:
    """A crash between the two must not bring it back unmarked."""
    files = ModelFiles(Disk())
    spool = on(files)
    spool.append([batch("a"), batch("b")])
    for one in taken(spool):
        files.done.clear()
        spool.acknowledge(one.id)
    assert files.done == [
        ("unlink", "0000000000000001.seg"),
        ("unlink", "0000000000000001.ack"),
    ]


def test_what_a_crash_left_half_written_is_cleaned_up() -> None:
    """Segments under their other name, and marks whose segment is gone."""
    disk = Disk()
    on(disk).append([batch("a")])
    folder = disk.folders["spool"].now
    for name in ("0000000000000002.tmp", "0000000000000003.ack"):
        folder[name] = Inode(b"half", b"half")
    assert on(disk).tally().quarantined == 0
    assert disk.names("spool") == ["0000000000000001.seg"]
