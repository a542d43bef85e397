"""The road of events: what was taken is delivered, waits, or is counted by its fate."""

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

import attrs
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.logger import capturedLogs

from relay.cloudmonitor.contract import EVENTS
from relay.cloudmonitor.credentials import Credentials, Secret
from relay.cloudmonitor.exchange import endpoint_at
from relay.cloudmonitor.packing import Packed
from relay.credentials.static import Static
from relay.delivery.outcome import (
    Accepted,
    AcceptedWithLoss,
    Outcome,
    Rejected,
    Throttled,
    Unauthorised,
    Unavailable,
    Uncertain,
)
from relay.events import Events
from relay.rollup.engine import Rollup
from relay.service.lanes import InlineLane
from relay.settings import Settings
from relay.sink.cloudmonitor import CloudMonitorSink
from relay.statsd.sample import Event
from relay.telemetry import LABELS
from tests.service.courier_rig import ScriptedSink
from tests.sink.transports import ListedTransport

NOW = 1_000_000.0
SETTINGS = Settings(report_events=True, instance="test-host", sink="null", state=None)


class EventSink(ScriptedSink):
    """A scripted sink that can be closed."""

    closed = False

    def compose(self, _: Rollup) -> Packed:
        """Events have a composer of their own."""
        raise AssertionError

    def close(self) -> None:
        """Noted."""
        self.closed = True


class Rig:
    """A road without threads."""

    def __init__(
        self, script: Iterable[Outcome | Exception] = (), settings: Settings = SETTINGS
    ) -> None:
        self.clock = Clock()
        self.sink = EventSink(script)
        self.events = Events(
            settings,
            reactor=self.clock,
            wall=lambda: NOW + self.clock.seconds(),
            lanes=(InlineLane(), InlineLane()),
        )
        self.events.start(self.sink)

    def take(self, count: int = 1, text: str = "") -> None:
        """So many events."""
        for _ in range(count):
            self.events.take(Event("deploy", text))

    def run(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.pump([0.05] * int(seconds * 20))

    def figures(self, name: str) -> Mapping[tuple[str, ...], float]:
        """Of a metric."""
        return self.events.counts()[name]

    def one(self, name: str, *labels: str) -> float:
        """A figure of a metric."""
        return self.figures(name)[labels]

    def assert_known(self) -> None:
        """No reason is one that /metrics would show as another."""
        dropped = {why for (why,) in self.figures("events_dropped_total")}
        assert dropped <= set(LABELS["event"])

    def assert_balances(self) -> None:
        """Taken is what ended, and what waits; /status says the same."""
        self.assert_known()
        words = self.events.words()
        assert words is not None
        assert words["taken"] == (
            words["acked"]
            + words["partial"]
            + sum(words["dropped"].values())
            + words["parked"]
            + words["waiting"]
        )
        ended = sum(self.figures("events_total").values())
        assert self.one("events_taken_total") == ended + self.one("events_waiting")
        assert self.one("events_total", "dropped") == sum(
            self.figures("events_dropped_total").values()
        )


def test_events_are_sent_together() -> None:
    """A request for fifty, and one for those that came behind them."""
    rig = Rig()
    rig.take(60)
    rig.run(3)
    assert len(rig.sink.calls) == 2
    assert len(rig.sink.taken) == 60
    assert "test-host" in rig.sink.taken[0]
    assert rig.one("events_total", "acked") == 60
    assert rig.one("event_requests_total", "accepted") == 2
    rig.assert_balances()


def test_what_was_not_delivered_is_sent_again() -> None:
    """The very same items, once the service is back."""
    rig = Rig([Unavailable("refused"), Throttled("Throttling.User", 1.0)])
    rig.take(2)
    rig.run(1.5)
    assert rig.one("events_waiting") == 2
    words = rig.events.words()
    assert words is not None
    assert words["state"] == "waiting"
    assert words["reason"] in ("refused", "Throttling.User")
    rig.assert_balances()
    rig.run(60)
    assert len(rig.sink.taken) == 2
    assert len(set(rig.sink.calls)) == 1
    rig.assert_balances()


def test_what_is_refused_for_good_is_found_and_counted() -> None:
    """The guilty one is parked alone, its neighbours arrive."""
    rig = Rig()
    rig.sink.answer = lambda batch: (
        Rejected("400", "syntax")
        if any("guilty" in item for item in batch.items)
        else Accepted()
    )
    rig.take(3)
    rig.take(1, "guilty")
    rig.run(10)
    assert rig.one("events_total", "parked") == 1
    assert rig.one("events_total", "acked") == 3
    rig.assert_balances()


def test_the_queue_is_bounded() -> None:
    """In an outage the oldest go, and are counted."""
    settings = attrs.evolve(SETTINGS, event_queue_bytes=2**16)
    rig = Rig([Unavailable("refused")] * 1000, settings)
    for number in range(200):
        rig.take(
            10, f"{number} {hash(str(number)):x} " + "".join(map(chr, range(33, 900)))
        )
        rig.run(1)
    assert rig.one("events_dropped_total", "space") > 0
    assert rig.one("events_waiting") > 0
    rig.assert_balances()


def test_what_is_too_old_is_dropped() -> None:
    """By the age limit of entries."""
    rig = Rig([Unavailable("refused")] * 1000, attrs.evolve(SETTINGS, max_age=30))
    rig.take(3)
    rig.run(120)
    assert rig.one("events_dropped_total", "expired") == 3
    rig.assert_balances()


def test_one_that_no_request_can_carry_is_dropped() -> None:
    """The others arrive."""
    rig = Rig(settings=attrs.evolve(SETTINGS, request_bytes=8192))
    rig.take(1, "é" * 4000)
    rig.take(1)
    rig.run(2)
    assert rig.one("events_dropped_total", "too_large") == 1
    assert rig.one("events_total", "acked") == 1
    rig.assert_balances()


def test_requests_keep_to_their_own_rate() -> None:
    """Where the account has a limit."""
    settings = attrs.evolve(SETTINGS, sink="emulator", event_requests_per_second=1.0)
    rig = Rig(settings=settings)
    rig.take(50 * 30)
    rig.run(10)
    assert 8 <= len(rig.sink.calls) <= 13
    rig.events.change(attrs.evolve(settings, event_requests_per_second=20.0), None)
    rig.run(3)
    assert len(rig.sink.calls) == 30


def test_a_stop_delivers_what_is_gathered() -> None:
    """And closes the sink."""
    rig = Rig()
    rig.take(3)
    rig.events.stop(rig.clock.seconds() + 5)
    rig.run(1)
    assert len(rig.sink.taken) == 3
    assert rig.sink.closed
    rig.take()
    assert rig.one("events_dropped_total", "stopped") == 1
    rig.assert_balances()


def test_a_stop_says_what_is_lost() -> None:
    """When the service is away; it ends in time."""
    rig = Rig([Unavailable("refused")] * 1000)
    rig.take(3)
    ended: list[object] = []
    with capturedLogs() as logged:
        rig.events.stop(rig.clock.seconds() + 5).addCallback(ended.append)
        rig.run(6)
    assert ended == [None]
    assert [one["events"] for one in logged if "events" in one] == [3]
    rig.assert_balances()


def test_what_waits_in_the_state_folder_survives(tmp_path: Path) -> None:
    """A stop leaves it there, says so, and the next relay sends it, and counts it."""
    settings = attrs.evolve(SETTINGS, state=tmp_path)
    rig = Rig([Unavailable("refused")] * 1000, settings)
    rig.take(3)
    rig.run(5)
    rig.take(60, "x" * 8000)
    with capturedLogs() as logged:
        rig.events.stop(rig.clock.seconds() + 1)
        rig.run(3)
    told = [(one["events"], one["folder"]) for one in logged if "events" in one]
    assert told == [(63, str(tmp_path / "events"))]
    rig.assert_balances()
    later = Rig(settings=settings)
    assert later.one("events_taken_total") == 63
    later.assert_balances()
    later.take()
    later.run(5)
    assert len(later.sink.taken) == later.one("events_total", "acked") == 64
    later.assert_balances()


def test_a_kill_costs_what_was_not_stored_yet(tmp_path: Path) -> None:
    """That is a second's worth; what was under way is sent again."""
    settings = attrs.evolve(SETTINGS, state=tmp_path)
    rig = Rig([Unavailable("refused")] * 1000, settings)
    rig.take(3)
    rig.run(5)
    rig.take()
    copied = shutil.copytree(tmp_path, tmp_path.with_name("after-the-kill"))
    later = Rig(settings=attrs.evolve(settings, state=copied))
    later.run(5)
    assert len(later.sink.taken) == 3
    later.assert_balances()


def test_a_disk_that_refuses_costs_nothing_while_it_runs(tmp_path: Path) -> None:
    """Events wait in memory, and a stop says what that loses."""
    settings = attrs.evolve(SETTINGS, state=tmp_path)
    rig = Rig([Unavailable("refused")] * 2, settings)
    shutil.rmtree(tmp_path / "events")
    rig.take(3)
    rig.run(30)
    assert len(rig.sink.taken) == 3
    rig.assert_balances()


def test_where_events_are_not_reported_nothing_is_opened() -> None:
    """No thread, no request; a stop is over at once."""
    rig = Rig(settings=attrs.evolve(SETTINGS, report_events=False))
    ended: list[object] = []
    rig.events.change(SETTINGS, None)
    rig.events.stop(5).addCallback(ended.append)
    assert ended == [None]
    assert not rig.sink.closed
    assert not rig.clock.getDelayedCalls()
    rig.take()
    assert (rig.events.words(), rig.events.counts()) == (None, {})


def test_new_keys_sign_the_next_request() -> None:
    """As for entries: a reload does not wait for what is under way."""
    rig = Rig(settings=attrs.evolve(SETTINGS, report_events=False))
    transport = ListedTransport()
    sink = CloudMonitorSink(
        endpoint=endpoint_at("https://metrics.cn-hangzhou.aliyuncs.com"),
        compose=rig.sink.compose,
        provider=Static(Credentials("LTAIfirst0000000", Secret("a"))),
        transport=transport,
        wall=lambda: NOW,
        nonce=lambda: "n",
        operation=EVENTS,
    )
    events = Events(
        SETTINGS,
        reactor=rig.clock,
        wall=lambda: NOW,
        lanes=(InlineLane(), InlineLane()),
    )
    events.start(sink)
    events.take(Event("a", ""))
    rig.run(2)
    events.change(SETTINGS, Static(Credentials("LTAIsecond000000", Secret("b"))))
    events.take(Event("b", ""))
    rig.run(2)
    signed = [dict(request.headers)["Authorization"] for request in transport.sent]
    assert ["LTAIfirst" in signed[0], "LTAIsecond" in signed[1]] == [True, True]
    assert len(signed) == 2


outcomes: st.SearchStrategy[Outcome | Exception] = st.sampled_from(
    [
        Accepted(),
        AcceptedWithLoss("206", "part"),
        Throttled("Throttling.User", 1.0),
        Unavailable("refused"),
        Uncertain("timeout"),
        Unauthorised("NoPermission", "cms:PutCustomEvent"),
        Rejected("400", "syntax"),
        RuntimeError("a defect"),
    ]
)


@given(
    st.lists(outcomes, max_size=12),
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20)), max_size=8),
)
def test_every_event_is_accounted_for(
    script: list[Outcome | Exception], day: list[tuple[int, int]]
) -> None:
    """Whatever the service says, at every moment and after a stop."""
    rig = Rig(script)
    with capturedLogs():
        for count, seconds in day:
            rig.take(count)
            rig.assert_balances()
            rig.run(seconds)
            rig.assert_balances()
        rig.events.stop(rig.clock.seconds() + 3)
        rig.run(4)
    rig.assert_balances()
    acked = rig.one("events_total", "acked") + rig.one("events_total", "partial")
    assert acked >= len(rig.sink.taken)
