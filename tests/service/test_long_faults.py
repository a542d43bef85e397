"""Ten minutes of each fault of the service, on a simulated clock: bars K6, K7, K9, T5.

Requests take a tenth of a second. The service is a function of the moment a request
arrives; what is looked at is when requests arrived, and what became of the entries.
"""

import random
from collections.abc import Callable, Sequence
from email.utils import formatdate
from itertools import pairwise

import pytest
from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent

from relay.cloudmonitor.credentials import Credentials, Secret
from relay.cloudmonitor.exchange import Endpoint, Request
from relay.cloudmonitor.packing import compose
from relay.credentials.static import Static
from relay.delivery.batch import Batch
from relay.delivery.outcome import (
    Accepted,
    Outcome,
    Throttled,
    Unauthorised,
    Unavailable,
    Uncertain,
)
from relay.sink.cloudmonitor import CloudMonitorSink
from relay.sink.transport import Answer
from tests.service.courier_rig import WALL_AT_START, Rig, SlowLane
from tests.sink.contract import rollup
from tests.sink.transports import ListedTransport

Figure = Callable[[str], None]
Service = Callable[[float, Batch], Outcome]
LATENCY, RATE, MINUTE, TEN_MINUTES = 0.1, 10.0, 60.0, 600.0


class Road:
    """A courier before a service, and when each request arrived there."""

    def __init__(self, service: Service, *, rate: float = RATE) -> None:
        dice = random.Random(7)  # noqa: S311 - the same ten minutes each time
        clock = Clock()
        self.rig = Rig(
            clock=clock,
            http=SlowLane(clock, lambda: LATENCY),
            rate=rate,
            jitter=dice.random,
            limit_bytes=10**9,
        )
        self.rig.sink.answer = self._answer
        self.service = service
        self.arrived: list[float] = []
        self.delays: dict[str, float] = {}

    def _answer(self, batch: Batch) -> Outcome:
        now = self.now
        self.arrived.append(now)
        outcome = self.service(now, batch)
        if isinstance(outcome, Accepted):
            closed = batch.closed_at - WALL_AT_START
            self.delays[batch.id] = now - closed
        return outcome

    @property
    def now(self) -> float:
        return self.rig.clock.seconds()

    def minutes(self, count: int, batches: int) -> None:
        """So many periods, each closed at its end."""
        for _ in range(count):
            self.rig.run(MINUTE, step=0.1)
            self.rig.close(*(f"{self.now:.0f}/{n}" for n in range(batches)))

    def gaps(self, since: float = 0.0) -> Sequence[float]:
        """Between one request and the next."""
        times = [at for at in self.arrived if at >= since]
        return [later - at for at, later in pairwise(times)]

    def most_in(self, window: float, since: float = 0.0) -> int:
        """Requests in the worst window of that length."""
        times = [at for at in self.arrived if at >= since]
        first, most = 0, 0
        for last, at in enumerate(times):
            while times[first] <= at - window:
                first += 1
            most = max(most, last - first + 1)
        return most


@pytest.mark.bar("K6")
@pytest.mark.parametrize("told", [0.5, 7.0, 60.0, 300.0])
def test_nothing_leaves_before_the_time_told(told: float, figure: Figure) -> None:
    """Every second request is throttled for ten minutes, with the time to wait; of what
    is told a minute at most is believed."""
    until = [0.0]
    early = list[float]()
    count = [0]

    def service(now: float, _: Batch) -> Outcome:
        if now < until[0] - 1e-6:
            early.append(until[0] - now)
        count[0] += 1
        if now > TEN_MINUTES or count[0] % 2:
            return Accepted()
        until[0] = now + LATENCY + min(told, 60.0)  # from when we know
        return Throttled("Throttling.User", told)

    road = Road(service)
    road.minutes(12, batches=1)
    assert early == []
    assert road.rig.ledger.snapshot().requests["throttled"] >= 5
    road.rig.run(MINUTE * 3)
    counts = road.rig.ledger.snapshot()
    assert (counts.acked, counts.balances) == (12, True)
    figure(f"told {told:g} s: {len(road.arrived)} requests, {len(early)} too early")


@pytest.mark.bar("K6", "L2")
@pytest.mark.parametrize("told", [0.0, 2.0], ids=["not told", "told 2 s"])
def test_throttling_under_a_backlog(told: float, figure: Figure) -> None:
    """The service takes four a second and throttles the rest, for ten minutes: live
    periods are not starved by an hour of backlog, our own limit holds."""
    tokens = [4.0, 0.0]

    def service(now: float, _: Batch) -> Outcome:
        tokens[:] = min(4.0, tokens[0] + 4.0 * (now - tokens[1])), now
        if tokens[0] < 1:
            return Throttled("Throttling.User", told)
        tokens[0] -= 1
        return Accepted()

    road = Road(service)
    road.rig.run(0.0)
    hour_ago = int(WALL_AT_START) - 3600
    backlog = [Batch(f"old{n}", hour_ago, (f"old{n}:0",)) for n in range(3000)]
    road.rig.ledger.closed(3000, road.rig.spool.append(backlog))
    road.minutes(10, batches=30)
    road.rig.run(2 * MINUTE)
    live = [late for name, late in road.delays.items() if not name.startswith("old")]
    counts = road.rig.ledger.snapshot()
    assert counts.requests["throttled"] > 10
    assert len(live) == 300
    assert max(live) <= 2 * MINUTE
    assert road.most_in(10.0) <= 1.05 * 10 * RATE
    assert len(road.delays) > 600, "the backlog is not worked off"
    assert (counts.parked, counts.balances) == (0, True)
    figure(
        f"{'told' if told else 'not told'}: live {max(live):.0f} s late at most,"
        f" {road.most_in(10.0)} requests in the worst 10 s of {10 * RATE:g} allowed"
    )


@pytest.mark.bar("K6")
def test_our_own_limit_holds_without_throttling(figure: Figure) -> None:
    """With everything to send and a service that takes it."""
    road = Road(lambda *_: Accepted())
    road.minutes(1, batches=2000)
    road.rig.run(201, step=0.015)
    assert road.most_in(10.0) <= 1.05 * 10 * RATE
    assert len(road.arrived) == 2000
    took = road.arrived[-1] - road.arrived[0]
    figure(
        f"{road.most_in(10.0)} requests in the worst 10 s, {2000 / took:.2f} a second"
    )


@pytest.mark.bar("K7", "L2")
@pytest.mark.parametrize(
    "outcome",
    [Unavailable("ServiceUnavailable"), Uncertain("HTTP 500"), Uncertain("HTTP 502")],
    ids=["503", "500", "502"],
)
def test_ten_minutes_of_5xx(outcome: Outcome, figure: Figure) -> None:
    """Waits grow to half a minute and more, no two alike; once the service is well the
    first success comes within one of them, and what waited does not burst."""
    road = Road(lambda now, _: outcome if now < TEN_MINUTES + MINUTE else Accepted())
    road.minutes(11, batches=20)
    well = road.now
    failed = road.gaps()[-6:]
    assert all(30 <= gap - LATENCY <= 60 for gap in failed)
    assert len({round(gap, 1) for gap in failed}) > 3, "hardly jitter"
    road.rig.run(2 * MINUTE)
    success = next(at for at in road.arrived if at >= well)
    assert success - well <= 60 + LATENCY
    assert road.most_in(1.0, since=well) <= 2 * RATE
    counts = road.rig.ledger.snapshot()
    assert (counts.acked, counts.parked, counts.balances) == (220, 0, True)
    figure(
        f"{outcome.reason}: last waits {min(failed):.0f} to {max(failed):.0f} s, first"  # type: ignore[union-attr]  # of both kinds
        f" success after {success - well:.0f} s, at most"
        f" {road.most_in(1.0, since=well)} requests in a second"
    )


@pytest.mark.bar("K9", "L2")
def test_refused_keys_hold_delivery(figure: Figure) -> None:
    """Ten minutes without permission: one probe a minute, all is kept, and a minute after
    the cause is gone delivery goes on."""
    allowed = TEN_MINUTES + 5 * MINUTE + 1.0

    def service(now: float, _: Batch) -> Outcome:
        no = Unauthorised("NoPermission", "ask for cms:PutCustomMetric")
        return Accepted() if now >= allowed else no

    road = Road(service)
    road.minutes(15, batches=20)
    road.rig.run(0.5)
    held = road.arrived[2:]  # the first refusal, and one more try with keys anew
    assert road.most_in(MINUTE - 0.001, since=held[0]) == 1
    assert road.rig.courier.status().state == "held"
    counts = road.rig.ledger.snapshot()
    assert (counts.waiting, counts.parked) == (300, 0)
    road.rig.run(2 * MINUTE)
    resumed = next(at for at in road.arrived if at >= allowed) - allowed
    assert resumed <= MINUTE
    counts = road.rig.ledger.snapshot()
    assert (counts.acked, counts.parked, counts.balances) == (300, 0, True)
    figure(f"{len(held)} probes in 14 min, resumed after {resumed:.0f} s, 0 parked")


class TrueTime(ListedTransport):
    """A service that knows what time it is; ``corrected`` requests are believed."""

    def __init__(self, now: Callable[[], float], *, refuses_all: bool = False) -> None:
        super().__init__()
        self.now, self.refuses_all = now, refuses_all
        self.told: list[float] = []

    def send(self, request: Request) -> Answer:
        self.sent.append(request)
        told = formatdate(self.now(), usegmt=True)
        stamp = dict(request.headers)["x-acs-date"]
        right = formatdate(self.now(), usegmt=True)[17:22] == stamp[11:16]
        self.told.append(self.now())
        if right and not self.refuses_all:
            return Answer(200, {"Date": told}, b'{"Code":"200","RequestId":"r"}')
        body = b'{"Code":"InvalidTimeStamp.Expired","Message":"Specified time"}'
        return Answer(400, {"Date": told}, body)


def wrong_by(seconds: float, *, refuses_all: bool) -> tuple[Rig, TrueTime, object]:
    """Five minutes of a relay whose clock is wrong, before a service with the right one."""
    clock = Clock()
    service = TrueTime(
        lambda: WALL_AT_START - 40 + clock.seconds(), refuses_all=refuses_all
    )
    sink = CloudMonitorSink(
        endpoint=Endpoint("https", "metrics.cn-hangzhou.aliyuncs.com"),
        compose=compose,
        provider=Static(Credentials("id", Secret("secret"))),
        transport=service,
        wall=lambda: service.now() + seconds,
        nonce=lambda: "n",
    )
    rig = Rig(clock=clock, sink=sink)
    items = next(compose(rollup()).batches).items
    rig.ledger.closed(
        len(items), rig.spool.append([Batch("a", int(rig.wall()), items)])
    )
    rig.courier.wake()
    rig.run(300, step=1.0)
    return rig, service, sink.status().clock_offset


@pytest.mark.bar("T5", "L2")
@pytest.mark.parametrize("seconds", [1200.0, -1200.0], ids=["ahead", "behind"])
def test_a_wrong_clock_is_corrected_once(seconds: float, figure: Figure) -> None:
    """The second request carries the service's time, and is taken; the log names it."""
    with capturedLogs() as logs:
        rig, service, offset = wrong_by(seconds, refuses_all=False)
    assert len(service.sent) == 2
    assert offset == pytest.approx(-seconds, abs=1)
    counts = rig.ledger.snapshot()
    assert (counts.requests["unauthorised"], counts.requests["accepted"]) == (1, 1)
    assert counts.balances
    side = "ahead" if seconds > 0 else "behind"
    told = f"this machine's clock is 1200 s {side} of the service's"
    assert any(told in (formatEvent(event) or "") for event in logs)
    figure(f"clock {side} by 1200 s: one refusal, one correction, taken")


@pytest.mark.bar("T5")
def test_a_clock_that_stays_refused_holds_delivery(figure: Figure) -> None:
    """One correction, then Hold: a probe a minute, and the status names the clock."""
    rig, service, _ = wrong_by(1200.0, refuses_all=True)
    assert service.told[1] - service.told[0] < 1
    gaps = [later - at for at, later in pairwise(service.told[1:])]
    assert gaps
    assert min(gaps) >= 60
    status = rig.courier.status()
    assert status.state == "held"
    assert "this machine's clock is 1200 s ahead" in status.reason
    assert rig.ledger.snapshot().parked == 0
    figure(f"still refused: held after one correction, {len(gaps)} probes in 5 min")
