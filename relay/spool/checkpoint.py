"""What a relay knows that is not closed yet, in files that a successor goes on from.

    checkpoint/open       open periods, every few seconds
    checkpoint/carry      what closing carries on, with each closed period: the record
                          that what it names was reported and is not reported again
    checkpoint/owners     who came first to a name, when somebody new came
    checkpoint/running    there while a relay runs: what finds it starts after a kill
    checkpoint/<name>.tmp a file being written; rubbish after a crash
    quarantine/           what could not be read, in the spool's manner

What the parts in a file mean is not known here. A file has a header, each part with its
CRC-32, and a trailer; it is written under another name, synced, renamed, and the folder
synced: so it is there whole or not at all, and one that is not whole was damaged.

No state of the disk raises anything but in ``open``. The caller keeps three rules, by
which no period is lost or reported twice, whenever the process is killed:

- ``commit`` follows the append of a period to the spool before anything can be taken
  from there. What was appended and not committed is therefore still in the spool.
- A snapshot is saved behind the ``commit`` of all that was sealed before it was taken.
- ``save_owners`` comes before the ``save_open`` of series that were named meanwhile.

Thread: one at a time (the disk lane).
"""

import struct
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple
from zlib import compress, crc32, decompressobj
from zlib import error as ZlibError  # noqa: N812 - it is a class

from relay.errors import ConfigError
from relay.spool.files import DiskFiles, Files
from relay.spool.store import own_folder, read_file, write_all

__all__ = ["CARRY", "OPEN", "OWNERS", "Checkpoint", "Start"]

OPEN, CARRY, OWNERS, RUNNING = "open", "carry", "owners", "running"
_NAMES = (OPEN, CARRY, OWNERS, RUNNING)

VERSION = 1
"""Of the files. Whoever changes their form changes it."""

FILE_BYTES_MAX = 512 * 2**20
"""No file of ours is that long; a longer one is foreign and not read into memory."""

LEVEL = 1
"""Of compression: a quarter of the size, and zlib lets other threads run meanwhile."""

_MAGIC, _END_MAGIC = b"CMSCHECK", b"KCEHCSMC"
_HEADER = struct.Struct("<8sHxxdI")
_PART = struct.Struct("<III")
_END = struct.Struct("<8sII")
_CRC_BYTES = 4


class _Saved(NamedTuple):
    """The content of a file."""

    written_at: float
    parts: Sequence[bytes]


_NOTHING = _Saved(0.0, ())


class Start(NamedTuple):
    """What a start finds. ``snapshot``, ``carry`` and ``owners`` are empty if there is
    none that can be used.

    ``is_unclean``: the predecessor was killed. ``silent_since`` is when it last wrote
    down what was open, in Unix seconds, None if there was none: what it received after
    that is lost if it was killed. ``damaged``: files that were set aside, and why.
    """

    snapshot: Sequence[bytes]
    carry: Sequence[bytes]
    owners: Sequence[bytes]
    is_unclean: bool
    silent_since: float | None
    damaged: Sequence[tuple[str, str]]


class Checkpoint:
    """The folder ``checkpoint`` in a state folder, which the caller has locked.

    Times are Unix seconds. What saves gives whether it is durable; ``failures`` counts
    where it is not, and ``last_failure`` says why.
    """

    def __init__(self, files: Files, folder: int, quarantine: int) -> None:
        self._files, self._folder, self._quarantine = files, folder, quarantine
        self._damaged: list[tuple[str, str]] = []
        self.failures = 0
        self.last_failure = ""

    @classmethod
    def open(cls, path: Path, *, files: Files | None = None) -> "Checkpoint":
        """Raises ConfigError if the folder cannot be made or opened."""
        files = files or DiskFiles()
        opened: list[int] = []
        try:
            root = files.open_root(path, True)
            opened.append(root)
            opened += [own_folder(files, root, n) for n in ("checkpoint", "quarantine")]
            files.sync(root)
        except OSError as error:
            for handle in opened:
                files.close(handle)
            problem = f"wants a folder that can be made and written; {path}: {error}"
            raise ConfigError("state", problem) from None
        files.close(root)
        return cls(files, *opened[1:])

    def close(self) -> None:
        """Let go of the folder."""
        for handle in (self._folder, self._quarantine):
            with suppress(OSError):
                self._files.close(handle)

    # The life of a relay: load, begin, save and commit, end.

    def load(self) -> Start:
        """All that the predecessor left; what is of no use goes to quarantine."""
        self._damaged.clear()
        for name in _NAMES:
            with suppress(OSError):
                self._files.unlink(self._folder, _temporary(name))
        snapshot, carry, owners, running = map(self._load, _NAMES)
        wrote = [saved.written_at for saved in (snapshot, running) if saved]
        return Start(
            snapshot=(snapshot or _NOTHING).parts,
            carry=(carry or _NOTHING).parts,
            owners=(owners or _NOTHING).parts,
            is_unclean=running is not None or RUNNING in dict(self._damaged),
            silent_since=max(wrote, default=None),
            damaged=tuple(self._damaged),
        )

    def reject(self, name: str, reason: str) -> None:
        """A file was whole, and its parts were of no use: it goes to quarantine."""
        self._set_aside(name, reason)

    def begin(self, now: float) -> bool:
        """From here on the end is a kill, unless ``end`` comes first."""
        return self._save(RUNNING, (), now)

    def save_open(self, parts: Iterable[bytes], now: float) -> bool:
        """What is open as of ``now``."""
        return self._save(OPEN, parts, now)

    def save_owners(self, parts: Iterable[bytes], now: float) -> bool:
        """Who came first."""
        return self._save(OWNERS, parts, now)

    def commit(self, parts: Iterable[bytes], now: float) -> bool:
        """What is carried on behind a period that is in the spool.

        If it cannot be written, what is open is forgotten too: better a period cut
        short by a kill than one that is reported twice.
        """
        if self._save(CARRY, parts, now):
            return True
        with suppress(OSError):
            self._files.unlink(self._folder, OPEN)
            self._files.sync(self._folder)
        return False

    def end(self) -> bool:
        """Everything was saved; nothing comes any more."""
        try:
            with suppress(FileNotFoundError):
                self._files.unlink(self._folder, RUNNING)
            self._files.sync(self._folder)
        except OSError as error:
            return self._failed(error)
        return True

    # Files.

    def _save(self, name: str, parts: Iterable[bytes], now: float) -> bool:
        files, folder, temporary = self._files, self._folder, _temporary(name)
        try:
            file = files.open_write(folder, temporary, True)
            try:
                at = 0
                for piece in _written(parts, now):
                    write_all(files, file, piece, at)
                    at += len(piece)
                files.sync(file)
            finally:
                files.close(file)
            files.rename(folder, temporary, folder, name)
            files.sync(folder)
        except OSError as error:
            with suppress(OSError):
                files.unlink(folder, temporary)
            return self._failed(error)
        return True

    def _failed(self, error: OSError) -> bool:
        self.failures += 1
        self.last_failure = error.strerror or str(error)
        return False

    def _load(self, name: str) -> _Saved | None:
        files, folder = self._files, self._folder
        try:
            # One byte more than any of ours has, so that a longer one is none.
            return _read(read_file(files, folder, name, FILE_BYTES_MAX + 1))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            self._set_aside(name, str(error))
            return None

    def _set_aside(self, name: str, reason: str) -> None:
        """By the spool's numbers, so that it looks after it; see ``Store.quarantine``."""
        self._damaged.append((name, reason))
        with suppress(OSError):
            kept = (each[:6] for each in self._files.names(self._quarantine))
            last = max((int(each) for each in kept if each.isdecimal()), default=0)
            new = f"{last + 1:06d}-checkpoint-{name}"
            self._files.rename(self._folder, name, self._quarantine, new)


def _temporary(name: str) -> str:
    return f"{name}.tmp"


def _written(parts: Iterable[bytes], now: float) -> Iterator[bytes]:
    """A file, piece by piece, so that no two parts are in memory at a time."""
    bare = _HEADER.pack(_MAGIC, VERSION, now, 0)[:-_CRC_BYTES]
    yield bare + _crc(bare)
    count = 0
    for part in parts:
        packed = compress(part, LEVEL)
        yield _PART.pack(len(part), len(packed), crc32(packed)) + packed
        count += 1
    bare = _END.pack(_END_MAGIC, count, 0)[:-_CRC_BYTES]
    yield bare + _crc(bare)


def _read(content: bytes) -> _Saved:
    """What was written; ValueError if a single bit of it is not."""
    header, end = content[: _HEADER.size], content[-_END.size :]
    if not _HEADER.size + _END.size <= len(content) <= FILE_BYTES_MAX:
        raise ValueError(f"{len(content)} bytes are no checkpoint")
    if content[: len(_MAGIC)] != _MAGIC:
        raise ValueError("not a checkpoint")
    _, version, written_at, _ = _HEADER.unpack(header)
    if version != VERSION:
        raise ValueError(f"of version {version}, and this relay knows {VERSION}")
    if not (_is_sound(header) and _is_sound(end)):
        raise ValueError("damaged, or cut short")
    parts = list(_parts(content[_HEADER.size : -_END.size]))
    magic, count, _ = _END.unpack(end)
    if (magic, count) != (_END_MAGIC, len(parts)):
        raise ValueError(f"{len(parts)} parts of {count}")
    return _Saved(written_at, parts)


def _parts(content: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(content):
        try:
            length, packed_length, crc = _PART.unpack_from(content, at)
            at += _PART.size + packed_length
            packed = content[at - packed_length : at]
            # It cannot blow up to more than it said when it was written.
            part = decompressobj().decompress(packed, max(length, 1))
        except (struct.error, ZlibError) as error:
            raise ValueError(f"a part is damaged: {error}") from None
        if (len(packed), len(part), crc32(packed)) != (packed_length, length, crc):
            raise ValueError("a part is damaged")
        yield part


def _crc(bare: bytes) -> bytes:
    return crc32(bare).to_bytes(_CRC_BYTES, "little")


def _is_sound(record: bytes) -> bool:
    return record[-_CRC_BYTES:] == _crc(record[:-_CRC_BYTES])
