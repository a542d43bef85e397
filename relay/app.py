"""The composition root: Settings in, a running relay out. Knows every room.

Builds the rooms, introduces them to each other, starts them from the far end of the
road to the near one, and stops them in the order in which the data runs dry. What the
rooms do is theirs; nothing is decided here but who meets whom.
"""

import random
from collections.abc import Callable, Generator, Mapping, Sequence
from functools import partial
from typing import Any

from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from relay import __version__, report
from relay.admin.status import Status
from relay.cloudmonitor.credentials import Provider
from relay.continuity import Continuity
from relay.delivery.ledger import Ledger, QueueTally
from relay.delivery.pace import Pace
from relay.destination import (
    answers_at_once,
    counting,
    delivery_of,
    in_flight,
    open_sinks,
    open_spool,
    provider_of,
)
from relay.doors import Copy, Doors
from relay.errors import RelayError
from relay.events import Events
from relay.logs import Logs
from relay.management import Management, Now
from relay.pipeline import build_engine, build_mapper, build_namer, build_rules
from relay.reload import Reloads
from relay.rollup.engine import Sealed, drain_of
from relay.rollup.grace import aligned
from relay.selfreport import SelfReport
from relay.service.clockwork import Clockwork
from relay.service.closing import Closing
from relay.service.courier import Courier
from relay.service.heap import Heap
from relay.service.inherit import Inherited
from relay.service.intake import Intake
from relay.service.lag import ReactorLag
from relay.service.lanes import InlineLane, ThreadLane, at_most
from relay.service.scarcity import QuotaWatch
from relay.settings import (
    Listen,
    Loaded,
    NeedsRestart,
    changes,
    configuration_hash,
)
from relay.sink.cloudmonitor import CloudMonitorSink
from relay.sites import Sites, emulator_site
from relay.telemetry import Counts, Telemetry
from relay.watching import Watching

__all__ = ["Relay"]

LANES_END_SECONDS = 0.5
"""How long a stop waits for threads that may hang in the resolver or on a dead disk."""

FUTURE_SECONDS = 60
"""No period is reported that starts later than that from now; the service may refuse it."""


class Relay:
    """One relay: ``start`` binds its sockets, ``stop`` takes it down in order.

    ``wall`` is Unix seconds; ``announce`` gets the lines that scripts wait for;
    ``inherited`` are sockets that a service manager handed over. Raises ConfigError
    where the settings ask for what is not there.
    """

    _log = Logger()

    def __init__(
        self,
        loaded: Loaded,
        *,
        reactor: Any,
        wall: Callable[[], float],
        logs: Logs,
        announce: Callable[[str], None],
        inherited: Sequence[Inherited] = (),
    ) -> None:
        self._loaded = loaded
        self._settings = settings = loaded.settings
        self._reactor, self._wall = reactor, wall
        self._logs, self._announce = logs, announce
        self._started = wall()
        self._ready = False
        self._provider: Provider | None = provider_of(loaded, logs.scrubber.add)
        self._sites = Sites(reactor)
        self._reloads = Reloads()
        self._inherited = inherited

        self._namer = build_namer(settings)
        self._mapper = build_mapper(settings)
        self._rules = build_rules(settings, self._mapper)
        self._events = Events(settings, reactor=reactor, wall=wall)
        self._engine = build_engine(
            settings, self._namer, self._rules, self._events.take
        )
        self._period_at = partial(aligned, length=settings.period)
        self._doors = Doors(reactor, self._intake, inherited)
        self._spool = open_spool(settings)
        self._ledger = Ledger(self._spool.tally())
        # A period may be closed a little later; a datagram that is not read is lost.
        self._disk = ThreadLane("disk", 1, reactor, nice=10)
        self._http = ThreadLane("http", settings.requests_in_flight, reactor)
        self._continuity = Continuity(
            settings.state,
            engine=self._engine,
            namer=self._namer,
            lane=self._disk,
            clock=reactor,
            wall=wall,
            interval=settings.checkpoint_interval,
        )
        self._lag, self._heap = ReactorLag(reactor), Heap()
        self._scarcity = QuotaWatch(self._rules.quota)
        self._management = Management(
            self._engine,
            started=self._started,
            period=lambda: self._period_at(wall()),
            settings=lambda: self._settings,
            now=self._now,
        )
        self._watching = Watching(
            *(self._engine, self._mapper),
            settings=lambda: self._settings,
            status=self.status,
            health=lambda: (self._lag.worst, self._defects()),
            clock=reactor,
            wall=wall,
        )
        self._telemetry = Telemetry(__version__, self._engine.name)
        self._summing = LoopingCall(lambda: logs.flush(wall()))
        self._summing.clock = reactor

    def start(self) -> None:
        """From the far end to the near one: the doors for StatsD open last.

        Raises RelayError where an address is taken.
        """
        self._disk.start()
        self._http.start()
        if self._settings.sink == "emulator":
            site = emulator_site(self._settings, self._wall, self._reactor)
            self._sites.open("emulator", self._settings.emulator, site)
        self._sink, events_sink = open_sinks(
            self._settings,
            provider=self._provider,
            emulator=self._sites.urls.get("emulator"),
            wall=self._wall,
            rules=self._rules,
        )
        self._events.start(events_sink)
        self._courier, self._closing = self._build_courier(), self._build_closing()
        self._self_report = self._build_self_report()
        self._clockwork = Clockwork(
            seal=self._seal,
            sealed=self._sealed,
            step=self._engine.step,
            catch_up=self._doors.catch_up,
            period_seconds=self._settings.period,
            clock=self._reactor,
            wall=self._wall,
        )
        open_periods = self._go_on()
        self._telemetry.add_source(self._counts)
        self._courier.start()
        self._lag.start()
        self._summing.start(1.0, now=False)
        if self._settings.http is not None:
            site = self._watching.site(self._telemetry.render, lambda: self._ready)
            self._sites.open("http", self._settings.http, site)
        if self._settings.console is not None:
            console = self._management.factory(self._reactor)
            self._sites.open_console(self._settings.console, console)
        self._clockwork.start(min(open_periods, default=None))
        # From now on the present period is ours, also if nothing arrives in it.
        self._engine.feed(b"", self._period_at(self._wall()))
        self._doors.open(self._listed(self._loaded), self._settings)
        self._continuity.start()
        self._watching.start()
        self._ready = True
        self._heap.set_aside()
        for word, urls in self.urls.items():
            for url in urls:
                self._announce(f"{word} {url}")

    @property
    def urls(self) -> Mapping[str, Sequence[str]]:
        """The sockets by the word they are announced with."""
        doors = {"listening": [door.url for door in self._doors.doors]}
        return doors | {word: [url] for word, url in self._sites.urls.items()}

    @inlineCallbacks
    def stop(self) -> Generator[Deferred[Any], Any, None]:
        """Close the doors, put away what is open, deliver what is closed until the limit.

        Every wait is bounded: a disk or a service that hangs does not keep us.
        """
        deadline = self._reactor.seconds() + self._settings.stop_timeout
        self._ready = False
        yield self._doors.close()
        events_sent = self._events.stop(deadline)
        self._clockwork.stop()
        self._continuity.stop()
        self._watching.stop()
        yield self._until(deadline, self._put_away())
        yield self._courier.stop(deadline)
        yield self._until(deadline, events_sent)
        self._sink.close()
        yield self._until(deadline, self._let_go())
        self._lag.stop()
        self._summing.stop()
        for lane in (self._http, self._disk):
            yield at_most(lane.stop(), LANES_END_SECONDS, self._reactor)
        yield self._sites.close()

    def reload(self, load: Callable[[], Loaded]) -> None:
        """Go on with what ``load`` gives, or as before where that cannot be.

        Which of the two it was, and why, is logged and on /status.
        """
        try:
            keys = self._take_over(load())
        except RelayError as error:
            problem = self._logs.scrubber.scrub(f"{error}")
            self._reloads.refused(self._wall(), problem)
        else:
            self._reloads.applied(self._wall(), keys)

    def status(self) -> Status:
        """All of /status, from memory."""
        settings = self._settings
        parts = report.status_parts(
            self._engine,
            self._namer,
            self._ledger.snapshot(),
            self._doors.doors,
        )
        return Status(
            version=__version__,
            engine=self._engine.name,
            started=self._started,
            listeners=parts.listeners,
            http=self._sites.urls.get("http"),
            emulator=self._sites.urls.get("emulator"),
            console=self._sites.urls.get("console"),
            ledger=parts.ledger,
            series=parts.series,
            series_quota=report.quota_words(self._rules.quota),
            overflow=parts.overflow,
            spool=report.spool_words(self._ledger.tally, settings.spool_bytes),
            events=self._events.words(),
            sink=report.sink_words(settings.sink, self._sink, self._courier.status()),
            credentials=report.credentials_words(self._sink),
            configuration_hash=configuration_hash(settings),
            state=str(settings.state or "off: memory only"),
            checkpoints=self._continuity.checkpoints,
            predecessor=self._continuity.predecessor,
            last_reload=self._reloads.last,
            clock_steps=self._clockwork.steps.count,
            last_clock_step=report.step_words(self._clockwork.steps.last),
            collisions=parts.collisions,
            rules=report.rule_words(self._mapper),
            last_refusals=parts.last_refusals,
        )

    def _intake(self, signed_gauge: str | None, copy: Copy | None) -> Intake:
        signed = signed_gauge or self._settings.signed_gauge
        feed, arguments = self._engine.feed_as(signed), (self._wall, self._reactor)
        drain = drain_of(self._engine, signed) if copy is None else None
        return Intake(feed, self._period_at, *arguments, copy=copy, drain=drain)

    def _go_on(self) -> Sequence[int]:
        """Take over what a former process left open, and close what is over of it."""
        left = list(self._continuity.go_on(self._period_at(self._wall())))
        while left and self._clockwork.is_over(left[0]):
            for sealed in self._engine.seal(left.pop(0) + self._settings.period):
                self._closing.recover(sealed)
        return left

    def _seal(self, before: int, seen: bool) -> Sequence[Sealed]:
        if self._self_report is not None and seen:
            present = self._period_at(self._wall())
            self._self_report.tell(before - self._settings.period, present)
        return self._engine.seal(before, seen)

    def _sealed(self, sealed: Sealed) -> "Deferred[None]":
        self._continuity.before_closing()
        self._watching.closed(sealed.start)
        return self._closing.take(sealed)

    @inlineCallbacks
    def _put_away(self) -> Generator[Deferred[Any], Any, None]:
        """What is open goes to the successor, or where it cannot, is reported now."""
        if self._settings.stop == "handover" and (yield self._continuity.hand_over()):
            return
        for sealed in self._engine.seal_all(self._latest()):
            yield self._sealed(sealed)
        yield self._closing.finish()
        yield self._continuity.hand_over()

    @inlineCallbacks
    def _let_go(self) -> Generator[Deferred[Any], Any, None]:
        in_memory = yield self._disk.run(self._spool.close)
        report.say_what_is_left(self._ledger.tally, in_memory, self._settings.state)
        yield self._disk.run(self._continuity.close)

    def _until(self, deadline: float, waited_for: "Deferred[None]") -> "Deferred[None]":
        waited_for.addErrback(partial(self._log.failure, "a defect while stopping"))
        left = max(deadline - self._reactor.seconds(), LANES_END_SECONDS)
        return at_most(waited_for, left, self._reactor)

    def _build_courier(self) -> Courier:
        settings = self._settings
        policy, rate, spread = delivery_of(settings)
        return Courier(
            spool=self._spool,
            sink=self._watching.noting(self._sink),
            ledger=self._ledger,
            policy=policy,
            pace=Pace(rate),
            disk=self._disk,
            http=InlineLane() if answers_at_once(settings) else self._http,
            clock=self._reactor,
            wall=self._wall,
            jitter=random.random,
            slots=in_flight(settings),
            spread=spread,
            took=self._telemetry.observe_request,
            too_many_series=self._rules.quota.service_is_full,
        )

    def _build_closing(self) -> Closing[Any]:
        return Closing(
            lane=self._disk,
            close=counting(self._engine.close, self._settings, self._wall),
            finish=lambda: self._engine.finish(self._latest()),
            compose=self._watching.composing(self._sink),
            append=self._spool.append,
            commit=self._continuity.commit,
            waiting=self._spool.waiting,
            stored=self._stored,
            clock=self._reactor.seconds,
            undisturbed=self._heap.undisturbed,
        )

    def _build_self_report(self) -> SelfReport | None:
        if not self._settings.self_report:
            return None
        return SelfReport(
            prefix=self._settings.self_report_prefix,
            period_seconds=self._settings.period,
            feed=self._engine.feed,
            figures=lambda: report.own_figures(
                self._engine.tally(),
                self._doors.doors,
                self._ledger.snapshot(),
                self._closing.seconds,
            ),
            clock=self._reactor.seconds,
        )

    def _listed(self, loaded: Loaded) -> Sequence[Listen]:
        """What is to be bound; the default is not, where sockets were handed over."""
        is_default = loaded.origins["listen"] == "default"
        return () if is_default and self._inherited else loaded.settings.listen

    def _take_over(self, loaded: Loaded) -> Sequence[str]:
        """The keys that changed. Raises RelayError where nothing did, but should have."""
        new = loaded.settings
        change = changes(self._settings, new)
        if isinstance(change, NeedsRestart):
            raise RelayError(f"{', '.join(change.keys)}: to change that, restart")
        provider = provider_of(loaded, self._logs.scrubber.add, self._provider)
        for door in self._doors.change(self._listed(loaded), new):
            self._log.info("listening {url}", url=door.url)
        # From here on nothing can fail.
        if provider is not None and isinstance(self._sink, CloudMonitorSink):
            self._sink.use(provider)
        self._events.change(new, provider)
        self._logs.level(new.log_level)
        self._courier.change(*delivery_of(new))
        self._spool.max_age_seconds = new.max_age
        self._rules.quota.limit = new.series_quota
        self._disk.run(
            partial(
                self._engine.change,
                percentiles=sorted(new.percentiles),
                idle_ttl_seconds=new.idle_ttl,
                silent_kinds=new.delete_idle,
                gauge_ttl=new.gauge_ttl,
            )
        )
        self._loaded, self._settings, self._provider = loaded, new, provider
        return change.keys

    def _latest(self) -> int:
        """Where a period may start at most that is reported now."""
        return int(self._wall()) + FUTURE_SECONDS

    def _stored(self, entries: int, tally: QueueTally, refused: int) -> None:
        self._ledger.closed(entries, tally, {"too_large": refused} if refused else None)
        self._courier.wake()
        self._heap.set_aside()
        self._scarcity.look(self._engine.tally().series)

    def _now(self) -> Now:
        moments = (door.port.intake.seen_at for door in self._doors.doors)
        seen_at = max(filter(None, moments), default=None)
        return Now(self._wall(), seen_at, self._courier.status(), self._closing.seconds)

    def _counts(self) -> Counts:
        return {
            **report.intake_counts(self._doors.doors),
            **report.repeater_counts(self._doors.targets),
            **report.engine_counts(self._engine.tally(), self._namer),
            **report.quota_counts(self._rules.quota),
            **report.delivery_counts(
                self._ledger.snapshot(),
                self._ledger.tally,
                self._events.unreadable,
                self._courier.status().last_success_at,
            ),
            **report.sink_counts(self._sink),
            **self._continuity.counts(),
            **self._events.counts(),
            "reactor_lag_seconds": {(): self._lag.worst},
            "reloads_total": self._reloads.counts,
            "clock_steps_total": {(): self._clockwork.steps.count},
            "log_records_dropped_total": {(): self._logs.dropped},
            "connections_refused_total": self._sites.refused,
            "series_forgotten_total": self._management.forgotten,
            "defects_total": {(): self._defects()},
        }

    def _defects(self) -> int:
        closing, delivery = self._closing, self._courier.status().defects
        return closing.lost + closing.unnoted + delivery + self._doors.defects
