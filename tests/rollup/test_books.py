"""relay.rollup.books: open periods, and what becomes of them when the clock is set."""

from collections.abc import Sequence

import pytest

from relay.rollup.book import Book
from relay.rollup.books import Books
from relay.rollup.counter import CounterSlot
from relay.rollup.series import Series
from relay.statsd.sample import Kind, Reason

HOUR, DAY = 3600, 86_400


def books(*sealed: int, period: int = 60) -> Books:
    """With ``period`` open, and what was ``sealed`` before."""
    subject = Books(60, 60)
    for start in sealed:
        subject.turn(start)
        assert subject.seal(start + 60)
    subject.turn(period)
    return subject


def fill(book: Book) -> None:
    book.slots[Series(Kind.COUNTER, "a", (), "a", ())] = CounterSlot(1.0, 1.0)


def starts(sealed: Sequence[Book]) -> list[int]:
    return [book.start for book in sealed]


def test_a_name_is_given_away_once() -> None:
    """What comes again for a sealed period waits in the first that is free."""
    subject = books(0, 60, period=120)
    assert subject.turn(0) is subject.turn(120)
    assert not subject.seal(60)
    assert starts(subject.seal(180)) == [120]


def test_names_that_were_never_ours_are_free() -> None:
    """A clock that was an hour ahead at the start costs no waiting when it is put right."""
    subject = books(HOUR, period=HOUR + 60)
    assert subject.step(HOUR + 60, 60)
    assert subject.turn(60).start == 60
    assert starts(subject.seal(120)) == [60]


@pytest.mark.parametrize("by", [-HOUR, HOUR, DAY, -10 * HOUR - 120])
def test_the_open_period_goes_on_under_the_new_time(by: int) -> None:
    """The same book, so no sample is lost; its age stays."""
    subject = books(period=DAY)
    present = subject.turn(DAY)
    assert subject.step(DAY, DAY + by)
    assert subject.turn(DAY + by) is present
    assert (present.start, present.age) == (DAY + by, DAY)


def test_the_period_in_its_grace_becomes_the_one_before() -> None:
    """Two open minutes stay two."""
    subject = books(period=HOUR)
    ending, present = subject.turn(HOUR), subject.turn(HOUR + 60)
    subject.step(HOUR + 60, 120)
    assert (ending.start, present.start) == (60, 120)


def test_neighbours_keep_their_names() -> None:
    """Half a second over a boundary does not make one minute of two."""
    subject = books(period=60)
    present = subject.turn(60)
    assert not subject.step(60, 120)
    assert not subject.step(60, 0)
    assert present.start == 60


def test_what_the_new_time_opened_already_takes_in_what_was_open() -> None:
    """The set clock may be noticed after the first datagram under it, and adds up."""
    subject = books(period=HOUR)
    before, after = subject.turn(HOUR), subject.turn(60)
    subject.step(HOUR, 60)
    assert subject.turn(60) is after
    assert after.earlier == [before]
    assert after.age == HOUR


def test_age_follows_no_clock_that_is_set() -> None:
    """A minute after the step is a minute older, whichever way the step went."""
    subject = books(period=DAY)
    subject.step(DAY, DAY - HOUR)
    assert subject.turn(DAY - HOUR + 60).age == DAY + 60


def test_a_bucket_that_waits_is_not_pushed_on_by_the_next_step() -> None:
    """It takes the first free name after each of them."""
    subject = books(*range(0, HOUR, 60), period=HOUR)
    waiting = subject.turn(HOUR)
    subject.step(HOUR, 600)
    subject.step(660, 1260)
    assert subject.turn(1260) is waiting
    assert waiting.start == HOUR


def test_a_stamp_for_a_sealed_period_is_late_on_a_set_clock_too() -> None:
    """Between free names there may be one that is not."""
    subject = books(HOUR, period=HOUR + 60)
    subject.step(HOUR + 60, HOUR - 60)
    assert subject.stamped(HOUR + 30) is Reason.LATE
    assert subject.stamped(HOUR - 61) is Reason.LATE
    present = subject.stamped(HOUR - 30)
    assert isinstance(present, Book)
    assert present.start == HOUR - 60


def test_a_stop_names_nothing_ahead() -> None:
    """What waits for its name gets the latest one that is free already."""
    subject = books(*range(600, HOUR, 60), period=HOUR)
    subject.step(HOUR, 1200)
    assert starts(subject.seal_all(1260)) == [540]


def test_a_stop_takes_away_everything() -> None:
    """Periods ahead too, oldest first."""
    subject = books(period=60)
    fill(subject.turn(60))
    subject.stamped(179)
    assert starts(subject.seal_all(None)) == [60, 120]


def test_a_sealed_period_that_was_named_before_is_not_there_again() -> None:
    """Not even as an idle one."""
    subject = books(600, period=660)
    subject.step(660, 540)
    assert starts(subject.seal(600)) == [540]
    assert not subject.seal(660)


def test_a_period_that_nobody_saw_is_there_only_with_samples() -> None:
    """And it is over: what is stamped for it is late."""
    subject = books(period=0)
    assert starts(subject.seal(60)) == [0]
    stamped = subject.stamped(70)
    assert isinstance(stamped, Book)
    fill(stamped)
    assert starts(subject.seal(240, False)) == [60]
    assert subject.stamped(200) is Reason.LATE
