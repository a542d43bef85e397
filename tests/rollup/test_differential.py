"""The engines agree: whatever arrives, in whatever periods, under whatever rules."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from relay.cloudmonitor.mapping import Mapper
from relay.rollup.engine import Rollup
from relay.rollup.engines import engine_names
from relay.rollup.quota import Quota
from relay.rollup.treatment import Rules
from relay.statsd.grammar import Grammar
from relay.statsd.sample import Kind
from tests.fuzz.feed import RULES
from tests.rollup.rig import Rig
from tests.rollup.test_laws import datagram

if "native" not in engine_names():
    pytest.skip("the native engine was not built", allow_module_level=True)

pytestmark = pytest.mark.native

EXAMPLES = 20_000  # of the four tests together
SAVE, BEGIN, LOOK, FORGET, NOTHING = "save", "begin to save", "look", "forget", ""
THEN = (NOTHING, NOTHING, NOTHING, NOTHING, SAVE, BEGIN, LOOK, FORGET)

many = st.builds(
    lambda line, count: b"\n".join([line] * count),
    st.sampled_from(
        [b"t:7|ms", b"t:3.25|ms|@0.3", b"t:-2|h", b"t:0|ms", b"s:x|s", b"g:1.5|g"]
    ),
    st.integers(10, 60),
)
members = st.builds(
    lambda first, count: b"\n".join(b"s:%d|s" % n for n in range(first, first + count)),
    st.integers(0, 40),
    st.integers(5, 60),
)


signed = st.lists(
    st.builds(
        lambda name, value, form: f"{name}:{value}|{form}".encode(),
        st.sampled_from("abc"),
        st.sampled_from(["1", "-1", "+2", "-0.5", "-", "1-", "3"]),
        st.sampled_from(["c", "g", "ms", "h", "s"]),
    ),
    max_size=12,
).map(b"\n".join)


class Event(NamedTuple):
    """What arrives, how far the clock moves on before, and what is done behind it."""

    sent: bytes
    step: int = 0
    then: str = NOTHING
    kind: Kind = Kind.TIMER


Day = list[Event]
day: st.SearchStrategy[Day] = st.lists(
    st.builds(
        Event,
        datagram | datagram | signed | many | members,
        st.sampled_from([0, 0, 0, 0, 60, 120]),
        st.sampled_from(THEN),
        st.sampled_from(list(Kind)),
    ),
    min_size=1,
    max_size=10,
)


class Setting(NamedTuple):
    """What an engine is made with."""

    exact: int
    limit: int
    has_rules: bool
    signed_gauge: str


exact = st.sampled_from([4, 20, 200])
limit = st.sampled_from([5, 1000, 1000])


def rig(name: str, wanted: Setting) -> Rig:
    mapper = Mapper(RULES) if wanted.has_rules else None
    return Rig(
        name,
        Grammar(("influx",), wanted.signed_gauge),
        percentiles=(50, 99),
        idle_ttl_seconds=120,
        exact_samples=wanted.exact,
        exact_members=wanted.exact,
        series_limit=wanted.limit,
        rules=Rules(mapper, Quota(0)),
    )


def life(subject: Rig, events: Day) -> tuple[list[Any], object]:
    """All that is seen of an engine that this happens to."""
    engine = subject.engine
    seen: list[Any] = []
    now = sealed = 0
    saving: Iterator[bytes] = iter(())
    for sent, step, then, kind in [Event(b""), *events]:
        now += step
        engine.feed(sent, now)
        if then == SAVE:
            list(engine.snapshot())
        elif then == BEGIN:
            saving = iter(engine.snapshot())
            next(saving)  # until it is at its end, slots are copied before they change
        elif then == LOOK:
            seen.append(sorted(engine.peek(kind, now), key=repr))
        elif then == FORGET:
            seen.append(sorted(engine.forget(kind, "a", now), key=repr))
        if now - 60 > sealed:
            sealed = now - 60
            seen += plain(subject.rollups(sealed))
    seen += plain(subject.rollups(now + 240))
    del saving
    return seen, engine.tally()


def plain(rollups: Sequence[Rollup]) -> list[Any]:
    return [
        (found.start, found.length, sorted(found.rows, key=_by_series))
        for found in rollups
    ]


def _by_series(row: tuple[Any, Any]) -> str:
    return repr(row[0])


@pytest.mark.parametrize("signed_gauge", ["delta", "value"])
@pytest.mark.parametrize("has_rules", [False, True], ids=["plain", "rules"])
@settings(max_examples=EXAMPLES // 4, deadline=None)
@given(events=day, exact=exact, limit=limit)
@example(events=[Event(b"g:1|g", 60), Event(b"g:+2|g", 60)], exact=4, limit=1000)
@example(events=[Event(b"t:1|ms\n" * 99), Event(b"t:2|ms", 60)], exact=20, limit=9)
def test_both_engines_show_the_same(
    events: Day, exact: int, limit: int, has_rules: bool, signed_gauge: str
) -> None:
    """To the last bit: rollups, refusals by reason, tallies, what an operator sees."""
    wanted = Setting(exact, limit, has_rules, signed_gauge)
    native, python = (rig(name, wanted) for name in ("native", "python"))
    assert life(native, events) == life(python, events)
