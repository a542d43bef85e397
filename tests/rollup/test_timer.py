"""relay.rollup.timer: weighted samples, exact first, then in bins."""

import math
import sys
from collections.abc import Iterable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from relay.rollup.summary import TimerSummary
from relay.rollup.timer import TimerSlot
from tests.rollup.test_saved_slots import saved

LARGEST = sys.float_info.max
PERCENTAGES = (50, 90, 99)


def timer(values: Iterable[float], weight: float = 1.0, exact: int = 1024) -> TimerSlot:
    slot = TimerSlot(exact)
    for value in values:
        assert slot.add(value, weight)
    return slot


def test_a_timer_is_weighted_by_the_rate() -> None:
    """One sample of 100 at a rate of 0.1 stands for ten."""
    slot = timer([100.0], weight=10.0)
    slot.add(10.0, 1.0)
    summary = slot.summary((50,))
    assert summary == TimerSummary(11.0, 1010.0, 1010 / 11, 10.0, 100.0, ((50, 100.0),))


def test_1024_samples_are_exact() -> None:
    """Percentiles are samples, not the middle of a bin."""
    summary = timer(map(float, range(1, 1025))).summary(PERCENTAGES)
    assert summary.percentiles == ((50, 512.0), (90, 922.0), (99, 1014.0))


def test_more_samples_are_within_half_a_percent() -> None:
    """Count, total and extremes stay exact."""
    summary = timer(map(float, range(1, 20_001))).summary(PERCENTAGES)
    assert summary[:5] == (20_000.0, 200_010_000.0, 10_000.5, 1.0, 20_000.0)
    assert dict(summary.percentiles) == pytest.approx(
        {50: 10_000, 90: 18_000, 99: 19_800}, rel=0.005
    )


def test_bins_never_answer_beyond_the_extremes() -> None:
    """The middle of a bin may be; the answer is not."""
    summary = timer([7.001] * 2000).summary((1, 99))
    assert summary.percentiles == ((1, 7.001), (99, 7.001))


def test_many_rates_cost_no_more_than_one() -> None:
    """Samples of the ninth rate and later ones count like all others."""
    slot = TimerSlot(100)
    for number in range(1, 90):
        slot.add(float(number), float(number))
    summary = slot.summary((50,))
    assert summary.count == 4005.0
    assert summary.percentiles == ((50, 63.0),)
    assert len(slot.lanes) <= 8


@pytest.mark.parametrize(
    ("value", "weight"),
    [(LARGEST, 1.0), (1.0, math.inf), (1e300, 1e30), (LARGEST, 0.5)],
)
def test_a_timer_refuses_what_would_overflow(value: float, weight: float) -> None:
    """Refused means that nothing has changed."""
    slot = timer([LARGEST])
    before = slot.summary(PERCENTAGES)
    assert not slot.add(value, weight)
    assert slot.summary(PERCENTAGES) == before


def test_huge_values_may_cancel() -> None:
    """Only the running sum has to be finite."""
    slot = timer([LARGEST, -LARGEST, LARGEST, 5.0])
    assert slot.summary((50,)).total == LARGEST
    assert slot.summary((50,)).percentiles == ((50, 5.0),)


@pytest.mark.parametrize("many", [10, 600, 1000, 5000])
@pytest.mark.parametrize("weight", [1.0, 4.0])
def test_merging_is_accumulating_at_once(many: int, weight: float) -> None:
    """Exact parts that fit stay exact; others are what one slot would be."""
    left = [float(number % 977) for number in range(many)]
    right = [float(number % 91) for number in range(many // 2)]
    both = timer(left).merged(timer(right, weight))
    once = timer(left)
    for value in right:
        once.add(value, weight)
    assert both.summary(PERCENTAGES) == once.summary(PERCENTAGES)


def test_merging_leaves_the_parts_alone() -> None:
    """A part may be reported while it is being merged."""
    part = timer(map(float, range(1000)))
    before = part.summary(PERCENTAGES)
    part.merged(part).merged(part)
    assert part.summary(PERCENTAGES) == before


def test_merged_timers_stay_finite() -> None:
    """Sums stop at the largest double."""
    both = timer([LARGEST], exact=1).merged(timer([LARGEST], exact=1))
    summary = both.summary((50,))
    assert (summary.total, summary.mean) == (LARGEST, LARGEST)
    assert math.isfinite(summary.percentiles[0][1])


def test_a_folded_timer_keeps_its_lanes() -> None:
    """Whoever holds a lane may go on appending to it."""
    slot = TimerSlot(2)
    lane = slot.lane(1.0)
    for value in (1.0, 2.0, 3.0):
        slot.add(value, 1.0)
    assert slot.lane(1.0) is lane
    assert lane is not None
    assert not len(lane)


APPENDED = st.lists(
    st.tuples(st.floats(0, 1e6), st.sampled_from([1.0, 2.0, 4.0, 10.0])), max_size=80
)


@settings(max_examples=500)
@given(APPENDED, st.integers(0, 20))
@example([(0.0, 1.0), (0.0, 1.0), (0.0, 1.0), (0.0, 2.0)], 3)
def test_a_slot_that_is_settled_when_due_is_up_to_date(
    samples: list[tuple[float, float]], exact: int
) -> None:
    """Whatever lanes samples are appended to, all go into bins at the one without room."""
    appended, added = TimerSlot(exact), TimerSlot(exact)
    for value, weight in samples:
        lane = appended.lane_of(weight)
        assert lane is not None
        lane.append(value)
        if len(lane) >= lane.most:
            appended.settle()
        added.add(value, weight)
        assert appended.kept() == added.kept() < max(exact, 1) + 1
        assert saved(appended) == saved(added)


def test_memory_is_bounded() -> None:
    """A million samples leave bins and at most one fold's worth of samples."""
    slot = timer(float(number % 50_000) for number in range(100_000))
    assert slot.bins is not None
    assert slot.kept() <= 1024
