"""A visit to the spool: what was delivered is forgotten, what may leave is taken.

One call for several batches, since each call into the spool's thread and back costs more
than what is done there. It knows nothing of requests or clocks.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from twisted.python.failure import Failure

from relay.delivery.batch import Batch
from relay.delivery.ledger import QueueTally
from relay.service.ends import Spool

__all__ = ["Visit", "visit"]


@dataclass(slots=True)
class Visit:
    """What came of it; ``tally`` is that of its last step, None if none succeeded.

    ``failed`` says by batch why it could not be acknowledged or given back, ``failure``
    why no more could be taken: neither must happen, and what was done before it holds.
    """

    taken: list[Batch] = field(default_factory=list)
    tally: QueueTally | None = None
    failed: dict[str, Failure] = field(default_factory=dict)
    failure: Failure | None = None


def visit(
    spool: Spool,
    delivered: Sequence[str],
    stranded: Sequence[str],
    most: int,
    now: float,
) -> Visit:
    """Acknowledge the ``delivered`` batches, give back the ``stranded`` ones, behind all
    others, then take up to ``most``. Never raises."""
    found = Visit()
    for batch_id in delivered:
        try:
            found.tally = spool.acknowledge(batch_id)
        except Exception:  # noqa: BLE001 - the courier tells and goes on
            found.failed[batch_id] = Failure()
    for batch_id in stranded:
        try:
            found.tally = spool.give_back(batch_id, True)
        except KeyError:  # it is not under way any more
            continue
        except Exception:  # noqa: BLE001 - likewise
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
