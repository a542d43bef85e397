"""What was refused for good, kept within a bound so that somebody can look at it.

Lines of JSON in a few files that follow each other; of the files the oldest goes. It is
no part of what is promised to survive, so nothing is synced, and a line that a crash tore
is passed over. Methods that raise OSError leave the counts right.
"""

import json
import re
from collections import deque
from collections.abc import Iterator, Sequence

from relay.delivery.batch import Batch
from relay.spool.files import Files
from relay.spool.memory import Parked
from relay.spool.store import read_file, write_all

__all__ = ["ParkedFiles", "names_of_parked", "read_parked"]

FILES = 8
"""Into how many files the bound is divided, about."""

_OURS = re.compile(r"[0-9]{16}\.jsonl", re.ASCII)


class _File:
    """One of them: its length and how many entries are in it."""

    __slots__ = ("entries", "name", "size")

    def __init__(self, name: str, size: int = 0, entries: int = 0) -> None:
        self.name, self.size, self.entries = name, size, entries


class ParkedFiles:
    """``limit_bytes`` bounds the files together. Thread: one at a time."""

    def __init__(self, files: Files, folder: int, limit_bytes: int) -> None:
        self._files, self._folder, self._limit = files, folder, limit_bytes
        self._kept: deque[_File] = deque()
        self._writing: _File | None = None  # a new process begins a new file

    @property
    def entries(self) -> int:
        """How many can still be looked at."""
        return sum(file.entries for file in self._kept)

    def recover(self) -> None:
        """Count what is there."""
        for name in names_of_parked(self._files, self._folder):
            size = self._files.look(self._folder, name).size
            found = read_parked(self._files, self._folder, name)
            self._kept.append(_File(name, size, sum(len(p.batch.items) for p in found)))
        self._make_room(0)

    def add(self, parked: Parked) -> None:
        """Keep it, unless it is larger than all that may be kept."""
        line = _line(parked)
        if len(line) > self._limit:
            return
        self._make_room(len(line))
        file = self._current(len(line))
        handle = self._files.open_write(self._folder, file.name, False)
        try:
            write_all(self._files, handle, line, file.size)
        finally:
            self._files.close(handle)
        file.size += len(line)
        file.entries += len(parked.batch.items)

    def all(self) -> Iterator[Parked]:
        """Oldest first."""
        for file in self._kept:
            yield from read_parked(self._files, self._folder, file.name)

    def _current(self, more: int) -> _File:
        file = self._writing
        if file is None or file.size + more > self._limit // FILES:
            last = int(self._kept[-1].name[:16]) if self._kept else 0
            self._writing = file = _File(f"{last + 1:016d}.jsonl")
            self._kept.append(file)
        return file

    def _make_room(self, need: int) -> None:
        while self._kept and sum(f.size for f in self._kept) + need > self._limit:
            oldest = self._kept.popleft()
            if oldest is self._writing:
                self._writing = None
            self._files.unlink(self._folder, oldest.name)


def names_of_parked(files: Files, folder: int) -> Sequence[str]:
    """The files of a folder, oldest first."""
    return sorted(
        name
        for name in files.names(folder)
        if _OURS.fullmatch(name) and files.look(folder, name).is_file
    )


def read_parked(files: Files, folder: int, name: str) -> Iterator[Parked]:
    """What is in one file, damaged lines passed over."""
    for line in read_file(files, folder, name).splitlines():
        try:
            found = json.loads(line)
            batch = Batch(found["id"], found["closed_at"], tuple(found["items"]))
            yield Parked(batch, found["reason"])
        except (ValueError, TypeError, KeyError):
            continue


def _line(parked: Parked) -> bytes:
    batch, reason = parked
    fields = {"reason": reason, **batch._asdict()}
    return json.dumps(fields, separators=(",", ":")).encode() + b"\n"
