"""From a sealed period to waiting batches: close, compose, append, commit, in the disk lane.

One period after the other, never on the reactor. What a batch holds is not known here,
nor where it goes.
"""

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
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

LOOKS = 20
BETWEEN_LOOKS_SECONDS = 1.0
"""Together longer than a request, which gives back its descriptors at its end."""

Sealed = TypeVar("Sealed")


class _Stored(NamedTuple):
    entries: int
    tally: QueueTally
    refused: int
    defect: Failure | None
    unnoted: Failure | None


class _Passing:
    """Batches on their way into the spool, counted; a defect ends them."""

    def __init__(self, batches: Iterable[Batch]) -> None:
        self._batches = batches
        self.entries = 0
        self.defect: Failure | None = None

    def __iter__(self) -> Iterator[Batch]:
        try:
            for batch in self._batches:
                self.entries += len(batch.items)
                yield batch
        except Exception:  # noqa: BLE001 - what came before it is in the spool
            self.defect = Failure()


def _one_by_one(closed: Iterable[Rollup], packed: Iterable[Packed]) -> Iterator[Batch]:
    """All batches; the rows of a rollup are released before those of the next."""
    for rollup, one in zip(closed, packed, strict=True):
        yield from one.batches
        rollup.release()


class Closing(Generic[Sealed]):
    """Takes sealed periods in order.

    ``commit`` follows each ``append``, before anything can be taken from the spool;
    batches are composed while they are appended, so that a period of any size takes the
    memory of one batch.
    ``stored`` is told, for each, how many entries it became, the spool's counts then,
    and how many of the entries no request can carry. ``waiting`` gives what the spool
    has of periods that ended at some moments; while it raises OSError, for want of a
    descriptor, it is asked again after a ``pause``. ``lost`` counts periods that a defect of
    ours kept from being closed, ``unnoted`` those it kept from being committed, which
    are delivered; ``seconds`` is what the last one took, by ``clock``.
    ``undisturbed`` is for the time in which the rows of a period are put together.
    """

    _log = Logger()

    def __init__(
        self,
        *,
        lane: Lane,
        close: Callable[[Sealed], Sequence[Rollup]],
        finish: Callable[[], Sequence[Rollup]],
        compose: Callable[[Rollup], Packed],
        append: Callable[[Iterable[Batch]], QueueTally],
        commit: Callable[[], object] = lambda: None,
        waiting: Callable[[Collection[int]], Iterable[str]] = lambda _: (),
        stored: Callable[[int, QueueTally, int], None],
        clock: Callable[[], float] = lambda: 0.0,
        undisturbed: Callable[[], AbstractContextManager[object]] = nullcontext,
        pause: Callable[[float], object] = time.sleep,
    ) -> None:
        self.lost = self.unnoted = 0
        self.seconds = 0.0
        self._clock, self._undisturbed = clock, undisturbed
        self._lane = lane
        self._close, self._finish = close, finish
        self._compose, self._append, self._commit = compose, append, commit
        self._waiting, self._pause = waiting, pause
        self._stored = stored

    def take(self, sealed: Sealed) -> "Deferred[None]":
        """Close one period. Fires when its batches wait to be delivered."""
        return self._store(lambda: self._close(sealed))

    def recover(self, sealed: Sealed) -> "Deferred[None]":
        """Close a period that a former process may have been closing when it was killed.

        What of it is in the spool is left as it is, and the rest is appended.
        """
        return self._store(lambda: self._close(sealed), recovered=True)

    def finish(self) -> "Deferred[None]":
        """Close the long period as far as it has come, at a stop."""
        return self._store(self._finish)

    def _store(
        self, rollups: Callable[[], Sequence[Rollup]], recovered: bool = False
    ) -> "Deferred[None]":
        stored = self._lane.run(self._work, rollups, recovered)
        return stored.addCallbacks(self._tell, self._lost)

    def _work(
        self, rollups: Callable[[], Sequence[Rollup]], recovered: bool
    ) -> _Stored:
        began = self._clock()
        with self._undisturbed():
            closed = rollups()
        packed = [self._compose(rollup) for rollup in closed]
        batches = _one_by_one(closed, packed)
        if recovered:
            ends = {rollup.start + rollup.length for rollup in closed}
            batches = unreported(batches, self._stored_before(ends))
        passing = _Passing(batches)
        tally = self._append(passing)
        unnoted = self._note() if passing.defect is None else None
        refused = sum(len(one.refused) for one in packed)
        self.seconds = self._clock() - began
        entries = passing.entries + refused
        return _Stored(entries, tally, refused, passing.defect, unnoted)

    def _stored_before(self, ends: Collection[int]) -> Iterable[str]:
        for _ in range(LOOKS - 1):
            try:
                return self._waiting(ends)
            except OSError:
                self._pause(BETWEEN_LOOKS_SECONDS)
        return self._waiting(ends)

    def _note(self) -> Failure | None:
        """Commit; what that raises, as the batches are in the spool whatever it is."""
        try:
            self._commit()
        except Exception:  # noqa: BLE001 - told by _tell
            return Failure()
        return None

    def _tell(self, stored: _Stored) -> None:
        self._stored(stored.entries, stored.tally, stored.refused)
        if stored.defect is not None:
            self._lost(stored.defect)
        if stored.unnoted is not None:
            self.unnoted += 1
            self._log.failure(
                "a defect: a closed period waits, and is not noted as closed",
                stored.unnoted,
            )

    def _lost(self, failure: Failure) -> None:
        self.lost += 1
        self._log.failure("a period was lost: it could not be closed", failure)
