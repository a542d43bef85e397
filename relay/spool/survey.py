"""A look at a state folder beside the relay that is writing it: no lock, nothing changed.

What is there may be gone a moment later; then it is passed over.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from relay.delivery.batch import Batch
from relay.errors import RelayError
from relay.spool import segment as form
from relay.spool.files import DiskFiles, Files
from relay.spool.memory import Parked
from relay.spool.parked import names_of_parked, read_parked
from relay.spool.segment import HEADER_BYTES, Header, Settled
from relay.spool.store import FILE_BYTES_MAX, FOLDERS, is_segment, read_file

__all__ = ["DENIED", "SegmentView", "Survey"]

DENIED = "Permission denied: chown it to the relay's user"
"""The problem of a segment that waits for somebody who may read it."""


class SegmentView(NamedTuple):
    """A segment as it is now.

    Of its entries some wait and some are lost, the others are settled. Where nobody can
    tell, ``closed_at`` is None and the numbers are 0; ``problem`` then says why.
    """

    segment: str
    closed_at: int | None
    batches: int
    waiting: int
    lost: int
    bytes: int
    problem: str

    @property
    def sequence(self) -> int:
        """Its number."""
        return int(self.segment.partition(".")[0])


class Survey:
    """Raises RelayError if there is no such folder."""

    def __init__(self, folder: Path, *, files: Files | None = None) -> None:
        self._files = files or DiskFiles()
        try:
            self._root = self._files.open_root(folder, False)
        except OSError as error:
            raise RelayError(
                f"{folder}: {error.strerror}; name the relay's state folder with"
                " --state FOLDER"
            ) from None
        self._spool, self._parked, self._quarantine = map(self._open, FOLDERS)

    def close(self) -> None:
        """Let go of the folders."""
        for handle in (self._root, self._spool, self._parked, self._quarantine):
            if handle is not None:
                self._files.close(handle)

    def names(self) -> Sequence[str]:
        """Of the segments, oldest first."""
        return sorted(filter(is_segment, self._names(self._spool)))

    def segments(self, *, thorough: bool = False) -> Iterator[SegmentView]:
        """Out of their headers; out of every byte if ``thorough``."""
        for name in self.names():
            try:
                yield self._thorough(name) if thorough else self._brief(name)
            except FileNotFoundError:  # delivered a moment ago
                continue
            except PermissionError:
                size = 0
                with suppress(OSError):
                    size = self._size(self._spool, name)
                yield SegmentView(name, None, 0, 0, 0, size, DENIED)
            except OSError as error:
                yield SegmentView(name, None, 0, 0, 0, 0, str(error.strerror))

    def batches(self, name: str) -> Iterator[Batch]:
        """What of a segment is intact and waits; parts of batches as batches."""
        content = self._read(name, FILE_BYTES_MAX)
        found = form.scan(content)
        if found.header is not None:
            for frame, part in form.left_over(found, self._marks(name, found.header)):
                end = frame.offset + frame.length
                batch = form.read_frame(content[frame.offset : end])
                if batch is not None:
                    yield form.part_of(batch, part)

    def parked(self) -> Iterator[Parked]:
        """What was refused for good, oldest first."""
        if self._parked is not None:
            for name in names_of_parked(self._files, self._parked):
                with suppress(FileNotFoundError):
                    yield from read_parked(self._files, self._parked, name)

    def quarantine(self) -> Iterator[tuple[str, int]]:
        """Names and sizes of what was put aside, oldest first."""
        for name in sorted(self._names(self._quarantine)):
            with suppress(FileNotFoundError):
                yield name, self._size(self._quarantine, name)

    def _brief(self, name: str) -> SegmentView:
        size = self._size(self._spool, name)
        header = form.read_header(self._read(name, HEADER_BYTES))
        if header is None:
            return SegmentView(name, None, 0, 0, 0, size, "the header is damaged")
        ranges = [r for some in self._marks(name, header).values() for r in some]
        settled = sum(stop - start for start, stop in ranges)
        problem = "" if header.length == size else f"should be {header.length} bytes"
        waiting = max(0, header.entries - settled)
        return SegmentView(
            name, header.closed_at, header.batches, waiting, 0, size, problem
        )

    def _thorough(self, name: str) -> SegmentView:
        content = self._read(name, FILE_BYTES_MAX)
        found, size = form.scan(content), len(content)
        if found.header is None:
            problem = "nothing in it can be read by this version"
            return SegmentView(name, None, 0, 0, 0, size, problem)
        settled = self._marks(name, found.header)
        left = [stop - start for _, (start, stop) in form.left_over(found, settled)]
        problem = "" if found.whole else "damaged"
        return SegmentView(
            name,
            found.header.closed_at,
            found.header.batches,
            sum(left),
            form.lost(found, settled),
            size,
            problem,
        )

    def _marks(self, name: str, header: Header) -> Settled:
        content = b""
        with suppress(OSError):  # most segments have none
            content = self._read(name.replace(".seg", ".ack"), FILE_BYTES_MAX)
        return form.read_marks(content, header)

    def _open(self, name: str) -> int | None:
        try:
            return self._files.open_folder(self._root, name, False)
        except OSError:
            return None

    def _names(self, folder: int | None) -> Sequence[str]:
        return () if folder is None else self._files.names(folder)

    def _size(self, folder: int | None, name: str) -> int:
        return 0 if folder is None else self._files.look(folder, name).size

    def _read(self, name: str, length: int) -> bytes:
        if self._spool is None:
            raise FileNotFoundError(name)
        return read_file(self._files, self._spool, name, length)
