"""relay.rollup.slot: counters, gauges and sets within a period."""

import math
import sys

import pytest

from relay.rollup.counter import CounterSlot
from relay.rollup.gauge import GaugeSlot
from relay.rollup.slot import SetSlot
from relay.rollup.summary import (
    CounterSummary,
    GaugeSummary,
    SetSummary,
    idle_summary,
)
from relay.statsd.sample import Kind

LARGEST = sys.float_info.max


def counter(*values: float, weight: float = 1.0) -> CounterSlot:
    slot = CounterSlot()
    for value in values:
        assert slot.add(value, weight)
    return slot


def gauge(*values: float) -> GaugeSlot:
    slot = GaugeSlot()
    for value in values:
        assert slot.add(value, 1.0)
    return slot


def members(*texts: str, exact: int = 1024) -> SetSlot:
    slot = SetSlot(exact)
    for text in texts:
        assert slot.add(text, 1.0)
    return slot


def test_a_counter_scales_sum_and_count() -> None:
    """Both grow by the inverse of the rate."""
    assert counter(3.0, -1.0, weight=10.0).summary(()) == CounterSummary(20.0, 20.0)


@pytest.mark.parametrize(
    ("value", "weight"),
    [(LARGEST, 1.0), (1.0, math.inf), (0.0, math.inf), (1e300, 1e9)],
)
def test_a_counter_refuses_what_would_overflow(value: float, weight: float) -> None:
    """Refused means that nothing has changed."""
    slot = counter(LARGEST)
    assert not slot.add(value, weight)
    assert slot.summary(()) == CounterSummary(LARGEST, 1.0)


def test_merged_counters_stop_at_the_largest_double() -> None:
    """Two finite periods make a finite long one."""
    both = counter(LARGEST).merged(counter(LARGEST))
    assert both.summary(()) == CounterSummary(LARGEST, 2.0)


def test_merging_leaves_the_parts_alone() -> None:
    """A part may be reported while it is being merged."""
    parts = counter(1.0), gauge(1.0), members("a")
    counter(2.0).merged(parts[0])
    gauge(2.0).merged(parts[1])
    members("b").merged(parts[2])
    assert parts[0].summary(()).total == 1.0
    assert parts[1].summary(()).maximum == 1.0
    assert parts[2].summary(()).distinct == 1


def test_a_gauge_has_last_mean_and_extremes() -> None:
    """Of the values it took."""
    summary = gauge(4.0, -2.0, 1.0).summary(())
    assert summary == GaugeSummary(1.0, 1.0, -2.0, 4.0, 3)


def test_a_gauge_takes_every_finite_value() -> None:
    """It is set, not added to; its mean stays finite and between the extremes."""
    slot = gauge(LARGEST)
    assert slot.add(LARGEST / 2, 1.0)
    assert not slot.add(math.inf, 1.0)
    summary = slot.summary(())
    assert summary.last == LARGEST / 2
    assert LARGEST / 2 <= summary.mean <= LARGEST


def test_merged_gauges_keep_the_later_last() -> None:
    """Extremes and mean are over both."""
    both = gauge(5.0).merged(gauge(1.0, 3.0))
    assert both.summary(()) == GaugeSummary(3.0, 3.0, 1.0, 5.0, 3)


def test_merged_gauges_stay_finite() -> None:
    """The mean of two largest doubles is no infinity."""
    assert math.isfinite(gauge(LARGEST).merged(gauge(LARGEST)).summary(()).mean)


def test_an_idle_gauge_is_its_last_value() -> None:
    """In all its statistics, with a count of 0."""
    last = gauge(9.0, 4.0).last
    assert idle_summary(Kind.GAUGE, last) == GaugeSummary(4.0, 4.0, 4.0, 4.0, 0)


def test_members_are_compared_as_text() -> None:
    """``1`` and ``1.0`` are two; the same text is one."""
    assert members("1", "1.0", "1").summary(()) == SetSummary(2)


def test_long_members_are_told_apart_by_digest() -> None:
    """They cost no more than short ones."""
    slot = members("x" * 60_000, "x" * 60_001, "x" * 60_000)
    assert slot.summary(()) == SetSummary(2)
    assert sum(map(len, slot.members)) <= 128


@pytest.mark.parametrize("many", [1023, 1024])
def test_sets_are_exact_up_to_the_limit(many: int) -> None:
    """Repeats do not use it up."""
    texts = [str(number) for number in range(many)]
    assert members(*texts, *texts).summary(()) == SetSummary(many)


def test_sets_are_estimated_beyond_the_limit() -> None:
    """Within 3 %, whatever part of them has been folded in already."""
    slot = members(*map(str, range(10_700)))
    assert slot.summary(()).distinct == pytest.approx(10_700, rel=0.03)
    assert len(slot.members) <= 1024


@pytest.mark.parametrize(
    ("left", "right"), [(600, 300), (600, 900), (3000, 900), (3000, 3000)]
)
def test_merged_sets_count_the_union(left: int, right: int) -> None:
    """Exact where both are and the union is small, otherwise as one sketch would."""
    both = members(*map(str, range(left))).merged(members(*map(str, range(right))))
    once = members(*map(str, range(max(left, right))))
    assert both.summary(()) == once.summary(())
