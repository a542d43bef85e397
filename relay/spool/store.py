"""The state folder of a spool: which files there are, and how they come and go.

    lock                    held by the one process that may write
    spool/<number>.seg      a segment: batches of a closed period, see ``segment``
    spool/<number>.ack      its marks: what of it is settled
    spool/<number>.tmp      a segment being written; rubbish after a crash
    parked/                 see ``parked``
    quarantine/             what could not be read, or only in part; oldest removed

A segment is written under another name, synced, renamed, and the folder synced: so it is
there whole, or not at all. Nothing is known here of queues, limits or what to drop.
"""

import errno
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from relay.errors import ConfigError, RelayError
from relay.spool.files import Files

__all__ = [
    "FILE_BYTES_MAX",
    "FOLDERS",
    "Found",
    "Recovered",
    "Store",
    "is_segment",
    "own_folder",
    "read_file",
    "write_all",
]

LOCK = "lock"
FOLDERS = ("spool", "parked", "quarantine")

FILE_BYTES_MAX = 64 * 2**20
"""No file of ours is that long; a longer one is foreign and not read into memory."""

QUARANTINE_FILES_MAX = 256
"""Folders and links count no bytes, so their number is bounded too."""

_OURS = re.compile(r"([0-9]{16})\.(seg|ack|tmp)", re.ASCII)
_KEPT = re.compile(r"([0-9]{6})-.+", re.ASCII | re.DOTALL)
_NAME_MAX = 200


class Found(NamedTuple):
    """A segment that is there; ``size`` in bytes, ``marks`` are those of its marks."""

    sequence: int
    size: int
    marks: int

    @property
    def name(self) -> str:
        """Of its file."""
        return _name(self.sequence, "seg")


class Recovered(NamedTuple):
    """What a start finds: segments in order, those that not even their size can be told
    of and why, and how many files were put aside."""

    found: Sequence[Found]
    hidden: Mapping[int, OSError]
    strange: int


class Store:
    """Every method but ``open`` raises OSError where the disk does not want.

    Thread: one at a time.
    """

    def __init__(self, files: Files, opened: Sequence[int]) -> None:
        """``opened``: the folder, its lock, then the handles of FOLDERS."""
        self.files, self._opened = files, opened
        self._spool, self.parked, self._quarantine = opened[2:]

    @classmethod
    def open(cls, path: Path, files: Files) -> "Store":
        """Lock the folder, which is made if it is not there.

        Raises RelayError if another process has it, ConfigError if it is of no use.
        """
        opened: list[int] = []
        try:
            root = files.open_root(path, True)
            opened.append(root)
            opened.append(files.lock(root, LOCK))
            opened.extend(own_folder(files, root, name) for name in FOLDERS)
        except OSError as error:
            for handle in opened:
                files.close(handle)
            raise _refusal(path, error) from None
        with suppress(OSError):  # a disk that refuses this refuses segments too
            files.sync(root)
        return cls(files, opened)

    def close(self) -> None:
        """Let go of the folder."""
        for handle in self._opened:
            with suppress(OSError):
                self.files.close(handle)

    # Segments.

    def recover(self) -> Recovered:
        """Clean up what a crash left.

        Half-written segments go, as do marks without a segment; what is not ours, or no
        regular file, goes to quarantine.
        """
        sizes: dict[tuple[int, str], int] = {}
        hidden: dict[int, OSError] = {}
        strange = 0
        for name in self.files.names(self._spool):
            ours = _OURS.fullmatch(name)
            try:
                look = self.files.look(self._spool, name)
                if not ours or not look.is_file or look.size > FILE_BYTES_MAX:
                    strange += self.quarantine(name)
                elif ours[2] == "tmp":
                    self._unlink(name)
                else:
                    sizes[int(ours[1]), ours[2]] = look.size
            except FileNotFoundError:
                continue
            except OSError as error:  # one that cannot even be moved must not stop us
                if ours and ours[2] == "seg":
                    hidden[int(ours[1])] = error
        for number, kind in sizes:
            is_alone = (number, "seg") not in sizes and number not in hidden
            if kind == "ack" and is_alone:
                with suppress(OSError):
                    self._unlink(_name(number, "ack"))
        found = (
            Found(number, size, sizes.get((number, "ack"), 0))
            for (number, kind), size in sizes.items()
            if kind == "seg"
        )
        return Recovered(sorted(found), hidden, strange)

    def has(self, sequence: int) -> bool:
        """Whether there is a segment of that number, as far as can be told."""
        try:
            self.files.look(self._spool, _name(sequence, "seg"))
        except OSError:
            return False
        return True

    def write(self, sequence: int, content: bytes) -> None:
        """Make a segment; it is durable once ``sync`` was called too."""
        files, temporary = self.files, _name(sequence, "tmp")
        try:
            with self._closing(files.open_write(self._spool, temporary, True)) as file:
                write_all(files, file, content, 0)
                files.sync(file)
            files.rename(self._spool, temporary, self._spool, _name(sequence, "seg"))
        except OSError:
            with suppress(OSError):
                files.unlink(self._spool, temporary)
            raise

    def sync(self) -> None:
        """What was written or removed stays so."""
        self.files.sync(self._spool)

    def read(self, sequence: int, length: int, offset: int) -> bytes:
        """Part of a segment, as far as it is there."""
        return self._read(_name(sequence, "seg"), length, offset)

    def read_marks(self, sequence: int) -> bytes:
        """All of them."""
        return self._read(_name(sequence, "ack"), FILE_BYTES_MAX, 0)

    def write_marks(self, sequence: int, content: bytes, offset: int) -> None:
        """Not synced: see ``segment`` for what a lost mark costs. At 0 they begin anew."""
        files = self.files
        handle = files.open_write(self._spool, _name(sequence, "ack"), offset == 0)
        with self._closing(handle) as file:
            write_all(files, file, content, offset)

    def remove(self, sequence: int) -> None:
        """A segment goes before its marks, or a crash would bring it back unmarked."""
        self._unlink(_name(sequence, "seg"))
        self._unlink(_name(sequence, "ack"))

    def set_aside(self, sequence: int) -> int:
        """A damaged segment goes to quarantine; gives 1, or 0 if it was gone."""
        moved = self.quarantine(_name(sequence, "seg"))
        self._unlink(_name(sequence, "ack"))
        return moved

    # Quarantine.

    def quarantine(self, name: str) -> int:
        """Move a file, link or folder out of the spool; 1, or 0 if it was not there."""
        readable = name.isascii() and name.isprintable() and len(name) <= _NAME_MAX
        last = max(self._kept(), default="0")
        new = f"{int(last.partition('-')[0]) + 1:06d}-{name if readable else 'foreign'}"
        try:
            self.files.rename(self._spool, name, self._quarantine, new)
        except FileNotFoundError:
            return 0
        return 1

    def bound_quarantine(self, limit_bytes: int) -> None:
        """Remove the oldest. A folder stays while it has something in it: not ours."""
        kept = sorted(self._kept())
        sizes = [self.files.look(self._quarantine, name).size for name in kept]
        total, count = sum(sizes), len(kept)
        for name, size in zip(kept, sizes, strict=True):
            if total <= limit_bytes and count <= QUARANTINE_FILES_MAX:
                break
            with suppress(IsADirectoryError, PermissionError):
                self.files.unlink(self._quarantine, name)
                total, count = total - size, count - 1

    def empty(self, folder: str) -> Sequence[str]:
        """Remove the files and links of one of FOLDERS; gives their names."""
        handle = dict(zip(FOLDERS, self._opened[2:], strict=True))[folder]
        gone = []
        for name in sorted(self.files.names(handle)):
            with suppress(IsADirectoryError, PermissionError):
                self.files.unlink(handle, name)
                gone.append(name)
        return gone

    def _kept(self) -> list[str]:
        names = self.files.names(self._quarantine)
        return [name for name in names if _KEPT.fullmatch(name)]

    # Files.

    def _read(self, name: str, length: int, offset: int) -> bytes:
        return read_file(self.files, self._spool, name, length, offset)

    def _unlink(self, name: str) -> None:
        with suppress(FileNotFoundError):
            self.files.unlink(self._spool, name)

    @contextmanager
    def _closing(self, handle: int) -> Iterator[int]:
        try:
            yield handle
        finally:
            self.files.close(handle)


def is_segment(name: str) -> bool:
    """Whether a segment may have that name."""
    ours = _OURS.fullmatch(name)
    return ours is not None and ours[2] == "seg"


def read_file(
    files: Files, folder: int, name: str, length: int = FILE_BYTES_MAX, offset: int = 0
) -> bytes:
    """So many bytes of a file from an offset on, or as many as there are."""
    handle = files.open_read(folder, name)
    try:
        parts = []
        while length > 0 and (part := files.read(handle, length, offset)):
            parts.append(part)
            length, offset = length - len(part), offset + len(part)
        return b"".join(parts)
    finally:
        files.close(handle)


def write_all(files: Files, file: int, content: bytes, offset: int) -> None:
    """A write may write less than asked, on a full disk in particular."""
    rest = memoryview(content)
    while rest:
        done = files.write(file, rest, offset)
        if done == 0:
            raise OSError(errno.ENOSPC, "nothing more was written")
        rest, offset = rest[done:], offset + done


def own_folder(files: Files, root: int, name: str) -> int:
    """A folder of ours. What stands in its place, a link perhaps, is moved aside."""
    try:
        return files.open_folder(root, name, True)
    except OSError as error:
        if error.errno not in (errno.ENOTDIR, errno.ELOOP):
            raise
    files.rename(root, name, root, f"{name}.moved")
    return files.open_folder(root, name, True)


def _name(sequence: int, kind: str) -> str:
    return f"{sequence:016d}.{kind}"


def _refusal(path: Path, error: OSError) -> RelayError:
    if isinstance(error, BlockingIOError):
        return RelayError(
            f"{path}: another cms-relay uses this state folder; stop that one, or give"
            " this one a folder of its own with --state FOLDER"
        )
    return ConfigError(
        "state",
        f"wants a folder that can be made and written; {path}: {error.strerror}"
        " (with off, what waits is in memory only)",
    )
