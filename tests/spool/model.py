"""A disk that can be crashed, filled and broken: a model of what POSIX promises.

What was written is there for whoever reads, but after a crash only what was synced is
sure: content by a sync of the file, names by a sync of the folder. How much of the rest
is there too is the luck of the day, see ``Luck``. Every operation can be the last one.
"""

import enum
import errno
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, TypeVar

from relay.spool.files import Look

R = TypeVar("R")


class Crash(BaseException):
    """The power went. No ``except OSError`` may see it."""


class Luck(enum.Enum):
    """What is left of all that was not synced."""

    KEPT = "everything"
    DROPPED = "nothing"
    NAMES_ONLY = "the names, with no content"
    TORN = "the names, with half of the content"
    REMOVED = "removals, and nothing that was new"


@dataclass
class Inode:
    """A file: its content now, and what is sure of it."""

    now: bytes = b""
    sure: bytes = b""

    def after(self, luck: Luck) -> bytes:
        if luck is Luck.KEPT:
            return self.now
        if luck is Luck.TORN:
            return self.now[: (len(self.sure) + len(self.now)) // 2]
        return self.sure


@dataclass
class Directory:
    """A folder: its names now, and those that are sure."""

    now: dict[str, Inode] = field(default_factory=dict)
    sure: dict[str, Inode] = field(default_factory=dict)

    def after(self, luck: Luck) -> dict[str, Inode]:
        if luck is Luck.DROPPED:
            return self.sure
        if luck is Luck.REMOVED:
            return {name: i for name, i in self.sure.items() if name in self.now}
        return self.now


@dataclass
class Disk:
    """Folders by path. ``space`` bounds all content together."""

    folders: dict[str, Directory] = field(default_factory=dict)
    space: float = float("inf")

    @property
    def used(self) -> int:
        return sum(len(i.now) for f in self.folders.values() for i in f.now.values())

    def crashed(self, luck: Luck) -> "Disk":
        """The disk that the next start finds."""
        found = Disk(space=self.space)
        for path, folder in self.folders.items():
            names = {}
            for name, inode in folder.after(luck).items():
                content = inode.after(luck)
                names[name] = Inode(content, content)
            found.folders[path] = Directory(dict(names), dict(names))
        return found

    def file(self, path: str) -> Inode:
        folder, _, name = path.rpartition("/")
        return self.folders[folder].now[name]

    def names(self, folder: str) -> list[str]:
        return sorted(self.folders[folder].now)


class _Open(NamedTuple):
    path: str
    inode: Inode | None


Fault = Callable[[str, str], int]
"""Is told operation and name; gives an errno, or 0 where all is well."""


class ModelFiles:
    """One process's view of a disk. It ends after ``operations``, with a crash."""

    def __init__(
        self, disk: Disk, operations: float = float("inf"), fault: Fault | None = None
    ) -> None:
        self.disk, self.fault = disk, fault
        self.done: list[tuple[str, str]] = []
        self.operations = 0
        self.largest_write: int | None = None
        self._last_operation = operations
        self._handles: dict[int, _Open] = {}
        self._next = 3

    def open_root(self, path: Path, create: bool) -> int:
        return self._folder("", path.name)

    def open_folder(self, at: int, name: str, create: bool) -> int:
        return self._folder(name, name)

    def _folder(self, path: str, name: str) -> int:
        self._before("open_folder", name)
        self.disk.folders.setdefault(path, Directory())
        return self._after(self._handle(path, None))

    def lock(self, folder: int, name: str) -> int:
        self._before("lock", name)
        return self._after(self._handle(name, Inode()))

    def names(self, folder: int) -> Sequence[str]:
        self._before("names", self._handles[folder].path)
        return self._after(list(self._at(folder).now))

    def look(self, folder: int, name: str) -> Look:
        self._before("look", name)
        return self._after(Look(True, len(self._found(folder, name).now)))

    def open_read(self, folder: int, name: str) -> int:
        self._before("open_read", name)
        return self._after(self._handle(name, self._found(folder, name)))

    def open_write(self, folder: int, name: str, fresh: bool) -> int:
        self._before("open_write", name)
        names = self._at(folder).now
        inode = names.setdefault(name, Inode())
        if fresh:
            inode.now = b""
        return self._after(self._handle(name, inode))

    def read(self, file: int, length: int, offset: int) -> bytes:
        path, inode = self._opened(file)
        self._before("read", path)
        return self._after(inode.now[offset : offset + length])

    def write(self, file: int, data: bytes | memoryview, offset: int) -> int:
        path, inode = self._opened(file)
        self._before("write", path)
        grown = max(0, offset + len(data) - len(inode.now))
        room = self.disk.space - self.disk.used
        if grown > room:
            data = data[: max(0, len(data) - grown + max(0, int(room)))]
            if not data:
                raise OSError(errno.ENOSPC, "No space left on device")
        data = data[: self.largest_write]
        inode.now = inode.now[:offset] + bytes(data) + inode.now[offset + len(data) :]
        return self._after(len(data))

    def sync(self, handle: int) -> None:
        path, inode = self._handles[handle]
        self._before("sync", path)
        if inode is None:
            folder = self.disk.folders[path]
            folder.sure = dict(folder.now)
        else:
            inode.sure = inode.now
        self._after(None)

    def close(self, handle: int) -> None:
        if self.operations < self._last_operation:  # the dead close nothing
            del self._handles[handle]

    def rename(self, folder: int, name: str, to: int, new: str) -> None:
        self._before("rename", name)
        inode = self._found(folder, name)
        del self._at(folder).now[name]
        self._at(to).now[new] = inode
        self._after(None)

    def unlink(self, folder: int, name: str) -> None:
        self._before("unlink", name)
        self._found(folder, name)
        del self._at(folder).now[name]
        self._after(None)

    @property
    def open_handles(self) -> int:
        return len(self._handles)

    def _before(self, operation: str, name: str) -> None:
        if self.operations >= self._last_operation:
            raise Crash
        number = self.fault(operation, name) if self.fault else 0
        if number:
            raise OSError(number, errno.errorcode[number])
        self.done.append((operation, name))

    def _after(self, result: R) -> R:
        self.operations += 1
        if self.operations >= self._last_operation:
            raise Crash
        return result

    def _handle(self, path: str, inode: Inode | None) -> int:
        self._next += 1
        self._handles[self._next] = _Open(path, inode)
        return self._next

    def _opened(self, handle: int) -> tuple[str, Inode]:
        path, inode = self._handles[handle]
        assert inode is not None
        return path, inode

    def _at(self, folder: int) -> Directory:
        return self.disk.folders[self._handles[folder].path]

    def _found(self, folder: int, name: str) -> Inode:
        try:
            return self._at(folder).now[name]
        except KeyError:
            raise FileNotFoundError(errno.ENOENT, "No such file", name) from None
