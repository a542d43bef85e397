"""Closed periods, and what was lost while each was open."""

from relay.admin.periods import KEPT_PERIODS, Periods

Sample = dict[str, float | None]


def test_what_rose_since_the_last_closing_is_put_down_to_the_period() -> None:
    """Counts since the start become counts of a period, zeros are left out."""
    periods = Periods()
    periods.begin({"lines": 100, "kernel_drops": 5, "lost.space": 1})
    sample: Sample = {"lines": 160, "kernel_drops": 7, "lost.space": 1}
    periods.close(60, 60, sample | {"refused.late": 2, "lost.parked": 3})
    periods.close(120, 60, sample | {"refused.late": 2, "lost.parked": 3})
    first, second = periods.all()
    assert first["lines"] == 60
    assert first["lost"] == {"kernel_drops": 2, "parked": 3}
    assert first["refused"] == {"late": 2}
    assert (second["start"], second["lines"]) == (120, 0)
    assert (second["lost"], second["refused"]) == ({}, {})


def test_what_the_relay_before_lost_is_marked_once() -> None:
    """At the first period, which it broke off."""
    periods = Periods(gap_seconds=9.6)
    periods.close(0, 60, {})
    periods.close(60, 60, {})
    assert [one["lost"] for one in periods.all()] == [{"gap_seconds": 10}, {}]


def test_no_more_is_kept_than_an_hour_has() -> None:
    """The oldest go."""
    periods = Periods()
    for n in range(2 * KEPT_PERIODS):
        periods.close(60 * n, 60, {"lines": n})
    kept = periods.all()
    assert len(kept) == KEPT_PERIODS
    assert kept[0]["start"] == 60 * KEPT_PERIODS


def test_drops_that_are_not_known_mark_nothing() -> None:
    """Neither when they were known before, nor when they are known again."""
    periods = Periods()
    periods.begin({"kernel_drops": 5})
    periods.close(0, 60, {"kernel_drops": None})
    periods.close(60, 60, {"kernel_drops": 5})
    assert [one["lost"] for one in periods.all()] == [{}, {}]
