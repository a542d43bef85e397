"""Segments where they lie: on the disk, or in memory while the disk refuses them.

Errors of the disk end here. They become a word in ``degraded``, and what could not be
done is done later; only an error that leaves the caller a choice is raised. Knows no
order, no limit of the spool and no counts of entries.
"""

import errno
from collections.abc import Iterator, Sequence
from contextlib import suppress
from types import MappingProxyType
from typing import NamedTuple

from relay.delivery.batch import Batch
from relay.spool import segment as form
from relay.spool.queue import Part, Segment
from relay.spool.segment import HEADER_BYTES, Mark, Settled
from relay.spool.store import FILE_BYTES_MAX, Found, Recovered, Store

__all__ = ["Contents", "Shelf"]

_BUSY = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)
"""Errors of reading that say nothing about the file."""

_NOTHING = Recovered((), MappingProxyType({}), 0)


class Contents(NamedTuple):
    """What of a segment is intact and not settled, and how many entries are lost."""

    parts: Sequence[Part]
    lost: int


class Shelf:
    """``quarantine_limit`` is in bytes; ``quarantined`` counts files since the start.

    ``unreadable`` are the segments that this user may not read, and why: they are not
    damaged and stay where they are, with ``unreadable_bytes`` as far as these can be
    told. ``last`` is the highest number that the start found taken.
    """

    def __init__(self, store: Store, quarantine_limit: int) -> None:
        self._store, self._quarantine_limit = store, quarantine_limit
        self.degraded = ""
        self.quarantined = 0
        self.unreadable: dict[str, str] = {}
        self.unreadable_bytes = self.last = 0
        self._is_listed = True
        self._lingering: set[int] = set()  # settled, but the disk would not remove them

    def complain(self, error: OSError) -> None:
        """Note what the disk refused."""
        self.degraded = error.strerror or type(error).__name__

    # At the start.

    def recover(self) -> Sequence[Segment]:
        """What a former process left, oldest first. Headers only are read.

        A segment that has marks, or is not as its header says, is to be looked through.
        """
        found, hidden, self.quarantined = self._recover()
        for sequence, error in sorted(hidden.items()):
            self._leave(Found(sequence, 0, 0), error)
        self.last = max([one.sequence for one in found] + list(hidden), default=0)
        segments = [self._recovered(one) for one in found]
        return [segment for segment in segments if segment is not None]

    def _recover(self) -> Recovered:
        recovered = _NOTHING
        try:
            recovered = self._store.recover()
            self._store.bound_quarantine(self._quarantine_limit)
        except OSError as error:
            self.complain(error)
        self._is_listed = recovered is not _NOTHING
        return recovered

    def _leave(self, found: Found, error: OSError) -> None:
        """Whoever owns it can make it readable for the next start."""
        self.unreadable[found.name] = error.strerror or str(error)
        self.unreadable_bytes += found.size

    def _recovered(self, found: Found) -> Segment | None:
        try:
            head = self._store.read(found.sequence, HEADER_BYTES, 0)
        except PermissionError as error:
            self._leave(found, error)
            return None
        except OSError as error:
            head = self._unread(error)
        header = form.read_header(head)
        is_damaged = header is None or header.length != found.size
        if is_damaged:
            header = form.scan(self._read(found.sequence, FILE_BYTES_MAX)).header
        if header is None:
            self._set_aside(found.sequence)
            return None
        size = found.size + form.marks_bytes(header.batches)
        segment = Segment(found.sequence, header, size)
        segment.damaged, segment.marks = is_damaged, found.marks
        return segment

    # Writing.

    def free(self, number: int) -> int:
        """The first number from there on that no segment has."""
        while not self._is_listed and self._store.has(number):
            number += 1
        return number

    def write(self, segment: Segment) -> None:
        """Put it on the disk, durable after ``sync``; OSError if that is refused."""
        if segment.content is not None:
            self._store.write(segment.sequence, segment.content)
            segment.content = None
        self._write_marks(segment)

    def sync(self) -> None:
        """What was written or removed stays so."""
        try:
            self._store.sync()
        except OSError as error:
            self.complain(error)

    def mark(self, segment: Segment, mark: Mark) -> None:
        """Note what is settled; what cannot be written now goes with the next."""
        segment.pending += form.marked(mark)
        self._write_marks(segment)

    def remove(self, segment: Segment) -> None:
        """Nothing is left of it. A damaged one goes to quarantine."""
        if segment.content is None:
            self._remove(segment.sequence, damaged=segment.damaged)

    def tidy(self) -> None:
        """Try again to remove what the disk would not let go."""
        lingering, self._lingering = self._lingering, set()
        for sequence in sorted(lingering):
            self._remove(sequence, damaged=False)

    def _write_marks(self, segment: Segment) -> None:
        if segment.content is not None or not segment.pending:
            return
        head = b"" if segment.marks else form.marks_head(segment.header)
        content = head + segment.pending
        try:
            self._store.write_marks(segment.sequence, content, segment.marks)
        except OSError as error:
            self.complain(error)
            return
        segment.marks += len(content)
        segment.pending = b""

    def _remove(self, sequence: int, *, damaged: bool) -> None:
        if damaged:
            self._set_aside(sequence)
            return
        try:
            self._store.remove(sequence)
        except OSError as error:
            self.complain(error)
            self._lingering.add(sequence)

    def _set_aside(self, sequence: int) -> None:
        try:
            self.quarantined += self._store.set_aside(sequence)
            self._store.bound_quarantine(self._quarantine_limit)
        except OSError as error:
            self.complain(error)

    # Reading back.

    def read(self, part: Part) -> Batch | None:
        """The batch; None if it is damaged. OSError if only the system is short."""
        frame, content = part.frame, part.segment.content
        if content is None:
            raw = self._read(part.segment.sequence, frame.length, frame.offset)
        else:
            raw = content[frame.offset : frame.offset + frame.length]
        batch = form.read_frame(raw)
        if batch is None or len(batch.items) != frame.entries:
            return None
        return form.part_of(batch, part.range)

    def items(self, segment: Segment) -> Iterator[str]:
        """All intact entries, settled or not. Errors as of ``read``."""
        content = self._content(segment)
        for frame in form.scan(content).frames.values():
            end = frame.offset + frame.length
            batch = form.read_frame(content[frame.offset : end])
            if batch is not None:
                yield from batch.items

    def look_through(self, segment: Segment) -> Contents:
        """All that is left in it. Errors as of ``read``."""
        found = form.scan(self._content(segment))
        segment.damaged |= not found.whole
        settled = self._settled(segment)
        parts = [Part(segment, *left) for left in form.left_over(found, settled)]
        # What could not be read at all has no header: the one of the start tells then.
        lost = form.lost(found._replace(header=segment.header), settled)
        if lost:  # so that it is not counted again after a restart
            numbers = range(segment.header.batches + 1)
            missing = next(n for n in numbers if n not in found.frames)
            self.mark(segment, Mark(missing, (0, lost), form.DROPPED))
        return Contents(parts, lost)

    def _content(self, segment: Segment) -> bytes:
        if segment.content is not None:
            return segment.content
        return self._read(segment.sequence, FILE_BYTES_MAX)

    def _settled(self, segment: Segment) -> Settled:
        if not segment.marks:
            return {}
        content = b""
        with suppress(OSError):  # then everything is sent again
            content = self._store.read_marks(segment.sequence)
        segment.marks = form.sound_length(content, segment.header)
        return form.read_marks(content, segment.header)

    def _read(self, sequence: int, length: int, offset: int = 0) -> bytes:
        """Nothing, if it is the file that cannot be read."""
        try:
            return self._store.read(sequence, length, offset)
        except OSError as error:
            return self._unread(error)

    def _unread(self, error: OSError) -> bytes:
        if error.errno in _BUSY:
            raise error
        self.complain(error)
        return b""
