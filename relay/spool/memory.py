"""A spool in memory: bounded, exact in its counts, gone with the process.

It keeps batches in the order of their age, live ones before the backlog, and knows
nothing of requests, retries or clocks. Thread: any one at a time (the disk lane), so that
a spool of files can stand in its place.
"""

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from itertools import chain
from types import MappingProxyType
from typing import NamedTuple

from relay.delivery.batch import Batch, halve
from relay.delivery.ledger import QueueTally

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


class _Flight(NamedTuple):
    """A batch under way, and the queue it goes back to."""

    batch: Batch
    queue: deque[Batch]


class MemorySpool:
    """See the protocol ``Spool`` of the courier for what each operation promises.

    ``limit_bytes`` bounds the items that wait; beyond it the oldest go, but never one
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
        self._live: deque[Batch] = deque()
        self._backlog: deque[Batch] = deque()
        self._in_flight: dict[str, _Flight] = {}
        self._oldest = float("inf")  # nothing that waits ended before that
        self._entries = self._bytes = 0
        self._dropped: Counter[str] = Counter({EXPIRED: 0, SPACE: 0})
        self._parked: deque[Parked] = deque()
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

    def append(self, batches: Sequence[Batch]) -> QueueTally:
        """Take newly closed batches in; what no longer fits is dropped, oldest first."""
        for batch in batches:
            self._live.append(batch)
            self._oldest = min(self._oldest, batch.closed_at)
            self._account(batch, +1)
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
        batch = queue.popleft()
        self._in_flight[batch.id] = _Flight(batch, queue)
        return batch, self.tally()

    def acknowledge(self, batch_id: str) -> QueueTally:
        """Forget a batch that was delivered."""
        self._account(self._in_flight.pop(batch_id).batch, -1)
        return self.tally()

    def give_back(self, batch_id: str, behind: bool = False) -> QueueTally:
        """A batch was not delivered: it is next again, or ``behind`` all that waits."""
        batch, queue = self._in_flight.pop(batch_id)
        if behind:
            self._backlog.append(batch)
        else:
            queue.appendleft(batch)
        self._oldest = min(self._oldest, batch.closed_at)
        return self.tally()

    def split(self, batch_id: str) -> QueueTally:
        """Replace a batch by its halves; they are next. It needs two items at least."""
        batch, queue = self._in_flight.pop(batch_id)
        queue.extendleft(reversed(halve(batch)))
        self._oldest = min(self._oldest, batch.closed_at)
        return self.tally()

    def park(self, batch_id: str, reason: str) -> QueueTally:
        """Put a batch aside for good; of what is put aside the oldest makes room."""
        batch = self._in_flight.pop(batch_id).batch
        self._account(batch, -1)
        self._parked.append(Parked(batch, reason))
        self._parked_entries += len(batch.items)
        self._parked_kept += len(batch.items)
        self._parked_bytes += batch.size_bytes
        while self._parked_bytes > self._limit * PARKED_SHARE:
            gone = self._parked.popleft().batch
            self._parked_kept -= len(gone.items)
            self._parked_bytes -= gone.size_bytes
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
        return tuple(self._parked)

    def _waiting(self) -> Iterator[Batch]:
        return chain(self._backlog, self._live)

    def _account(self, batch: Batch, sign: int) -> None:
        self._entries += sign * len(batch.items)
        self._bytes += sign * batch.size_bytes

    def _make_room(self) -> None:
        excess = self._bytes - self._limit
        if excess <= 0:
            return
        victims = []
        for batch in sorted(self._waiting(), key=lambda batch: batch.closed_at):
            victims.append(batch)
            excess -= batch.size_bytes
            if excess <= 0:
                break
        self._drop(victims, SPACE)

    def _drop(self, victims: Sequence[Batch], reason: str) -> None:
        gone = {batch.id for batch in victims}
        for queue in (self._live, self._backlog):
            kept = [batch for batch in queue if batch.id not in gone]
            queue.clear()
            queue.extend(kept)
        for batch in victims:
            self._account(batch, -1)
            self._dropped[reason] += len(batch.items)
