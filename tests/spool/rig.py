"""Batches to store, and spools of files over a model of a disk."""

from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from relay.delivery.batch import Batch
from relay.spool.file import FileSpool
from relay.spool.files import Files
from tests.spool.model import Disk, ModelFiles

MEBIBYTE = 2**20


def batch(name: str, closed_at: int = 0, items: int = 2, size: int = 10) -> Batch:
    """A batch of ``items`` entries of ``size`` bytes at least, all of them different."""
    return Batch(
        name, closed_at, tuple(f"{name}:{n}".ljust(size, ".") for n in range(items))
    )


def bulky(name: str, closed_at: int = 0, kibibytes: int = 16) -> Batch:
    """A batch of one entry that is at least so large when compressed."""
    state = f"{name}{closed_at}".encode()
    noise = bytearray()
    while len(noise) < kibibytes * 1024:
        state = sha256(state).digest()
        noise += state
    return Batch(name, closed_at, (noise.hex(),))


def on(
    disk: Disk | Files, limit_bytes: int = MEBIBYTE, max_age_seconds: float = 1e9
) -> FileSpool:
    """A spool on a model disk."""
    files = ModelFiles(disk) if isinstance(disk, Disk) else disk
    return FileSpool.open(
        Path("state"),
        limit_bytes=limit_bytes,
        max_age_seconds=max_age_seconds,
        files=files,
    )


def at(
    folder: Path, limit_bytes: int = MEBIBYTE, max_age_seconds: float = 1e9
) -> FileSpool:
    """A spool on the real one."""
    return FileSpool.open(
        folder, limit_bytes=limit_bytes, max_age_seconds=max_age_seconds
    )


def taken(spool: FileSpool, now: float = 0.0) -> list[Batch]:
    """All that can be taken, in order."""
    found = iter(lambda: spool.take(now)[0], None)
    return [one for one in found if one is not None]


def ids(batches: Iterable[Batch]) -> list[str]:
    """Their names."""
    return [one.id for one in batches]


def items(batches: Iterable[Batch]) -> set[str]:
    """Their entries."""
    return {item for one in batches for item in one.items}
