"""The spool of files where all is well: order, restarts, limits, permissions, its lock."""

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from relay.delivery.batch import Batch
from relay.errors import ConfigError, RelayError
from relay.spool.memory import EXPIRED, SPACE
from relay.spool.segment import HEADER_BYTES, marks_bytes
from tests.spool.model import Disk, Luck, ModelFiles
from tests.spool.rig import MEBIBYTE, at, batch, bulky, ids, items, on, taken


def restarted(files: ModelFiles) -> list[str]:
    """What the next process finds when this one is killed now."""
    return ids(taken(on(files.disk.crashed(Luck.KEPT))))


def test_a_batch_comes_back_as_it_was() -> None:
    """Name, period and every entry, whatever characters are in them."""
    odd = Batch("1/60/1", 61, ("a=%7B\n", '"\\', "", "x" * 5000))
    disk = Disk()
    on(disk).append([odd, batch("b", 61)])
    assert taken(on(disk)) == [odd, batch("b", 61)]


def test_what_was_taken_waits_again_after_a_restart() -> None:
    """Nobody knows whether it was delivered."""
    files = ModelFiles(Disk())
    spool = on(files)
    spool.append([batch("a"), batch("b")])
    taken(spool)
    assert restarted(files) == ["a", "b"]


def test_what_there_is_of_a_period_is_told() -> None:
    """By its end; what of it was delivered belongs to it, and nothing is taken."""
    files = ModelFiles(Disk())
    spool = on(files)
    spool.append([batch("a", 60), batch("b", 60), batch("c", 120)])
    spool.append([batch("d", 60), batch("e", 300)])
    taken(spool)
    spool.acknowledge("a")
    again = on(files.disk)
    for one in (spool, again):
        assert set(one.waiting({60, 300})) == items(
            [batch("a"), batch("b"), batch("d"), batch("e")]
        )
        assert list(one.waiting({180})) == []
    assert ids(taken(again)) == ["b", "c", "d", "e"]


def test_what_was_settled_does_not_come_back() -> None:
    """Delivered or parked, in one segment or in another."""
    files = ModelFiles(Disk())
    spool = on(files)
    spool.append([batch("a"), batch("b"), batch("c")])
    spool.append([batch("d", 60), batch("e", 60)])
    taken(spool)
    spool.acknowledge("a")
    spool.acknowledge("d")
    spool.park("c", "syntax")
    assert restarted(files) == ["b", "e"]


def test_each_settlement_is_one_mark() -> None:
    """They are appended, so a segment with many batches costs no rewriting."""
    files = ModelFiles(Disk())
    spool = on(files)
    spool.append([batch(name) for name in "abcd"])
    for one in taken(spool)[:3]:
        spool.acknowledge(one.id)
    marks = files.disk.file("spool/0000000000000001.ack").now
    assert len(marks) == marks_bytes(3)


def test_halves_that_were_settled_do_not_come_back() -> None:
    """What is left of a batch keeps its names; a half of a half too."""
    files = ModelFiles(Disk())
    spool = on(files)
    spool.append([batch("a", items=8)])
    spool.take(0.0)
    spool.split("a")
    spool.take(0.0)
    spool.split("a.a")
    spool.take(0.0)
    spool.acknowledge("a.a.a")
    left = taken(on(files.disk.crashed(Luck.KEPT)))
    assert ids(left) == ["a.a.b", "a.b"]
    assert [len(one.items) for one in left] == [2, 4]


def test_a_period_that_was_closed_twice_is_delivered_twice() -> None:
    """Before and after a stop within it: one name, two batches, told apart."""
    spool = on(Disk())
    spool.append([batch("a", items=1)])
    spool.append([batch("a", items=3)])
    first, second = taken(spool)
    assert first.id != second.id
    assert spool.acknowledge(second.id).entries == 1
    assert spool.acknowledge(first.id).entries == 0


def test_the_files_go_when_all_is_delivered() -> None:
    """And the folder is empty."""
    files = ModelFiles(Disk())
    spool = on(files)
    spool.append([batch("a"), batch("b")])
    for one in taken(spool):
        spool.acknowledge(one.id)
    assert files.disk.names("spool") == []


def test_numbers_go_on_after_a_restart() -> None:
    """So the order of segments is that of their names, for ever."""
    disk = Disk()
    on(disk).append([batch("a"), batch("b", 60)])
    on(disk).append([batch("c", 120)])
    assert disk.names("spool") == [f"{n:016d}.seg" for n in (1, 2, 3)]


def test_a_large_period_is_several_segments() -> None:
    """Each at most a 32nd of the limit, so that the limit drops no whole period."""
    disk = Disk()
    batches = [bulky(f"b{n}") for n in range(20)]
    on(disk).append(batches)
    folder = disk.folders["spool"].now
    assert len(folder) > 5
    assert max(len(inode.now) for inode in folder.values()) <= MEBIBYTE // 32
    assert ids(taken(on(disk))) == ids(batches)


def test_a_batch_larger_than_a_segment_is_one_by_itself() -> None:
    """It is as good as the others."""
    disk = Disk()
    batches = [batch("a"), bulky("huge", kibibytes=100), batch("b")]
    on(disk).append(batches)
    assert taken(on(disk)) == batches


def test_a_start_reads_headers_only() -> None:
    """However much waits; the counts are there at once."""
    files = ModelFiles(Disk())
    on(files).append([bulky(f"b{n}", n) for n in range(20)])
    read = list[int]()
    original = ModelFiles.read

    class Counting(ModelFiles):
        def read(self, file: int, length: int, offset: int) -> bytes:
            content = original(self, file, length, offset)
            read.append(len(content))
            return content

    assert on(Counting(files.disk)).tally().entries == 20
    assert sum(read) == 20 * HEADER_BYTES


def test_drops_the_oldest_segments_for_space() -> None:
    """All files together stay within the limit, at every moment."""
    files = ModelFiles(Disk())
    spool = on(files)
    peak = 0

    def watch(*_: str) -> int:
        nonlocal peak
        peak = max(peak, files.disk.used)
        return 0

    files.fault = watch
    for n in range(100):
        tally = spool.append([bulky(f"p{n}", n)])
    assert MEBIBYTE * 0.8 < peak <= MEBIBYTE
    assert (tally.entries + tally.dropped[SPACE], tally.degraded) == (100, "")
    left = [f"p{n}" for n in range(100 - tally.entries, 100)]
    assert ids(taken(spool, 100.0)) == restarted(files) == left


def test_never_drops_what_is_under_way() -> None:
    """It survives while all others of its age go."""
    spool = on(Disk())
    spool.append([bulky("first")])
    spool.take(0.0)
    for n in range(100):
        spool.append([bulky(f"p{n}", n)])
    tally = spool.give_back("first")
    assert tally.dropped[SPACE] > 30
    assert "first" in ids(taken(spool, 100.0))


def test_what_does_not_fit_at_all_is_dropped_itself() -> None:
    """The newer ones that wait are worth more than one that is late."""
    spool = on(Disk())
    spool.append([bulky(f"p{n}", 60) for n in range(100)])
    before = spool.tally()
    late = spool.append([bulky("late", 0, kibibytes=200)])
    assert late.dropped[SPACE] == before.dropped[SPACE] + 1
    assert late.entries == before.entries


def test_a_lower_limit_holds_from_the_start() -> None:
    """What a former process was allowed is dropped, oldest first."""
    disk = Disk()
    on(disk, limit_bytes=10 * MEBIBYTE).append(
        [bulky(f"p{n}", n, 64) for n in range(50)]
    )
    spool = on(disk)
    assert spool.tally().dropped[SPACE] > 0
    assert disk.used <= MEBIBYTE
    assert ids(taken(spool, 50.0))[-1] == "p49"


def test_expires_what_is_too_old_and_nothing_younger() -> None:
    """Before it is sent; right at the limit is young enough. Also after a restart."""
    files = ModelFiles(Disk())
    on(files).append([batch("a", 0), batch("b", 50), batch("c", 51)])
    spool = on(files, max_age_seconds=100)
    found = taken(spool, 150.5)
    assert (ids(found), spool.tally().dropped[EXPIRED]) == (["c"], 4)
    assert len(files.disk.names("spool")) == 1


def test_what_comes_back_too_old_expires() -> None:
    """A batch that aged while it was under way is dropped then, its neighbours before."""
    spool = on(Disk(), max_age_seconds=100)
    spool.append([batch("a"), batch("b"), batch("c")])
    spool.take(50.0)
    assert spool.take(500.0)[1].dropped[EXPIRED] == 4
    spool.give_back("a")
    tally = spool.take(500.0)[1]
    assert (tally.dropped[EXPIRED], tally.batches, tally.bytes) == (6, 0, 0)


def test_parks_with_a_reason_for_the_next_process_to_look_at() -> None:
    """Entries count once, and can be looked at after a restart."""
    disk = Disk()
    spool = on(disk)
    spool.append([batch("a"), batch("b")])
    taken(spool)
    tally = spool.park("a", "syntax")
    assert (tally.parked, tally.parked_kept, tally.entries) == (2, 2, 2)
    again = on(disk)
    assert (again.tally().parked, again.tally().parked_kept) == (0, 2)
    [parked] = again.parked()
    assert (parked.batch, parked.reason) == (batch("a"), "syntax")


@pytest.mark.bar("S7")
def test_what_is_parked_has_a_bound(figure: Callable[[str], None]) -> None:
    """5 % of the limit, the oldest goes; all of it is counted as parked."""
    files = ModelFiles(Disk())
    spool = on(files)
    spool.append([bulky(f"p{n}", 0, 4) for n in range(60)])
    for one in taken(spool):
        tally = spool.park(one.id, "why")
        folder = files.disk.folders["parked"].now.values()
        assert sum(len(inode.now) for inode in folder) <= MEBIBYTE * 0.05
    kept = ids(parked.batch for parked in spool.parked())
    assert 5 < len(kept) == tally.parked_kept < tally.parked == 60
    assert kept == [f"p{n}" for n in range(60 - len(kept), 60)]
    figure(f"60 entries parked: the newest {len(kept)} kept in 5 % of the limit")


@pytest.mark.bar("S7")
def test_the_quarantine_has_a_bound(
    tmp_path: Path, figure: Callable[[str], None]
) -> None:
    """5 % of the limit, the oldest goes; folders are not ours to empty."""
    (tmp_path / "spool").mkdir(parents=True)
    (tmp_path / "spool" / "a folder").mkdir()
    (tmp_path / "spool" / "a folder" / "inside").touch()
    for n in range(30):
        (tmp_path / "spool" / f"{n}").write_bytes(bytes(10_000))
    assert at(tmp_path).tally().quarantined == 31
    kept = list((tmp_path / "quarantine").iterdir())
    assert len(kept) == 1 + 5
    assert any(path.name.endswith("a folder") for path in kept)
    figure(f"31 files set aside: {len(kept)} kept in 5 % of the limit")


def test_the_number_of_files_in_quarantine_has_a_bound(tmp_path: Path) -> None:
    """Links and empty files take room too."""
    (tmp_path / "spool").mkdir(parents=True)
    for n in range(300):
        (tmp_path / "spool" / f"{n}").symlink_to("nowhere")
    at(tmp_path)
    assert len(list((tmp_path / "quarantine").iterdir())) == 256


@pytest.mark.bar("P3")
def test_nobody_else_can_read_what_we_write(tmp_path: Path) -> None:
    """Folders 0700 and files 0600, also where the umask would allow everything."""
    before = os.umask(0)
    try:
        spool = at(tmp_path / "deep" / "state")
        spool.append([batch("a"), batch("b"), batch("c")])
        taken(spool)
        spool.acknowledge("a")
        spool.park("b", "why")
    finally:
        os.umask(before)
    top = tmp_path / "deep" / "state"
    modes = {path.name: path.stat().st_mode & 0o777 for path in (top, *top.rglob("*"))}
    assert len(modes) == 8
    for path in (top, *top.rglob("*")):
        assert modes[path.name] == (0o700 if path.is_dir() else 0o600), path


@pytest.mark.bar("R9")
def test_a_second_process_is_refused(
    tmp_path: Path, figure: Callable[[str], None]
) -> None:
    """The message names the folder and what to do. A killed one holds no lock."""
    program = textwrap.dedent("""
        import sys, time
        from pathlib import Path
        from tests.spool.rig import at
        spool = at(Path(sys.argv[1]))
        print("open", flush=True)
        time.sleep(60)
    """)
    child = subprocess.Popen(
        [sys.executable, "-c", program, tmp_path],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"open\n"
        with pytest.raises(RelayError, match=f"{tmp_path}: another .* --state FOLDER"):
            at(tmp_path)
        child.kill()
        child.wait()
        assert at(tmp_path).append([batch("a")]).degraded == ""
    figure("a second process: refused by name; free after kill -9")


def test_closing_lets_the_next_one_in(tmp_path: Path) -> None:
    """Without a descriptor left behind."""
    for n in range(3):
        spool = at(tmp_path)
        spool.append([batch(f"p{n}")])
        assert spool.close() == 0
    assert items(taken(at(tmp_path))) == items(batch(f"p{n}") for n in range(3))


@pytest.mark.parametrize("name", ["file", "file/below"])
def test_a_folder_that_cannot_be_is_a_setting_to_mend(
    tmp_path: Path, name: str
) -> None:
    """With the key, the folder and the reason."""
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"^state: wants .*/file.*: Not a directory"):
        at(tmp_path / name)
