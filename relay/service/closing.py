"""From a sealed period to waiting batches: close, compose, append, commit, in the disk lane.

One period after the other, never on the reactor. What a batch holds is not known here,
nor where it goes.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Generic, NamedTuple, TypeVar

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from relay.cloudmonitor.packing import Packed, unreported
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

    ``commit`` follows each ``append``, before anything can be taken from the spool.
    ``stored`` is told, for each, how many entries it became, the spool's counts then,
    and how many of the entries no request can carry. ``waiting`` gives what the spool
    has of periods that ended at some moments. ``lost`` counts periods that a defect of
    ours kept from being closed; ``seconds`` is what the last one took, by ``clock``.
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
        commit: Callable[[], object] = lambda: None,
        waiting: Callable[[Collection[int]], Iterable[str]] = lambda _: (),
        stored: Callable[[int, QueueTally, int], None],
        clock: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self.lost = 0
        self.seconds = 0.0
        self._clock = clock
        self._lane = lane
        self._close, self._finish = close, finish
        self._compose, self._append, self._commit = compose, append, commit
        self._waiting = waiting
        self._stored = stored

    def take(self, sealed: Sealed) -> "Deferred[None]":
        """Close one period. Fires when its batches wait to be delivered."""
        return self._store(lambda: self._close(sealed))

    def recover(self, sealed: Sealed) -> "Deferred[None]":
        """Close a period that a former process may have been closing when it was killed.

        What of it is in the spool is left as it is, and the rest is appended.
        """
        return self._store(lambda: self._close(sealed), self._rest)

    def finish(self) -> "Deferred[None]":
        """Close the long period as far as it has come, at a stop."""
        return self._store(self._finish)

    def _store(
        self,
        rollups: Callable[[], Sequence[Rollup]],
        chosen: Callable[[list[Batch]], list[Batch]] = lambda batches: batches,
    ) -> "Deferred[None]":
        stored = self._lane.run(self._work, rollups, chosen)
        return stored.addCallbacks(self._tell, self._lost)

    def _rest(self, batches: list[Batch]) -> list[Batch]:
        there = self._waiting({batch.closed_at for batch in batches})
        return unreported(batches, there)

    def _work(
        self,
        rollups: Callable[[], Sequence[Rollup]],
        chosen: Callable[[list[Batch]], list[Batch]],
    ) -> _Stored:
        began = self._clock()
        batches: list[Batch] = []
        refused = 0
        for rollup in rollups():
            packed = self._compose(rollup)
            batches += packed.batches
            refused += len(packed.refused)
        batches = chosen(batches)
        entries = refused + sum(len(batch.items) for batch in batches)
        tally = self._append(batches)
        self._commit()
        self.seconds = self._clock() - began
        return _Stored(entries, tally, refused)

    def _tell(self, stored: _Stored) -> None:
        self._stored(*stored)

    def _lost(self, failure: Failure) -> None:
        self.lost += 1
        self._log.failure("a period was lost: it could not be closed", failure)
