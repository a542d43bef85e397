"""The file operations a spool is made of, one system call each.

They are a seam: whoever wants to know what a crash between any two of them leaves behind
puts a model of a disk in their place. What a file means is not known here. Folders are
held open and names are looked up in them, so nobody can swap one on the way; symbolic
links are never followed, but for the one that may lead to the root itself (a service
manager's state folder is often one). Errors are OSError, as the system gives them.
"""

import errno
import fcntl
import os
import stat
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, Protocol

__all__ = ["DiskFiles", "Files", "Look"]

FOLDER_MODE = 0o700
FILE_MODE = 0o600


class Look(NamedTuple):
    """What a name stands for; ``size`` is that of a regular file, else 0."""

    is_file: bool
    size: int


class Files(Protocol):
    """Handles of files and folders are numbers; each is closed by ``close``."""

    def open_root(self, path: Path, create: bool, /) -> int:
        """The folder everything is in; created with its parents if asked."""
        ...

    def open_folder(self, at: int, name: str, create: bool, /) -> int:
        """A folder in a folder."""
        ...

    def lock(self, folder: int, name: str, /) -> int:
        """Hold it alone until it is closed; BlockingIOError if somebody has it."""
        ...

    def names(self, folder: int, /) -> Sequence[str]:
        """In no order."""
        ...

    def look(self, folder: int, name: str, /) -> Look:
        """Of the name itself, not of what a link points to."""
        ...

    def open_read(self, folder: int, name: str, /) -> int:
        """A regular file."""
        ...

    def open_write(self, folder: int, name: str, fresh: bool, /) -> int:
        """A regular file, made if it is not there; emptied if ``fresh``."""
        ...

    def read(self, file: int, length: int, offset: int, /) -> bytes:
        """Fewer bytes than asked only at the end, or where the system pleases."""
        ...

    def write(self, file: int, data: bytes | memoryview, offset: int, /) -> int:
        """How many bytes were written; it may be fewer than given."""
        ...

    def sync(self, handle: int, /) -> None:
        """A file's content, or a folder's names, survive a power cut from here on."""
        ...

    def close(self, handle: int, /) -> None:
        """Forget a handle; releases a lock."""
        ...

    def rename(self, folder: int, name: str, to: int, new: str, /) -> None:
        """Also into another folder; what had the new name is gone."""
        ...

    def unlink(self, folder: int, name: str, /) -> None:
        """Remove a file or a link."""
        ...


class DiskFiles:
    """The real ones. Folders are made 0700 and files 0600, whatever the umask."""

    def open_root(self, path: Path, create: bool) -> int:
        """See Files."""
        if create:
            with suppress(FileExistsError):  # opening it tells whether it is a folder
                path.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileExistsError):
                path.mkdir(FOLDER_MODE)
        return os.open(path, os.O_RDONLY | os.O_DIRECTORY)

    def open_folder(self, at: int, name: str, create: bool) -> int:
        """See Files."""
        if create:
            with suppress(FileExistsError):
                os.mkdir(name, FOLDER_MODE, dir_fd=at)
        return os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=at)

    def lock(self, folder: int, name: str) -> int:
        """See Files."""
        flags = os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK
        try:  # over NFS only a file that is open for writing can be locked
            handle = os.open(name, flags | os.O_RDWR, FILE_MODE, dir_fd=folder)
        except OSError as error:
            if error.errno != errno.EROFS:
                raise
            handle = os.open(name, flags | os.O_RDONLY, FILE_MODE, dir_fd=folder)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            raise
        return handle

    def names(self, folder: int) -> Sequence[str]:
        """See Files."""
        return os.listdir(folder)

    def look(self, folder: int, name: str) -> Look:
        """See Files."""
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
        is_file = stat.S_ISREG(found.st_mode)
        return Look(is_file, found.st_size if is_file else 0)

    def open_read(self, folder: int, name: str) -> int:
        """See Files."""
        return _regular(name, os.O_RDONLY, folder)

    def open_write(self, folder: int, name: str, fresh: bool) -> int:
        """See Files."""
        flags = os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if fresh else 0)
        return _regular(name, flags, folder)

    def read(self, file: int, length: int, offset: int) -> bytes:
        """See Files."""
        # No more room than there is to be read: a limit of ours may be 512 MiB.
        there = max(0, os.fstat(file).st_size - offset)
        return os.pread(file, min(length, there), offset)

    def write(self, file: int, data: bytes | memoryview, offset: int) -> int:
        """See Files."""
        return os.pwrite(file, data, offset)

    def sync(self, handle: int) -> None:
        """See Files."""
        os.fsync(handle)

    def close(self, handle: int) -> None:
        """See Files."""
        os.close(handle)

    def rename(self, folder: int, name: str, to: int, new: str) -> None:
        """See Files."""
        os.rename(name, new, src_dir_fd=folder, dst_dir_fd=to)

    def unlink(self, folder: int, name: str) -> None:
        """See Files."""
        os.unlink(name, dir_fd=folder)


def _regular(name: str, flags: int, folder: int) -> int:
    """Without waiting, which a FIFO in the file's place would have us do."""
    flags |= os.O_NOFOLLOW | os.O_NONBLOCK
    handle = os.open(name, flags, FILE_MODE, dir_fd=folder)
    if stat.S_ISREG(os.fstat(handle).st_mode):
        return handle
    os.close(handle)
    raise OSError(errno.EINVAL, "not a regular file", name)
