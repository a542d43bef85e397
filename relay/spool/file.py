"""A spool of files: what it took in survives the process, and no disk can end it.

It keeps the order, the counts and the limits; formats are ``segment``, files are
``store``. What a disk refuses to take stays in memory, within the same limit, and is
written with the next period. Thread: one at a time (the disk lane).
"""

import errno
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from relay.delivery.batch import Batch
from relay.delivery.ledger import QueueTally
from relay.spool import segment as form
from relay.spool.files import DiskFiles, Files
from relay.spool.memory import EXPIRED, LIVE_SECONDS, PARKED_SHARE, SPACE, Parked
from relay.spool.parked import ParkedFiles
from relay.spool.queue import Part, Queue, Queues, Segment
from relay.spool.segment import DELIVERED, DROPPED, PARKED, Mark
from relay.spool.shelf import Shelf
from relay.spool.store import Store

__all__ = ["DAMAGED", "FileSpool"]

DAMAGED = "damaged"

QUARANTINE_SHARE = PARKED_SHARE
"""Of the limit. Both shares are kept free, so that all together stay below it."""

SEGMENT_BYTES_MAX = 4 * 2**20
SEGMENTS_MIN = 32
"""Into how many segments the limit is divided at least: they are dropped one by one, and
one that is damaged must find room in the quarantine."""

_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)


class _Flight(NamedTuple):
    """A part under way, and the queue it goes back to."""

    part: Part
    queue: Queue


class FileSpool:
    """See the protocol ``Spool`` of the courier for what each operation promises.

    ``limit_bytes`` bounds all files together, and what a refusing disk leaves in memory;
    beyond it the oldest segments go, but none with a batch that is under way. What this
    user may not read stays and counts too, but leaves half of it to what comes.
    ``max_age_seconds`` is counted from the end of a batch's period; what is younger than
    ``live_seconds`` goes before the rest.
    """

    def __init__(
        self,
        store: Store,
        *,
        limit_bytes: int,
        max_age_seconds: float,
        live_seconds: float = LIVE_SECONDS,
    ) -> None:
        quarantine_limit = int(limit_bytes * QUARANTINE_SHARE)
        parked_limit = int(limit_bytes * PARKED_SHARE)
        self._limit = limit_bytes - quarantine_limit - parked_limit
        self._segment_limit = min(SEGMENT_BYTES_MAX, limit_bytes // SEGMENTS_MIN)
        self.max_age_seconds = max_age_seconds
        self._store = store
        self._shelf = Shelf(store, quarantine_limit)
        self._parked = ParkedFiles(store.files, store.parked, parked_limit)
        self._queues = Queues(live_seconds)
        self._segments: dict[int, Segment] = {}
        self._in_flight: dict[str, _Flight] = {}
        self._oldest = float("inf")  # nothing that waits ended before that
        self._last = 0  # number of a segment
        self._batches = self._entries = self._bytes = self._parked_entries = 0
        self._dropped = Counter({EXPIRED: 0, SPACE: 0, DAMAGED: 0})

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        limit_bytes: int,
        max_age_seconds: float,
        live_seconds: float = LIVE_SECONDS,
        files: Files | None = None,
    ) -> "FileSpool":
        """With all that waits in ``folder``, whatever state it is in.

        Raises RelayError if another process has the folder, ConfigError if it cannot be
        made or opened; never for what is in it.
        """
        store = Store.open(folder, files or DiskFiles())
        spool = cls(
            store,
            limit_bytes=limit_bytes,
            max_age_seconds=max_age_seconds,
            live_seconds=live_seconds,
        )
        spool._recover()
        return spool

    def close(self) -> int:
        """Let go of the folder; gives how many entries were in memory only."""
        self._write_debts()
        self._shelf.sync()
        self._store.close()
        return sum(s.entries for s in self._segments.values() if s.content is not None)

    def tally(self) -> QueueTally:
        """The counts as of the last operation; ``bytes`` are those of the files."""
        return QueueTally(
            batches=self._batches,
            entries=self._entries,
            bytes=self._bytes,
            in_flight=len(self._in_flight),
            dropped=MappingProxyType(dict(self._dropped)),
            parked=self._parked_entries,
            parked_kept=self._parked.entries,
            quarantined=self._shelf.quarantined,
            unreadable=len(self._shelf.unreadable),
            degraded=self._shelf.degraded,
        )

    # The operations of a spool.

    def append(self, batches: Iterable[Batch]) -> QueueTally:
        """Take newly closed batches in. They are durable then, unless ``degraded``."""
        self._shelf.degraded = ""
        self._write_debts()
        for closed_at, group in groupby(batches, key=lambda batch: batch.closed_at):
            for body in form.bodies(group, self._segment_limit):
                self._admit(body, closed_at)
        self._shelf.sync()
        return self.tally()

    def take(self, now: float) -> tuple[Batch | None, QueueTally]:
        """The next batch to send, from now on under way; None if nothing waits.

        ``now`` is in Unix seconds; what is too old by then is dropped first. OSError
        only if the system has no descriptor or memory to read with.
        """
        self.expire(now)
        while queue := self._queues.next(now):
            first = queue[0]
            if isinstance(first, Segment):
                parts = self._look_through(first)
                queue.popleft()
                queue.extendleft(reversed(parts))
                self._finish(first)
            else:
                batch = self._shelf.read(first)
                queue.popleft()
                if batch is not None:
                    return self._fly(batch, first, queue), self.tally()
                self._lose(first)
        return None, self.tally()

    def acknowledge(self, batch_id: str) -> QueueTally:
        """Forget a batch that was delivered."""
        self._settle(self._land(batch_id).part, DELIVERED)
        return self.tally()

    def give_back(self, batch_id: str, behind: bool = False) -> QueueTally:
        """A batch was not delivered: it is next again, or ``behind`` all that waits."""
        part, queue = self._land(batch_id)
        if behind:
            self._queues.backlog.append(part)
        else:
            queue.appendleft(part)
        return self.tally()

    def split(self, batch_id: str) -> QueueTally:
        """Replace a batch by its halves; they are next. It needs two items at least."""
        (segment, frame, (start, stop)), queue = self._land(batch_id)
        middle = start + (stop - start) // 2
        queue.appendleft(Part(segment, frame, (middle, stop)))
        queue.appendleft(Part(segment, frame, (start, middle)))
        self._count(segment, batches=1)
        return self.tally()

    def park(self, batch_id: str, reason: str) -> QueueTally:
        """Put a batch aside for good; of what is put aside the oldest makes room."""
        part = self._land(batch_id).part
        try:
            batch = self._shelf.read(part)
            if batch is not None:
                self._parked.add(Parked(batch._replace(id=batch_id), reason))
        except OSError as error:
            self._shelf.complain(error)
        self._parked_entries += part.entries
        self._settle(part, PARKED)
        return self.tally()

    def expire(self, now: float) -> QueueTally:
        """Drop what is older than the age limit at ``now``, in Unix seconds."""
        limit = now - self.max_age_seconds
        if self._oldest < limit:
            for segment in list(self._segments.values()):
                if segment.closed_at < limit:
                    self._drop(segment, EXPIRED)
            ends = (segment.closed_at for segment in self._segments.values())
            self._oldest = min((end for end in ends if end >= limit), default=now)
        return self.tally()

    def parked(self) -> Sequence[Parked]:
        """What was put aside and is still kept, oldest first."""
        return tuple(self._parked.all())

    @property
    def unreadable(self) -> Mapping[str, str]:
        """Files that a start found and may not read, and why; a later one may."""
        return MappingProxyType(self._shelf.unreadable)

    def waiting(self, closed_at: Collection[int]) -> Sequence[str]:
        """The entries that are here of periods that ended then; OSError as ``take``.

        What of them is settled counts too while the rest of its segment waits.
        """
        found = [s for s in self._segments.values() if s.closed_at in closed_at]
        return [item for one in found for item in self._shelf.items(one)]

    # Taking off and landing.

    def _fly(self, batch: Batch, part: Part, queue: Queue) -> Batch:
        if batch.id in self._in_flight:  # one period, closed before and after a stop
            batch = batch._replace(id=f"{batch.id}~{part.segment.sequence}")
        self._in_flight[batch.id] = _Flight(part, queue)
        part.segment.flying += 1
        return batch

    def _land(self, batch_id: str) -> _Flight:
        flight = self._in_flight.pop(batch_id)
        flight.part.segment.flying -= 1
        self._oldest = min(self._oldest, flight.part.closed_at)
        return flight

    # What comes in.

    def _recover(self) -> None:
        try:
            self._parked.recover()
        except OSError as error:
            self._shelf.complain(error)
        segments = self._shelf.recover()
        self._last = self._shelf.last
        self._limit -= min(self._shelf.unreadable_bytes, self._limit // 2)
        for segment in segments:
            self._hold(segment)
            if segment.marks or segment.damaged:
                parts = self._look_through(segment)
                self._queues.live.pop()
                self._queues.live.extend(parts)
                self._finish(segment)
        self._make_room(0, float("inf"))

    def _admit(self, body: form.Body, closed_at: int) -> None:
        size = body.length + form.marks_bytes(len(body.frames))
        if not self._make_room(size, closed_at):
            self._dropped[SPACE] += body.entries
            return
        self._last = self._shelf.free(self._last + 1)
        content, header = form.seal(body, self._last, closed_at)
        segment = Segment(self._last, header, size, content=content)
        self._hold(segment)
        self._write(segment)

    def _hold(self, segment: Segment) -> None:
        self._segments[segment.sequence] = segment
        self._queues.live.append(segment)
        self._oldest = min(self._oldest, segment.closed_at)
        self._batches += segment.batches
        self._entries += segment.entries
        self._bytes += segment.size

    def _look_through(self, segment: Segment) -> Sequence[Part]:
        """Its parts, to stand in its place; what is lost is counted."""
        parts, lost = self._shelf.look_through(segment)
        self._dropped[DAMAGED] += lost
        entries = sum(part.entries for part in parts)
        self._count(
            segment,
            batches=len(parts) - segment.batches,
            entries=entries - segment.entries,
        )
        return parts

    def _write(self, segment: Segment) -> bool:
        """Put it on the disk, where need be in the place of the oldest ones.

        When twice its size did not help, somebody else fills the disk, and nothing more
        is sacrificed. It waits in memory then.
        """
        freed = 0
        while True:
            try:
                self._shelf.write(segment)
            except OSError as error:
                victim = self._victim(on_disk=True)
                may_help = error.errno in _NO_SPACE and freed < 2 * segment.size
                if victim is None or not may_help:
                    self._shelf.complain(error)
                    return False
                freed += victim.size
                self._drop(victim, SPACE)
            else:
                return True

    def _write_debts(self) -> None:
        """What could not be written or removed before."""
        self._shelf.tidy()
        for segment in list(self._segments.values()):
            if segment.sequence in self._segments and not self._write(segment):
                break

    def _make_room(self, need: int, closed_at: float) -> bool:
        """Whether it fits, once older ones have gone."""
        while self._bytes + need > self._limit:
            victim = self._victim()
            if victim is None or victim.closed_at > closed_at:
                return False
            self._drop(victim, SPACE)
        return True

    def _victim(self, *, on_disk: bool = False) -> Segment | None:
        """The oldest segment that may be dropped."""
        return min(
            (
                segment
                for segment in self._segments.values()
                if not segment.flying and not (on_disk and segment.content is not None)
            ),
            key=lambda segment: (segment.closed_at, segment.sequence),
            default=None,
        )

    # What leaves the spool, and what it costs.

    def _settle(self, part: Part, kind: int) -> None:
        """A part is out of the queue for good."""
        segment = part.segment
        self._count(segment, batches=-1, entries=-part.entries)
        if segment.batches == 0:
            self._finish(segment)
        else:
            self._shelf.mark(segment, Mark(part.frame.number, part.range, kind))

    def _lose(self, part: Part) -> None:
        """It was intact when its segment was looked through, and is no more."""
        part.segment.damaged = True
        self._dropped[DAMAGED] += part.entries
        self._settle(part, DROPPED)

    def _drop(self, segment: Segment, reason: str) -> None:
        """All of a segment that is not under way."""
        parts, before = self._queues.remove(segment), segment.entries
        if segment.flying:
            for part in parts:
                self._settle(part, DROPPED)
        else:
            self._count(segment, batches=-segment.batches, entries=-before)
            self._finish(segment)
        self._dropped[reason] += before - segment.entries

    def _finish(self, segment: Segment) -> None:
        """Remove a segment of which nothing is left."""
        if segment.batches == 0:
            del self._segments[segment.sequence]
            self._bytes -= segment.size
            self._shelf.remove(segment)

    def _count(self, segment: Segment, *, batches: int = 0, entries: int = 0) -> None:
        segment.batches += batches
        segment.entries += entries
        self._batches += batches
        self._entries += entries
