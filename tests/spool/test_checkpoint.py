"""relay.spool.checkpoint: what a successor finds, whatever became of its predecessor."""

import errno
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.errors import ConfigError
from relay.spool import checkpoint as subject
from relay.spool.checkpoint import CARRY, OPEN, OWNERS, Checkpoint, Start
from tests.spool.model import Crash, Disk, Luck, ModelFiles

FIRST, SECOND = (b"first", b"f" * 1000), (b"second", b"")


def on(disk: Disk | ModelFiles) -> Checkpoint:
    files = ModelFiles(disk) if isinstance(disk, Disk) else disk
    return Checkpoint.open(Path("state"), files=files)


class Life:
    """What a process does, what it was promised, and what it was about to do."""

    def __init__(self) -> None:
        self.promised: dict[str, Sequence[bytes]] = {}
        self.maybe: dict[str, Sequence[bytes]] = {}
        self.running: bool | None = False  # None: one of the two

    def run(self, checkpoint: Checkpoint) -> None:
        checkpoint.load()
        self.running = None
        self.running = checkpoint.begin(1.0)
        for parts in (FIRST, SECOND):
            self._save(checkpoint, OWNERS, parts)
            self._save(checkpoint, OPEN, parts)
            self._save(checkpoint, CARRY, parts)
        self.running = None
        self.running = not checkpoint.end()
        checkpoint.close()

    def _save(self, checkpoint: Checkpoint, name: str, parts: Sequence[bytes]) -> None:
        saves = {
            OPEN: checkpoint.save_open,
            CARRY: checkpoint.commit,
            OWNERS: checkpoint.save_owners,
        }
        self.maybe[name] = parts
        assert saves[name](parts, 5.0)
        self.promised[name] = parts

    def agrees(self, start: Start) -> None:
        """With what a successor finds."""
        found = {OPEN: start.snapshot, CARRY: start.carry, OWNERS: start.owners}
        for name, parts in found.items():
            assert tuple(parts) in (self.promised.get(name, ()), self.maybe.get(name))
        assert start.is_unclean == self.running or self.running is None
        assert not start.damaged


def ended_after(operations: float) -> tuple[Life, ModelFiles]:
    """A life that the power cut short."""
    life, files = Life(), ModelFiles(Disk(), operations)
    with suppress(Crash):
        life.run(on(files))
    return life, files


OPERATIONS = ended_after(float("inf"))[1].operations


@pytest.mark.bar("R2")
@pytest.mark.parametrize("luck", Luck)
def test_a_crash_after_any_operation_leaves_what_was_promised(
    luck: Luck, figure: Callable[[str], None]
) -> None:
    """Or what came after it; never half of it, and nothing that looks damaged."""
    assert OPERATIONS > 40
    for operations in range(1, OPERATIONS + 2):  # the last one ends by itself
        life, files = ended_after(operations)
        life.agrees(on(files.disk.crashed(luck)).load())
    figure(f"{OPERATIONS} crash points of the checkpoint, unsynced: {luck.value} kept")


@pytest.mark.parametrize("luck", Luck)
def test_crashes_in_a_row_litter_nothing(luck: Luck) -> None:
    """Starts that end early, again and again, find the same; files do not pile up."""
    for operations in range(1, OPERATIONS + 1, 5):
        life, files = ended_after(operations)
        disk = files.disk.crashed(luck)
        for more in range(1, 21):
            with suppress(Crash):
                on(ModelFiles(disk, more)).load()
            disk = disk.crashed(luck)
        life.agrees(on(disk).load())
        assert len(disk.folders["checkpoint"].now) <= 5


def saved(folder: Path) -> Checkpoint:
    checkpoint = Checkpoint.open(folder)
    checkpoint.save_open(FIRST, 100.0)
    checkpoint.commit(FIRST, 90.0)
    checkpoint.save_owners(FIRST, 80.0)
    return checkpoint


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state"


def test_a_first_start_finds_nothing(folder: Path) -> None:
    """And nothing to complain about."""
    assert Checkpoint.open(folder).load() == Start((), (), (), False, None, ())


def test_a_clean_end_is_clean(folder: Path) -> None:
    """With the time of the last word about what was open."""
    checkpoint = saved(folder)
    checkpoint.begin(50.0)
    checkpoint.end()
    start = Checkpoint.open(folder).load()
    assert (start.is_unclean, start.silent_since) == (False, 100.0)


def test_a_kill_is_told_with_the_time_of_the_last_word(folder: Path) -> None:
    """What came after that is lost."""
    checkpoint = saved(folder)
    checkpoint.begin(50.0)
    start = Checkpoint.open(folder).load()
    assert (start.is_unclean, start.silent_since) == (True, 100.0)


def test_a_kill_before_the_first_word_is_told_too(folder: Path) -> None:
    """Since the start all is lost; what a clean predecessor left is still there."""
    saved(folder).end()
    Checkpoint.open(folder).begin(500.0)
    start = Checkpoint.open(folder).load()
    assert (start.is_unclean, start.silent_since) == (True, 500.0)
    assert tuple(start.snapshot) == FIRST


@given(parts=st.lists(st.binary(max_size=2000)))
def test_parts_come_back_as_they_were(parts: list[bytes]) -> None:
    """In their order, and as many."""
    content = b"".join(subject._written(parts, 7.5))
    assert subject._read(content) == (7.5, parts)


def test_no_bit_may_differ() -> None:
    """Each single one is noticed."""
    content = b"".join(subject._written((b"a", b"bc"), 7.5))
    for at in range(8 * len(content)):
        flipped = bytearray(content)
        flipped[at // 8] ^= 1 << at % 8
        with pytest.raises(ValueError, match=r"damage|checkpoint|version|parts|bytes"):
            subject._read(bytes(flipped))


def test_no_byte_may_be_missing() -> None:
    """Cut anywhere, it is no checkpoint."""
    content = b"".join(subject._written((b"a", b"bc"), 7.5))
    for length in range(len(content)):
        with pytest.raises(ValueError, match=r"damage|checkpoint|version|parts|bytes"):
            subject._read(content[:length])


def zeroed(path: Path) -> None:
    path.write_bytes(bytes(4096))


def foreign(path: Path) -> None:
    path.write_bytes(b"[General]\nname = somebody else\n")


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def replaced_by_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "something").touch()


def replaced_by_a_link(path: Path) -> None:
    outside = path.parent.parent.parent / "outside"
    path.rename(outside)
    path.symlink_to(outside)


def replaced_by_a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def from_the_future(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[8] = 99
    path.write_bytes(content)


@pytest.mark.parametrize("name", [OPEN, CARRY, OWNERS])
@pytest.mark.parametrize(
    "damage",
    [
        zeroed,
        foreign,
        emptied,
        replaced_by_a_folder,
        replaced_by_a_link,
        replaced_by_a_pipe,
        from_the_future,
    ],
)
def test_what_is_of_no_use_is_set_aside(
    folder: Path, name: str, damage: Callable[[Path], None]
) -> None:
    """It costs what it held, no start; and its place can be written to again."""
    saved(folder)
    damage(folder / "checkpoint" / name)
    checkpoint = Checkpoint.open(folder)
    start = checkpoint.load()
    lost = {OPEN: start.snapshot, CARRY: start.carry, OWNERS: start.owners}
    assert [each for each, parts in lost.items() if not parts] == [name]
    assert [each for each, _ in start.damaged] == [name]
    kept = [path.name for path in (folder / "quarantine").iterdir()]
    assert kept == [f"000001-checkpoint-{name}"]
    assert checkpoint.save_open(SECOND, 1.0)
    assert checkpoint.commit(SECOND, 1.0)


def test_what_the_engine_rejects_is_set_aside(folder: Path) -> None:
    """It was whole; of other periods, perhaps."""
    checkpoint = saved(folder)
    checkpoint.reject(OPEN, "period_seconds is 10, not 60")
    start = checkpoint.load()
    assert (start.snapshot, tuple(start.carry)) == ((), FIRST)


@pytest.mark.parametrize("operation", ["open_write", "write", "sync", "rename"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EROFS])
def test_a_refusing_disk_ends_nothing(operation: str, number: int) -> None:
    """It is counted, what was there before stays, and no rubbish does."""
    files = ModelFiles(Disk())
    checkpoint = on(files)
    checkpoint.save_open(FIRST, 1.0)
    files.fault = lambda asked, _: number * (asked == operation)
    assert not checkpoint.save_open(SECOND, 2.0)
    files.fault = None
    assert (checkpoint.failures, bool(checkpoint.last_failure)) == (1, True)
    assert files.disk.names("checkpoint") == ["open"]
    assert files.open_handles == 2
    assert checkpoint.save_open(SECOND, 3.0)


def test_writes_may_be_short() -> None:
    """A byte at a time, if need be."""
    files = ModelFiles(Disk())
    checkpoint = on(files)
    files.largest_write = 1
    assert checkpoint.save_open(FIRST, 1.0)
    assert tuple(on(files.disk).load().snapshot) == FIRST


def test_what_cannot_be_committed_is_not_open_again() -> None:
    """Or it would be reported twice."""
    files = ModelFiles(Disk())
    checkpoint = on(files)
    checkpoint.save_open(FIRST, 1.0)
    files.fault = lambda asked, _: errno.ENOSPC * (asked == "write")
    assert not checkpoint.commit(FIRST, 2.0)
    files.fault = None
    for luck in Luck:
        assert on(files.disk.crashed(luck)).load().snapshot == ()


def test_a_snapshot_that_breaks_off_leaves_the_last_one() -> None:
    """Its parts come from elsewhere, and may raise."""

    def broken() -> Iterator[bytes]:
        yield b"part"
        raise RuntimeError("a later snapshot was taken")

    disk = Disk()
    checkpoint = on(disk)
    checkpoint.save_open(FIRST, 1.0)
    with pytest.raises(RuntimeError):
        checkpoint.save_open(broken(), 2.0)
    assert tuple(on(disk).load().snapshot) == FIRST
    assert disk.names("checkpoint") == ["open"]


@pytest.mark.bar("P3")
def test_nobody_else_may_read_it(folder: Path) -> None:
    """Whatever the umask says."""
    before = os.umask(0)
    try:
        saved(folder).begin(1.0)
    finally:
        os.umask(before)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in [folder, *folder.rglob("*")]}
    assert modes == {0o700, 0o600}


def test_a_folder_of_no_use_is_an_error_with_its_name(tmp_path: Path) -> None:
    """Here the operator can do something."""
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="file"):
        Checkpoint.open(tmp_path / "file")
