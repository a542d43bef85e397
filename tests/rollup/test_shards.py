"""Several tables beside each other give what one gives, however lines are dealt out."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.rollup.engines import engine_names
from relay.rollup.summary import CounterSummary, GaugeSummary, SetSummary
from relay.statsd.sample import Kind
from tests.rollup.rig import SHARDS, Rig

if "native" not in engine_names():
    pytest.skip("the native engine was not built", allow_module_level=True)

from relay.rollup.native import NativeEngine

pytestmark = pytest.mark.native

EXAMPLES = 2_000
LIMITS = (5, 8, 1000)

STAMPED = [f"c|T{second}" for second in (64_800, 71_950, 72_010, 72_070, 72_230)]

lines = st.lists(
    st.builds(
        lambda name, value, form: f"{name}:{value}|{form}".encode(),
        st.sampled_from(["a", "b", "c", "telemetry", "unmapped"]),
        st.sampled_from(["1", "+2", "-3", "7", "x", "1:2", "1e3"]),
        st.sampled_from(
            [
                "c",
                "g",
                "g",
                "g",
                "ms",
                "h",
                "s",
                "c|@0.5",
                "ms|@0.25",
                "c|#k:v",
                "?",
                *STAMPED,
            ]
        ),
    ),
    min_size=1,
    max_size=8,
).map(b"\n".join)

many = st.builds(
    lambda line, count: b"\n".join([line] * count),
    st.sampled_from([b"a:7|ms", b"b:3|ms|@0.5", b"a:9|h", b"c:2|c", b"g:5|g"]),
    st.integers(10, 60),
)
members = st.builds(
    lambda first, count: b"\n".join(b"s:%d|s" % n for n in range(first, first + count)),
    st.integers(0, 40),
    st.integers(5, 60),
)


class Event(NamedTuple):
    """What arrives where, how far the clock moves on before, what is done behind it."""

    sent: bytes
    shard: int
    step: int
    then: str


class Jump(NamedTuple):
    """The wall clock is set by so many seconds."""

    seconds: int


day = st.lists(
    st.builds(
        Event,
        lines | lines | many | members,
        st.integers(0, SHARDS - 1),
        st.sampled_from([0, 0, 0, 0, 60, 120]),
        st.sampled_from(["", "", "", "save", "look", "forget", "restore", "late"]),
    )
    | st.builds(Jump, st.sampled_from([-7200, -120, 180, 3600])),
    min_size=1,
    max_size=12,
)


class Life:
    """What is seen of an engine to which a day happens."""

    def __init__(self, shards: int, exact: int, limit: int) -> None:
        self.shards, self.exact, self.limit = shards, exact, limit
        self.seen: list[Any] = []
        self.now, self.rig = 72_000, self._rig()
        self.rig.engine.feed(b"", self.now)
        self.sealed = self.now

    def _rig(self) -> Rig:
        return Rig(
            "native",
            percentiles=(50, 99),
            idle_ttl_seconds=120,
            exact_samples=self.exact,
            exact_members=self.exact,
            series_limit=self.limit,
            shards=self.shards,
        )

    def through(self, events: Sequence[Event | Jump]) -> "Life":
        for event in events:
            if isinstance(event, Jump):
                self._jump(event.seconds)
            else:
                self._happens(event)
        self._seal(self.now + 240)
        self.seen.append(self.rig.engine.tally())
        return self

    def _jump(self, seconds: int) -> None:
        new = self.now + seconds
        self.seen.append(self.rig.engine.step(self.now, new))
        self.now = self.sealed = new

    def _happens(self, event: Event) -> None:
        engine = self.rig.engine
        assert isinstance(engine, NativeEngine)
        self.now += event.step
        engine.feed_shard(event.shard % self.shards, event.sent, self.now)
        match event.then:
            case "save":
                list(engine.snapshot())
            case "look":
                self.seen.append(sorted(engine.peek(Kind.TIMER, self.now), key=repr))
                self.seen.append(sorted(engine.peek(Kind.GAUGE, self.now), key=repr))
            case "forget":
                gone = engine.forget(Kind.COUNTER, "a", self.now)
                self.seen.append(sorted(gone, key=repr))
            # What is read later than the others read theirs. It finds places by the rules
            # of the latest period, with one table by those of its own.
            case "late" if self.limit == LIMITS[-1]:
                shard = (event.shard + 1) % self.shards
                engine.feed_shard(shard, event.sent, self.now - 60)
            case "restore":
                parts = list(engine.snapshot()), list(engine.carry())
                self.rig = self._rig()
                self.seen.append(self.rig.engine.restore(*parts))
        if self.now - 60 > self.sealed:
            self._seal(self.now - 60)

    def _seal(self, before: int) -> None:
        self.sealed = before
        for found in self.rig.rollups(before):
            rows = sorted(found.rows, key=lambda row: repr(row[0]))
            self.seen.append((found.start, found.length, rows))


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    events=day,
    exact=st.sampled_from([4, 20, 200]),
    limit=st.sampled_from(LIMITS),
)
def test_shards_show_what_one_table_shows(
    events: list[Event | Jump], exact: int, limit: int
) -> None:
    """Rollups, tallies, what an operator sees and makes forgotten, what is saved."""
    one, several = (
        Life(shards, exact, limit).through(events) for shards in (1, SHARDS)
    )
    assert several.seen == one.seen


@pytest.fixture
def rig() -> Rig:
    return Rig("sharded")


def engine_of(rig: Rig) -> NativeEngine:
    assert isinstance(rig.engine, NativeEngine)
    return rig.engine


def test_a_snapshot_is_of_one_moment(rig: Rig) -> None:
    """What any of the shards takes later is not in it, known spelling or not."""
    engine = engine_of(rig)
    sent = b"c:1|c\nt:1|ms\ns:1|s\ng:1|g"
    for shard in range(SHARDS):
        engine.feed_shard(shard, sent, 0)
    snapshot = engine.snapshot()
    for shard in range(SHARDS):
        engine.feed_shard(shard, sent.replace(b":1", b":9"), 0)
    other = Rig("native", percentiles=())
    other.engine.restore(snapshot, ())
    rows = other.base(60)
    assert rows["c"] == CounterSummary(SHARDS, SHARDS)
    assert rows["g"] == GaugeSummary(1, 1, 1, 1, SHARDS)
    assert rows["s"] == SetSummary(1)
    assert rows["t"][:5] == (SHARDS, SHARDS, 1, 1, 1)


def test_deltas_of_all_shards_move_one_gauge(rig: Rig) -> None:
    """And what one of them sets is what the next one adds to, in the next period too."""
    engine = engine_of(rig)
    for shard, sent in ((2, b"g:5|g"), (0, b"g:+2|g"), (1, b"g:-1|g")):
        engine.feed_shard(shard, sent, 0)
    assert rig.base(60)["g"] == GaugeSummary(6, 6, 5, 7, 3)
    engine.feed_shard(1, b"g:+1|g", 60)
    assert rig.base(120)["g"] == GaugeSummary(7, 7, 7, 7, 1)


def test_a_shard_that_nobody_feeds_keeps_no_spelling(rig: Rig) -> None:
    """Its sender went away; the others go on."""
    engine = engine_of(rig)
    engine.feed_shard(2, b"\n".join(b"n%d:1|c" % n for n in range(500)), 0)
    for period in range(0, 300, 60):
        engine.feed_shard(0, b"a:1|c", period)
        rig.rollups(period + 60)
    assert engine.spellings == 1


def test_new_names_are_limited_over_all_shards() -> None:
    """A series that came by one way has its place by the others."""
    rig = Rig("sharded", series_limit=2)
    engine = engine_of(rig)
    for shard in range(SHARDS):
        engine.feed_shard(shard, b"a:1|c\nb:1|c\nn%d:1|c" % shard, 0)
    assert set(rig.base(60)) == {"a", "b"}
    assert sum(rig.refused().values()) == SHARDS
