"""A file that says where keys come from, read each time and heeded whenever it changes.

A file that cannot be used, half written perhaps, leaves what its last good version said in
force and shows as a warning. Nothing that a file says is ever quoted: what stands there
are secrets.
"""

import hashlib
import json
import os
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Generic, TypeVar

from relay.cloudmonitor.credentials import Credentials, CredentialsUnavailable, Provider

__all__ = ["FILE_BYTES_MAX", "WatchedFile"]

FILE_BYTES_MAX = 64 * 1024

_Picked = TypeVar("_Picked")


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    """Without waiting, which a FIFO in the file's place would have us do."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


class WatchedFile(Generic[_Picked]):
    """A provider by what the file says: ``pick`` finds what concerns us in its text, as
    JSON has it, and ``make`` a provider of that; either may raise ValueError.

    The provider, with the temporary keys that it holds, stays until what was picked is
    different: not for a new date of the file, nor for another profile in it. ``shared``
    takes a file that group or others can touch.
    """

    def __init__(
        self,
        path: Path,
        pick: Callable[[str], _Picked],
        make: Callable[[_Picked], Provider],
        *,
        shared: bool = False,
    ) -> None:
        self._path, self._shared = path, shared
        self._pick, self._make = pick, make
        self._lock = threading.Lock()
        self._good: Provider | None = None
        self._digest = b""
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
        """What it names is asked anew; the file itself is read each time."""
        good = self._good
        if good is not None:
            good.refresh()

    def _look(self) -> None:
        try:
            picked = self._pick(self._text())
            digest = _digest_of(picked)
            if self._good is None or digest != self._digest:
                self._good, self._digest = self._make(picked), digest
        except ValueError as error:
            raise self._unusable(f"{error}") from None
        except RecursionError:
            raise self._unusable("nested too deep") from None

    def _text(self) -> str:
        try:
            with _opened(self._path) as descriptor:
                self._check(os.fstat(descriptor))
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
        return text

    def _check(self, found: os.stat_result) -> None:
        if not stat.S_ISREG(found.st_mode):
            raise self._unusable("not a regular file")
        if found.st_mode & 0o077 and not self._shared:
            mode = stat.S_IMODE(found.st_mode)
            raise self._unusable(
                f"group or others can touch it (mode {mode:04o});"
                " chmod 600 it, or allow that with key_file_shared"
            )

    def _unusable(self, why: str) -> CredentialsUnavailable:
        return CredentialsUnavailable(f"{self._path}: {why}")


def _digest_of(picked: object) -> bytes:
    """Tells one content from another, without a second copy of its secrets."""
    return hashlib.sha256(json.dumps(picked, sort_keys=True).encode()).digest()
