"""The ends of the courier's road: what it asks of a spool and of a sink."""

from collections.abc import Iterable
from typing import Protocol

from relay.delivery.batch import Batch
from relay.delivery.ledger import QueueTally
from relay.delivery.outcome import Outcome

__all__ = ["Sink", "Spool"]


class Sink(Protocol):
    """Where batches go. May block; many threads at once; never raises."""

    def deliver(self, batch: Batch) -> Outcome:
        """One attempt."""
        ...

    def refresh(self) -> None:
        """Fetch anew what a refusal of our keys or clock may be due to."""
        ...


class Spool(Protocol):
    """Where batches wait. May block; one thread at a time.

    A batch that was taken is under way until one of the last four is called with it; it
    is neither dropped nor taken again meanwhile. Each gives the counts after it.
    """

    def append(self, batches: Iterable[Batch], /) -> QueueTally:
        """Take in what was closed."""
        ...

    def take(self, now: float, /) -> tuple[Batch | None, QueueTally]:
        """The next batch; ``now`` in Unix seconds tells which are too old."""
        ...

    def acknowledge(self, batch_id: str, /) -> QueueTally:
        """It was delivered."""
        ...

    def give_back(self, batch_id: str, behind: bool, /) -> QueueTally:
        """It was not: next again, or behind all others."""
        ...

    def split(self, batch_id: str, /) -> QueueTally:
        """Its halves take its place."""
        ...

    def park(self, batch_id: str, reason: str, /) -> QueueTally:
        """It is put aside for good."""
        ...
