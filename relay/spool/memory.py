"""A spool in memory: bounded, exact in its counts, gone with the process.

It keeps batches in the order of their age, live ones before the backlog. While there is
room they stay as they are, since most are gone within the minute; where it gets scarce
the first to come are compressed as the spool of files has it, so that both hold as long an
outage in the same space. It knows nothing of requests, retries or clocks. Thread: any one
at a time (the disk lane), so that a spool of files can stand in its place.
"""

from collections import Counter, deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain
from types import MappingProxyType
from typing import NamedTuple

from relay.delivery.batch import Batch, halve
from relay.delivery.ledger import QueueTally
from relay.spool.segment import framed, read_frame

__all__ = ["EXPIRED", "LIVE_SECONDS", "PARKED_SHARE", "SPACE", "MemorySpool", "Parked"]

EXPIRED = "expired"
SPACE = "space"

LIVE_SECONDS = 120
"""A batch younger than this goes before the backlog: after an outage the newest periods
are what people look at, and they must not wait for hours of history. Two of a minute."""

PARKED_SHARE = 0.05
"""Of the limit; what was refused for good is kept to be looked at, within reason."""


class Parked(NamedTuple):
    """A batch put aside, and why."""

    batch: Batch
    reason: str


_FEW = 64
"""That are gone and not forgotten yet."""

_ITEM_BYTES = 57
"""What a text takes in memory beside its characters, and its place in a tuple."""


class _Kept:
    """A batch as it came, or pressed: as a frame of the spool's format; ``size`` in bytes.

    One that is gone is neither.
    """

    __slots__ = ("_batch", "_frame", "closed_at", "entries", "id", "size")

    def __init__(self, batch: Batch) -> None:
        self.id, self.closed_at = batch.id, batch.closed_at
        self.entries = len(batch.items)
        self.size = batch.size_bytes + self.entries * _ITEM_BYTES
        self._batch: Batch | None = batch
        self._frame: bytes | None = None

    def batch(self) -> Batch:
        if self._batch is not None:
            return self._batch
        found = self._frame and read_frame(self._frame)
        if not found:
            raise RuntimeError(f"batch {self.id} is damaged in memory")
        return found

    @property
    def is_as_it_came(self) -> bool:
        return self._batch is not None

    def press(self) -> int:
        """How many bytes that takes away; less than 0 where a batch is tiny."""
        if self._batch is None:
            return 0
        self._frame, self._batch = framed(0, self._batch), None
        before, self.size = self.size, len(self._frame)
        return before - self.size

    def go(self) -> None:
        self._batch = self._frame = None


class _Flight(NamedTuple):
    """A batch under way, and the queue it goes back to."""

    kept: _Kept
    queue: deque[_Kept]


class MemorySpool:
    """See the protocol ``Spool`` of the courier for what each operation promises.

    ``limit_bytes`` bounds what waits, pressed; beyond it the oldest go, but never one
    that is under way. ``max_age_seconds`` is counted from the end of a batch's period;
    what is younger than ``live_seconds`` goes before the rest.
    """

    def __init__(
        self,
        *,
        limit_bytes: int,
        max_age_seconds: float,
        live_seconds: float = LIVE_SECONDS,
    ) -> None:
        self.max_age_seconds, self._live_seconds = max_age_seconds, live_seconds
        self._limit = limit_bytes
        self._live: deque[_Kept] = deque()
        self._backlog: deque[_Kept] = deque()
        self._in_flight: dict[str, _Flight] = {}
        self._loose: deque[_Kept] = deque()  # that are not pressed yet, or gone
        self._oldest = float("inf")  # nothing that waits ended before that
        self._entries = self._bytes = 0
        self._dropped: Counter[str] = Counter({EXPIRED: 0, SPACE: 0})
        self._parked: deque[tuple[_Kept, str]] = deque()
        self._parked_entries = self._parked_kept = self._parked_bytes = 0

    def close(self) -> int:
        """Let go; gives how many entries are lost by that, namely all that wait."""
        return self._entries

    def tally(self) -> QueueTally:
        """The counts as of the last operation."""
        return QueueTally(
            batches=len(self._live) + len(self._backlog) + len(self._in_flight),
            entries=self._entries,
            bytes=self._bytes,
            in_flight=len(self._in_flight),
            dropped=MappingProxyType(dict(self._dropped)),
            parked=self._parked_entries,
            parked_kept=self._parked_kept,
        )

    def append(self, batches: Iterable[Batch]) -> QueueTally:
        """Take newly closed batches in; what no longer fits is dropped, oldest first."""
        for kept in map(_Kept, batches):
            self._live.append(kept)
            self._oldest = min(self._oldest, kept.closed_at)
            self._enter(kept)
        self._make_room()
        return self.tally()

    def take(self, now: float) -> tuple[Batch | None, QueueTally]:
        """The next batch to send, from now on under way; None if nothing waits.

        ``now`` is in Unix seconds; what is too old by then is dropped first.
        """
        self.expire(now)
        while self._live and self._live[0].closed_at < now - self._live_seconds:
            self._backlog.append(self._live.popleft())
        queue = self._live or self._backlog
        if not queue:
            return None, self.tally()
        kept = queue.popleft()
        self._in_flight[kept.id] = _Flight(kept, queue)
        return kept.batch(), self.tally()

    def acknowledge(self, batch_id: str) -> QueueTally:
        """Forget a batch that was delivered."""
        self._leave(self._in_flight.pop(batch_id).kept)
        return self.tally()

    def give_back(self, batch_id: str, behind: bool = False) -> QueueTally:
        """A batch was not delivered: it is next again, or ``behind`` all that waits."""
        kept, queue = self._in_flight.pop(batch_id)
        if behind:
            self._backlog.append(kept)
        else:
            queue.appendleft(kept)
        self._oldest = min(self._oldest, kept.closed_at)
        return self.tally()

    def split(self, batch_id: str) -> QueueTally:
        """Replace a batch by its halves; they are next. It needs two items at least."""
        whole, queue = self._in_flight.pop(batch_id)
        halves = halve(whole.batch())
        self._leave(whole)
        for half in map(_Kept, reversed(halves)):
            queue.appendleft(half)
            self._enter(half)
        self._oldest = min(self._oldest, whole.closed_at)
        return self.tally()

    def park(self, batch_id: str, reason: str) -> QueueTally:
        """Put a batch aside for good; of what is put aside the oldest makes room."""
        kept = self._in_flight.pop(batch_id).kept
        put_aside = _Kept(kept.batch())
        self._leave(kept)
        put_aside.press()
        self._parked.append((put_aside, reason))
        self._parked_entries += put_aside.entries
        self._parked_kept += put_aside.entries
        self._parked_bytes += put_aside.size
        while self._parked_bytes > self._limit * PARKED_SHARE:
            gone, _ = self._parked.popleft()
            self._parked_kept -= gone.entries
            self._parked_bytes -= gone.size
        return self.tally()

    def expire(self, now: float) -> QueueTally:
        """Drop what is older than the age limit at ``now``, in Unix seconds."""
        limit = now - self.max_age_seconds
        if self._oldest < limit:
            self._drop([b for b in self._waiting() if b.closed_at < limit], EXPIRED)
            self._oldest = min((b.closed_at for b in self._waiting()), default=now)
        return self.tally()

    def parked(self) -> Sequence[Parked]:
        """What was put aside and is still kept, oldest first."""
        return tuple(Parked(kept.batch(), reason) for kept, reason in self._parked)

    def waiting(self, _: Collection[int]) -> Sequence[str]:
        """What a former process left of periods that ended then: nothing."""
        return ()

    def _waiting(self) -> Iterator[_Kept]:
        return chain(self._backlog, self._live)

    def _enter(self, kept: _Kept) -> None:
        self._loose.append(kept)
        self._entries += kept.entries
        self._bytes += kept.size
        while self._bytes > self._limit and self._loose:
            self._bytes -= self._loose.popleft().press()

    def _leave(self, kept: _Kept) -> None:
        self._entries -= kept.entries
        self._bytes -= kept.size
        kept.go()
        loose = self._loose
        while loose and not loose[0].is_as_it_came:
            loose.popleft()
        if len(loose) > 2 * (len(self._live) + len(self._backlog)) + _FEW:
            self._loose = deque(kept for kept in loose if kept.is_as_it_came)

    def _make_room(self) -> None:
        excess = self._bytes - self._limit
        if excess <= 0:
            return
        victims = []
        for kept in sorted(self._waiting(), key=lambda kept: kept.closed_at):
            victims.append(kept)
            excess -= kept.size
            if excess <= 0:
                break
        self._drop(victims, SPACE)

    def _drop(self, victims: Sequence[_Kept], reason: str) -> None:
        gone = {kept.id for kept in victims}
        for queue in (self._live, self._backlog):
            left = [kept for kept in queue if kept.id not in gone]
            queue.clear()
            queue.extend(left)
        for kept in victims:
            self._leave(kept)
            self._dropped[reason] += kept.entries
