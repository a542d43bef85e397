"""relay.rollup.python: what is so of this engine only, namely how it saves work."""

from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.rollup.core import MANY_NEW
from relay.rollup.gauge import GaugeSlot
from relay.rollup.python import PythonEngine
from relay.rollup.series import Series
from relay.rollup.summary import SetSummary
from relay.rollup.timer import TimerSlot
from relay.statsd.grammar import Grammar
from relay.statsd.sample import Item, Kind, Reason, Tags
from tests.rollup.rig import resolve


class Asked(Grammar):
    """Remembers the lines it was asked about."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[bytes] = []

    def parse(self, line: bytes) -> tuple[Item, ...]:
        self.lines.append(line)
        return super().parse(line)


COMMON = b"a:1|c\na:1|c\na:1|c|@0.5\ng:5|g\nt:1.5|ms|@0.5|#k:v\ns:x|s\ntelemetry:1|c"
SPELLINGS = COMMON.split(b"\n")[1:]


def test_the_grammar_is_asked_once_a_spelling() -> None:
    """Other values of the same spelling need no grammar."""
    grammar = Asked()
    engine = PythonEngine(resolve, grammar)
    engine.feed(COMMON, 0)
    engine.feed(b"g:0.25|g\nt:7|ms|@0.5|#k:v\ns:other|s\na:1|c|@0.5", 0)
    assert grammar.lines == SPELLINGS


def test_a_spelling_is_known_to_the_next_line_of_its_datagram() -> None:
    """Also the very first of a period; the grammar would see it again otherwise."""
    grammar = Asked()
    engine = PythonEngine(resolve, grammar)
    for period in (0, 60):
        engine.feed(b"g:1|g\ng:2|g\nt:1|ms\nt:2|ms\ng:3|g\nc:2|c\nc:3|c", period)
    assert grammar.lines == [b"g:1|g", b"t:1|ms", b"c:2|c"]


def test_spellings_are_known_in_the_next_period() -> None:
    """Those of series are; one that is ignored is asked about again."""
    grammar = Asked()
    engine = PythonEngine(resolve, grammar)
    for period in (0, 60, 120):
        engine.feed(COMMON, period)
        engine.seal(period + 60)
    assert grammar.lines == [*SPELLINGS, b"telemetry:1|c", b"telemetry:1|c"]


@cache
def resolve_a(kind: Kind, _name: str, tags: Tags) -> Series:
    """All names are one."""
    return Series(kind, "a", tags, "a", ())


@pytest.mark.parametrize("names", [[b"a"], [b"a", b"b"]])
def test_a_name_may_have_many_forms(names: list[bytes]) -> None:
    """The grammar is asked once about each, in two periods, and each goes where it should."""
    forms = [
        *(b"ms", b"g", b"ms|@0.5", b"h|#k:v", b"h", b"g|#k:v", b"ms|#k:v,l:w"),
        b"ms|#l:w,k:v",
    ]
    grammar = Asked()
    engine = PythonEngine(resolve_a, grammar)
    for period in (0, 60):
        for value in (1, 2, 3):
            for form in forms:
                for name in names:
                    engine.feed(b"%s:%d|%s" % (name, value, form), period)
        [book] = engine.seal(period + 60)
        base, *_ = engine.close(book)
        assert {
            (series.kind, len(series.tags)): summary.count / len(names)
            for series, summary in base.rows
            if not isinstance(summary, SetSummary)
        } == {
            (Kind.TIMER, 0): 3 + 3 * 2,
            (Kind.GAUGE, 0): 3,
            (Kind.HISTOGRAM, 1): 3,
            (Kind.HISTOGRAM, 0): 3,
            (Kind.GAUGE, 1): 3,
            (Kind.TIMER, 2): 3 + 3,
        }
    assert grammar.lines == [
        b"%s:1|%s" % (name, form) for form in forms for name in names
    ]


def test_names_of_one_series_may_end_differently() -> None:
    """The grammar is asked once about each."""
    grammar = Asked()
    engine = PythonEngine(resolve_a, grammar)
    for period in (0, 60):
        for _ in range(3):
            engine.feed(b"a:1|ms|#k:v,l:w\nb:1|ms|#l:w,k:v", period)
    assert grammar.lines == [b"a:1|ms|#k:v,l:w", b"b:1|ms|#l:w,k:v"]
    assert engine.tally().samples[Kind.TIMER] == 12


def test_a_line_that_ends_behind_its_value_is_no_sample() -> None:
    """Though a line of that name without its end is a number."""
    engine = PythonEngine(resolve, Grammar())
    engine.feed(b"a:1|g\na:2|g\na:3\na:4|\na:|g\na", 0)
    assert engine.tally().samples[Kind.GAUGE] == 2
    assert sum(engine.tally().refused.values()) == 4


def test_spellings_are_known_behind_a_snapshot() -> None:
    """Those of series; and slots are copied only as long as its parts are made."""
    grammar = Asked()
    engine = PythonEngine(resolve, grammar)
    engine.feed(COMMON, 0)
    slots = [dict(engine._book.slots)]
    for _ in range(3):
        snapshot = engine.snapshot()
        engine.feed(COMMON, 0)
        slots.append(dict(engine._book.slots))
        list(snapshot)
    list(engine.snapshot())
    engine.feed(COMMON, 0)
    slots.append(dict(engine._book.slots))
    assert grammar.lines == [*SPELLINGS, *[b"telemetry:1|c"] * 4]
    kept = [
        [after[series] is slot for series, slot in before.items()]
        for before, after in pairwise(slots)
    ]
    assert kept == [[False] * 4] * 3 + [[True] * 4]


def test_spellings_are_forgotten_in_time() -> None:
    """One that was not used for a whole period is no longer kept."""
    grammar = Asked()
    engine = PythonEngine(resolve, grammar)
    for period, line in enumerate((b"a:1|c", b"b:1|c", b"c:1|c", b"a:1|c")):
        engine.feed(line, period * 60)
    assert grammar.lines == [b"a:1|c", b"b:1|c", b"c:1|c", b"a:1|c"]


def test_what_is_left_of_spellings_goes_with_a_period() -> None:
    """It is freed where periods are closed, piece by piece."""
    engine = PythonEngine(resolve, Grammar())
    for period in (0, 60, 120):
        engine.feed(b"a%d:1|c" % period, period)
    sealed = [engine.seal(before)[0] for before in (60, 120, 180)]
    assert [sum(map(len, book.leftovers)) for book in sealed] == [0, 0, 1]
    for book in sealed:
        engine.close(book)
    assert [sum(map(len, book.leftovers)) for book in sealed] == [0, 0, 0]


def test_spellings_are_bounded() -> None:
    """However many ways there are to write one series."""
    engine = PythonEngine(resolve, Grammar(), series_limit=2000)
    engine.feed(b"\n".join(b"a:1|c|@0.%05d" % n for n in range(1, 5000)), 0)
    assert len(engine._known.learned) == 2000
    assert engine.tally().samples[Kind.COUNTER] == 4999


def test_long_lines_are_not_kept() -> None:
    """Nobody fills the memory with names."""
    grammar = Asked()
    engine = PythonEngine(resolve, grammar)
    engine.feed(b"a:1|c|#" + b"k" * 600, 0)
    engine.feed(b"a:1|c|#" + b"k" * 600, 0)
    assert len(grammar.lines) == 2


def test_a_series_that_is_refused_gets_no_name() -> None:
    """Who names series is asked only where there is room, so that nobody owns a name
    that was never reported."""
    asked: list[str] = []

    def resolve(kind: Kind, name: str, tags: Tags) -> Series:
        asked.append(name)
        return Series(kind, name, tags, name, ())

    engine = PythonEngine(resolve, Grammar(), series_limit=1)
    engine.feed(b"a:1|c\nb:1|c\nb:2|c\na:1|c", 0)
    assert asked == ["a"]
    assert engine.tally().refused[Reason.SERIES_LIMIT] == 2


def test_spellings_of_a_flood_are_learned_when_they_come_again() -> None:
    """Most never do, and each takes as much memory as a quarter of its series."""
    grammar = Asked()
    engine = PythonEngine(resolve, grammar)
    for number in range(MANY_NEW + 1):
        engine.feed(b"a%d:1|c" % number, 0)
    grammar.lines.clear()
    for _ in range(3):
        engine.feed(b"a0:1|c\na%d:1|c" % MANY_NEW, 0)
    assert grammar.lines == [b"a%d:1|c" % MANY_NEW]


LINES = [
    b"a:1|g",
    b"a:2|g|@0.5",
    b"a:+1|g",
    b"b:1|ms",
    b"b:1|ms|@0.5",
    b"b:-1|ms",
    b"b:1|h",
    b"c:1|h",
    b"c:1",
    b"c:1|h|#k:v",
    b"c:|h",
]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(LINES),
            st.sampled_from([1, 1, 15, 16, 17, 200]),
            st.sampled_from(["", "", "", "turn", "save", "begin to save", "forget"]),
        ),
        max_size=12,
    )
)
def test_a_known_lane_is_that_of_the_slot_in_the_open_period(
    sent: list[tuple[bytes, int, str]],
) -> None:
    """Otherwise what is appended to it would be lost."""
    engine, now = PythonEngine(resolve, Grammar(), exact_samples=20), 0
    for line, times, then in sent:
        for _ in range(times):
            engine.feed(line, now)
        snapshot = iter(engine.snapshot()) if "save" in then else iter(())
        if then == "save":
            list(snapshot)
        elif then == "forget":
            engine.forget(Kind.GAUGE, "a", now)
        elif then == "turn":
            now += 60
        else:
            next(snapshot, None)
        engine.feed(line, now)
        learned = engine._known.learned
        for lane in (*learned.lanes.values(), *learned.named.values()):
            slot = engine._book.slots[lane.series]
            assert isinstance(slot, GaugeSlot | TimerSlot)
            assert slot.lane_of(lane.weight) is lane
            assert len(lane) < lane.most
            assert isinstance(slot, GaugeSlot) or slot.kept() <= 20
