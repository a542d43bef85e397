"""A visit to the spool: what was delivered is forgotten, what may leave is taken.

One call for several batches, since each call into the spool's thread and back costs more
than what is done there. It knows nothing of requests or clocks.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from twisted.python.failure import Failure

from relay.delivery.batch import Batch
from relay.delivery.ledger import QueueTally

__all__ = ["Spool", "Visit", "visit"]


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


@dataclass(slots=True)
class Visit:
    """What came of it; ``tally`` is that of its last step, None if none succeeded.

    ``failed`` says by batch why it could not be acknowledged, ``failure`` why no more
    could be taken: neither must happen, and what was done before it holds.
    """

    taken: list[Batch] = field(default_factory=list)
    tally: QueueTally | None = None
    failed: dict[str, Failure] = field(default_factory=dict)
    failure: Failure | None = None


def visit(spool: Spool, delivered: Sequence[str], most: int, now: float) -> Visit:
    """Acknowledge the ``delivered`` batches, then take up to ``most``. Never raises."""
    found = Visit()
    for batch_id in delivered:
        try:
            found.tally = spool.acknowledge(batch_id)
        except Exception:  # noqa: BLE001 - the courier tells and goes on
            found.failed[batch_id] = Failure()
    try:
        while len(found.taken) < most:
            batch, found.tally = spool.take(now)
            if batch is None:
                break
            found.taken.append(batch)
    except Exception:  # noqa: BLE001 - what was taken before must not be lost with it
        found.failure = Failure()
    return found
