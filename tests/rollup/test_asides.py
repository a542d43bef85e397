"""Events and service checks in an engine that is told to take them."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from relay.rollup.summary import CounterSummary, GaugeSummary
from relay.statsd.grammar import Grammar
from relay.statsd.sample import Event, Kind, Reason
from tests.rollup.naive import Naive
from tests.rollup.rig import Rig
from tests.rollup.test_laws import Day, common, live, plain

MakeRig = Callable[..., Rig]
ALL = Grammar(events=True, service_checks=True)


def test_a_service_check_is_reported_as_a_gauge(make_rig: MakeRig) -> None:
    """The values it took in the period, by its tags."""
    rig = make_rig(grammar=ALL)
    rig.feed("_sc|up|0|#env:dev", "_sc|up|2|#env:dev", "_sc|up|3", "_sc|up|1|d:1|m:x")
    rig.feed("_sc|up|7")
    rows = rig.base(60)
    assert rows["up;env=dev"] == GaugeSummary(2.0, 1.0, 0.0, 2.0, 2)
    assert rows["up"] == GaugeSummary(1.0, 2.0, 1.0, 3.0, 2)
    assert rig.engine.tally().samples[Kind.GAUGE] == 4
    assert rig.refused() == {Reason.BAD_SERVICE_CHECK: 1}


def test_a_late_service_check_is_refused(make_rig: MakeRig) -> None:
    """Its time is that of a sample."""
    rig = make_rig(grammar=ALL)
    rig.feed("a:1|c", at=600)
    rig.feed("_sc|up|0|d:1", at=600)
    assert rig.refused() == {Reason.LATE: 1}


def test_an_event_goes_to_whoever_wants_it(make_rig: MakeRig) -> None:
    """Once each, in order; it is a line, and no section."""
    heard: list[Event] = []
    rig = make_rig(grammar=ALL, event=heard.append)
    rig.feed("_e{1,1}:a|b", "a:1|c", "_e{1,1}:a|b", "_e{1,0}:c|", "_e{2,0}:c|")
    assert heard == [Event("a", "b"), Event("a", "b"), Event("c", "")]
    tally = rig.engine.tally()
    assert (tally.lines, tally.sections) == (5, 2)
    assert rig.refused() == {Reason.BAD_EVENT: 1}
    assert rig.base(60) == {"a": CounterSummary(1.0, 1.0)}


def test_explaining_tells_nobody_of_an_event(make_rig: MakeRig) -> None:
    """It changes nothing."""
    heard: list[Event] = []
    rig = make_rig(grammar=ALL, event=heard.append)
    assert rig.engine.explain(b"_e{1,1}:a|b") == [Event("a", "b")]
    assert heard == []


checks = st.builds(
    lambda status, value, end: f"_sc|up|{status}|#a:{value}{end}".encode(),
    st.integers(0, 3),
    st.sampled_from("123"),
    st.sampled_from(["", "|m:1", "|g", "|m:5|g", "|c"]),
)
days: st.SearchStrategy[Day] = st.lists(
    st.tuples(
        st.lists(checks | checks | common, max_size=12).map(b"\n".join),
        st.sampled_from([0, 0, 60]),
    ),
    min_size=1,
    max_size=12,
)


@given(days)
def test_no_spelling_is_learned_of_a_service_check(sent: Day) -> None:
    """What looks like a value in it is a tag or a message, each time it comes."""
    rig = Rig("python", ALL, percentiles=(50, 99), idle_ttl_seconds=120)
    assert plain(live(rig, sent)) == plain(live(Naive(1024, ALL), sent))
