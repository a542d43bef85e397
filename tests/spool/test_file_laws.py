"""Laws of the spool of files, whatever is done with it, killed and refused meanwhile."""

import errno

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from relay.spool.file import FileSpool
from relay.spool.memory import MemorySpool
from tests.spool.model import Disk, Luck, ModelFiles
from tests.spool.rig import batch, items, on

MAX_AGE = 1000.0
AMPLE = 10**9


class SameAsInMemory(RuleBasedStateMachine):
    """Beside a spool in memory, it gives the same batches in the same order."""

    def __init__(self) -> None:
        super().__init__()
        self.file = on(Disk(), limit_bytes=AMPLE, max_age_seconds=MAX_AGE)
        self.memory = MemorySpool(limit_bytes=AMPLE, max_age_seconds=MAX_AGE)
        self.flying: list[str] = []
        self.now, self.count = 0, 0

    @rule(sizes=st.lists(st.integers(1, 5), max_size=4), ago=st.integers(-60, 300))
    def append(self, sizes: list[int], ago: int) -> None:
        batches = []
        for n, size in enumerate(sizes):
            self.count += 1
            batches.append(batch(f"b{self.count}", self.now - n // 2 * ago, size))
        self.file.append(batches)
        self.memory.append(batches)

    @rule(seconds=st.sampled_from([0, 1, 119, 121, 700]))
    def take(self, seconds: int) -> None:
        self.now += seconds
        one, _ = self.file.take(self.now)
        other, _ = self.memory.take(self.now)
        assert one == other
        if one is not None:
            self.flying.append(one.id)

    @precondition(lambda self: self.flying)
    @rule(
        data=st.data(), how=st.sampled_from(["ack", "back", "behind", "split", "park"])
    )
    def land(self, data: st.DataObject, how: str) -> None:
        name = data.draw(st.sampled_from(self.flying))
        size = self.memory._in_flight[name].kept.entries
        self.flying.remove(name)
        for spool in (self.file, self.memory):
            assert isinstance(spool, FileSpool | MemorySpool)
            match how:
                case "ack":
                    spool.acknowledge(name)
                case "back" | "behind":
                    spool.give_back(name, how == "behind")
                case "split" if size > 1:
                    spool.split(name)
                case _:
                    spool.park(name, "why")

    @invariant()
    def counts_agree(self) -> None:
        one, other = self.file.tally(), self.memory.tally()
        assert (one.batches, one.entries, one.in_flight) == (
            other.batches,
            other.entries,
            other.in_flight,
        )
        assert (one.parked, one.parked_kept) == (other.parked, other.parked_kept)
        assert one.dropped["expired"] == other.dropped["expired"]
        assert self.file.parked() == self.memory.parked()


class KilledAndRefused(RuleBasedStateMachine):
    """On a disk that refuses what it likes, in processes that end when they like.

    What a process was promised and did not settle is there for the next one, unless the
    disk said no to it; the counts add up at every moment; the limit holds.
    """

    limit = 2**15

    @initialize()
    def begin(self) -> None:
        self.disk = Disk()
        self.refused: set[str] = set()
        self.word = 0
        self.durable: set[str] = set()
        self.unsure: set[str] = set()
        self.known: set[str] = set()
        self.count = 0
        self.start()

    def start(self) -> None:
        self.files = ModelFiles(self.disk, fault=self.fault)
        self.spool = on(self.files, self.limit)
        self.flying: dict[str, set[str]] = {}
        tally = self.spool.tally()
        assert tally.dropped["damaged"] == tally.quarantined == 0
        self.closed = tally.entries + sum(tally.dropped.values())
        self.settled = 0

    def fault(self, operation: str, _: str) -> int:
        return self.word if operation in self.refused else 0

    @rule(
        word=st.sampled_from([errno.ENOSPC, errno.EIO, errno.EROFS]),
        refused=st.sets(st.sampled_from(["open_write", "write", "sync", "rename"])),
        largest=st.sampled_from([1, 100, None]),
    )
    def the_disk_changes(
        self, word: int, refused: set[str], largest: int | None
    ) -> None:
        self.word, self.refused, self.files.largest_write = word, refused, largest

    @rule(sizes=st.lists(st.integers(1, 30), min_size=1, max_size=6))
    def append(self, sizes: list[int]) -> None:
        self.count += 1
        batches = [
            batch(f"p{self.count}.{n}", self.count, s) for n, s in enumerate(sizes)
        ]
        before = sum(self.spool.tally().dropped.values())
        tally = self.spool.append(batches)
        self.closed += sum(sizes)
        self.known |= items(batches)
        if tally.degraded:
            self.unsure |= items(batches)
        else:
            self.durable |= self.unsure | items(batches)
            self.unsure = set()
        if sum(tally.dropped.values()) > before:  # any of the oldest may be gone
            self.durable, self.unsure = set(), set()

    @rule()
    def take(self) -> None:
        one, _ = self.spool.take(self.count)
        if one is not None:
            assert items([one]) <= self.known
            self.flying[one.id] = items([one])

    @precondition(lambda self: self.flying)
    @rule(data=st.data(), how=st.sampled_from(["ack", "back", "split", "park"]))
    def land(self, data: st.DataObject, how: str) -> None:
        name = data.draw(st.sampled_from(sorted(self.flying)))
        found = self.flying.pop(name)
        if how == "back":
            self.spool.give_back(name)
        elif how == "split" and len(found) > 1:
            self.spool.split(name)
        else:
            self.durable -= found
            self.unsure -= found
            self.settled += len(found)
            self.spool.acknowledge(name) if how == "ack" else self.spool.park(name, "")

    @rule(luck=st.sampled_from(Luck))
    def killed(self, luck: Luck) -> None:
        self.disk = self.files.disk.crashed(luck)
        self.refused, self.unsure = set(), set()
        self.start()
        self.all_is_there()

    def all_is_there(self) -> None:
        """Looks at a copy, so that the life goes on as it was."""
        copy = on(self.disk.crashed(Luck.KEPT), self.limit)
        found = set[str]()
        while (one := copy.take(self.count)[0]) is not None:
            found |= items([one])
        assert self.durable <= found <= self.known

    @invariant()
    def the_counts_add_up(self) -> None:
        if not hasattr(self, "spool"):
            return
        tally = self.spool.tally()
        gone = self.settled + sum(tally.dropped.values())
        assert tally.entries + gone == self.closed
        assert tally.in_flight == len(self.flying)
        assert self.files.disk.used <= self.limit
        assert tally.bytes <= self.limit

    def teardown(self) -> None:
        """In the end everything that waits can be taken, each entry once."""
        if not hasattr(self, "spool"):
            return
        waiting = self.spool.tally().entries - sum(map(len, self.flying.values()))
        while (one := self.spool.take(self.count)[0]) is not None:
            waiting -= len(one.items)
        assert waiting == 0


TestSameAsInMemory = SameAsInMemory.TestCase
TestKilledAndRefused = KilledAndRefused.TestCase
