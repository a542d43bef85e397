"""The real file operations: what they refuse to follow, to wait for and to share."""

import os
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from relay.spool.files import DiskFiles, Look

FILES = DiskFiles()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[int]:
    """An open one."""
    handle = FILES.open_root(tmp_path, False)
    yield handle
    FILES.close(handle)


def link(path: Path) -> None:
    """To a file that is good, outside."""
    outside = path.parent.with_name("outside")
    outside.write_text("good")
    path.symlink_to(outside)


OPENINGS: list[Callable[[int, str], int]] = [
    FILES.open_read,
    lambda folder, name: FILES.open_write(folder, name, True),
    lambda folder, name: FILES.open_write(folder, name, False),
    FILES.lock,
]


@pytest.mark.parametrize("opening", OPENINGS, ids=["read", "fresh", "more", "lock"])
def test_links_are_not_followed(
    folder: int, tmp_path: Path, opening: Callable[[int, str], int]
) -> None:
    """Whoever can make one must not have us write or read elsewhere."""
    link(tmp_path / "name")
    with pytest.raises(OSError, match="symbolic links"):
        opening(folder, "name")
    assert tmp_path.with_name("outside").read_text() == "good"


@pytest.mark.parametrize("opening", OPENINGS[:3], ids=["read", "fresh", "more"])
@pytest.mark.parametrize("make", [os.mkfifo, Path.mkdir], ids=["pipe", "folder"])
def test_what_is_no_file_is_refused_at_once(
    folder: int,
    tmp_path: Path,
    make: Callable[[Path], None],
    opening: Callable[[int, str], int],
) -> None:
    """A pipe without a peer would have us wait for ever."""
    make(tmp_path / "name")
    with pytest.raises(OSError, match="name"):
        opening(folder, "name")


def test_a_look_is_at_the_name_itself(folder: int, tmp_path: Path) -> None:
    """Not at what a link leads to; only files have a size."""
    link(tmp_path / "name")
    (tmp_path / "file").write_text("four")
    (tmp_path / "folder").mkdir()
    looks = [FILES.look(folder, name) for name in ("name", "file", "folder")]
    assert looks == [Look(False, 0), Look(True, 4), Look(False, 0)]


def test_a_lock_is_held_by_one_until_it_is_closed(folder: int) -> None:
    """Also against ourselves."""
    lock = FILES.lock(folder, "lock")
    with pytest.raises(BlockingIOError):
        FILES.lock(folder, "lock")
    FILES.close(lock)
    FILES.close(FILES.lock(folder, "lock"))


def test_nothing_is_left_open_by_what_failed(folder: int, tmp_path: Path) -> None:
    """Descriptors are few where connections are many."""
    os.mkfifo(tmp_path / "pipe")
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - a count, not paths
    lock = FILES.lock(folder, "lock")
    for _ in range(3):
        with pytest.raises(OSError, match="pipe"):
            FILES.open_read(folder, "pipe")
        with pytest.raises(BlockingIOError):
            FILES.lock(folder, "lock")
    FILES.close(lock)
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208 - likewise


def test_reading_takes_no_more_memory_than_there_is_to_read(
    folder: int, tmp_path: Path
) -> None:
    """However much may be read: a limit of ours is half a gigabyte."""
    (tmp_path / "name").write_bytes(b"some")
    handle = FILES.open_read(folder, "name")
    tracemalloc.start()
    try:
        read = FILES.read(handle, 1 << 29, 1), FILES.read(handle, 1 << 29, 9)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    FILES.close(handle)
    assert read == (b"ome", b"")
    assert most < 1 << 20
