"""What holds for any datagrams: both ways agree, nothing is lost, all is finite."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from relay.rollup.engine import Rollup, Tally
from relay.statsd.grammar import Grammar, lines
from relay.statsd.sample import Sample
from tests.rollup.naive import Naive
from tests.rollup.rig import Rig

EXACT = 4  # so few samples and members reach bins and sketches

NAMES = ["a", "b", "a b", "é", "telemetry", "unmapped", "a;k=v", "", "|a", "_sc", "\ta"]
NUMBERS = [
    "1",
    "-1",
    "+1",
    "0",
    "-0",
    "2.5",
    ".5",
    "5.",
    "1e3",
    "1e200",
    "1e308",
    "-1e308",
]
OTHERS = [
    " 7",
    "7 ",
    "x",
    "",
    ".",
    "nan",
    "1_0",
    "٣",
    "1:2",
    "1:x",
    "x:y",
    "1|c:2",
    "9" * 201,
]
FORMS = [
    *("c", "g", "ms", "h", "d", "s", "c\r", "ms ", "q", "", "s|x", "c|@0.5|x", "ms|"),
    *("c|@0.5", "ms|@0.3", "ms|@0.1", "d|@7", "g|@0.5", "s|@0.5", "c|@1e-300", "c|@0"),
    *("ms|@1e-60", "c|#k:v", "c|#k:v,k:w", "g|#b", "ms|#k:v|@0.5|c:x", "c|#k:v|x:1|c"),
    *("c|T5", "c|T59", "g|#|T61", "ms|T119|@0.5", "s|T130", "g|T125", "c|T3000", "c|Tx"),
]  # fmt: skip

spelled = st.builds(
    lambda name, value, form: f"{name}:{value}|{form}".encode(),
    st.sampled_from(NAMES),
    st.sampled_from(NUMBERS + OTHERS),
    st.sampled_from(FORMS),
)
common = st.builds(
    lambda name, value, form: f"{name}:{value}|{form}".encode(),
    st.sampled_from("abc"),
    st.integers(0, 12),
    st.sampled_from(["c", "g", "ms", "d|@0.5", "s", "ms|@0.3", "c|@0.3"]),
)
mutated = st.builds(
    lambda line, at, byte: line[:at] + bytes([byte]) + line[at:],
    spelled,
    st.integers(0, 12),
    st.integers(0, 255),
)
line = spelled | common | common | common | mutated | st.binary(max_size=12)
datagram = st.lists(line, max_size=12).map(b"\n".join)
Day = list[tuple[bytes, int]]
day: st.SearchStrategy[Day] = st.lists(
    st.tuples(datagram, st.sampled_from([0, 0, 0, 0, 60, 120])), min_size=1, max_size=12
)


def rig() -> Rig:
    return Rig(
        "python",
        percentiles=(50, 99),
        idle_ttl_seconds=120,
        exact_samples=EXACT,
        exact_members=EXACT,
    )


def live(subject: Rig | Naive, days: Day) -> Iterator[Rollup]:
    """Feed all, the hand of the clock moving on and sealing a period behind itself."""
    now = sealed = 0
    for sent, step in [(b"", 0), *days]:
        now += step
        if isinstance(subject, Rig):
            subject.engine.feed(sent, now)
        else:
            subject.feed(sent, now)
        if now - 60 > sealed:
            sealed = now - 60
            yield from subject.rollups(sealed)
    yield from subject.rollups(now + 240)


def plain(rollups: Iterator[Rollup]) -> list[tuple[int, int, list[Any]]]:
    return [
        (found.start, found.length, sorted(found.rows, key=repr)) for found in rollups
    ]


def occurred(tally: Tally) -> Mapping[Any, int]:
    parts: tuple[Mapping[Any, int], ...] = (tally.samples, tally.refused, tally.ignored)
    return {key: n for part in parts for key, n in part.items() if n}


@settings(max_examples=300)
@given(day)
@example([(b"a:1|c\na:1|c\na:2|c\na:-1|c", 0), (b"a:1|c\na:3|c", 60)])
@example([(b"b:1|ms\n" * 9, 0), (b"b:2|ms\nb:-2|ms", 60)])
def test_both_ways_come_to_the_same(days: Day) -> None:
    """Rows and counts are those of an engine that asks the grammar every time."""
    quick, slow = rig(), Naive(EXACT)
    assert plain(live(quick, days)) == plain(live(slow, days))
    tally = quick.engine.tally()
    assert occurred(tally) == slow.counts
    assert tally.lines == slow.lines


@pytest.mark.bar("H5")
@given(day)
def test_everything_that_leaves_is_finite(days: Day) -> None:
    """Base periods, long periods, and what is left at the end."""
    subject = rig()
    rollups = [*live(subject, days), *subject.engine.finish()]
    for rollup in rollups:
        for _, summary in rollup.rows:
            assert all(map(math.isfinite, numbers(summary)))


def numbers(value: object) -> Iterator[float]:
    if isinstance(value, tuple):
        for each in value:
            yield from numbers(each)
    elif isinstance(value, int | float):
        yield value


@pytest.mark.bar("L1", "H3")
@given(day, st.integers(0, 30))
def test_each_section_is_counted_once(days: Day, limit: int) -> None:
    """As many as the grammar finds, whatever becomes of them."""
    subject = Rig("python", series_limit=limit)
    list(live(subject, days))
    items = [
        item
        for sent, _ in days
        for text in lines(sent)
        for item in Grammar().parse(text)
    ]
    expected = sum(len(i.values) if isinstance(i, Sample) else 1 for i in items)
    tally = subject.engine.tally()
    assert tally.sections == expected == sum(occurred(tally).values())
    assert tally.series <= limit


@pytest.mark.bar("H3")
@given(st.binary(max_size=300), st.integers(0, 3))
def test_no_bytes_raise(sent: bytes, period: int) -> None:
    """Nor do they, cut in two, count more lines than they have."""
    subject = rig()
    subject.engine.feed(sent, period * 60)
    assert subject.engine.tally().lines == len(lines(sent))


@given(st.lists(st.lists(common, max_size=15), min_size=5, max_size=5))
@pytest.mark.parametrize("exact", [EXACT, 1024])
def test_merging_periods_is_rolling_up_at_once(
    exact: int, minutes: list[list[bytes]]
) -> None:
    """The long period of five is the base period of an engine with longer ones."""
    parts = Rig("python", idle_ttl_seconds=1, exact_samples=exact)
    whole = Rig("python", period_seconds=300, long_factor=0, exact_samples=exact)
    for minute, sent in enumerate(minutes):
        parts.feed(*sent, at=60 * minute)
        whole.feed(*sent, at=0)
        *_, merged = parts.rollups(60 * minute + 60)
    [at_once] = whole.rollups(300)
    assert (merged.start, merged.length) == (at_once.start, at_once.length) == (0, 300)
    left, right = dict(merged.rows), dict(at_once.rows)
    assert left.keys() == right.keys()
    for name, summary in left.items():
        assert list(numbers(summary)) == pytest.approx(list(numbers(right[name])))
