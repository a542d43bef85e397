"""Saving an engine and going on from that: the contract of every engine."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.rollup.engine import Restored
from relay.rollup.series import Series
from relay.rollup.summary import (
    CounterSummary,
    GaugeSummary,
    SetSummary,
    Summary,
    TimerSummary,
)
from relay.statsd.sample import Kind, Reason
from tests.rollup.rig import Rig

Make = Callable[..., Rig]


def saved(rig: Rig) -> tuple[list[bytes], list[bytes]]:
    return list(rig.engine.snapshot()), list(rig.engine.carry())


def succeeded(old: Rig, new: Rig) -> Restored:
    return new.engine.restore(*saved(old))


KINDS = {
    "a:1|c": ("a:2|c", CounterSummary(1.0, 1.0)),
    "a:1|g": ("a:2|g", GaugeSummary(1.0, 1.0, 1.0, 1.0, 1)),
    "a:1|ms": ("a:2|ms", TimerSummary(1.0, 1.0, 1.0, 1.0, 1.0, ((50, 1.0),))),
    "a:1|s": ("a:2|s", SetSummary(1)),
}


@pytest.mark.parametrize(
    ("first", "second", "row"), [(k, *v) for k, v in KINDS.items()]
)
def test_what_comes_later_is_not_in_a_snapshot(
    first: str, second: str, row: Summary, make_rig: Make
) -> None:
    """Not even where its parts are made after that."""
    old, new = make_rig(percentiles=[50]), make_rig(percentiles=[50])
    old.feed(first)
    snapshot = old.engine.snapshot()
    old.feed(second, second)
    new.engine.restore(snapshot, ())
    assert new.base(60) == {"a": row}


@pytest.mark.parametrize("many", [1, 2000])
@pytest.mark.parametrize("kind", ["c", "g", "ms", "s"])
def test_what_was_saved_goes_on(kind: str, many: int, make_rig: Make) -> None:
    """As exact samples and members, and as bins and sketches."""
    old, new, whole = make_rig(), make_rig(), make_rig()
    for rig in (old, whole):
        rig.feed(*(f"a:{n}.25|{kind}|@0.5" for n in range(many)))
    succeeded(old, new)
    for rig in (new, whole):
        rig.feed(*(f"a:{n}.75|{kind}" for n in range(5)))
    assert new.base(60) == whole.base(60)


def test_a_gauge_is_remembered_for_deltas(make_rig: Make) -> None:
    """In the period that was open, and long after it."""
    old, new = make_rig(), make_rig()
    old.feed("g:5|g", at=0)
    succeeded(old, new)
    new.feed("g:+2|g", at=120)
    new.base(60)
    row = new.base(180)["g"]
    assert isinstance(row, GaugeSummary)
    assert row.last == 7.0


def test_counts_go_on(make_rig: Make) -> None:
    """So that sections are samples, refused and ignored ones across both lives."""
    old, new = make_rig(series_limit=1), make_rig(series_limit=1)
    lines = ["a:1|c", "b:1|c", "telemetry:1|c", "x", "a:1|c|#k:1,k:2", "a:1:2|c"]
    old.feed(*lines)
    succeeded(old, new)
    assert new.engine.tally() == old.engine.tally()
    new.feed(*lines)
    assert new.engine.tally().sections == 2 * old.engine.tally().sections


def test_a_later_snapshot_ends_the_one_before(make_rig: Make) -> None:
    """Whose slots are no longer kept as they were."""
    rig = make_rig()
    rig.feed("a:1|c")
    first = iter(rig.engine.snapshot())
    rig.engine.snapshot()
    with pytest.raises(RuntimeError):
        next(first)


def test_what_was_open_is_given(make_rig: Make) -> None:
    """Each period that is to be sealed: in its grace, present, stamped ahead."""
    old, new = make_rig(), make_rig()
    old.feed("a:1|c", at=0)
    old.feed("a:1|c|T125", at=60)
    assert succeeded(old, new).periods == [0, 60, 120]
    starts = [one.start for start in (60, 120, 180) for one in new.engine.seal(start)]
    assert starts == [0, 60, 120]


def test_an_idle_period_is_open_too(make_rig: Make) -> None:
    """The one after the last that was sealed, also when nothing arrived in it."""
    old, new = make_rig(), make_rig()
    old.feed("a:1|c", at=0)
    old.rollups(60)
    assert succeeded(old, new).periods == [60]
    assert new.base(120) == {"a": CounterSummary(0.0, 0.0)}


def test_a_closed_period_is_not_open_again(make_rig: Make) -> None:
    """A snapshot may be older than what was closed since; no name comes twice."""
    old, new = make_rig(), make_rig()
    old.feed("a:1|c", at=0)
    parts = list(old.engine.snapshot())
    old.rollups(60)
    restored = new.engine.restore(parts, old.engine.carry())
    assert restored.periods == []
    assert new.engine.seal(60) == []
    new.feed("a:1|c|T5", at=60)
    assert new.refused() == {Reason.LATE: 1}


def test_a_period_that_is_closed_nowhere_is_open_again(make_rig: Make) -> None:
    """It was sealed, and then the process was killed."""
    old, new = make_rig(), make_rig()
    old.feed("a:1|c", at=0)
    parts, carry = saved(old)
    old.rollups(60)
    assert new.engine.restore(parts, carry).periods == [0]
    assert new.base(60) == {"a": CounterSummary(1.0, 1.0)}


def test_the_long_period_goes_on(make_rig: Make) -> None:
    """With the idle rows, from the first base period to the last."""
    old, new = make_rig(), make_rig()
    old.feed("a:1|c", "g:5|g", at=0)
    old.rollups(60)
    succeeded(old, new)
    for start in range(60, 300, 60):
        new.feed("a:1|c", at=start)
        rollups = new.rollups(start + 60)
    assert new.rows(rollups, 0, 300) == {
        "a": CounterSummary(5.0, 5.0),
        "g": GaugeSummary(5.0, 5.0, 5.0, 5.0, 1),
    }


def test_a_long_period_of_another_length_is_not_gone_on_with(make_rig: Make) -> None:
    """All the rest is."""
    old, new = make_rig(), make_rig(long_factor=2)
    old.feed("a:1|c", at=0)
    old.rollups(60)
    assert succeeded(old, new).unfit_carry is None
    rollups = new.rollups(120)
    assert new.rows(rollups, 0, 120) == {"a": CounterSummary(0.0, 0.0)}


def test_kinds_that_are_silent_now_fall_silent(make_rig: Make) -> None:
    """Whatever the predecessor was told to do."""
    old, new = make_rig(), make_rig(silent_kinds=[Kind.COUNTER])
    old.feed("a:1|c", "g:5|g", at=0)
    old.rollups(60)
    succeeded(old, new)
    assert list(new.base(120)) == ["g"]


def test_the_limit_of_series_may_have_fallen(make_rig: Make) -> None:
    """What is open is reported; the longest unseen are no longer held."""
    old, new = make_rig(), make_rig(series_limit=1)
    old.feed("a:1|c", "b:1|c")
    succeeded(old, new)
    new.feed("b:1|c", "c:1|c")
    assert new.refused() == {Reason.SERIES_LIMIT: 1}
    assert new.base(60) == {
        "a": CounterSummary(1.0, 1.0),
        "b": CounterSummary(2.0, 2.0),
    }


def test_whoever_is_not_held_any_more_is_let_go(make_rig: Make) -> None:
    """It was named for what is reported of it still; its name is free then."""
    gone: list[str] = []
    old = make_rig()
    new = make_rig(series_limit=1, released=lambda series: gone.append(series.name))
    old.feed("a:1|c", "b:1|c")
    succeeded(old, new)
    assert gone == ["a"]


def test_what_is_not_reported_any_more_is_left_out(make_rig: Make) -> None:
    """Series are named by the rules that hold now."""
    old, new = make_rig(), make_rig()
    old.engine._resolve = named_as_sent  # type: ignore[attr-defined]  # the rules of then
    old.feed("unmapped:1|c", "unmapped:1|g", "a:1|c")
    old.rollups(60)
    old.feed("unmapped:1|c", "unmapped:1|g", "a:1|c", at=60)
    succeeded(old, new)
    assert new.base(120) == {"a": CounterSummary(1.0, 1.0)}
    assert new.engine.tally().series == 1


def named_as_sent(kind: Kind, name: str, tags: object) -> Series:
    return Series(kind, name, (), name, ())


def test_what_a_set_clock_pushed_together_is_saved(make_rig: Make) -> None:
    """Two periods that are reported as one; the later is the last word on gauges."""
    old, new = make_rig(), make_rig()
    old.feed("a:1|c|T6060", "g:1|g|#|T6060", "a:2|c|T6120", "g:2|g|#|T6120", at=6000)
    old.engine.step(6000, 60)
    succeeded(old, new)
    new.feed("a:4|c|T120", at=60)
    new.rollups(120)
    row = GaugeSummary(2.0, 1.5, 1.0, 2.0, 2)
    assert new.base(180) == {"a": CounterSummary(7.0, 3.0), "g": row}


def test_a_set_clock_makes_nothing_idle_longer(make_rig: Make) -> None:
    """What was seen right before it was set ahead was seen right before, for both."""
    options = {"series_limit": 1, "idle_ttl_seconds": 120}
    old, new = make_rig(**options), make_rig(**options)
    old.feed("a:1|c", at=0)
    old.engine.step(0, 6000)
    old.rollups(6060)
    succeeded(old, new)
    new.feed("b:1|c", at=6060)
    assert new.refused() == {Reason.SERIES_LIMIT: 1}
    assert new.base(6120) == {"a": CounterSummary(0.0, 0.0)}


@pytest.mark.parametrize("one", ["snapshot", "carry"])
def test_parts_of_another_period_length_are_refused(one: str, make_rig: Make) -> None:
    """With words for the operator; the other half is taken."""
    old, other, new = make_rig(), make_rig(period_seconds=10), make_rig()
    old.feed("a:1|c")
    fit, unfit = saved(old), saved(other)
    mixed = (unfit[0], fit[1]) if one == "snapshot" else (fit[0], unfit[1])
    restored = new.engine.restore(*mixed)
    reasons = (restored.unfit_snapshot, restored.unfit_carry)
    refused = "period_seconds is 10, not 60"
    assert reasons == ((refused, None) if one == "snapshot" else (None, refused))


def test_a_snapshot_is_no_carry(make_rig: Make) -> None:
    """Nor the other way round, nor anything of another version."""
    old, new = make_rig(), make_rig()
    old.feed("a:1|c")
    snapshot, carry = saved(old)
    restored = new.engine.restore(carry, snapshot)
    assert restored.unfit_snapshot
    assert restored.unfit_carry
    later = [part.replace(b'"version":1', b'"version":2') for part in snapshot]
    assert new.engine.restore(later, ()).unfit_snapshot == "version is 2, not 1"


@given(st.data())
def test_no_bytes_raise(data: st.DataObject) -> None:
    """Parts that were flipped, cut, swapped or made up are taken or refused."""
    old, new = Rig("python", exact_samples=2), Rig("python")
    old.feed("a:1|c", "g:5|g", "t:1|ms", "t:2|ms", "t:3|ms", "s:x|s|#k:v,b")
    old.rollups(60)
    old.feed("a:1|c", at=60)
    snapshot, carry = ([_broken(part, data) for part in parts] for parts in saved(old))
    new.engine.restore(snapshot, carry)


def _broken(part: bytes, data: st.DataObject) -> bytes:
    at = data.draw(st.integers(0, len(part) - 1))
    more = data.draw(st.sampled_from([b"", b"", b"\xff", b"9", b"\0" * 8, b"null"]))
    return part[:at] + more + part[at + len(more) :]
