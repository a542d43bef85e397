"""What an operator sees of open series, and makes an engine forget."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.rollup.looking import key_of
from relay.rollup.summary import CounterSummary, GaugeSummary, SetSummary, TimerSummary
from relay.statsd.sample import Kind, Reason
from tests.rollup.rig import Rig

MakeRig = Callable[..., Rig]


def peeked(rig: Rig, kind: Kind, at: int = 0) -> dict[str, object]:
    return {key_of(series): summary for series, summary in rig.engine.peek(kind, at)}


def forgotten(rig: Rig, kind: Kind, pattern: str, at: int = 0) -> list[str]:
    return sorted(map(key_of, rig.engine.forget(kind, pattern, at)))


def test_each_kind_is_shown_as_the_open_period_has_it(rig: Rig) -> None:
    """What was seen before and is idle now is 0, or what the gauge was last."""
    rig.feed("c:1|c", "g:5|g", "s:x|s", "t:1|ms")
    rig.rollups(60)
    rig.feed("c2:2|c|@0.5", "g2:7|g", "g2:+1|g", "s2:x|s", "s2:y|s", "t2:3|ms", at=60)
    assert peeked(rig, Kind.COUNTER, 60) == {
        "c": CounterSummary(0.0, 0.0),
        "c2": CounterSummary(4.0, 2.0),
    }
    assert peeked(rig, Kind.GAUGE, 60) == {
        "g": GaugeSummary(5.0, 5.0, 5.0, 5.0, 0),
        "g2": GaugeSummary(8.0, 7.5, 7.0, 8.0, 2),
    }
    assert peeked(rig, Kind.SET, 60) == {"s": SetSummary(0), "s2": SetSummary(2)}
    assert peeked(rig, Kind.TIMER, 60) == {
        "t2": TimerSummary(1.0, 3.0, 3.0, 3.0, 3.0, ())
    }


def test_to_look_changes_nothing(make_rig: MakeRig) -> None:
    """Whoever looks sees the same again, and the period is what it would have been."""
    looked, other = make_rig(), make_rig()
    for rig in (looked, other):
        rig.feed("a:1|c", "t:5|ms", "t:1|ms", "s:x|s")
        if rig is looked:
            assert [peeked(rig, kind) for kind in Kind] == [
                peeked(rig, kind) for kind in Kind
            ]
        rig.feed("a:1|c", "t:2|ms", "s:y|s")
    assert looked.base(60) == other.base(60)


@pytest.mark.parametrize(
    ("pattern", "gone"),
    [
        ("a.b", ["a.b"]),
        ("a.b;k=v", ["a.b;k=v"]),
        ("a.*", ["a.b", "a.b.c", "a.b;k=v"]),
        ("a.b.*", ["a.b.c"]),
        ("*", []),
        (".*", []),
        ("a", []),
        ("a.b;*", []),
        ("", []),
    ],
)
def test_a_key_or_a_folder_is_forgotten(
    rig: Rig, pattern: str, gone: list[str]
) -> None:
    """No other wildcard, and no other kind."""
    lines = ("a.b:1|c", "a.b.c:1|c", "ab:1|c", "a.b:1|c|#k:v", "a.b:5|g")
    rig.feed(*lines)
    assert forgotten(rig, Kind.COUNTER, pattern) == gone
    left = sorted({"a.b", "a.b.c", "ab", "a.b;k=v"} - set(gone))
    assert sorted(peeked(rig, Kind.COUNTER)) == left
    assert rig.engine.tally().series == len(left) + 1


def test_what_is_forgotten_is_reported_no_more(rig: Rig) -> None:
    """Neither what came in the open period, nor as idle; what is over is reported."""
    rig.feed("a:1|c", "g:5|g", "b:1|c")
    rig.feed("a:2|c", "g:6|g", at=60)
    assert forgotten(rig, Kind.COUNTER, "a", 60) == ["a"]
    assert forgotten(rig, Kind.GAUGE, "g", 60) == ["g"]
    assert {"a", "g", "b"} == set(rig.base(60))
    assert set(rig.base(120)) == {"b"}
    assert set(rig.base(180)) == {"b"}


def test_the_next_sample_makes_it_anew(rig: Rig) -> None:
    """A gauge has no memory, and the spelling that was known writes to no old slot."""
    rig.feed("a:1|c", "a:1|c", "g:5|g", "g:6|g", "t:1|ms", "t:2|ms")
    for kind, key in ((Kind.COUNTER, "a"), (Kind.GAUGE, "g"), (Kind.TIMER, "t")):
        assert forgotten(rig, kind, key) == [key]
    rig.feed("a:1|c", "g:+1|g", "t:3|ms")
    rows = rig.base(60)
    assert rows["a"] == CounterSummary(1.0, 1.0)
    assert rows["g"] == GaugeSummary(1.0, 1.0, 1.0, 1.0, 1)
    assert isinstance(rows["t"], TimerSummary)
    assert (rows["t"].count, rows["t"].total) == (1.0, 3.0)
    assert set(rig.base(120)) == {"a", "g"}


def test_its_place_is_free(make_rig: MakeRig) -> None:
    """Also where new series found no room before, and in the limit of a name."""
    rig = make_rig(series_limit=1)
    rig.feed("a:1|c", "b:1|c")
    assert rig.refused() == {Reason.SERIES_LIMIT: 1}
    forgotten(rig, Kind.COUNTER, "a")
    rig.feed("b:1|c")
    assert set(rig.base(60)) == {"b"}
    rig = make_rig(series_limit_per_name=1)
    rig.feed("a:1|c|#k:1")
    forgotten(rig, Kind.COUNTER, "a;k=1")
    rig.feed("a:1|c|#k:2")
    assert set(rig.base(60)) == {"a;k=2"}


def test_the_long_period_has_what_was_before(rig: Rig) -> None:
    """Minutes that are over stay part of it."""
    rig.feed("a:1|c")
    rig.rollups(60)
    rig.feed("a:5|c", at=60)
    forgotten(rig, Kind.COUNTER, "a", 60)
    rig.feed("a:7|c", at=240)
    rows = rig.rows(rig.rollups(300), 0, 300)
    assert rows["a"] == CounterSummary(8.0, 2.0)


acts = st.lists(
    st.tuples(st.sampled_from(["a", "b", "a.b", "a.c"]), st.integers(1, 9))
    | st.sampled_from(["a", "a.*", "b"])
    | st.just(60),
    max_size=40,
)


@given(acts)
def test_forgetting_is_having_never_been(
    things: list[tuple[str, int] | str | int],
) -> None:
    """A model: sums since a series was forgotten last, rows of what is remembered."""
    rig, now = Rig("python"), 0
    sums: dict[str, float] = {}
    for thing in things:
        match thing:
            case (str(name), int(value)):
                rig.feed(f"{name}:{value}|c", at=now)
                sums[name] = sums.get(name, 0.0) + value
            case str(pattern):
                gone = {
                    name
                    for name in sums
                    if name == pattern or (pattern == "a.*" and name.startswith("a."))
                }
                assert set(forgotten(rig, Kind.COUNTER, pattern, now)) == gone
                sums = {name: n for name, n in sums.items() if name not in gone}
            case _:
                now += 60
                found = rig.base(now)
                assert {name: row.total for name, row in found.items()} == sums  # type: ignore[union-attr]  # counters
                sums = dict.fromkeys(sums, 0.0)
    tally = rig.engine.tally()
    assert tally.sections == sum(tally.samples.values())
