"""A file with an AccessKey, ini or JSON, read again whenever it changes.

A file that cannot be used, half written perhaps, leaves the keys of its last good version
in force and shows as a warning. Nothing that a file says is ever quoted, its errors are
told by kind and line: what stands there are secrets.
"""

import configparser
import json
import os
import stat
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from relay.cloudmonitor.credentials import Credentials, CredentialsUnavailable
from relay.credentials.texts import Fields, credentials_of

__all__ = ["FIELDS", "KeyFile"]

FIELDS = Fields("access_key_id", "access_key_secret", "security_token", "expiration")
"""The keys of a section, or of the JSON object."""

SUPPORTED_TYPE = "access_key"
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


class KeyFile:
    """``profile`` is the section of an ini file; a JSON file holds one object.

    ``shared`` takes a file that group or others can touch.
    """

    def __init__(
        self, path: Path, *, profile: str = "default", shared: bool = False
    ) -> None:
        self._path, self._profile, self._shared = path, profile, shared
        self._lock = threading.Lock()
        self._good: Credentials | None = None
        self._version: _Version | None = None
        self._complaint = ""

    @property
    def warning(self) -> str:
        """Why the file as it is now cannot be used, while older keys serve."""
        return self._complaint if self._good else ""

    def get(self) -> Credentials:
        """Of the file as it is now, else of its last good version."""
        with self._lock:
            try:
                self._look()
                self._complaint = ""
            except CredentialsUnavailable as error:
                self._complaint = error.reason
                if self._good is None:
                    raise
            assert self._good is not None  # noqa: S101 - _look set it or raised
            return self._good

    def refresh(self) -> None:
        """Read it again even where it looks unchanged: clocks of disks are coarse."""
        with self._lock:
            self._version = None

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
        self._good = credentials_of(self._fields(content), FIELDS, str(self._path))
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

    def _fields(self, content: bytes) -> Mapping[str, object]:
        try:
            text = content.decode("utf-8-sig").strip()
        except UnicodeDecodeError:
            raise self._unusable("not a text in UTF-8") from None
        if not text:
            raise self._unusable("empty")
        return self._json(text) if text.startswith("{") else self._ini(text)

    def _json(self, text: str) -> Mapping[str, object]:
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as error:
            line = getattr(error, "lineno", "?")
            raise self._unusable(f"line {line}: not JSON, or not all of it") from None
        return dict(found)

    def _ini(self, text: str) -> Mapping[str, object]:
        parser = configparser.RawConfigParser(strict=False)
        try:
            parser.read_string(text)
        except configparser.Error as error:
            line = getattr(error, "lineno", "?")
            raise self._unusable(f"line {line}: not an ini file") from None
        if not parser.has_section(self._profile):
            raise self._unusable(f"it has no section [{self._profile}]")
        # The vendor's own reader cuts a value at '#'.
        found = {
            k: v.partition("#")[0].strip() for k, v in parser[self._profile].items()
        }
        kind = found.get("type", SUPPORTED_TYPE)
        if kind != SUPPORTED_TYPE:
            raise self._unusable(
                f"[{self._profile}] has a type that is not supported;"
                f" supported is {SUPPORTED_TYPE}"
            )
        return dict(found)

    def _unusable(self, why: str) -> CredentialsUnavailable:
        return CredentialsUnavailable(f"{self._path}: {why}")
