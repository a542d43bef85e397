"""What is remembered of answers and of values: of the right series, and of a fixed size."""

import gc
import tracemalloc
from itertools import count

from relay.cloudmonitor.datum import in_group
from relay.cloudmonitor.hybrid import compose_hybrid
from relay.cloudmonitor.packing import compose
from relay.cloudmonitor.subject import subjects, subjects_of
from relay.delivery.batch import Batch
from relay.delivery.outcome import Accepted, Outcome, Rejected, Throttled
from relay.rollup.engine import Rollup
from relay.rollup.series import Series
from relay.rollup.summary import CounterSummary, GaugeSummary
from relay.service.answered import Answers, Noting, Watched
from relay.statsd.sample import Kind


def a_series(name: str, **dimensions: str) -> Series:
    """A counter; a name may be anything."""
    pairs = tuple(sorted(dimensions.items()))
    return Series(Kind.COUNTER, name, pairs, name, pairs)


ONE, OTHER = a_series("a_b", env="prod"), a_series("a_b", env="ä & = %")
LONG_AGO = a_series("a", host="h")


def rollup(*series: Series, start: int = 60, length: int = 60) -> Rollup:
    rows = [(one, CounterSummary(3.0, 2.0)) for one in series]
    return Rollup(start, length, rows)


def batches(*series: Series) -> list[Batch]:
    return list(compose(rollup(*series)).batches)


def of(answers: Answers, series: Series) -> str | None:
    """The word of the last answer, None where there is none."""
    found = answers.of(subjects_of(series))
    return next((answer.word for answer in found.values()), None)


def test_an_item_and_its_series_have_the_same_subject() -> None:
    """Whichever put it is made for, in any group, and however it is escaped."""
    for series in (ONE, OTHER, LONG_AGO, a_series("9°.x", env="prod")):
        (entry,) = batches(series)[0].items
        (other,) = next(compose(rollup(series), group_of=in_group("77")).batches).items
        assert [*subjects([other])] == [subjects_of(series)[0]]
        made = compose_hybrid(rollup(series), namespace="n").batches
        hybrid = {one for batch in made for one in subjects(batch.items)}
        assert (*subjects([entry]), *hybrid) == subjects_of(series)


def test_an_answer_is_that_of_the_request_that_had_the_series() -> None:
    """The latest of them, and no other's."""
    answers = Answers(wall=lambda: 99.0)
    (both,), (one,) = batches(ONE, OTHER), batches(ONE)
    answers.note(both, Throttled("Throttling.User", message="slow"))
    answers.note(one, Accepted("r1"))
    assert of(answers, ONE) == "accepted"
    assert of(answers, OTHER) == "throttled"
    assert of(answers, LONG_AGO) is None
    (answer,) = answers.of(subjects_of(OTHER)).values()
    assert answer.text == "Throttling.User slow"
    assert (answer.at, answer.closed_at) == (99.0, 120)


def test_what_is_old_is_forgotten_before_the_limit_is_reached() -> None:
    """A relay has its size after minutes; with few series a part of it takes longer."""
    now = [0.0]
    answers = Answers(wall=lambda: now[0], limit=64 * 2)
    for at in range(0, 4800, 60):
        now[0] = float(at)
        answers.note(batches(a_series("a"), a_series(f"m{at}"))[0], Accepted())
    assert of(answers, a_series("m4740")) == "accepted"
    assert of(answers, a_series("m4140")) == "accepted"
    assert of(answers, a_series("m4080")) is None


def test_no_more_entries_are_remembered_than_the_limit() -> None:
    """The oldest requests go; the last stays, however large."""
    answers = Answers(wall=lambda: 0.0, limit=2)
    for series in (LONG_AGO, ONE, OTHER):
        answers.note(batches(series)[0], Accepted())
    assert [of(answers, one) for one in (LONG_AGO, ONE)] == [None, "accepted"]
    many = [a_series(f"m{n}") for n in range(5)]
    answers.note(batches(*many)[0], Accepted())
    assert of(answers, ONE) is None
    assert of(answers, many[4]) == "accepted"


def test_each_answer_has_its_own_moment() -> None:
    """Also where many are alike; the latest counts."""
    clock = count(100.0)
    answers = Answers(wall=lambda: next(clock))
    every = [a_series(f"m{n}") for n in range(9)]
    for series in (*every, *every[:5], ONE):
        answers.note(batches(series)[0], Accepted())
    found = [answers.of(subjects_of(series)) for series in every]
    assert [answer.at for each in found for answer in each.values()] == [
        *(109.0 + n for n in range(5)),
        *(100.0 + n for n in range(5, 9)),
    ]


def test_a_request_takes_little_more_than_its_numbers() -> None:
    """So that what is remembered has its full size soon, and it is a small one."""
    answers = Answers(wall=lambda: 1e9)
    made = [batches(*(a_series(f"m{n}.{k}") for n in range(20)))[0] for k in range(9)]
    answers.note(made[0], Accepted())
    tracemalloc.start()
    try:
        for number in range(1000):
            answers.note(made[number % 9]._replace(closed_at=10**9), Accepted())
        gc.collect()  # empties the lists of tuples to be used again
        grown, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert grown < 1000 * 20 * 8 * 1.3


def test_a_sink_is_what_it_was_while_it_is_noted() -> None:
    """Its outcome goes back, its keys are renewed, and the note is made."""
    noted: list[object] = []

    class Sink:
        def deliver(self, batch: Batch) -> Outcome:
            return Rejected("400")

        def refresh(self) -> None:
            noted.append("refreshed")

    sink = Noting(Sink(), lambda *what: noted.append(what))
    (batch,) = batches(ONE)
    assert sink.deliver(batch) == Rejected("400")
    sink.refresh()
    assert noted == [(batch, Rejected("400")), "refreshed"]


def test_values_are_those_of_the_period_that_was_closed_last() -> None:
    """Once somebody watches, as they are reported; nothing else changes."""
    watched = Watched()
    seen = rollup(ONE)
    assert watched.seeing(seen, 60) is seen
    watched.watch([ONE])
    assert watched.last(ONE) is None
    tapped = watched.seeing(rollup(OTHER, ONE, start=120), 60)
    assert [*tapped.rows] == [*rollup(OTHER, ONE).rows]
    assert (len(tapped.rows), tapped.rows[1]) == (2, (ONE, CounterSummary(3.0, 2.0)))
    last = watched.last(ONE)
    assert last is not None
    assert (last.start, last.length, last.values["Sum"]) == (120, 60, 3.0)
    assert watched.last(OTHER) is None


def test_long_periods_do_not_hide_short_ones() -> None:
    """Both are reported; of a length that is not asked for nothing is kept."""
    watched = Watched()
    watched.watch([ONE])
    long = rollup(ONE, length=300)
    assert watched.seeing(long, 60) is long


def test_only_so_many_are_watched() -> None:
    """Those that were looked for longest ago give way."""
    watched = Watched(limit=2)
    watched.watch([LONG_AGO, ONE])
    watched.watch([LONG_AGO])
    watched.watch([OTHER])
    gauge = GaugeSummary(1.0, 1.0, 1.0, 1.0, 1)
    rows = [(one, gauge) for one in (LONG_AGO, ONE, OTHER)]
    list(watched.seeing(Rollup(0, 60, rows), 60).rows)
    values = [watched.last(one) is not None for one in (LONG_AGO, ONE, OTHER)]
    assert values == [True, False, True]
