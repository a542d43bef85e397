"""The road of events, beside that of entries: gathered, stored, sent, counted.

It has a queue, a rate and threads of its own, so that a flood of events costs no entry
its time. Where there is a state folder the queue is in files there, in the folder
``events``; else it is in memory. Every event that was taken is delivered, waits, or is
counted by what became of it.
"""

import random
from collections.abc import Callable, Generator, Mapping, Sequence
from functools import partial
from pathlib import Path
from threading import get_ident
from typing import Any

from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.logger import Logger

from relay.admin.status import Events as Words
from relay.cloudmonitor.credentials import Provider
from relay.cloudmonitor.events import compose_events
from relay.delivery.ledger import Ledger, QueueTally
from relay.delivery.pace import Pace
from relay.delivery.policy import Policy
from relay.destination import Sink, Spool, open_files, paced
from relay.service.courier import Courier
from relay.service.event_desk import EventDesk
from relay.service.lanes import Lane, ThreadLane, at_most
from relay.settings import Settings
from relay.sink.cloudmonitor import CloudMonitorSink
from relay.spool.memory import MemorySpool
from relay.statsd.sample import Event
from relay.telemetry import Counts

__all__ = ["FOLDER", "Events"]

FOLDER = "events"
"""Within the state folder, whose lock is taken before."""

LANES_END_SECONDS = 0.5


class Events:
    """The road, where events are reported; else nothing. ``wall`` gives Unix seconds.

    ``lanes``, for storing and for sending, are for tests, which need no threads.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        reactor: Any,
        wall: Callable[[], float],
        lanes: tuple[Lane, Lane] | None = None,
    ) -> None:
        self._settings, self._lanes = settings, lanes
        self._reactor, self._wall = reactor, wall
        self._road: _Road | None = None
        self._thread = get_ident()  # the reactor's

    def start(self, sink: Sink) -> None:
        """Begin to send to ``sink``.

        Raises RelayError or ConfigError where the folder of events cannot be had.
        """
        if self._settings.report_events:
            self._road = _Road(
                self._settings, sink, self._reactor, self._wall, self._lanes
            )

    def take(self, event: Event) -> None:
        """An event was read; in any thread."""
        if self._road is None:
            return
        if get_ident() == self._thread:
            self._road.desk.take(event)
        else:
            self._reactor.callFromThread(self._road.desk.take, event)

    @inlineCallbacks
    def stop(self, deadline: float) -> Generator[Deferred[Any], Any, None]:
        """Send until ``deadline`` on the reactor's clock; the rest waits or is lost."""
        if self._road is not None:
            yield self._road.stop(deadline)

    def change(self, settings: Settings, provider: Provider | None) -> None:
        """Go on with what may change while it runs."""
        if self._road is not None:
            self._road.change(settings, provider)

    def words(self) -> Words | None:
        """For /status; None where events are not reported."""
        return self._road.words() if self._road else None

    def counts(self) -> Counts:
        """For /metrics."""
        return self._road.counts() if self._road else {}

    @property
    def unreadable(self) -> int:
        """Files with events that wait for somebody who may read them."""
        return self._road.unreadable if self._road else 0


class _Road:
    """What there is of it, from the first to the last."""

    _log = Logger()

    def __init__(
        self,
        settings: Settings,
        sink: Sink,
        reactor: Any,
        wall: Callable[[], float],
        lanes: tuple[Lane, Lane] | None,
    ) -> None:
        self._reactor, self._sink, self._folder = reactor, sink, _folder(settings)
        self._spool = _open(self._folder, settings)
        self._ledger = Ledger(self._spool.tally())
        self._found = self._ledger.snapshot().closed
        names = () if lanes else _LANES
        self._threads = [ThreadLane(name, 1, reactor) for name in names]
        both: Sequence[Lane] = lanes or self._threads
        self._disk, http = both
        self.desk = EventDesk(
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
        self._courier = Courier(
            spool=self._spool,
            sink=sink,
            ledger=self._ledger,
            policy=_policy(settings),
            pace=Pace(_rate(settings)),
            disk=self._disk,
            http=http,
            clock=reactor,
            wall=wall,
            jitter=random.random,
            slots=1,
            road="delivery of events",
        )
        for lane in self._threads:
            lane.start()
        self._courier.start()

    @inlineCallbacks
    def stop(self, deadline: float) -> Generator[Deferred[Any], Any, None]:
        left = max(deadline - self._reactor.seconds(), LANES_END_SECONDS)
        yield at_most(self.desk.finish(), left, self._reactor)
        yield self._courier.stop(deadline)
        self._sink.close()
        closing = self._disk.run(self._spool.close).addCallback(self._say_what_is_left)
        closing.addErrback(partial(self._log.failure, "a defect while stopping"))
        yield at_most(closing, LANES_END_SECONDS, self._reactor)
        for lane in self._threads:
            yield at_most(lane.stop(), LANES_END_SECONDS, self._reactor)

    def change(self, settings: Settings, provider: Provider | None) -> None:
        self._spool.max_age_seconds = settings.max_age
        self._courier.change(_policy(settings), _rate(settings), 0.0)
        if provider is not None and isinstance(self._sink, CloudMonitorSink):
            self._sink.use(provider)

    def words(self) -> Words:
        ledger, courier = self._ledger.snapshot(), self._courier.status()
        return Words(
            taken=self._taken,
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
        ledger, dropped = self._ledger.snapshot(), self._dropped
        return {
            "events_taken_total": {(): self._taken},
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
    def _taken(self) -> int:
        """With those that a former process left."""
        return self._found + self.desk.taken

    @property
    def _dropped(self) -> dict[str, int]:
        return {**self._ledger.snapshot().dropped, **self.desk.dropped}

    @property
    def _waiting(self) -> int:
        return self.desk.held + self._ledger.snapshot().waiting

    @property
    def unreadable(self) -> int:
        return self._ledger.tally.unreadable

    def _stored(
        self, count: int, tally: QueueTally, refused: Mapping[str, int]
    ) -> None:
        self._ledger.closed(count, tally, refused)
        self._courier.wake()

    def _say_what_is_left(self, in_memory: int) -> None:
        lost = self.desk.held + in_memory
        if kept := self._waiting - lost:
            self._log.info(
                "{events} events wait in {folder} for the next start",
                events=kept,
                folder=str(self._folder),
            )
        if lost:
            self._log.error(
                "{events} events were not delivered before the stop limit and are lost",
                events=lost,
            )


_LANES = ("events", "events-http")


def _folder(settings: Settings) -> Path | None:
    return None if settings.state is None else settings.state / FOLDER


def _open(folder: Path | None, settings: Settings) -> Spool:
    size, age = settings.event_queue_bytes, settings.max_age
    if folder is None:
        return MemorySpool(limit_bytes=size, max_age_seconds=age)
    return open_files(folder, size, age)


def _policy(settings: Settings) -> Policy:
    return Policy(uncertain_limit=settings.uncertain_retries)


def _rate(settings: Settings) -> float:
    return paced(settings, settings.event_requests_per_second)
