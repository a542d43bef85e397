"""What waits, without its content: segments, the parts of their batches, two queues.

A segment stands in a queue as a whole until its turn comes; only then are its batches
looked up, so a long backlog costs no memory. Knows no files and counts no losses.
"""

from collections import deque
from collections.abc import Iterator
from itertools import chain
from typing import NamedTuple

from relay.spool.memory import LIVE_SECONDS
from relay.spool.segment import Frame, Header, Range

__all__ = ["Part", "Queue", "Queues", "Segment"]


class Segment:
    """A file of the spool and what is left in it, parts under way included."""

    __slots__ = (
        "batches",
        "content",
        "damaged",
        "entries",
        "flying",
        "header",
        "marks",
        "pending",
        "sequence",
        "size",
    )

    def __init__(
        self, sequence: int, header: Header, size: int, *, content: bytes | None = None
    ) -> None:
        self.sequence, self.header, self.size = sequence, header, size
        self.batches, self.entries = header.batches, header.entries
        self.flying = 0
        self.content = content  # while it is not on the disk
        self.marks = 0  # bytes of the file with marks
        self.pending = b""  # marks that are not in it yet
        self.damaged = False

    @property
    def closed_at(self) -> int:
        """When the period of its batches ended."""
        return self.header.closed_at


class Part(NamedTuple):
    """A batch of a segment, or a half of a half of one."""

    segment: Segment
    frame: Frame
    range: Range

    @property
    def entries(self) -> int:
        """How many."""
        start, stop = self.range
        return stop - start

    @property
    def closed_at(self) -> int:
        """When its period ended."""
        return self.segment.closed_at


Queue = deque[Segment | Part]


class Queues:
    """Live ones go before the backlog; each in the order of appending."""

    def __init__(self, live_seconds: float = LIVE_SECONDS) -> None:
        self.live, self.backlog = Queue(), Queue()
        self._live_seconds = live_seconds

    def next(self, now: float) -> Queue | None:
        """The queue whose first is next; None if nothing waits."""
        while self.live and self.live[0].closed_at < now - self._live_seconds:
            self.backlog.append(self.live.popleft())
        return self.live or self.backlog or None

    def remove(self, segment: Segment) -> list[Part]:
        """Take a segment and its parts out; gives the parts."""
        gone = [one for one in self if _is_of(one, segment)]
        for queue in (self.live, self.backlog) if gone else ():
            kept = [one for one in queue if not _is_of(one, segment)]
            queue.clear()
            queue.extend(kept)
        return [one for one in gone if isinstance(one, Part)]

    def __iter__(self) -> Iterator[Segment | Part]:
        return chain(self.backlog, self.live)


def _is_of(one: Segment | Part, segment: Segment) -> bool:
    return one is segment or (isinstance(one, Part) and one.segment is segment)
