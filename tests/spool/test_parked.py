"""What was refused for good: kept in files, bounded, readable after anything."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from relay.spool.files import DiskFiles
from relay.spool.memory import Parked
from relay.spool.parked import ParkedFiles
from tests.spool.rig import batch


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[int]:
    """An open one."""
    handle = DiskFiles().open_root(tmp_path, False)
    yield handle
    DiskFiles().close(handle)


def opened(folder: int, limit: int = 10_000) -> ParkedFiles:
    """As a process finds it at its start."""
    parked = ParkedFiles(DiskFiles(), folder, limit)
    parked.recover()
    return parked


def test_the_next_process_goes_on(folder: int) -> None:
    """In a new file, behind what is there."""
    for name in "abc":
        opened(folder).add(Parked(batch(name), f"why {name}"))
    last = opened(folder)
    assert [(p.batch, p.reason) for p in last.all()] == [
        (batch(name), f"why {name}") for name in "abc"
    ]
    assert last.entries == 6


def test_lines_that_are_broken_are_passed_over(folder: int, tmp_path: Path) -> None:
    """Torn by a crash, or edited by somebody."""
    opened(folder).add(Parked(batch("a"), "why"))
    [path] = tmp_path.iterdir()
    path.write_bytes(b'[]\n{"id": 1}\n\xff\n' + path.read_bytes() + b'{"id": "x", "clo')
    assert [p.batch.id for p in opened(folder).all()] == ["a"]


def test_the_oldest_files_make_room(folder: int, tmp_path: Path) -> None:
    """All together never exceed the bound."""
    parked = opened(folder, 1000)
    for n in range(50):
        parked.add(Parked(batch(f"b{n}"), "why"))
        assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 1000
    names = [p.batch.id for p in parked.all()]
    assert names == [f"b{n}" for n in range(50 - len(names), 50)]
    assert parked.entries == 2 * len(names) > 10


def test_one_that_is_larger_than_the_bound_is_not_kept(folder: int) -> None:
    """And costs none of the others."""
    parked = opened(folder, 1000)
    parked.add(Parked(batch("a"), "why"))
    parked.add(Parked(batch("b", items=500), "why"))
    assert [p.batch.id for p in parked.all()] == ["a"]


def test_a_lower_bound_holds_from_the_start(folder: int, tmp_path: Path) -> None:
    """Which files are not ours is left to whoever put them there."""
    parked = opened(folder, 1000)
    for n in range(50):
        parked.add(Parked(batch(f"b{n}"), "why"))
    (tmp_path / "notes.txt").touch()
    assert opened(folder, 300).entries < 8
    assert (tmp_path / "notes.txt").exists()
