"""The contract of every engine: what it makes of datagrams and periods."""

import statistics
from collections.abc import Callable

import pytest

from relay.rollup.engine import Engine, Rollup
from relay.rollup.engines import open_engine
from relay.rollup.series import Series
from relay.rollup.summary import (
    CounterSummary,
    GaugeSummary,
    SetSummary,
    TimerSummary,
)
from relay.statsd.grammar import Grammar
from relay.statsd.sample import Ignored, Kind, Reason, Refusal, Sample, Tags, What
from tests.rollup.rig import Rig, resolve

MakeRig = Callable[..., Rig]


def gauge(value: float, count: int = 1) -> GaugeSummary:
    return GaugeSummary(value, value, value, value, count)


# Kinds


def test_a_counter_is_scaled(rig: Rig) -> None:
    """Sum and count grow by the inverse of the rate, decrements too."""
    rig.feed("a:3|c|@0.5", "a:-1|c", "a:1|c", "a:1|c", "a:1|c|@0.1")
    assert rig.base(60) == {"a": CounterSummary(17.0, 15.0)}


def test_a_timer_has_percentiles(rig: Rig) -> None:
    """Of the three kinds that are timers."""
    rig.feed("t:1:2|ms", "t:3|ms", "h:7|h|@0.5", "d:-7|d")
    ranks = (50, 75, 90, 95, 98, 99)
    rows = rig.base(60)
    three = tuple(zip(ranks, (2.0, 2.0, 3.0, 3.0, 3.0, 3.0), strict=True))
    assert rows["t"] == TimerSummary(3.0, 6.0, 2.0, 1.0, 3.0, three)
    assert rows["h"] == TimerSummary(
        2.0, 14.0, 7.0, 7.0, 7.0, tuple((r, 7.0) for r in ranks)
    )
    assert rows["d"] == TimerSummary(
        1.0, -7.0, -7.0, -7.0, -7.0, tuple((r, -7.0) for r in ranks)
    )


def test_percentiles_are_sorted_and_chosen(make_rig: MakeRig) -> None:
    """Each once, ascending, whatever order they were asked for in."""
    rig = make_rig(percentiles=(99, 50, 99))
    rig.feed("t:5|ms")
    [(_, summary)] = rig.rollups(60)[0].rows
    assert isinstance(summary, TimerSummary)
    assert summary.percentiles == ((50, 5.0), (99, 5.0))


def test_a_set_counts_members(rig: Rig) -> None:
    """Compared as text after replacement; nothing is the member 0; colons belong to it."""
    rig.feed("s:x|s", "s:x|s", "s:0|s", "s:|s", "s:x:y|s", b"s:\xff|s", b"s:\xfe|s")
    rig.feed("s:\N{REPLACEMENT CHARACTER}|s", "s:x|s|@0.5")
    assert rig.base(60) == {"s": SetSummary(4)}


def test_a_colon_in_a_member_may_change_the_language(rig: Rig) -> None:
    """It makes the line DogStatsD's, where the last rate counts and not the first."""
    rig.feed("s:x|s|@0.5|@x", "s:x:y|s|@0.5|@x")
    assert rig.refused() == {Reason.BAD_RATE: 1}


def test_kinds_of_one_name_are_series_of_their_own(rig: Rig) -> None:
    """So are other tags; another order of the same tags is not."""
    rig.feed("a:1|c", "a:1|c|#x:1,y:2", "a:1|c|#y:2,x:1", "a;x=1;y=2:1|c", "a:5|g")
    found = [(series.kind, summary) for series, summary in rig.rollups(60)[0].rows]
    assert found == [
        (Kind.COUNTER, CounterSummary(1.0, 1.0)),
        (Kind.COUNTER, CounterSummary(3.0, 3.0)),
        (Kind.GAUGE, gauge(5.0)),
    ]


# Gauges that change


def test_a_delta_changes_what_the_gauge_is(rig: Rig) -> None:
    """On an unknown gauge it adds to zero."""
    rig.feed("g:+5|g", "g:-2|g", "g:10|g", "g:+1|g")
    assert rig.base(60) == {"g": GaugeSummary(11.0, 7.25, 3.0, 11.0, 4)}


def test_memory_survives_periods(rig: Rig) -> None:
    """Also those in which the gauge was idle."""
    rig.feed("g:10|g")
    rig.rollups(60)
    rig.feed("a:1|c", at=60)
    rig.rollups(120)
    rig.feed("g:+1|g", at=120)
    assert rig.base(180)["g"] == gauge(11.0)


def test_memory_survives_silence(make_rig: MakeRig) -> None:
    """A gauge that has fallen silent is still what it was."""
    rig = make_rig(idle_ttl_seconds=60)
    rig.feed("g:10|g")
    for before in range(60, 600, 60):
        rig.rollups(before)
    rig.feed("g:+1|g", at=540)
    assert rig.base(600) == {"g": gauge(11.0)}


def test_the_next_period_may_begin_before_the_last_is_sealed(rig: Rig) -> None:
    """A delta in the new one goes on from what the old one left."""
    rig.feed("g:10|g")
    rig.feed("g:+1|g", at=60)
    assert rig.base(60) == {"g": gauge(10.0)}
    assert rig.base(120) == {"g": gauge(11.0)}


def test_a_late_write_does_not_move_the_memory_back(rig: Rig) -> None:
    """A stamp of the older open period changes that period only."""
    rig.feed("g:10|g", at=0)
    rig.feed("g:20|g", at=60)
    rig.feed("g:3|g|#|T59", at=60)
    rig.feed("g:+1|g", at=60)
    assert rig.base(60)["g"] == GaugeSummary(3.0, 6.5, 3.0, 10.0, 2)
    rig.rollups(120)
    rig.feed("g:+1|g", at=120)
    assert rig.base(180)["g"] == gauge(22.0)


def test_a_gauge_of_two_spellings_is_what_came_last(rig: Rig) -> None:
    """In a later period too, where both are known: a delta goes on from there."""
    for at in (0, 60):
        rig.feed("a:7|g", "a:8|g|@0.5", at=at)
    rig.feed("a:+1|g", at=120)
    assert rig.base(180) == {"a": gauge(9.0)}


def test_a_rate_comes_again_when_others_have_taken_all_places(rig: Rig) -> None:
    """A timer keeps samples of eight rates apart; those of a ninth are taken too, also
    where its spelling is known."""
    rig.feed("t:5|ms|@0.09")
    rig.rollups(60)
    rig.feed(*(f"t:5|ms|@0.0{digit}" for digit in range(1, 9)), at=60)
    rig.feed("t:5|ms|@0.09", "t:5|ms|@0.09", at=60)
    summary = rig.base(120)["t"]
    assert isinstance(summary, TimerSummary)
    assert summary.count == pytest.approx(sum(100 / n for n in [*range(1, 10), 9]))


@pytest.mark.parametrize("exact_samples", [1, 2])
def test_later_periods_keep_as_many_samples_as_the_first(
    make_rig: MakeRig, exact_samples: int
) -> None:
    """Exactly as many, by known spellings too; the next one sends all into bins."""
    rig = make_rig(exact_samples=exact_samples, percentiles=(50, 99))
    lines = ["t:1.237|ms", "t:3.331|ms|@0.5", "t:7.77|ms|@0.25"][: exact_samples + 1]
    found = []
    for at in (0, 60, 120):
        rig.feed(*lines, at=at)
        found.append(rig.base(at + 60)["t"])
    assert found == [found[0]] * 3


def test_a_late_delta_goes_on_from_its_own_period(rig: Rig) -> None:
    """It adds to what the gauge was there, not to what it is now."""
    rig.feed("g:10|g", at=0)
    rig.feed("g:20|g", at=60)
    rig.feed("g:+1|g|#|T59", at=60)
    assert rig.base(60)["g"] == GaugeSummary(11.0, 10.5, 10.0, 11.0, 2)
    assert rig.base(120)["g"] == gauge(20.0)


# Periods


def test_a_period_ends_with_its_seal(rig: Rig) -> None:
    """What comes in the next one is in the next one, and idle series go on."""
    rig.feed("a:1|c", "b:1|c")
    assert set(rig.base(60)) == {"a", "b"}
    rig.feed("a:5|c", at=60)
    assert rig.base(120) == {
        "a": CounterSummary(5.0, 1.0),
        "b": CounterSummary(0.0, 0.0),
    }


def test_an_empty_period_is_sealed_too(rig: Rig) -> None:
    """The one that ends at the boundary; so idle series are reported."""
    rig.feed("g:5|g")
    rig.rollups(60)
    assert rig.base(120) == {"g": gauge(5.0, count=0)}


def test_a_gap_is_absent_not_zero(rig: Rig) -> None:
    """Of the periods a stopped process slept through only the last is there."""
    rig.feed("a:1|c")
    assert [(r.start, r.length) for r in rig.rollups(240)] == [(0, 60), (180, 60)]


def test_a_boundary_is_sealed_once(rig: Rig) -> None:
    """Asking again, or for an earlier one, gives nothing."""
    rig.feed("a:1|c", at=60)
    assert len(rig.engine.seal(120)) == 1
    assert rig.engine.seal(120) == rig.engine.seal(60) == ()


def test_what_comes_for_a_sealed_period_goes_to_the_oldest_open_one(rig: Rig) -> None:
    """A caller that breaks its promise loses nothing."""
    rig.feed("a:1|c")
    rig.rollups(60)
    rig.feed("a:7|c", at=0)
    assert rig.base(120) == {"a": CounterSummary(7.0, 1.0)}


def test_a_long_period_is_made_of_its_base_periods(rig: Rig) -> None:
    """Percentiles are merged from samples, not averaged."""
    for minute in range(5):
        rig.feed(
            *[f"t:{value}|ms" for value in range(minute * 10, minute * 10 + 10)],
            at=minute * 60,
        )
        found = rig.rollups(minute * 60 + 60)
    row = rig.rows(found, 0, 300)["t"]
    assert isinstance(row, TimerSummary)
    assert (row.count, row.percentiles[0]) == (50.0, (50, 24.0))


def test_rollups_keep_their_rows_while_later_periods_are_closed(rig: Rig) -> None:
    """Each has those of its own period, whenever they are looked at."""
    kept: list[Rollup] = []
    for minute in range(10):
        some = [f"c:{minute}|c", f"g:{minute}|g", f"t:{minute}|ms", f"s:{minute}|s"]
        rig.feed(*some, at=minute * 60)
        kept += rig.rollups(minute * 60 + 60)
    assert len(kept) == 12
    for rollup in kept:
        minutes = range(rollup.start // 60, (rollup.start + rollup.length) // 60)
        rows = dict(rig.rows([rollup], rollup.start, rollup.length))
        timer = rows.pop("t")
        assert isinstance(timer, TimerSummary)
        assert (timer.count, timer.total) == (len(minutes), sum(minutes))
        assert rows == {
            "c": CounterSummary(sum(minutes), len(minutes)),
            "g": GaugeSummary(
                *(minutes[-1], statistics.mean(minutes), minutes[0], minutes[-1]),
                len(minutes),
            ),
            "s": SetSummary(len(minutes)),
        }


def test_a_stop_reports_the_long_period_so_far(rig: Rig) -> None:
    """Once."""
    rig.feed("a:4|c")
    rig.rollups(60)
    assert rig.rows(rig.engine.finish(), 0, 300) == {"a": CounterSummary(4.0, 1.0)}
    assert list(rig.engine.finish()) == []


def test_lengths_are_arguments(make_rig: MakeRig) -> None:
    """Trials use periods of two seconds; the long one may have any number of them."""
    rig = make_rig(period_seconds=2, long_factor=3)
    for start in (6, 8, 10):
        rig.feed("a:1|c", at=start)
        found = rig.rollups(start + 2)
    assert [(one.start, one.length) for one in found] == [(10, 2), (6, 6)]


def test_what_another_engine_sealed_is_refused(rig: Rig) -> None:
    """It is a mistake of the program, so it is an exception."""

    class Foreign:
        start = 0

    with pytest.raises(TypeError, match="not sealed by this engine"):
        rig.engine.close(Foreign())


# Time stamps


def test_a_stamp_names_the_period_until_its_seal(rig: Rig) -> None:
    """The one that has just ended is honoured; once it is sealed it is late."""
    rig.feed("a:1|c", at=0)
    rig.feed("a:2|c|T59", at=60)
    assert rig.base(60) == {"a": CounterSummary(3.0, 2.0)}
    rig.feed("a:4|c|T59", at=60)
    assert rig.refused() == {Reason.LATE: 1}


def test_the_first_second_of_an_open_period_is_not_late(rig: Rig) -> None:
    """A seal ends what is before its boundary only."""
    rig.feed("a:1|c", at=0)
    rig.rollups(60)
    rig.feed("a:2|c|T60", at=60)
    assert rig.base(120) == {"a": CounterSummary(2.0, 1.0)}


def test_a_stamp_from_before_the_start_is_late(rig: Rig) -> None:
    """Somebody else has reported that period."""
    rig.feed("a:1|c|T59", at=60)
    assert rig.refused() == {Reason.LATE: 1}


@pytest.mark.parametrize(("stamp", "taken"), [(60, 1), (119, 1), (120, 1), (121, 0)])
def test_a_stamp_may_lie_a_minute_ahead(rig: Rig, stamp: int, taken: int) -> None:
    """Sixty seconds after the end of the open period, and no more."""
    rig.feed("", at=0)
    rig.feed(f"a:1|c|T{stamp}", at=0)
    assert rig.engine.tally().samples[Kind.COUNTER] == taken
    assert rig.refused() == ({} if taken else {Reason.FUTURE: 1})


def test_the_future_waits_for_its_period(rig: Rig) -> None:
    """It is reported with the period it names."""
    rig.feed("", at=0)
    rig.feed("a:1|c|T61", at=0)
    assert rig.base(60) == {}
    assert rig.base(120) == {"a": CounterSummary(1.0, 1.0)}


# Limits


def test_a_line_is_no_shorter_for_being_known(rig: Rig) -> None:
    """Thousands of zeros in the place of a value, behind a spelling that was learned."""
    long = "0" * 9000
    rig.feed("a:1|c", "a:2|c", "g:1|g", "t:1|ms")
    rig.feed(f"a:{long}2|c", f"g:{long}2|g", f"t:{long}2|ms", "a:2|c" + " " * 9000)
    assert rig.refused() == {Reason.TOO_LONG: 3}
    assert rig.base(60)["a"] == CounterSummary(5.0, 3.0)


def test_a_new_series_beyond_the_limit_is_refused(make_rig: MakeRig) -> None:
    """The known ones keep working."""
    rig = make_rig(series_limit=2)
    rig.feed("a:1|c", "b:1|c", "c:1|c", "c:1:1|c", "a:1|c")
    assert rig.refused() == {Reason.SERIES_LIMIT: 3}
    assert rig.engine.tally().series == 2
    assert rig.base(60)["a"] == CounterSummary(2.0, 2.0)


def test_a_known_series_survives_a_flood(make_rig: MakeRig) -> None:
    """Also when it was idle in the meantime."""
    rig = make_rig(series_limit=10)
    rig.feed("a:1|c", "g:5|g")
    rig.rollups(60)
    for start in range(60, 660, 60):
        rig.feed(*[f"flood.{start}.{number}:1|c" for number in range(100)], at=start)
        rig.rollups(start + 60)
    rig.feed("a:1|c", "g:+1|g", at=660)
    rows = rig.base(720)
    assert (rows["a"], rows["g"]) == (CounterSummary(1.0, 1.0), gauge(6.0))
    # Eight places change hands in each span of 300 s, and one in each other period.
    taken = 3 * 8 + 7
    assert rig.refused() == {Reason.SERIES_LIMIT: 1000 - taken}


def test_a_silent_series_gives_way(make_rig: MakeRig) -> None:
    """Once nothing is reported of it any more."""
    rig = make_rig(series_limit=1, idle_ttl_seconds=60)
    rig.feed("a:1|c")
    rig.rollups(120)
    rig.feed("b:1|c", at=120)
    assert rig.engine.tally().series == 1
    assert rig.base(180) == {"b": CounterSummary(1.0, 1.0)}


def test_one_that_gave_way_may_come_back(make_rig: MakeRig) -> None:
    """It is as good as any new one, also where its spelling is remembered."""
    rig = make_rig(series_limit=1, idle_ttl_seconds=1)
    rig.feed("a:1|c", "t:1|c")
    rig.rollups(60)
    rig.feed("t:1|c", "a:1|c", at=60)
    assert rig.base(120) == {"t": CounterSummary(1.0, 1.0)}
    assert rig.refused() == {Reason.SERIES_LIMIT: 2}


def test_more_spellings_than_are_remembered_are_taken_all_the_same(
    make_rig: MakeRig,
) -> None:
    """Beyond the bound a line takes longer and counts the same."""
    rig = make_rig(series_limit=1)
    texts = [f"a:1|c|@0.{number}" for number in range(1000, 3000)]
    rig.feed(*texts)
    rig.feed(*texts)
    assert rig.engine.tally().samples[Kind.COUNTER] == 4000


# What is refused, ignored and counted


@pytest.mark.parametrize(
    "lines",
    [
        ("a:1e308|c", "a:1e308|c"),
        ("a:1e308|g", "a:+1e308|g"),
        ("a:1e308|ms", "a:1e308|ms"),
        ("a:1e300|d", "a:1e300|d|@1e-9"),
        ("a:1|c", "a:0|c|@1e-320"),
        ("a:1|ms|@1e-308", "a:1|ms|@1e-308"),
    ],
)
def test_leaving_the_finite_numbers_is_refused(
    rig: Rig, lines: tuple[str, ...]
) -> None:
    """The last one of these that came by the same way, and nothing else."""
    rig.engine.feed("\n".join(lines).encode(), 0)
    assert rig.refused() == {Reason.OVERFLOW: 1}
    assert sum(rig.engine.tally().samples.values()) == len(lines) - 1


def test_a_series_without_a_sample_is_not_reported(rig: Rig) -> None:
    """If its only sample was refused there is nothing to say of it."""
    rig.feed("a:1|c|@1e-320", "g:1e308|g|@0.5", "t:1e308|ms|@0.5")
    assert list(rig.base(60)) == ["g"]


def test_packed_values_are_judged_one_by_one(rig: Rig) -> None:
    """The good ones count; each is a section."""
    rig.feed("a:1e308:1e308:1e308:-1e308|c", "b:1:x:2|ms")
    tally = rig.engine.tally()
    assert rig.refused() == {Reason.OVERFLOW: 2, Reason.BAD_VALUE: 1}
    assert (tally.lines, tally.sections) == (2, 7)
    assert rig.base(60)["a"] == CounterSummary(0.0, 2.0)


def test_what_nobody_wants_is_ignored(rig: Rig) -> None:
    """Clients' own telemetry, each time it comes; nonsense in it is still refused."""
    rig.feed(
        *["telemetry:1|c"] * 3, "telemetry:x|c", "telemetry:1:2|ms", "telemetry:u|s"
    )
    rig.feed("_e{1,1}:a|b", "_sc|a|0")
    assert {what: n for what, n in rig.engine.tally().ignored.items() if n} == {
        What.CLIENT_TELEMETRY: 6,
        What.EVENT: 1,
        What.SERVICE_CHECK: 1,
    }
    assert rig.refused() == {Reason.BAD_VALUE: 1}
    assert rig.base(60) == {}


def test_what_has_no_name_at_the_sink_is_refused(rig: Rig) -> None:
    """For the reason that resolve gives, each time."""
    rig.feed("unmapped:1|c", "unmapped:1|c")
    assert rig.refused() == {Reason.EMPTY_NAME: 2}


def test_empty_lines_are_not_counted(rig: Rig) -> None:
    """Neither are blanks and a lone CR."""
    rig.feed("", " ", "\r", "a:1|c\r", "", "a:1|c  ", "")
    assert rig.engine.tally().lines == 2
    assert rig.base(60) == {"a": CounterSummary(2.0, 2.0)}


def test_every_kind_and_reason_is_in_the_tally(rig: Rig) -> None:
    """Also those that never occurred."""
    tally = rig.engine.tally()
    assert set(tally.samples) == set(Kind)
    assert set(tally.refused) == set(Reason)
    assert set(tally.ignored) == set(What)


def test_tags_that_come_twice_are_counted(rig: Rig) -> None:
    """Once a line, however many sections it has, and every time it comes."""
    rig.feed("a:1|c|#k:1,k:2", "a:1|c|#k:1,k:2", "a:1|c:2|ms|#k:1,k:2,k:3")
    assert rig.engine.tally().duplicate_tags == 4
    assert rig.rows(rig.rollups(60), 0, 60)["a;k=2"] == CounterSummary(2.0, 2.0)


def test_the_last_refusals_are_kept(rig: Rig) -> None:
    """Fifty of them, newest last, each at most 200 characters."""
    for number in range(60):
        rig.feed(f"a{number}:x|c" + "é" * 500)
    latest = rig.engine.last_refusals()
    assert [refusal.text.partition(":")[0] for refusal in latest] == [
        f"a{number}" for number in range(10, 60)
    ]
    assert {len(refusal.text) for refusal in latest} == {200}
    rig.rollups(60)
    rig.feed("b:1|c|T59", at=60)
    assert rig.engine.last_refusals()[-1] == Refusal("b:1|c|T59", Reason.LATE)


def test_explain_changes_nothing(rig: Rig) -> None:
    """It is the grammar alone, item by item, without a series."""
    items = rig.engine.explain(b"a:1|c\n\nunmapped:x|c\n_sc|a|0")
    assert [type(item) for item in items] == [Sample, Refusal, Ignored]
    assert rig.engine.tally().lines == 0


def test_resolve_is_asked_once_a_series() -> None:
    """Neither the second sample nor the second period asks again."""
    asked: list[str] = []

    def listen(kind: Kind, name: str, tags: Tags, /) -> Series | Reason | What:
        asked.append(name)
        return resolve(kind, name, ())

    engine = open_engine("python", listen, Grammar())
    for at in (0, 60):
        engine.feed(b"a:1|c\na:2|c\nunmapped:1|c\ntelemetry:1|c", at)
    assert asked == ["a", "unmapped", "telemetry"]


def test_the_engine_has_a_name(rig: Rig) -> None:
    """It is on the status page and in the metrics."""
    assert rig.engine.name in ("python", "native")


NONSENSE = [
    "nan", "inf", "-inf", "1e400", "-1e400", "1_000", "٣", "0x10", "+-1", "--1", "",
    " ", ".", "+", "1,5", "e5", "1e", "1.2.3", "1\x0b", "\xa01", "1\x00",
    "9" * 400,
]  # fmt: skip
SENSE = [
    "-0",
    "+1",
    ".5",
    "5.",
    "1e3",
    "1E-3",
    " 7 ",
    "\t7",
    "000123",
    "9" * 300,
    "-.5",
]


@pytest.mark.bar("H5")
@pytest.mark.parametrize("value", NONSENSE)
def test_no_nonsense_is_a_number(rig: Rig, value: str) -> None:
    """Neither at first sight nor where the spelling is known."""
    forms = ("c", "g", "h", "d", "ms")
    rig.feed(*[f"a:{value}|{form}" for form in forms])
    rig.feed(*[f"b:1|{form}" for form in forms])
    rig.feed(*[f"b:{value}|{form}" for form in forms])
    rig.feed(*[f"b:{value}|{form}" for form in forms], at=60)
    assert rig.refused() == {Reason.BAD_VALUE: 15}


@pytest.mark.parametrize("value", SENSE)
def test_numbers_are_numbers_in_every_way(rig: Rig, value: str) -> None:
    """First sight, known spelling and the next period agree."""
    forms = ("c", "g", "h", "d")
    rig.feed(*[f"a:{value}|{form}" for form in forms])
    rig.feed(*[f"b:1|{form}" for form in forms])
    rig.feed(*[f"b:{value}|{form}" for form in forms])
    rig.feed(*[f"b:{value}|{form}" for form in forms], at=60)
    assert sum(rig.engine.tally().samples.values()) == 16
    assert rig.refused() == {}


def test_the_protocol_is_kept(rig: Rig) -> None:
    """The rig's engine is an Engine to the type checker, and a new one counts nothing."""
    engine: Engine = rig.engine
    assert engine.tally().sections == 0
