"""The road of events, beside that of entries: gathered, stored, sent, counted.

It has a queue, a rate and threads of its own, so that a flood of events costs no entry
its time. What waits is in memory. Every event that was taken is delivered, waits, or is
counted by what became of it.
"""

import random
from collections.abc import Callable, Generator, Mapping
from functools import partial
from typing import Any

from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.logger import Logger

from relay.admin.status import Events as Words
from relay.cloudmonitor.credentials import Provider
from relay.cloudmonitor.events import compose_events
from relay.delivery.ledger import Ledger, QueueTally
from relay.delivery.pace import Pace
from relay.delivery.policy import Policy
from relay.destination import UNLIMITED, Sink
from relay.service.courier import Courier
from relay.service.gathering import Gathering
from relay.service.lanes import Lane, ThreadLane, at_most
from relay.settings import Settings
from relay.sink.cloudmonitor import CloudMonitorSink
from relay.spool.memory import MemorySpool
from relay.telemetry import Counts

__all__ = ["Events"]

LANES_END_SECONDS = 0.5


class Events:
    """``start`` opens it, where events are reported; ``wall`` gives Unix seconds.

    ``disk`` and ``http`` are lanes for tests, which need no threads.
    """

    _log = Logger()

    def __init__(
        self,
        settings: Settings,
        *,
        reactor: Any,
        wall: Callable[[], float],
        disk: Lane | None = None,
        http: Lane | None = None,
    ) -> None:
        self._settings, self._reactor, self._wall = settings, reactor, wall
        self._threads: list[ThreadLane] = []
        self._disk = disk or self._lane("events")
        self._http = http or self._lane("events-http")
        self._spool = MemorySpool(
            limit_bytes=settings.event_queue_bytes, max_age_seconds=settings.max_age
        )
        self._ledger = Ledger(self._spool.tally())
        self._gathering = Gathering(
            lane=self._disk,
            compose=partial(
                compose_events,
                group_id=str(settings.group_id),
                instance=settings.instance,
                max_bytes=settings.request_bytes,
            ),
            append=self._spool.append,
            stored=self._stored,
            clock=reactor,
            wall=wall,
        )
        self.take = self._gathering.take
        self._courier: Courier | None = None
        self._sink: Sink | None = None

    def start(self, sink: Sink) -> None:
        """Begin to send to ``sink``; nothing where events are not reported."""
        if not self._settings.report_events:
            return
        for lane in self._threads:
            lane.start()
        self._sink = sink
        self._courier = Courier(
            spool=self._spool,
            sink=sink,
            ledger=self._ledger,
            policy=Policy(uncertain_limit=self._settings.uncertain_retries),
            pace=Pace(_rate(self._settings)),
            disk=self._disk,
            http=self._http,
            clock=self._reactor,
            wall=self._wall,
            jitter=random.random,
            slots=1,
            road="delivery of events",
        )
        self._courier.start()

    @inlineCallbacks
    def stop(self, deadline: float) -> Generator[Deferred[Any], Any, None]:
        """Send until ``deadline`` on the reactor's clock; what is left then is lost."""
        if self._courier is None or self._sink is None:
            return
        left = max(deadline - self._reactor.seconds(), LANES_END_SECONDS)
        yield at_most(self._gathering.finish(), left, self._reactor)
        yield self._courier.stop(deadline)
        self._sink.close()
        if lost := self._waiting:
            self._log.error(
                "{events} events were not delivered before the stop limit and are lost",
                events=lost,
            )
        for lane in self._threads:
            yield at_most(lane.stop(), LANES_END_SECONDS, self._reactor)

    def change(self, settings: Settings, provider: Provider | None) -> None:
        """Go on with what may change while it runs."""
        self._spool.max_age_seconds = settings.max_age
        if self._courier is not None:
            policy = Policy(uncertain_limit=settings.uncertain_retries)
            self._courier.change(policy, _rate(settings), 0.0)
        if provider is not None and isinstance(self._sink, CloudMonitorSink):
            self._sink.use(provider)

    def words(self) -> Words | None:
        """For /status; None where events are not reported."""
        if self._courier is None:
            return None
        ledger, courier = self._ledger.snapshot(), self._courier.status()
        return Words(
            taken=self._gathering.taken,
            acked=ledger.acked,
            partial=ledger.partial,
            dropped=self._dropped,
            parked=ledger.parked,
            waiting=self._waiting,
            requests=ledger.requests,
            state=courier.state,
            reason=courier.reason or None,
            last_answer=courier.last_answer or None,
        )

    def counts(self) -> Counts:
        """For /metrics."""
        ledger, dropped = self._ledger.snapshot(), self._dropped
        return {
            "events_taken_total": {(): self._gathering.taken},
            "events_total": {
                ("acked",): ledger.acked,
                ("partial",): ledger.partial,
                ("dropped",): sum(dropped.values()),
                ("parked",): ledger.parked,
            },
            "events_dropped_total": {(why,): n for why, n in dropped.items()},
            "events_waiting": {(): self._waiting},
            "event_requests_total": {(word,): n for word, n in ledger.requests.items()},
        }

    @property
    def _dropped(self) -> dict[str, int]:
        return {**self._ledger.snapshot().dropped, **self._gathering.dropped}

    @property
    def _waiting(self) -> int:
        return self._gathering.held + self._ledger.snapshot().waiting

    def _lane(self, name: str) -> ThreadLane:
        lane = ThreadLane(name, 1, self._reactor)
        self._threads.append(lane)
        return lane

    def _stored(
        self, count: int, tally: QueueTally, refused: Mapping[str, int]
    ) -> None:
        self._ledger.closed(count, tally, refused)
        if self._courier is not None:
            self._courier.wake()


def _rate(settings: Settings) -> float:
    limited = settings.sink in ("cloudmonitor", "emulator")
    return settings.event_requests_per_second if limited else UNLIMITED
