"""The courier: takes the oldest batch when it may, has it delivered, acts on the verdict.

Which verdict an outcome deserves (policy), whether the road is open (gate), how fast
requests may leave (pace) and what adds up to what (ledger) is decided in pure rooms; here
it is carried out. Spool and sink block, so each is called in a lane of its own; of the
spool as much as is due is asked in one visit.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, assert_never

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure

from relay.delivery.batch import Batch
from relay.delivery.gate import Gate, Ticket
from relay.delivery.ledger import Ledger, QueueTally
from relay.delivery.outcome import AcceptedWithLoss, Outcome, Throttled
from relay.delivery.pace import Pace, spread_delay
from relay.delivery.policy import (
    Ack,
    Halve,
    History,
    Hold,
    Park,
    Policy,
    Refresh,
    Retry,
    Verdict,
)
from relay.service.doubts import DEFINITE, Doubts
from relay.service.ends import Sink, Spool
from relay.service.journal import CourierStatus, Journal
from relay.service.lanes import Lane
from relay.service.visit import Visit, visit

__all__ = ["Courier", "CourierStatus"]

SHORTEST_WAIT_SECONDS = 0.25
"""Between attempts while stopping."""


class _Flight(NamedTuple):
    """A request under way."""

    batch: Batch
    ticket: Ticket
    left_at: float


class _Delivered(NamedTuple):
    """Accepted, and not acknowledged yet."""

    flight: _Flight
    how: Ack


class Courier:
    """Delivers what waits in ``spool`` to ``sink``, at most ``slots`` batches at a time.

    ``wall`` gives Unix seconds, ``jitter`` a random number in [0, 1), ``took`` gets the
    seconds of each request; ``too_many_series`` is called when the service refused new
    ones. ``spread`` is over how long first requests are spread, see ``spread_delay``;
    ``road`` is what the log calls it. Thread: the reactor's.
    """

    def __init__(
        self,
        *,
        spool: Spool,
        sink: Sink,
        ledger: Ledger,
        policy: Policy,
        pace: Pace,
        disk: Lane,
        http: Lane,
        clock: IReactorTime,
        wall: Callable[[], float],
        jitter: Callable[[], float],
        slots: int = 4,
        spread: float = 0.0,
        took: Callable[[float], None] = lambda _: None,
        too_many_series: Callable[[], None] = lambda: None,
        road: str = "delivery",
    ) -> None:
        self._spool, self._sink, self._ledger = spool, sink, ledger
        self._policy, self._pace, self._gate = policy, pace, Gate()
        self._disk, self._http = disk, http
        self._clock, self._wall, self._jitter = clock, wall, jitter
        self._began = wall() - clock.seconds()
        self._slots, self._spread, self._took = slots, spread, took
        self._too_many_series = too_many_series
        self._flights = 0
        self._delivered: dict[str, _Delivered] = {}
        self._stranded: set[str] = set()  # batches that the spool did not take back
        self._return_at = float("-inf")
        self._visiting = False
        self._drained = True
        self._not_before = self._spread_until = float("-inf")
        self._share = 0.0
        self._poke_call: IDelayedCall | None = None
        self._journal = Journal(wall, road)
        self._doubts = Doubts()
        self._running = False
        self._deadline = float("inf")
        self._deadline_call: IDelayedCall | None = None
        self._stopped: Deferred[None] = Deferred()

    # What others ask of it.

    def start(self) -> None:
        """Begin to send. What waits already leaves spread, as after a pause.

        An account's relays may all have been started anew by one hand.
        """
        self._running = True
        if self._ledger.tally.ready:
            self.wake()

    def wake(self) -> None:
        """Something was appended. After a pause its requests leave spread."""
        if self._drained:
            self._drained = False
            now = self._clock.seconds()
            self._spread_until, self._share = now + self._spread, self._jitter()
            self._space(now, self._share, self._ledger.tally.ready)
        self._poke(0.0)

    def stop(self, deadline: float) -> "Deferred[None]":
        """Deliver until ``deadline`` on the reactor's clock, then leave the rest.

        A sink that was away gets another chance at once, and more at half of what is
        left each time: what waits now has no later one.

        Fires when nothing more can be done, at the deadline at the latest.
        """
        self._deadline, self._spread = deadline, 0.0
        self._not_before = self._spread_until = float("-inf")
        self._gate.hurry()
        left = max(0.0, deadline - self._clock.seconds())
        self._deadline_call = self._clock.callLater(left, self._end)
        self._poke(0.0)
        return self._stopped

    def change(self, policy: Policy, rate: float, spread: float) -> None:
        """Go on with another policy, so many requests a second, another spread."""
        self._policy, self._spread = policy, spread
        self._pace.change(rate)
        self._poke(0.0)

    def status(self) -> CourierStatus:
        """How it is going."""
        return self._journal.status(self._gate, self._flights)

    # The road out: poke, take, leave.

    def _poke(self, after: float) -> None:
        """Look again in ``after`` seconds; always from the reactor, never recursing."""
        if not self._running:
            return
        call = self._poke_call
        if call is None:
            self._poke_call = self._clock.callLater(after, self._look)
        elif call.getTime() > self._clock.seconds() + after:
            call.reset(after)

    def _look(self) -> None:
        self._poke_call = None
        now = self._clock.seconds()
        wait = self._wait(now)
        if self._is_over(now + wait):
            self._end()
        elif not self._visiting and not self._visit(now):
            if self._stranded:
                self._poke(self._return_at - now)
            if self._ledger.tally.ready == 0:
                self._drained = self._flights == 0
            elif wait > 0:
                self._poke(wait)

    def _visit(self, now: float) -> bool:
        """Tell the spool what was delivered and have what may leave, if there is any."""
        delivered, self._delivered = self._delivered, {}
        stranded = frozenset[str]()
        if self._stranded and now >= self._return_at:
            stranded, self._stranded = frozenset(self._stranded), set()
        most = self._room(now)
        if delivered or stranded or most:
            self._visiting = True
            both = tuple(delivered), tuple(stranded)
            visiting = self._disk.run(
                visit, self._spool, *both, most, self._now_for_age()
            )
            visiting.addCallbacks(
                *(self._visited, self._not_visited),
                callbackArgs=(delivered, most),
                errbackArgs=(delivered, stranded),
            )
            visiting.addErrback(self._defect)
            visiting.addCallback(self._left)
            return True
        return False

    def _room(self, now: float) -> int:
        """How many batches may leave."""
        if not self._running or self._wait(now) > 0 or self._ledger.tally.ready == 0:
            return 0
        spread = now < self._spread_until
        return max(0, min(self._free, 1 if spread else self._pace.room(now)))

    def _now_for_age(self) -> float:
        """Unix seconds by which ages are told, never too late.

        A wall clock that is set ahead by a day makes nothing a day old.
        """
        return min(self._wall(), self._began + self._clock.seconds())

    def _wait(self, now: float) -> float:
        return max(
            self._gate.wait(now), self._pace.wait(now), self._not_before - now, 0.0
        )

    @property
    def _free(self) -> int:
        return (1 if self._gate.narrow else self._slots) - self._flights

    def _visited(
        self, found: Visit, delivered: Mapping[str, _Delivered], most: int
    ) -> None:
        tally = found.tally or self._ledger.tally
        self._ledger.moved(tally)
        for batch_id in delivered.keys() - found.failed.keys():
            flight, how = delivered[batch_id]
            self._acked(tally, len(flight.batch.items), how)
        for batch_id, failure in found.failed.items():
            if batch_id in delivered:
                self._returns(self._crashed(failure, delivered[batch_id].flight))
            else:
                self._strand(failure, batch_id)
        if found.failure is not None:
            self._defect(found.failure)
        self._leave_or_give_back(found.taken)
        # A spool that counts what it cannot give must not be asked over and over.
        empty_handed = most > 0 and not found.taken and tally.ready > 0
        if empty_handed or found.failure is not None:
            self._rest()

    def _leave_or_give_back(self, taken: Sequence[Batch]) -> None:
        now, back = self._clock.seconds(), []
        for batch in taken:
            if self._running and self._free > 0 and self._wait(now) <= 0:
                self._leave(batch, now)
            else:  # the road was closed meanwhile
                back.append(batch)
        for batch in reversed(back):
            self._returns(self._give_back(batch.id, _FIRST))

    def _returns(self, moving: "Deferred[None]") -> None:
        """A batch is under way until it is back."""
        self._flights += 1
        moving.addErrback(self._defect)
        moving.addCallback(self._settled)

    def _not_visited(
        self,
        failure: Failure,
        delivered: Mapping[str, _Delivered],
        stranded: frozenset[str],
    ) -> None:
        for flight, _ in delivered.values():
            self._returns(self._crashed(failure, flight))
        for batch_id in stranded:
            self._strand(failure, batch_id)
        self._defect(failure)
        self._rest()

    def _rest(self) -> None:
        self._not_before = self._clock.seconds() + self._policy.base

    def _left(self, _: object) -> None:
        self._visiting = False
        if self._delivered and not self._running:  # nobody will look again
            self._visit(self._clock.seconds())
        self._poke(0.0)

    def _space(self, now: float, share: float, requests: float) -> None:
        """What is ready leaves evenly over what is left of the spread."""
        left = self._spread_until - now
        if left > 0 and self._ledger.tally.ready:
            self._not_before = now + spread_delay(share, left, requests)

    def _leave(self, batch: Batch, now: float) -> None:
        self._flights += 1
        self._pace.take(now)
        self._space(now, 1.0, self._ledger.tally.ready + 1 - self._share)
        flight = _Flight(batch, self._gate.leave(), now)
        landing = self._http.run(self._attempt, flight)
        landing.addCallback(self._landed, flight)
        landing.addErrback(self._crashed, flight)
        landing.addErrback(self._defect)
        landing.addCallback(self._settled)

    def _attempt(self, flight: _Flight) -> Outcome:
        """In a thread of the http lane."""
        if flight.ticket.refresh:
            self._sink.refresh()
        return self._sink.deliver(flight.batch)

    # The way back: outcome, verdict, deed.

    def _landed(self, outcome: Outcome, flight: _Flight) -> "Deferred[None] | None":
        now = self._clock.seconds()
        self._took(now - flight.left_at)
        self._ledger.answered(outcome, flight.batch.size_bytes)
        self._journal.answered(outcome, flight.batch.size_bytes)
        if isinstance(outcome, AcceptedWithLoss) and outcome.too_many_series:
            self._too_many_series()
        verdict = self._policy.decide(
            outcome, self._history(outcome, flight), self._jitter()
        )
        if isinstance(outcome, DEFINITE) and self._gate.open(flight.ticket):
            self._journal.turned(self._gate)
        return self._act(verdict, outcome, flight)

    def _history(self, outcome: Outcome, flight: _Flight) -> History:
        batch, ticket = flight.batch, flight.ticket
        uncertain = self._doubts.after(batch.id, outcome)
        return History(ticket.attempts, uncertain, ticket.refreshed, len(batch.items))

    def _act(
        self, verdict: Verdict, outcome: Outcome, flight: _Flight
    ) -> "Deferred[None] | None":
        batch, spool = flight.batch, self._spool
        match verdict:
            case Ack():
                self._delivered[batch.id] = _Delivered(flight, verdict)
                return None
            case Halve():
                return self._move(spool.split, batch.id)
            case Park(reason=reason):
                self._journal.parked(batch, reason, outcome.request_id)
                return self._move(spool.park, batch.id, reason)
            case Retry(after=after, reason=reason, behind=behind):
                told = outcome.after if isinstance(outcome, Throttled) else 0.0
                self._close(flight, after, reason, told=min(told, after))
                return self._move(spool.give_back, batch.id, behind)
            case Hold(after=after, reason=reason):
                # One probe in so many seconds, however long its answer took.
                took = self._clock.seconds() - flight.left_at
                self._close(flight, max(0.0, after - took), reason, held=True)
                return self._move(spool.give_back, batch.id, _FIRST)
            case Refresh(reason=reason):
                if self._gate.renew(flight.ticket):
                    self._journal.renewing(reason)
                return self._move(spool.give_back, batch.id, _FIRST)
        assert_never(verdict)

    def _move(
        self, operation: Callable[..., QueueTally], *args: object
    ) -> "Deferred[None]":
        return self._disk.run(operation, *args).addCallback(self._ledger.moved)

    def _acked(self, tally: QueueTally, entries: int, how: Ack) -> None:
        lost = entries if how.refused is None else min(how.refused, entries)
        self._ledger.done(entries, tally, lost=lost if how.partial else 0)

    def _close(
        self,
        flight: _Flight,
        after: float,
        reason: str,
        *,
        held: bool = False,
        told: float = 0.0,
    ) -> None:
        now = self._clock.seconds()
        if self._deadline_call is not None:
            hurried = max((self._deadline - now) / 2, SHORTEST_WAIT_SECONDS)
            after = max(told, min(after, hurried))
        if self._gate.close(flight.ticket, now, after, reason, held=held, told=told):
            self._journal.turned(self._gate)

    def _settled(self, _: object) -> None:
        self._flights -= 1
        if self._delivered and not self._visiting:
            self._visit(self._clock.seconds())
        self._poke(0.0)

    # The end, and what must not happen.

    def _is_over(self, next_at: float) -> bool:
        """Whether nothing more can be done before the deadline of a stop."""
        under_way = self._flights or self._visiting or self._delivered
        if self._deadline_call is None or under_way:
            return False
        return self._ledger.tally.ready == 0 or next_at >= self._deadline

    def _end(self) -> None:
        self._running = False
        for call in (self._poke_call, self._deadline_call):
            if call is not None and call.active():
                call.cancel()
        if not self._stopped.called:
            self._stopped.callback(None)

    def _crashed(self, failure: Failure, flight: _Flight) -> "Deferred[None]":
        """Something that must not happen did: say so, wait, and let the others by."""
        reason = self._journal.defect(failure)
        after = self._policy.backoff(flight.ticket.attempts, self._jitter())
        self._close(flight, after, reason)
        return self._give_back(flight.batch.id, _BEHIND)

    def _give_back(self, batch_id: str, behind: bool) -> "Deferred[None]":
        moving = self._move(self._spool.give_back, batch_id, behind)
        return moving.addErrback(self._strand, batch_id)

    def _strand(self, failure: Failure, batch_id: str) -> None:
        """For the spool it is under way until another visit gives it back."""
        self._defect(failure)
        self._stranded.add(batch_id)
        self._return_at = self._clock.seconds() + self._policy.base

    def _defect(self, failure: Failure) -> None:
        self._journal.defect(failure)


_FIRST, _BEHIND = False, True
