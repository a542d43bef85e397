"""Segments that permissions keep from being read: they are not damaged, and they wait."""

import errno
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.spool.model import Disk, Fault, Luck, ModelFiles
from tests.spool.rig import MEBIBYTE, at, batch, bulky, ids, on, taken

FIRST, SECOND = "0000000000000001.seg", "0000000000000002.seg"

each_refusal = pytest.mark.parametrize("word", ["EACCES", "EPERM"])


def keeps(name: str, word: str = "EACCES", operation: str = "open_read") -> Fault:
    """That file is somebody else's."""
    number: int = getattr(errno, word)
    return lambda does, whose: number if (does, whose) == (operation, name) else 0


def two() -> Disk:
    """A disk with two segments, which a process left."""
    files = ModelFiles(Disk())
    spool = on(files)
    spool.append([batch("a"), batch("b")])
    spool.append([batch("next", 60)])
    spool.close()
    return files.disk


@pytest.mark.bar("S3")
@each_refusal
def test_it_waits_where_it_is_until_somebody_may_read_it(word: str) -> None:
    """Neither put aside nor dropped; the others are delivered, and it by the next."""
    disk = two()
    content = disk.file(f"spool/{FIRST}").now
    spool = on(ModelFiles(disk, fault=keeps(FIRST, word)))
    tally = spool.tally()
    assert (tally.unreadable, tally.quarantined, tally.entries) == (1, 0, 2)
    assert sum(tally.dropped.values()) == 0
    assert list(spool.unreadable) == [FIRST]
    [one] = taken(spool)
    assert spool.acknowledge(one.id).unreadable == 1
    spool.close()
    assert disk.names("quarantine") == []
    assert disk.file(f"spool/{FIRST}").now == content
    again = on(disk)
    assert again.tally().unreadable == 0
    assert ids(taken(again)) == ["a", "b"]


@each_refusal
@pytest.mark.parametrize("operation", ["open_read", "look"])
def test_no_new_segment_takes_its_number(word: str, operation: str) -> None:
    """Whatever is closed meanwhile is written behind it, also where not even its size
    can be told."""
    disk = two()
    spool = on(ModelFiles(disk, fault=keeps(SECOND, word, operation)))
    for one in taken(spool):
        spool.acknowledge(one.id)
    assert spool.append([batch("new", 120)]).degraded == ""
    spool.close()
    assert ids(taken(on(disk.crashed(Luck.DROPPED)))) == ["next", "new"]


def test_its_marks_wait_with_it() -> None:
    """What of it was settled is not sent again, however many starts that takes."""
    disk = two()
    spool = on(disk)
    taken(spool)
    spool.acknowledge("a")
    spool.close()
    for _ in range(3):
        spool = on(ModelFiles(disk, fault=keeps(FIRST)))
        assert spool.tally().unreadable == 1
    assert ids(taken(on(disk.crashed(Luck.KEPT)))) == ["b", "next"]


def test_it_makes_no_room_for_others() -> None:
    """It is as old as can be, and what is dropped for space are the others."""
    files = ModelFiles(Disk())
    spool = on(files)
    spool.append([bulky("old", 0)])
    spool.close()
    spool = on(ModelFiles(files.disk, fault=keeps(FIRST)))
    for n in range(1, 100):
        tally = spool.append([bulky(f"p{n}", n)])
        assert files.disk.used <= MEBIBYTE
    assert tally.dropped["space"] == 99 - tally.entries > 0
    spool.close()
    assert FIRST in files.disk.names("spool")
    assert "old" in ids(taken(on(files.disk)))


def test_a_full_disk_does_not_cost_it() -> None:
    """Of which nobody could count the entries."""
    disk = two()
    disk.space = disk.used + 20_000
    spool = on(ModelFiles(disk, fault=keeps(FIRST)))
    for n in range(1, 20):
        spool.append([bulky(f"p{n}", n, kibibytes=4)])
    assert FIRST in disk.names("spool")


def test_it_leaves_half_of_the_room_to_what_comes() -> None:
    """However much of it there is."""
    files = ModelFiles(Disk())
    spool = on(files)
    for n in range(100):
        spool.append([bulky(f"p{n}", n)])
    spool.close()
    spool = on(
        ModelFiles(
            files.disk,
            fault=lambda does, _: errno.EACCES if does == "open_read" else 0,
        )
    )
    assert spool.tally().unreadable > 20
    for n in range(100, 200):
        tally = spool.append([bulky(f"p{n}", n)])
    assert tally.bytes > MEBIBYTE * 0.4


@pytest.mark.parametrize("word", ["EIO", "EMFILE"])
def test_where_the_names_cannot_be_told_none_is_taken_twice(word: str) -> None:
    """What is closed finds numbers that are free, and the next start finds it all."""
    disk = two()
    number: int = getattr(errno, word)
    files = ModelFiles(disk, fault=lambda does, _: number if does == "names" else 0)
    spool = on(files)
    assert spool.tally().degraded == word
    files.fault = None
    for n in range(3):
        assert spool.append([batch(f"new{n}", 120 + n)]).degraded == ""
    spool.close()
    found = ids(taken(on(disk.crashed(Luck.DROPPED))))
    assert found == ["a", "b", "next", "new0", "new1", "new2"]


AS_ANOTHER = """
import os, sys
from pathlib import Path
from tests.spool.rig import at, batch, ids, taken
os.setgid(65534)
os.setuid(65534)
spool = at(Path(sys.argv[1]))
print(ids(taken(spool)), spool.tally().unreadable, spool.tally().quarantined)
print(repr(spool.append([batch("new", 120)]).degraded))
"""


@pytest.mark.bar("S3")
@pytest.mark.skipif(os.geteuid() != 0, reason="root alone can become somebody else")
def test_what_root_left_waits_for_its_new_owner() -> None:
    """The real thing: a relay was run as root once, in the folder of another user."""
    with tempfile.TemporaryDirectory() as room:
        os.chown(room, 65534, 65534)
        state = Path(room) / "state"
        spool = at(state)
        spool.append([batch("roots")])
        spool.append([batch("mine", 60)])
        spool.close()
        for path in (state, *state.rglob("*")):
            if path.name != FIRST:
                os.chown(path, 65534, 65534)
        done = subprocess.run(
            [sys.executable, "-c", AS_ANOTHER, str(state)],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            cwd=Path(__file__).parents[2],
        )
        assert done.stderr == ""
        assert done.stdout.splitlines() == ["['mine'] 1 0", "''"]
        assert ids(taken(at(state))) == ["roots", "mine", "new"]
