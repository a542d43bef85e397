"""How often a batch's fate was uncertain, until an answer is about the batch itself."""

from collections import OrderedDict

from relay.delivery.outcome import (
    Accepted,
    AcceptedWithLoss,
    Outcome,
    Rejected,
    Uncertain,
)

__all__ = ["DEFINITE", "Doubts"]

DEFINITE = (Accepted, AcceptedWithLoss, Rejected)
"""Outcomes that are about the batch: the road to the service is open."""

MOST = 4096
"""Batches that are remembered; more than wait in hours of outage."""


class Doubts:
    """By batch; of too many the longest unanswered are forgotten."""

    def __init__(self) -> None:
        self._uncertain: OrderedDict[str, int] = OrderedDict()

    def after(self, batch_id: str, outcome: Outcome) -> int:
        """How many answers were uncertain, with this one."""
        uncertain = self._uncertain.pop(batch_id, 0) + isinstance(outcome, Uncertain)
        if uncertain and not isinstance(outcome, DEFINITE):
            self._uncertain[batch_id] = uncertain
            if len(self._uncertain) > MOST:
                self._uncertain.popitem(last=False)
        return uncertain
