"""relay.rollup.gauge: what the hot path appends to a lane counts as if taken at once."""

from hypothesis import given
from hypothesis import strategies as st

from relay.rollup.columns import PartReader
from relay.rollup.gauge import GaugeSlot
from relay.rollup.slot import GaugeBase
from tests.rollup.test_saved_slots import saved

Call = tuple[str, float]

PLAIN = st.floats(0, 1e15)  # what the hot path has: no sign, and of a size to be added
ANY = st.floats(allow_nan=False, allow_infinity=False)
CALLS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), PLAIN),
        st.tuples(st.just("add"), ANY),
        st.tuples(st.just("shift"), ANY),
    ),
    max_size=60,
)


class AtOnce(GaugeBase):
    """Five numbers, each up to date."""

    __slots__ = ("count", "last", "maximum", "minimum", "total")


def made_by(calls: list[Call]) -> tuple[GaugeSlot, AtOnce]:
    """The hot path appends and settles when due; the other one takes value by value."""
    slot, other = GaugeSlot(), AtOnce()
    for call, value in calls:
        if call == "append":
            lane = slot.lane_of(1.0)
            lane.append(value)
            if len(lane) >= lane.most:
                slot.settle()
            other.take(value)
        elif call == "add":
            assert slot.add(value, 1.0) == other.add(value, 1.0)
        else:
            assert slot.shift(value, 7.0) == other.shift(value, 7.0)
    return slot, other


@given(CALLS)
def test_values_in_a_lane_count_as_if_taken_at_once(calls: list[Call]) -> None:
    """To the last bit, in their order, among those that come in other ways."""
    slot, other = made_by(calls)
    assert slot.last == other.last
    assert not calls or slot.summary(()) == other.summary(())
    assert saved(slot) == saved(other)


@given(CALLS)
def test_to_read_a_gauge_changes_nothing(calls: list[Call]) -> None:
    """So that another thread may, while what waits in the lane goes on waiting."""
    slot, _ = made_by(calls)
    waiting = slot.lane_of(1.0).tolist()
    copy = slot.copy()
    assert saved(copy) == saved(slot)
    copy.take(1.0)
    slot.merged(copy).summary(())
    assert slot.lane_of(1.0).tolist() == waiting


@given(CALLS, CALLS)
def test_gauges_with_lanes_are_merged(calls: list[Call], later: list[Call]) -> None:
    """What waits in either lane is in it, and the later one has the last word."""
    (slot, other), (after, other_after) = made_by(calls), made_by(later)
    assert saved(slot.merged(after)) == saved(other.merged(other_after))
    slot.absorb(after)
    other.absorb(other_after)
    assert saved(slot) == saved(other)


@given(CALLS)
def test_a_gauge_that_is_read_back_is_the_same(calls: list[Call]) -> None:
    """With what waited in its lane."""
    slot, _ = made_by(calls)
    assert saved(GaugeSlot.load(PartReader(saved(slot)))) == saved(slot)


def test_a_lane_has_an_end() -> None:
    """Few values wait, so that many gauges take little memory."""
    slot, _ = made_by([("append", float(number)) for number in range(1000)])
    assert len(slot.lane_of(1.0)) < slot.lane_of(1.0).most <= 16
    assert slot.summary(()).count == 1000
