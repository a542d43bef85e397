"""Disks that are full, broken or read-only: nothing ends, nothing is lost unsaid."""

import errno
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from relay.spool.memory import SPACE
from tests.spool.model import Disk, Fault, Luck, ModelFiles
from tests.spool.rig import at, batch, bulky, ids, items, on, taken

WRITING = {"open_write", "write", "sync", "rename"}
REFUSALS = ["ENOSPC", "EDQUOT", "EIO", "EROFS", "EFBIG", "EMFILE"]


def refusing(word: str, operations: set[str] = WRITING) -> Fault:
    """Those operations end with an error."""
    number: int = getattr(errno, word)
    return lambda operation, _: number if operation in operations else 0


@pytest.mark.bar("S2")
@pytest.mark.parametrize("operation", sorted(WRITING))
@pytest.mark.parametrize("word", REFUSALS)
def test_what_the_disk_refuses_is_delivered_from_memory(
    word: str, operation: str
) -> None:
    """The period that just closed goes out; the status says what is wrong."""
    files = ModelFiles(Disk())
    spool = on(files)
    files.fault = refusing(word, {operation})
    tally = spool.append([batch("a"), batch("b")])
    assert tally.degraded
    assert (tally.entries, sum(tally.dropped.values())) == (4, 0)
    first, second = taken(spool)
    spool.acknowledge(first.id)
    assert spool.acknowledge(second.id).entries == 0


@pytest.mark.bar("S2")
@pytest.mark.parametrize("word", REFUSALS)
def test_it_is_written_with_the_next_period(word: str) -> None:
    """Durable again, in order, and no longer degraded; what was settled stays so."""
    files = ModelFiles(Disk())
    spool = on(files)
    files.fault = refusing(word)
    spool.append([batch("a"), batch("b"), batch("c")])
    done, _ = spool.take(0.0)
    assert done is not None
    spool.acknowledge(done.id)
    files.fault = None
    assert spool.append([batch("d")]).degraded == ""
    assert ids(taken(on(files.disk.crashed(Luck.KEPT)))) == ["b", "c", "d"]
    assert ids(taken(on(files.disk.crashed(Luck.DROPPED)))) == ["a", "b", "c", "d"]


@pytest.mark.bar("S2")
def test_a_full_disk_costs_the_oldest_segments() -> None:
    """They are counted; the newest period is durable."""
    files = ModelFiles(Disk(space=100_000))
    spool = on(files, limit_bytes=100 * 2**20)
    for n in range(20):
        tally = spool.append([bulky(f"p{n}", n)])
        assert tally.degraded == ""
    assert tally.dropped[SPACE] == 20 - tally.entries > 0
    left = ids(taken(on(files.disk.crashed(Luck.DROPPED))))
    assert left == [f"p{n}" for n in range(20 - tally.entries, 20)]


def test_a_disk_that_others_fill_does_not_cost_the_whole_backlog() -> None:
    """When twice the room that is needed did not help, nothing more is dropped."""
    files = ModelFiles(Disk())
    spool = on(files)
    for n in range(10):
        spool.append([bulky(f"p{n}", n)])
    files.fault = refusing("ENOSPC", {"write"})
    tally = spool.append([bulky("new", 10)])
    assert (tally.dropped[SPACE], tally.entries) == (2, 9)
    assert tally.degraded == "ENOSPC"


def test_a_broken_disk_does_not_cost_the_backlog() -> None:
    """Room is not what it wants, so nothing is dropped to make some."""
    files = ModelFiles(Disk())
    spool = on(files)
    spool.append([batch("a")])
    files.fault = refusing("EIO")
    assert sum(spool.append([batch("b")]).dropped.values()) == 0


def test_memory_is_bounded_like_the_disk() -> None:
    """With nothing written at all, the oldest go at the same limit."""
    files = ModelFiles(Disk())
    spool = on(files)
    files.fault = refusing("EROFS")
    for n in range(200):
        tally = spool.append([bulky(f"p{n}", n)])
        assert tally.bytes <= 2**20
    assert tally.dropped[SPACE] == 200 - tally.entries > 0
    assert ids(taken(spool, 200.0))[-1] == "p199"


@pytest.mark.bar("S2")
@pytest.mark.parametrize("largest", [1, 7, 4096])
def test_short_writes_are_gone_on_with(largest: int) -> None:
    """Whatever a write leaves over is written next, in segments and in marks."""
    files = ModelFiles(Disk())
    files.largest_write = largest
    spool = on(files)
    spool.append([batch("a"), batch("b")])
    first, _ = spool.take(0.0)
    assert first is not None
    spool.acknowledge(first.id)
    assert ids(taken(on(files.disk.crashed(Luck.KEPT)))) == ["b"]


def test_a_mark_that_was_torn_by_a_full_disk_is_written_over() -> None:
    """The marks behind it are read, since they stand where they belong."""
    files = ModelFiles(Disk())
    spool = on(files)
    spool.append([batch(name) for name in "abcd"])
    flying = ids(taken(spool))
    spool.acknowledge(flying[0])
    files.disk.space = files.disk.used + 7
    assert spool.acknowledge(flying[1]).degraded
    files.disk.space = float("inf")
    spool.acknowledge(flying[2])
    assert ids(taken(on(files.disk.crashed(Luck.KEPT)))) == ["d"]


def test_what_cannot_be_removed_is_removed_later() -> None:
    """It is out of the counts at once, and out of the folder as soon as may be."""
    files = ModelFiles(Disk())
    spool = on(files)
    spool.append([batch("a")])
    files.fault = refusing("EIO", {"unlink"})
    [one] = taken(spool)
    assert spool.acknowledge(one.id).entries == 0
    files.fault = None
    spool.append([])
    assert files.disk.names("spool") == []


@pytest.mark.parametrize("operation", ["names", "look", "open_read", "read", "unlink"])
def test_a_disk_that_cannot_be_read_does_not_keep_us_from_starting(
    operation: str,
) -> None:
    """What is closed from then on is taken in."""
    files = ModelFiles(Disk())
    one = on(files)
    one.append([batch("a")])
    one.close()
    again = on(ModelFiles(files.disk, fault=refusing("EIO", {operation})))
    assert again.append([batch("b")]).entries >= 2


def test_nothing_to_read_with_is_not_the_fault_of_the_file() -> None:
    """The batch stays where it was, and is given once there are descriptors."""
    files = ModelFiles(Disk())
    spool = on(files)
    spool.append([batch("a"), batch("b")])
    for _ in range(2):
        files.fault = refusing("EMFILE", {"open_read"})
        with pytest.raises(OSError, match="EMFILE"):
            spool.take(0.0)
        files.fault = None
        assert spool.take(0.0)[0] is not None
    assert spool.tally().dropped["damaged"] == 0


def test_no_descriptor_is_needed_for_a_period_that_is_not_there() -> None:
    """Where there is something of it, who asks has to ask again."""
    files = ModelFiles(Disk())
    spool = on(files)
    spool.append([batch("a", 60)])
    files.fault = lambda does, _: errno.EMFILE * (does != "close")
    assert list(spool.waiting({120})) == []
    with pytest.raises(OSError, match="EMFILE"):
        spool.waiting({60})
    files.fault = None
    assert set(spool.waiting({60})) == items([batch("a")])
    assert (spool.tally().entries, spool.tally().dropped["damaged"]) == (2, 0)


def test_closing_tells_what_is_lost_with_the_process() -> None:
    """Only where the disk refuses to the last."""
    files = ModelFiles(Disk())
    spool = on(files)
    files.fault = refusing("ENOSPC", {"write"})
    spool.append([batch("a", items=3)])
    assert spool.close() == 3


def test_closing_writes_what_is_owed() -> None:
    """The disk may have room again by then."""
    files = ModelFiles(Disk())
    spool = on(files)
    files.fault = refusing("ENOSPC")
    spool.append([batch("a")])
    files.fault = None
    assert spool.close() == 0
    assert ids(taken(on(files.disk.crashed(Luck.DROPPED)))) == ["a"]


def test_descriptors_are_given_back() -> None:
    """However an operation ends."""
    files = ModelFiles(Disk())
    spool = on(files)
    before = files.open_handles
    for operation in (*sorted(WRITING), "read", "unlink"):
        files.fault = refusing("EIO", {operation})
        spool.append([batch("a"), batch("b")])
        for one in taken(spool):
            spool.park(one.id, "why")
    assert files.open_handles == before


@pytest.mark.bar("S2")
def test_a_limit_on_the_size_of_files_ends_nothing(tmp_path: Path) -> None:
    """The real thing: the system sends a signal too, which must not end the process."""
    program = textwrap.dedent("""
        import resource, sys
        from pathlib import Path
        from tests.spool.rig import at, batch, bulky, ids, taken
        spool = at(Path(sys.argv[1]))
        hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        resource.setrlimit(resource.RLIMIT_FSIZE, (1024, hard))
        print(spool.append([bulky("a")]).degraded)
        print(ids(taken(spool)))
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        print([spool.append([batch("b")]).degraded, spool.close()])
    """)
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path],
        check=True,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert done.stdout.splitlines() == ["File too large", "['a']", "['', 0]"]
    assert items(taken(at(tmp_path))) == items([bulky("a"), batch("b")])
