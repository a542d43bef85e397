"""Events gathered for a moment, then composed and stored, so that a request carries many.

Bounded: what comes while too much is on its way to the store is counted and let go. How
an event is written, and how it is sent, is not known here.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import NamedTuple, Protocol

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from relay.cloudmonitor.contract import EVENTS_MAX
from relay.cloudmonitor.events import TakenEvent
from relay.cloudmonitor.packing import Packed
from relay.delivery.batch import Batch
from relay.delivery.ledger import QueueTally
from relay.service.lanes import Lane
from relay.statsd.sample import Event

__all__ = ["DEFECT", "FULL", "GATHER_SECONDS", "STOPPED", "EventDesk"]

GATHER_SECONDS = 1.0
"""How long the first waits for company; people do not see so short a delay."""

FULL, STOPPED, DEFECT = "full", "stopped", "defect"
"""Why an event never got as far as the store."""


class Compose(Protocol):
    """Events to batches, whose names begin with ``prefix``."""

    def __call__(
        self, taken: Iterable[TakenEvent], *, prefix: str, closed_at: int
    ) -> Packed: ...


class _Stored(NamedTuple):
    """What became of a handful: the counts after it, and how many were too large."""

    tally: QueueTally
    refused: int


class EventDesk:
    """Takes events one by one; hands them on by ``handful``, or after GATHER_SECONDS.

    ``stored`` gets how many there were, the store's counts, and how many of them were
    refused, by reason. At most ``limit`` are held here. ``wall`` gives Unix seconds.
    Thread: the reactor's; ``compose`` and ``append`` run in ``lane``.
    """

    _log = Logger()

    def __init__(
        self,
        *,
        lane: Lane,
        compose: Compose,
        append: Callable[[Iterable[Batch]], QueueTally],
        stored: Callable[[int, QueueTally, Mapping[str, int]], None],
        clock: IReactorTime,
        wall: Callable[[], float],
        handful: int = EVENTS_MAX,
        limit: int = 2000,
    ) -> None:
        self._lane, self._compose, self._append = lane, compose, append
        self._stored, self._clock, self._wall = stored, clock, wall
        self._handful, self._limit = handful, limit
        self._began = wall()
        self._gathered: list[TakenEvent] = []
        self._on_the_way = self._handfuls = 0
        self._call: IDelayedCall | None = None
        self._last: Deferred[None] = succeed(None)
        self._stopped = False
        self.taken = 0
        self.dropped: Counter[str] = Counter()

    @property
    def held(self) -> int:
        """Taken, and neither stored nor dropped."""
        return len(self._gathered) + self._on_the_way

    def take(self, event: Event) -> None:
        """Keep it, or count why not; never raises, never waits."""
        self.taken += 1
        if self._stopped:
            self.dropped[STOPPED] += 1
        elif self.held >= self._limit:
            self.dropped[FULL] += 1
        else:
            self._gathered.append(TakenEvent(event, self._wall()))
            if len(self._gathered) >= self._handful:
                self._hand_on()
            elif self._call is None:
                self._call = self._clock.callLater(GATHER_SECONDS, self._hand_on)

    def finish(self) -> "Deferred[None]":
        """Take no more; fires when all that was taken is stored."""
        self._stopped = True
        self._hand_on()
        return self._last

    def _hand_on(self) -> None:
        if self._call is not None and self._call.active():
            self._call.cancel()
        self._call = None
        if not self._gathered:
            return
        handful, self._gathered = self._gathered, []
        self._on_the_way += len(handful)
        self._handfuls += 1
        count = len(handful)
        storing = self._lane.run(self._store, handful, self._handfuls)
        self._last = storing.addCallbacks(
            partial(self._done, count), partial(self._failed, count)
        )

    def _store(self, handful: Sequence[TakenEvent], number: int) -> _Stored:
        """In the lane."""
        packed = self._compose(
            handful,
            prefix=f"event/{self._began}/{number}",
            closed_at=int(handful[-1].at),
        )
        batches = list(packed.batches)  # all of them, so that a defect stores nothing
        return _Stored(self._append(batches), len(packed.refused))

    def _done(self, count: int, stored: _Stored) -> None:
        self._on_the_way -= count
        refused = {"too_large": stored.refused} if stored.refused else {}
        self._stored(count, stored.tally, refused)

    def _failed(self, count: int, failure: Failure) -> None:
        self._on_the_way -= count
        self.dropped[DEFECT] += count
        self._log.failure("a defect with events", failure)
