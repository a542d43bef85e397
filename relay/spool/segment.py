"""The format of the spool's files, version 1: bytes in, values out, no file touched.

A segment holds batches of one closed period and never changes:

    header, frame, frame, …, trailer

The header says how many batches and entries there are, so that a start reads nothing
else. Each frame is one batch, compressed by itself, with its number and a CRC-32. The
trailer repeats the header. So a flipped bit costs at most one batch: intact frames are
found by their marker and checksum wherever they are, and the counts are there twice.

Beside a segment lie its *marks*: which entries of which batch are settled. They are
written without waiting for the disk; a lost mark costs a repetition, never an entry.

Whoever changes the format changes VERSION *and* the marker of frames: a relay that does
not know a version then finds nothing it might misread, and leaves the file aside.
"""

import json
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple
from zlib import compress, crc32, decompressobj, error

from relay.delivery.batch import Batch, halve

__all__ = [
    "DELIVERED",
    "DROPPED",
    "HEADER_BYTES",
    "PARKED",
    "VERSION",
    "Body",
    "Frame",
    "Header",
    "Mark",
    "Range",
    "Scan",
    "Settled",
    "bodies",
    "framed",
    "left_over",
    "lost",
    "marked",
    "marks_bytes",
    "marks_head",
    "part_of",
    "read_frame",
    "read_header",
    "read_marks",
    "scan",
    "seal",
    "sound_length",
    "unsettled",
]

VERSION = 1

LEVEL = 1
"""Of compression. 263 bytes an entry become 47 for 0.7 µs, so that a spool of one size
holds five times the outage; level 6 makes them 41 for twice the time."""

_HEAD_MAGIC, _TAIL_MAGIC, _MARKS_MAGIC = b"CMSRELAY", b"YALERSMC", b"CMSMARKS"
_MARKER = b"\xf1FR1"
_HEADER = struct.Struct("<8sHxxIQqQQII")
_FRAME = struct.Struct("<4sIIIIqI")
_MARKS = struct.Struct("<8sHxxI")
_MARK = struct.Struct("<IIIB3xI")
_CRC_BYTES = 4

HEADER_BYTES = _HEADER.size

DELIVERED, PARKED, DROPPED = 1, 2, 3


class Header(NamedTuple):
    """What is known of a segment without reading on.

    ``length`` is of the whole file, ``checksum`` of all frames; ``stamp`` tells this
    segment from all others.
    """

    batches: int
    sequence: int
    closed_at: int
    entries: int
    length: int
    checksum: int
    stamp: int


class Frame(NamedTuple):
    """Where a batch is, and how many entries it has."""

    number: int
    entries: int
    closed_at: int
    offset: int
    length: int


Range = tuple[int, int]
"""Entries of a batch: from the first on, up to but not including the second."""


Settled = Mapping[int, Sequence[Range]]
"""By the number of the batch."""


class Mark(NamedTuple):
    """Entries that are settled, and how."""

    number: int
    range: Range
    kind: int


class Body(NamedTuple):
    """The frames of a segment to be."""

    frames: Sequence[bytes]
    entries: int

    @property
    def length(self) -> int:
        """Of the whole file."""
        return sum(map(len, self.frames)) + 2 * _HEADER.size


class Scan(NamedTuple):
    """What is intact; ``whole`` if all of it is.

    ``header`` is one of the two, else what the frames add up to, else there is nothing.
    """

    header: Header | None
    frames: Mapping[int, Frame]
    whole: bool


# Writing.


def bodies(batches: Iterable[Batch], max_bytes: int) -> Iterator[Body]:
    """Batches of one period, in order, as segments of at most ``max_bytes``.

    A batch that is larger by itself gets a segment of its own.
    """
    frames: list[bytes] = []
    size, entries = 2 * _HEADER.size, 0
    for batch in batches:
        frame = framed(len(frames), batch)
        if frames and size + len(frame) > max_bytes:
            yield Body(frames, entries)
            frame = framed(0, batch)
            frames, size, entries = [], 2 * _HEADER.size, 0
        frames.append(frame)
        size += len(frame)
        entries += len(batch.items)
    if frames:
        yield Body(frames, entries)


def seal(body: Body, sequence: int, closed_at: int) -> tuple[bytes, Header]:
    """The whole segment."""
    frames = b"".join(body.frames)
    batches, length = len(body.frames), body.length
    fields = (batches, sequence, closed_at, body.entries, length, crc32(frames))
    head, tail = (
        _summed(_HEADER, magic, VERSION, *fields)
        for magic in (_HEAD_MAGIC, _TAIL_MAGIC)
    )
    return head + frames + tail, Header(*fields, _stamp(head))


def marks_head(header: Header) -> bytes:
    """What the file with marks begins with; it ties them to this very segment."""
    return _MARKS.pack(_MARKS_MAGIC, VERSION, header.stamp)


def marked(mark: Mark) -> bytes:
    """One mark, to be appended."""
    return _summed(_MARK, mark.number, *mark.range, mark.kind)


def marks_bytes(count: int) -> int:
    """How long a file with so many marks is."""
    return _MARKS.size + count * _MARK.size


def framed(number: int, batch: Batch) -> bytes:
    """One batch as a frame; ``read_frame`` takes it back."""
    raw = json.dumps([batch.id, *batch.items], separators=(",", ":")).encode()
    payload = compress(raw, LEVEL)
    fields = (number, len(batch.items), len(raw), len(payload), batch.closed_at)
    bare = _FRAME.pack(_MARKER, *fields, 0)[:-_CRC_BYTES]
    return bare + crc32(payload, crc32(bare)).to_bytes(_CRC_BYTES, "little") + payload


def _summed(form: struct.Struct, *fields: object) -> bytes:
    """Packed, with the CRC-32 of all that stands before as the last field."""
    bare = form.pack(*fields, 0)[:-_CRC_BYTES]
    return bare + crc32(bare).to_bytes(_CRC_BYTES, "little")


# Reading.


def read_header(content: bytes) -> Header | None:
    """What a segment begins with; None if it is damaged or of another version."""
    return _header(content[: _HEADER.size], _HEAD_MAGIC)


def scan(content: bytes) -> Scan:
    """All that can be used of a segment in whatever state it is."""
    head, tail = read_header(content), _header(content[-_HEADER.size :], _TAIL_MAGIC)
    frames = {frame.number: frame for frame in _frames(content)}
    header = head or tail or _made_up(frames, len(content))
    whole = (
        head is not None
        and tail is not None
        and len(frames) == head.batches
        and len(content) == head.length
        and sum(f.length for f in frames.values()) + 2 * _HEADER.size == head.length
    )
    return Scan(header, frames, whole)


def read_frame(content: bytes) -> Batch | None:
    """The batch of one frame; None if it is damaged."""
    frame = _frame_at(content, 0)
    if frame is None or frame.length != len(content):
        return None
    raw_bytes = _FRAME.unpack_from(content)[3]
    try:  # a frame cannot blow up to more than it said when it was written
        raw = decompressobj().decompress(content[_FRAME.size :], max(raw_bytes, 1))
        name, *items = json.loads(raw)
    except (error, ValueError):
        return None
    return Batch(name, frame.closed_at, tuple(items))


def read_marks(content: bytes, header: Header) -> Settled:
    """Those that are intact; none if they belong to another segment or version."""
    settled: dict[int, list[Range]] = {}
    for at in range(_MARKS.size, sound_length(content, header), _MARK.size):
        record = content[at : at + _MARK.size]
        if _is_sound(record):
            number, start, stop, *_ = _MARK.unpack(record)
            settled.setdefault(number, []).append((start, stop))
    return settled


def sound_length(content: bytes, header: Header) -> int:
    """Where the next mark goes: behind the last one that is not torn; 0 if all anew."""
    if content[: _MARKS.size] != marks_head(header):
        return 0
    return len(content) - (len(content) - _MARKS.size) % _MARK.size


def _header(content: bytes, magic: bytes) -> Header | None:
    if len(content) != _HEADER.size or not _is_sound(content):
        return None
    found = _HEADER.unpack(content)
    if found[:2] != (magic, VERSION):
        return None
    return Header._make((*found[2:-1], _stamp(content)))


def _stamp(header: bytes) -> int:
    """The same in header and trailer: of all but the magic and the checksum."""
    return crc32(header[len(_HEAD_MAGIC) : -_CRC_BYTES])


def _made_up(frames: Mapping[int, Frame], length: int) -> Header | None:
    """What can be said without a header."""
    if not frames:
        return None
    closed_at = min(frame.closed_at for frame in frames.values())
    entries = sum(frame.entries for frame in frames.values())
    return Header(len(frames), 0, closed_at, entries, length, 0, 0)


def _is_sound(record: bytes) -> bool:
    bare, crc = record[:-_CRC_BYTES], record[-_CRC_BYTES:]
    return crc32(bare) == int.from_bytes(crc, "little")


def _frames(content: bytes) -> Iterator[Frame]:
    """One after the other; behind damage, from the next marker that holds good."""
    at = content.find(_MARKER)
    while at >= 0:
        frame = _frame_at(content, at)
        if frame is not None:
            yield frame
        at = content.find(_MARKER, at + frame.length if frame else at + 1)


def _frame_at(content: bytes, at: int) -> Frame | None:
    end = at + _FRAME.size
    if end > len(content):
        return None
    marker, number, entries, _, length, closed_at, crc = _FRAME.unpack_from(content, at)
    if marker != _MARKER or end + length > len(content):
        return None
    view = memoryview(content)
    if crc32(view[end : end + length], crc32(view[at : end - _CRC_BYTES])) != crc:
        return None
    return Frame(number, entries, closed_at, at, _FRAME.size + length)


# What is left. Only halves of halves are ever sent, so only those are left over.


def lost(found: Scan, settled: Settled) -> int:
    """Entries that should be there, are not, and were not settled before."""
    if found.header is None:
        return 0
    there = sum(frame.entries for frame in found.frames.values())
    missing = settled.keys() - found.frames.keys()
    done = sum(stop - start for n in missing for start, stop in settled[n])
    return max(0, found.header.entries - there - done)


def left_over(found: Scan, settled: Settled) -> Iterator[tuple[Frame, Range]]:
    """What of the intact ones is not settled, in order."""
    for number, frame in sorted(found.frames.items()):
        for part in unsettled((0, frame.entries), settled.get(number, ())):
            yield frame, part


def unsettled(whole: Range, settled: Sequence[Range]) -> Iterator[Range]:
    """What is left of ``whole``: the largest halves of halves that nothing settled."""
    start, stop = whole
    touching = [(a, b) for a, b in settled if a < stop and start < b]
    if not touching:
        yield whole
    elif not any(a <= start and stop <= b for a, b in touching):
        middle = start + (stop - start) // 2
        yield from unsettled((start, middle), touching)
        yield from unsettled((middle, stop), touching)


def part_of(batch: Batch, part: Range) -> Batch:
    """The half of a half … of ``batch`` that ``part`` names."""
    start, stop = part
    at = 0
    while len(batch.items) > stop - start:
        first, second = halve(batch)
        if start < at + len(first.items):
            batch = first
        else:
            at += len(first.items)
            batch = second
    return batch
