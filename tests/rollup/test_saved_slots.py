"""Slots that are copied, or saved and read back, are what they were in every bit."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.rollup.columns import PartReader, PartWriter
from relay.rollup.counter import CounterSlot
from relay.rollup.gauge import GaugeSlot
from relay.rollup.slot import SetSlot, Slot
from relay.rollup.timer import TimerSlot

EXACT = 4

numbers = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-9, 9)
weights = st.sampled_from([1.0, 2.0, 1 / 0.3, 1e60, *map(float, range(3, 12))])
values = st.lists(st.tuples(numbers, weights), max_size=12)
Make = Callable[[], Slot]
Load = Callable[[PartReader], Slot]

NUMERIC: list[tuple[Make, Load]] = [
    (CounterSlot, CounterSlot.load),
    (GaugeSlot, GaugeSlot.load),
    (lambda: TimerSlot(EXACT), lambda part: TimerSlot.load(part, EXACT)),
]


def saved(slot: Slot) -> bytes:
    part = PartWriter()
    slot.save(part)
    return part.part()


def sets(texts: set[str], exact: int = EXACT) -> SetSlot:
    slot = SetSlot(exact)
    for text in texts:
        slot.add(text, 1.0)
    return slot


@pytest.mark.parametrize(("make", "load"), NUMERIC)
@given(before=values, after=values)
def test_the_read_back_and_the_copied_go_on_alike(
    make: Make,
    load: Load,
    before: list[tuple[float, float]],
    after: list[tuple[float, float]],
) -> None:
    """Whatever is added then, at whatever point samples go into bins."""
    slot = make()
    for value, weight in before:
        slot.add(float(value), weight)
    others = slot.copy(), load(PartReader(saved(slot)))
    for value, weight in after:
        taken = {each.add(float(value), weight) for each in (slot, *others)}
        assert len(taken) == 1
    assert {saved(each) for each in others} == {saved(slot)}


@pytest.mark.parametrize(("make", "_"), NUMERIC)
@given(before=values, after=values)
def test_a_copy_leaves_the_original_alone(
    make: Make,
    _: Load,
    before: list[tuple[float, float]],
    after: list[tuple[float, float]],
) -> None:
    """Nothing they are made of is shared."""
    slot = make()
    for value, weight in before:
        slot.add(float(value), weight)
    was, other = saved(slot), slot.copy()
    for value, weight in after:
        other.add(float(value), weight)
    assert saved(slot) == was


@given(st.sets(st.text(max_size=70)), st.sets(st.text(max_size=3)))
def test_sets_go_on_alike(before: set[str], after: set[str]) -> None:
    """As members and as sketches; the original is left alone."""
    slot = sets(before)
    was = slot.summary(())
    others = slot.copy(), SetSlot.load(PartReader(saved(slot)), EXACT)
    for text in after:
        for each in others:
            each.add(text, 1.0)
    assert slot.summary(()) == was
    whole = sets(before)
    for text in after:
        whole.add(text, 1.0)
    assert [each.summary(()) for each in others] == [whole.summary(())] * 2


@pytest.mark.parametrize("exact", [2, 8])
def test_limits_may_have_changed(exact: int) -> None:
    """What is more than a slot keeps now goes into bins, or a sketch, at once."""
    timer = TimerSlot(EXACT)
    for value in range(EXACT):
        timer.add(float(value), 1.0)
    members = sets(set("abcd"))
    loaded = TimerSlot.load(PartReader(saved(timer)), exact)
    assert (loaded.bins is not None) == (exact < EXACT)
    assert loaded.summary(()) == timer.summary(())
    read = SetSlot.load(PartReader(saved(members)), exact)
    assert (read.sketch is not None) == (exact < EXACT)
    assert read.summary(()) == members.summary(())


def test_registers_that_no_hash_has_are_refused() -> None:
    """They would be estimated as anything."""
    part = PartWriter()
    part.whole.extend((0, 1))
    part.raw += b"\xff" * 2**14
    with pytest.raises(ValueError, match="rank"):
        SetSlot.load(PartReader(part.part()), EXACT)
