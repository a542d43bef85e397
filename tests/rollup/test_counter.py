"""Counters of the engine in Python: lines that are only counted add up to the last bit."""

from collections.abc import Sequence

from hypothesis import example, given, settings
from hypothesis import strategies as st

from relay.rollup.counter import CounterSlot, Step, Steps
from relay.rollup.python import PythonEngine
from relay.rollup.series import Series
from relay.statsd.grammar import Grammar
from relay.statsd.sample import Kind
from tests.rollup.rig import resolve

SERIES = Series(Kind.COUNTER, "a", (), "a", ())
LINES = st.sampled_from(
    [
        b"a:1|c",
        b"a:-1|c",
        b"a:1|c|@0.1",
        b"a:1|c|@0.3",
        b"a:7|c",
        b"a:0.1|c",
        b"a:0.5|c",
        b"a:2.0|c",
        b"a:3|c|@0.7",
        b"a:4503599627370497|c",
        b"a:1e16|c",
        b"a:-0.3|c",
        b"a:0|c|@0.6",
        b"a:0|c|@4.440892098500624e-16",
        b"a:1|c|@4.440892098500624e-16",
    ]
)


def sums(lines: Sequence[bytes]) -> tuple[float, float]:
    """One after the other, as the reference adds them."""
    total = count = 0.0
    for line in lines:
        value, _, rest = line.partition(b":")[2].partition(b"|")
        weight = 1 / float(rest.partition(b"@")[2] or 1)
        total += float(value) * weight
        count += weight
    return total, count


@given(
    st.sets(LINES, min_size=1, max_size=3).flatmap(
        lambda few: st.lists(st.sampled_from(sorted(few)), max_size=40)
    )
)
@settings(max_examples=500)
@example([b"a:1|c|@0.3"] * 3 + [b"a:1|c", b"a:1|c", b"a:1|c|@0.3", b"a:1|c"] * 3)
@example([b"a:1|c|@4.440892098500624e-16"] * 40)
@example([b"a:1|c", *[b"a:0|c|@4.440892098500626e-16", b"a:1|c"] * 30])
@example([b"a:0|c|@0.6", *[b"a:1|c"] * 40])
@example([b"a:-1|c|@0.3"] * 40)
@example([b"a:-1|c|@0.7"] * 60)
@example([b"a:-1|c|@0.9"] * 60)
@example(
    [b"a:1|c", b"a:7|c", *[b"a:1|c", b"a:1|c", b"a:4503599627370497|c", b"a:1|c"] * 3]
)
@example([b"a:1|c", b"a:7|c", *[b"a:1|c", b"a:0.1|c"] * 20])
def test_an_engine_adds_up_as_if_one_by_one(lines: Sequence[bytes]) -> None:
    """Whatever lines come in whatever order, whole or not, large or small; and again in
    the next period, when their spellings are known."""
    engine = PythonEngine(resolve, Grammar(), long_factor=0)
    for period in (0, 60, 120):
        for line in lines:
            engine.feed(line, period)
        rows = [
            tuple(summary)
            for sealed in engine.seal(period + 60)
            for rollup in engine.close(sealed)
            for _, summary in rollup.rows
        ]
        assert rows == [sums(lines)] * bool(lines)
    assert engine.tally().samples[Kind.COUNTER] == 3 * len(lines)


def learned(slot: CounterSlot, line: bytes, home: Steps) -> Step:
    """The step of a line that the slot takes."""
    assert slot.learn(line, home, 1.0, 1.0, SERIES)
    return home[line]


def test_a_line_is_counted_before_it_is_added() -> None:
    """To look at the sums changes nothing, so that it goes on being counted."""
    slot, home = CounterSlot(5.0, 2.0), Steps()
    step = learned(slot, b"a:1|c", home)
    step.came += 3
    assert (slot.total, slot.count) == (8.0, 5.0)
    step.came += 1
    assert (slot.total, slot.count, step.came) == (9.0, 6.0, 4)


def test_a_fraction_has_the_lines_added_up_and_forgotten() -> None:
    """From then on the order of additions shows in the last bit."""
    slot, home = CounterSlot(), Steps()
    learned(slot, b"a:1|c", home).came += 3
    assert slot.add(7, 1.0)
    assert home
    assert slot.add(0.1, 1.0)
    assert (home, slot.steps, slot.total) == ({}, None, 10.1)
    assert not slot.learn(b"a:1|c", home, 1.0, 1.0, SERIES)


def test_a_line_that_was_known_before_a_save_keeps_its_count() -> None:
    """A period is saved many times; what is kept of a line is one thing all the time."""
    slot, before, after = CounterSlot(), Steps(), Steps()
    step = learned(slot, b"a:1|c", before)
    step.came += 3
    assert learned(slot, b"a:1|c", after) is step
    step.came += 1
    assert slot.add(0.5, 1.0)
    assert (slot.total, after) == (4.5, {})


def test_copies_and_merged_ones_are_on_their_own() -> None:
    """What is counted later at a line is not theirs."""
    slot, home = CounterSlot(), Steps()
    step = learned(slot, b"a:1|c", home)
    step.came += 3
    copy, merged = slot.copy(), slot.merged(CounterSlot(2.0, 1.0))
    step.came += 1
    assert [each.total for each in (slot, copy, merged)] == [4.0, 3.0, 5.0]
    slot.absorb(copy)
    assert (slot.total, slot.count, copy.total) == (7.0, 7.0, 3.0)


def test_a_counter_has_few_lines() -> None:
    """A rule may make one series of thousands of spellings; those are values then."""
    slot, home = CounterSlot(), Steps()
    for number in range(8):
        learned(slot, b"a:1|c|#user:%d" % number, home)
    assert not slot.learn(b"a:1|c|#user:8", home, 1.0, 1.0, SERIES)
    assert slot.learn(b"a:1|c|#user:0", home, 1.0, 1.0, SERIES)


def test_lines_are_freed_without_the_garbage_collector() -> None:
    """It looks at what lives long once an hour."""
    slot, home = CounterSlot(), Steps()
    learned(slot, b"a:1|c", home)
    gone = home.itself
    del home
    assert gone() is None
    slot.unlearn()
    assert slot.steps is None
