"""From a sealed period to waiting batches: close, compose, append, in the disk lane.

One period after the other, never on the reactor. What a batch holds is not known here,
nor where it goes.
"""

from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from relay.cloudmonitor.packing import Packed
from relay.delivery.batch import Batch
from relay.delivery.ledger import QueueTally
from relay.rollup.engine import Rollup
from relay.service.lanes import Lane

__all__ = ["Closing"]

Sealed = TypeVar("Sealed")


class _Stored(NamedTuple):
    entries: int
    tally: QueueTally
    refused: int


class Closing(Generic[Sealed]):
    """Takes sealed periods in order.

    ``stored`` is told, for each, how many entries it became, the spool's counts then,
    and how many of the entries no request can carry. ``lost`` counts periods that a
    defect of ours kept from being closed.
    """

    _log = Logger()

    def __init__(
        self,
        *,
        lane: Lane,
        close: Callable[[Sealed], Sequence[Rollup]],
        finish: Callable[[], Sequence[Rollup]],
        compose: Callable[[Rollup], Packed],
        append: Callable[[Sequence[Batch]], QueueTally],
        stored: Callable[[int, QueueTally, int], None],
    ) -> None:
        self.lost = 0
        self._lane = lane
        self._close, self._finish = close, finish
        self._compose, self._append = compose, append
        self._stored = stored

    def take(self, sealed: Sealed) -> "Deferred[None]":
        """Close one period. Fires when its batches wait to be delivered."""
        return self._store(lambda: self._close(sealed))

    def finish(self) -> "Deferred[None]":
        """Close the long period as far as it has come, at a stop."""
        return self._store(self._finish)

    def _store(self, rollups: Callable[[], Sequence[Rollup]]) -> "Deferred[None]":
        stored = self._lane.run(self._work, rollups)
        return stored.addCallbacks(self._tell, self._lost)

    def _work(self, rollups: Callable[[], Sequence[Rollup]]) -> _Stored:
        batches: list[Batch] = []
        refused = 0
        for rollup in rollups():
            packed = self._compose(rollup)
            batches += packed.batches
            refused += len(packed.refused)
        entries = refused + sum(len(batch.items) for batch in batches)
        return _Stored(entries, self._append(batches), refused)

    def _tell(self, stored: _Stored) -> None:
        self._stored(*stored)

    def _lost(self, failure: Failure) -> None:
        self.lost += 1
        self._log.failure("a period was lost: it could not be closed", failure)
