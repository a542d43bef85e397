"""relay.rollup.roster: found by identity, in the order in which they were seen."""

import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.rollup.engines import engine_names
from relay.rollup.gauge import GaugeSlot
from relay.rollup.roster import Held, PythonRoster, Roster
from relay.rollup.series import Series
from relay.rollup.slot import Slot
from relay.statsd.sample import Kind, Tags

KINDS = (Kind.COUNTER, Kind.GAUGE)
NAMES = ("a", "b", "ü" * 70)
TAGS: tuple[Tags, ...] = ((), (("k", None),), (("k", "v"), ("l", "")))


def native() -> Roster:
    if "native" not in engine_names():
        pytest.skip("the native engine was not built")
    from relay.rollup._native import Roster as NativeRoster  # noqa: PLC0415 - if built

    return NativeRoster()


@pytest.fixture(
    params=[PythonRoster, pytest.param(native, marks=pytest.mark.native)],
    ids=["python", "native"],
)
def roster(request: pytest.FixtureRequest) -> Roster:
    made: Callable[[], Roster] = request.param
    return made()


def series(name: str, kind: Kind = Kind.COUNTER, tags: Tags = ()) -> Series:
    return Series(kind, name, tags, name, ())


def gauge(value: float) -> GaugeSlot:
    slot = GaugeSlot()
    slot.take(value)
    return slot


def native_slot(kind: Kind) -> Slot:
    from relay.rollup.native_slots import NATIVE_SLOTS  # noqa: PLC0415 - if built

    return NATIVE_SLOTS.gauge() if kind is Kind.GAUGE else NATIVE_SLOTS.counter()


def in_order(roster: Roster) -> Iterator[Held]:
    """From the longest unseen on; the roster is empty afterwards."""
    while (oldest := roster.oldest()) is not None:
        roster.remove(oldest)
        yield oldest


def test_series_are_told_apart_by_kind_name_and_tags(roster: Roster) -> None:
    """All of them are there at once, each under its own."""
    every = [series(n, k, t) for n in NAMES for k in KINDS for t in TAGS]
    for one in every:
        roster.add(one, 60)
    for one in every:
        kind, name, tags, _, _ = one
        # Equal texts, not the same objects.
        copied = tuple((k + "", v and v + "") for k, v in tags)
        held = roster.get(kind, "".join(list(name)), copied)
        assert held is not None
        assert held.series is one
    assert len(roster) == len(every) == len(roster.all())


def test_one_that_came_in_its_place_is_another(roster: Roster) -> None:
    """``of`` knows objects; ``get`` knows what they are called."""
    old, new = series("a"), series("a")
    roster.remove(roster.add(old, 0))
    held = roster.add(new, 60)
    assert roster.of(old) is None
    assert roster.of(new) is held is roster.get(Kind.COUNTER, "a", ())


def test_what_is_held_is_a_value(roster: Roster) -> None:
    """One that was renewed is as it was, and so is the list it was in."""
    held = roster.add(series("a", Kind.GAUGE), 0)
    everything = roster.all()
    slot = gauge(3.0)
    now = roster.renew(held, 60, slot, 60)
    assert [(one.seen, one.last) for one in (*everything, held)] == [(0, 0.0)] * 2
    assert (now.seen, now.last, now.gauge_period) == (60, 3.0, 60)
    assert now.gauge is slot
    assert now.turn > held.turn


def test_only_who_is_seen_later_goes_to_the_end(roster: Roster) -> None:
    """A memory alone changes no order, nor does a look."""
    first = roster.add(series("a", Kind.GAUGE), 60)
    second = roster.add(series("b"), 60)
    roster.add(series("c"), 60)
    roster.renew(first, 60, gauge(1.0), 60)
    roster.renew(second, 120, None, 0)
    assert [held.series.name for held in in_order(roster)] == ["a", "c", "b"]


def test_they_are_listed_as_they_were_added(roster: Roster) -> None:
    """Whenever they were seen; one that came again is the last."""
    assert roster.as_added() == []
    every = [series(f"n{n}", Kind.GAUGE) for n in range(500)]
    held = [roster.add(one, 0) for one in every]
    for n in (7, 3, 400):
        roster.renew(held[n], 60, gauge(1.0), 60)
    roster.remove(held[5])
    roster.add(every[5], 60)
    listed = [one.series for one in roster.as_added()]
    assert listed == [*every[:5], *every[6:], every[5]]


def test_thousands_come_and_go(roster: Roster) -> None:
    """Each is found until it goes, and none afterwards."""
    every = [series(f"name{n}") for n in range(5000)]
    for one in every:
        roster.add(one, 0)
    gone, stay = every[::2], every[1::2]
    for one in gone:
        held = roster.of(one)
        assert held is not None
        roster.remove(held)
    assert [roster.of(one) for one in gone] == [None] * len(gone)
    assert all(roster.of(one) is not None for one in stay)
    assert [held.series for held in in_order(roster)] == stay
    assert len(roster) == 0


def test_a_roster_that_was_cleared_is_as_new(roster: Roster) -> None:
    """Nobody is oldest, and series may come again."""
    one = series("a")
    roster.add(one, 0)
    roster.clear()
    assert (len(roster), roster.oldest(), roster.of(one)) == (0, None, None)
    assert roster.add(one, 60) is roster.oldest()


OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from(("see", "again", "remember", "remove", "oldest", "clear")),
        st.integers(0, 15),
        st.integers(0, 6),
    ),
    max_size=60,
)


@pytest.mark.native
@settings(max_examples=300)
@given(OPERATIONS)
def test_both_do_the_same(operations: list[tuple[str, int, int]]) -> None:
    """Whatever is asked, in whatever order."""
    every = [series(f"n{n}", KINDS[n % 2], TAGS[n % 3]) for n in range(16)]
    rosters = PythonRoster(), native()
    for operation, number, period in operations:
        done = [apply(one, operation, every[number], period) for one in rosters]
        assert done[0] == done[1]
    ordered = [[shown(held) for held in in_order(one)] for one in rosters]
    assert ordered[0] == ordered[1]


@pytest.mark.native
@given(st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 6)), max_size=12))
def test_both_note_alike_who_is_seen_again(seen: list[tuple[Kind, int]]) -> None:
    """A gauge's latest slot and the order, however late a value comes."""
    every = {kind: series("a", kind) for kind in KINDS}
    rosters = PythonRoster(), native()
    for roster in rosters:
        for one in every.values():
            roster.add(one, 0)
    for kind, period in seen:
        done = [apply(roster, "again", every[kind], period) for roster in rosters]
        assert done[0] == done[1]
    ordered = [[shown(held) for held in in_order(one)] for one in rosters]
    assert ordered[0] == ordered[1]


def apply(roster: Roster, operation: str, one: Series, period: int) -> object:
    held = roster.of(one)
    match operation:
        case "see":
            if held is None:
                return shown(roster.add(one, period))
            return shown(roster.renew(held, period, held.gauge, held.gauge_period))
        case "again":
            slot = native_slot(one.kind)
            slot.add(period + 0.5, 1.0)
            is_there = roster.see_again(one, slot, period)
            now = roster.of(one)
            assert is_there == (now is not None)
            return now and shown(now)
        case "remember" if held is not None:
            slot = gauge(float(period))
            return shown(roster.renew(held, held.seen, slot, period))
        case "remove" if held is not None:
            roster.remove(held)
        case "oldest":
            oldest = roster.oldest()
            return oldest and shown(oldest)
        case "clear" if period == 0:
            roster.clear()
        case _:
            pass
    return [shown(held) for held in roster.as_added()], len(roster.all())


def shown(held: Held) -> tuple[object, ...]:
    return held.series, held.seen, held.turn, held.last, held.gauge_period


@pytest.mark.native
def test_a_native_roster_lets_go_of_what_it_held() -> None:
    """Series and slots have the references they had before, whichever way they went."""
    one, two, slot = series("a", Kind.GAUGE), series("b"), gauge(1.0)
    before = [sys.getrefcount(each) for each in (one, two, slot)]
    roster = native()
    held = roster.add(one, 0, slot, 0)
    held = roster.renew(held, 60, slot, 60)
    held = roster.renew(held, 60, None, 0)
    roster.renew(roster.add(two, 0), 0, slot, 0)
    roster.remove(held)
    assert roster.get(Kind.COUNTER, "c", ()) is None
    del held
    roster.clear()
    roster.add(one, 0)
    del roster
    assert [sys.getrefcount(each) for each in (one, two, slot)] == before


@pytest.mark.native
def test_a_native_roster_says_what_it_does_not_take() -> None:
    """Series twice, what is not held, what is no series, names without a hash."""
    roster = native()
    held = roster.add(series("a"), 0)
    roster.remove(held)
    with pytest.raises(ValueError, match="not held"):
        roster.renew(held, 60, None, 0)
    with pytest.raises(ValueError, match="not held"):
        roster.remove(held)
    roster.add(series("a"), 0)
    with pytest.raises(ValueError, match="held already"):
        roster.add(series("a"), 0)
    wrong: Any
    for wrong in ((), "a", ("x", [], ())):
        with pytest.raises(TypeError):
            roster.of(wrong)
