"""relay.rollup.closing: idle series and the long period."""

from collections.abc import Mapping

import pytest

from relay.rollup.book import Book
from relay.rollup.closing import Closer
from relay.rollup.counter import CounterSlot
from relay.rollup.engine import Rollup
from relay.rollup.gauge import GaugeSlot
from relay.rollup.series import Series
from relay.rollup.slot import SetSlot, Slot
from relay.rollup.summary import CounterSummary, GaugeSummary, SetSummary, Summary
from relay.rollup.timer import TimerSlot
from relay.rollup.unseen import MOST
from relay.statsd.sample import Kind

C, G, T, S = (
    Series(kind, kind.value, (), kind.value, ())
    for kind in (Kind.COUNTER, Kind.GAUGE, Kind.TIMER, Kind.SET)
)


def closer(
    *, idle_ttl: int = 3600, long_factor: int = 5, silent: tuple[Kind, ...] = ()
) -> Closer:
    return Closer(
        period_seconds=60,
        long_factor=long_factor,
        percentages=(50,),
        idle_ttl=idle_ttl,
        silent_kinds=silent,
    )


def slots(value: float = 1.0) -> dict[Series, Slot]:
    found: dict[Series, Slot] = {
        C: CounterSlot(),
        G: GaugeSlot(),
        T: TimerSlot(8),
        S: SetSlot(8),
    }
    for series, slot in found.items():
        assert slot.add(str(value) if series is S else value, 1.0)
    return found


def rows(rollup: Rollup) -> Mapping[Series, Summary]:
    found = dict(rollup.rows)
    assert len(found) == len(rollup.rows)
    return found


def seen_at(value: float) -> GaugeSlot:
    slot = GaugeSlot()
    assert slot.add(float(value), 1.0)
    return slot


IDLE = {
    C: CounterSummary(0.0, 0.0),
    G: GaugeSummary(1.0, 1.0, 1.0, 1.0, 0),
    S: SetSummary(0),
}


def test_idle_series_follow_the_reference() -> None:
    """A counter 0, a gauge its last value, a set 0, a timer nothing."""
    subject = closer()
    subject.close(0, slots())
    [idle] = subject.close(60, {})
    assert rows(idle) == IDLE


def test_an_hour_of_idling_is_reported() -> None:
    """Sixty idle minutes have rows, the sixty-first has none."""
    subject = closer(long_factor=0)
    subject.close(0, slots())
    counts = [len(subject.close(start, {})[0].rows) for start in range(60, 3780, 60)]
    assert counts == [3] * 60 + [0] * 2


def test_for_ever_is_for_ever() -> None:
    """An idle limit of 0 lets nothing fall silent."""
    subject = closer(idle_ttl=0, long_factor=0)
    subject.close(0, slots())
    assert len(subject.close(10**9 * 60, {})[0].rows) == 3


def test_silent_kinds_fall_silent_at_once() -> None:
    """The others go on."""
    subject = closer(silent=(Kind.COUNTER, Kind.GAUGE))
    subject.close(0, slots())
    assert list(rows(subject.close(60, {})[0])) == [S]


def test_a_series_that_comes_back_is_not_idle() -> None:
    """One row, with its values."""
    subject = closer()
    for start in (0, 60):
        subject.close(start, {} if start else slots())
    assert rows(subject.close(120, slots(3.0))[0])[C] == CounterSummary(3.0, 1.0)


def test_the_last_base_period_completes_the_long_one() -> None:
    """Five make one, aligned to the clock, with everything that was reported."""
    subject = closer()
    found = [subject.close(start, slots(start / 60)) for start in range(300, 900, 60)]
    assert [len(each) for each in found] == [1, 1, 1, 1, 2] * 2
    long = found[4][1]
    assert (long.start, long.length) == (300, 300)
    assert rows(long)[C] == CounterSummary(35.0, 5.0)
    assert rows(long)[G] == GaugeSummary(9.0, 7.0, 5.0, 9.0, 5)


def test_idle_periods_add_nothing_to_the_long_one() -> None:
    """The minimum of a gauge does not see its idle repetitions."""
    subject = closer()
    subject.close(0, slots(1.0))
    subject.close(60, {})
    subject.close(120, slots(5.0))
    subject.close(180, {})
    [_, long] = subject.close(240, {})
    assert rows(long)[G] == GaugeSummary(5.0, 3.0, 1.0, 5.0, 2)
    assert rows(long)[C] == CounterSummary(6.0, 2.0)


def test_an_idle_long_period_has_idle_rows() -> None:
    """As the base periods in it had."""
    subject = closer()
    for start in range(0, 300, 60):
        subject.close(start, slots() if start == 0 else {})
    found = [subject.close(start, {}) for start in range(300, 600, 60)]
    assert rows(found[-1][1]) == IDLE


def test_a_series_that_falls_silent_is_in_the_long_period_still() -> None:
    """It was reported idle in one of its base periods; nothing knows of it any more."""
    for how in ("is gone", "was too long idle", "is of a silent kind"):
        subject = closer(idle_ttl=60 if how == "was too long idle" else 0)
        subject.close(240, slots())
        subject.close(300, {})
        if how == "is of a silent kind":
            subject.change((50,), 0, (Kind.COUNTER, Kind.GAUGE, Kind.SET))
        for start in range(360, 540, 60):
            [base] = subject.close(
                start, {}, gone=(C, G, S) if how == "is gone" else ()
            )
            assert rows(base) == {}
        [_, long] = subject.close(540, {})
        assert rows(long) == IDLE


def test_an_idle_series_is_in_no_long_period_before_it_was_seen() -> None:
    """One that is over is reported as it was, when its successor's first period comes."""
    subject = closer()
    subject.close(0, {C: CounterSlot(1.0, 1.0)})
    long, base = subject.close(300, slots())
    assert rows(long) == {C: CounterSummary(1.0, 1.0)}
    assert len(rows(base)) == 4


def test_what_is_carried_of_a_long_period_has_its_idle_series() -> None:
    """So that a successor reports them, also where they are idle no longer."""
    subject, successor = closer(), closer(silent=(Kind.COUNTER, Kind.GAUGE, Kind.SET))
    subject.close(240, slots())
    subject.close(300, {})
    successor.restore(subject.carried())
    [long] = successor.finish()
    assert rows(long) == IDLE


def test_many_idle_series_come_back_and_go_one_by_one() -> None:
    """More than one list of them; none is told twice, none is lost."""
    many = [
        Series(Kind.GAUGE, f"n{n}", (), f"n{n}", ()) for n in range(2 * MOST + 1234)
    ]
    subject, back = closer(long_factor=0), {n * 1000 for n in range(50)}
    subject.close(0, {each: seen_at(n) for n, each in enumerate(many)})
    [some] = subject.close(60, {many[n]: seen_at(-n) for n in back})
    expected = {each: float(-n if n in back else n) for n, each in enumerate(many)}
    for rollup in (some, *subject.close(120, {})):
        last = {each: told.last for each, told in rows(rollup).items()}  # type: ignore[union-attr]  # gauges
        assert last == expected


@pytest.mark.parametrize("pages", [1, 3])
def test_slots_are_given_away(pages: int) -> None:
    """What a period held is freed with its rows, since nobody else has it any more."""
    book = Book(0)
    for at in range(pages):
        book.page(at).slots.update(slots())
    whole = book.whole()
    assert [book.page(at).slots for at in range(pages)] == [{}] * pages
    [base] = closer(long_factor=0).close(0, whole)
    assert (len(base.rows), whole) == (4, {})


def test_a_gap_is_absent() -> None:
    """A period nobody sealed has no rows; what was there makes the long one."""
    subject = closer()
    subject.close(0, slots(2.0))
    found = subject.close(300, slots(3.0))
    assert [(each.start, each.length) for each in found] == [(0, 300), (300, 60)]
    assert rows(found[0])[C] == CounterSummary(2.0, 1.0)


def test_long_periods_can_be_off() -> None:
    """A factor of 0 leaves the base periods, also at the end."""
    subject = closer(long_factor=0)
    assert all(len(subject.close(start, slots())) == 1 for start in range(0, 600, 60))
    assert subject.finish() == []


def test_finish_gives_what_there_is() -> None:
    """A stop reports the long period as far as it has come, once."""
    subject = closer()
    subject.close(0, slots(2.0))
    [long] = subject.finish()
    assert (long.start, long.length, rows(long)[C]) == (
        0,
        300,
        CounterSummary(2.0, 1.0),
    )
    assert subject.finish() == []


def test_rows_can_be_read_again_and_in_part() -> None:
    """They are a sequence, whose summaries do not change."""
    [rollup] = closer().close(0, slots())
    assert list(rollup.rows) == list(rollup.rows)
    assert rollup.rows[0] == next(iter(rollup.rows))
    assert list(rollup.rows[1:3]) == list(rollup.rows)[1:3]


def test_released_rows_are_gone_and_those_of_the_long_period_are_not() -> None:
    """Both are of the same slots; how many there are makes no difference."""
    many: dict[Series, Slot] = {
        Series(Kind.COUNTER, f"n{n}", (), f"n{n}", ()): CounterSlot(1.0, 1.0)
        for n in range(1234)
    }
    base, long = closer(long_factor=1).close(0, many)
    base.release()
    assert (len(base.rows), len(long.rows)) == (0, 1234)
    assert {summary for _, summary in long.rows} == {CounterSummary(1.0, 1.0)}


def test_other_percentiles_hold_from_the_next_period_on() -> None:
    """What was closed before keeps its own."""
    subject = closer(long_factor=0)
    [before] = subject.close(0, slots())
    subject.change((25, 75), 3600, ())
    [after] = subject.close(60, slots())
    asked = [dict(one.rows)[T].percentiles for one in (before, after)]  # type: ignore[union-attr]  # a timer's
    assert asked == [((50, 1.0),), ((25, 1.0), (75, 1.0))]


def test_a_kind_that_becomes_silent_is_so_at_once() -> None:
    """Also its series that are idle already; the others are reported still."""
    subject = closer(long_factor=0)
    subject.close(0, slots())
    subject.change((50,), 3600, (Kind.GAUGE,))
    [idle] = subject.close(60, {})
    assert set(rows(idle)) == {C, S}


def test_another_idle_limit_holds_for_what_is_idle_already() -> None:
    """Counted from when it was seen."""
    subject = closer(long_factor=0)
    subject.close(0, slots())
    subject.change((50,), 60, ())
    assert len(subject.close(60, {})[0].rows) == 3
    assert len(subject.close(120, {})[0].rows) == 0
