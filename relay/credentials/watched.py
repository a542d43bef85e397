"""A file that says where keys come from, read again whenever it changes.

A file that cannot be used, half written perhaps, leaves what its last good version said in
force and shows as a warning. Nothing that a file says is ever quoted: what stands there
are secrets.
"""

import os
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from relay.cloudmonitor.credentials import Credentials, CredentialsUnavailable, Provider

__all__ = ["FILE_BYTES_MAX", "WatchedFile"]

FILE_BYTES_MAX = 64 * 1024


class _Version(NamedTuple):
    """What changes when a file is written, renamed over, or linked elsewhere."""

    device: int
    inode: int
    size: int
    mtime_ns: int


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    """Without waiting, which a FIFO in the file's place would have us do."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


class WatchedFile:
    """A provider by what ``read`` makes of the file's text: a provider, or ValueError.

    ``shared`` takes a file that group or others can touch.
    """

    def __init__(
        self, path: Path, read: Callable[[str], Provider], *, shared: bool = False
    ) -> None:
        self._path, self._read, self._shared = path, read, shared
        self._lock = threading.Lock()
        self._good: Provider | None = None
        self._version: _Version | None = None
        self._complaint = ""

    @property
    def warning(self) -> str:
        """Why the file as it is now cannot be used, while what it said still serves."""
        good = self._good
        return "; ".join(filter(None, (self._complaint, good.warning))) if good else ""

    def get(self) -> Credentials:
        """By the file as it is now, else by its last good version."""
        with self._lock:
            try:
                self._look()
                self._complaint = ""
            except CredentialsUnavailable as error:
                self._complaint = error.reason
                if self._good is None:
                    raise
            assert self._good is not None  # noqa: S101 - _look set it or raised
            good = self._good
        return good.get()

    def refresh(self) -> None:
        """Read it again even where it looks unchanged: clocks of disks are coarse."""
        with self._lock:
            self._version = None
            good = self._good
        if good is not None:
            good.refresh()

    def _look(self) -> None:
        try:
            with _opened(self._path) as descriptor:
                version = self._checked(os.fstat(descriptor))
                if version == self._version:
                    return
                with os.fdopen(descriptor, "rb", closefd=False) as file:
                    content = file.read(FILE_BYTES_MAX + 1)
        except OSError as error:
            raise self._unusable(error.strerror or type(error).__name__) from None
        if len(content) > FILE_BYTES_MAX:
            raise self._unusable(f"longer than {FILE_BYTES_MAX} bytes")
        try:
            text = content.decode("utf-8-sig").strip()
        except UnicodeDecodeError:
            raise self._unusable("not a text in UTF-8") from None
        if not text:
            raise self._unusable("empty")
        try:
            self._good = self._read(text)
        except ValueError as error:
            raise self._unusable(f"{error}") from None
        self._version = version

    def _checked(self, found: os.stat_result) -> _Version:
        if not stat.S_ISREG(found.st_mode):
            raise self._unusable("not a regular file")
        if found.st_mode & 0o077 and not self._shared:
            mode = stat.S_IMODE(found.st_mode)
            raise self._unusable(
                f"group or others can touch it (mode {mode:04o});"
                " chmod 600 it, or allow that with key_file_shared"
            )
        return _Version(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)

    def _unusable(self, why: str) -> CredentialsUnavailable:
        return CredentialsUnavailable(f"{self._path}: {why}")
