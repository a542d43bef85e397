"""What became of every entry and request, in numbers that add up at any moment.

``closed = acked + partial + parked + waiting + Σ dropped``. The queue counts what it
holds, drops and parks; its latest tally is kept here, so both sides of the equation
change in one step. One thread only: the one that scrapes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

from relay.delivery.outcome import (
    Accepted,
    AcceptedWithLoss,
    Outcome,
    Rejected,
    Throttled,
    Unauthorised,
    Unavailable,
    Uncertain,
)

__all__ = ["OUTCOMES", "Ledger", "LedgerSnapshot", "QueueTally", "word_of"]

_WORDS: Mapping[type, str] = {
    Accepted: "accepted",
    AcceptedWithLoss: "partial",
    Throttled: "throttled",
    Unavailable: "unavailable",
    Uncertain: "uncertain",
    Unauthorised: "unauthorised",
    Rejected: "rejected",
}

OUTCOMES: Sequence[str] = tuple(_WORDS.values())
"""Every word a request can be counted under."""


def word_of(outcome: Outcome) -> str:
    """The public word of an outcome."""
    return _WORDS[type(outcome)]


class QueueTally(NamedTuple):
    """A queue's own counts after one of its operations.

    ``batches``, ``entries`` and ``bytes`` are what waits now, requests under way
    included; ``in_flight`` is how many of the batches are under way. ``dropped`` (by
    reason) and ``parked`` are entries since the start; of the parked ones
    ``parked_kept`` can still be looked at. ``quarantined`` are files that were put aside
    as damaged or foreign, since the start; ``unreadable`` are files whose permissions keep
    the process out, they wait as they are and their entries are in no count. ``degraded``
    says in words what the disk refuses; while it does, what is closed waits in memory.
    """

    batches: int = 0
    entries: int = 0
    bytes: int = 0
    in_flight: int = 0
    dropped: Mapping[str, int] = MappingProxyType({})
    parked: int = 0
    parked_kept: int = 0
    quarantined: int = 0
    unreadable: int = 0
    degraded: str = ""

    @property
    def ready(self) -> int:
        """Batches that could be sent now."""
        return self.batches - self.in_flight


@dataclass(frozen=True, slots=True)
class LedgerSnapshot:
    """The counts of one moment; entries but for ``requests`` and ``sent_bytes``."""

    closed: int
    acked: int
    partial: int
    parked: int
    waiting: int
    dropped: Mapping[str, int]
    requests: Mapping[str, int]
    sent_bytes: int

    @property
    def balances(self) -> bool:
        """Whether nothing went astray."""
        gone = self.acked + self.partial + self.parked + sum(self.dropped.values())
        return self.closed == gone + self.waiting


class Ledger:
    """Counts since the start."""

    def __init__(self, tally: QueueTally) -> None:
        """``tally`` is the queue's at the start; what waits in it counts as closed."""
        self.tally = tally
        self._closed = tally.entries + tally.parked + sum(tally.dropped.values())
        self._acked = self._partial = self._sent_bytes = 0
        self._refused: dict[str, int] = {}
        self._requests = dict.fromkeys(OUTCOMES, 0)

    def closed(
        self, entries: int, tally: QueueTally, refused: Mapping[str, int] | None = None
    ) -> None:
        """A period was closed with ``entries``, and was appended to the queue.

        ``refused`` of them, by reason, never got that far; they are among ``entries``.
        """
        self._closed += entries
        for reason, count in (refused or {}).items():
            self._refused[reason] = self._refused.get(reason, 0) + count
        self.tally = tally

    def done(self, entries: int, tally: QueueTally, *, lost: int = 0) -> None:
        """A batch was acknowledged and is out of the queue; up to ``lost`` of its entries
        were refused: those, or all of them where nobody knows how many."""
        self._partial += lost
        self._acked += entries - lost
        self.tally = tally

    def moved(self, tally: QueueTally) -> None:
        """The queue did something else with what it holds."""
        self.tally = tally

    def answered(self, outcome: Outcome, sent_bytes: int) -> None:
        """A request ended."""
        self._requests[word_of(outcome)] += 1
        self._sent_bytes += sent_bytes

    def snapshot(self) -> LedgerSnapshot:
        """As of now."""
        dropped = dict(self.tally.dropped)
        for reason, count in self._refused.items():
            dropped[reason] = dropped.get(reason, 0) + count
        return LedgerSnapshot(
            closed=self._closed,
            acked=self._acked,
            partial=self._partial,
            parked=self.tally.parked,
            waiting=self.tally.entries,
            dropped=dropped,
            requests=dict(self._requests),
            sent_bytes=self._sent_bytes,
        )
