"""relay.rollup.spelling: what the hot path may recognise."""

import pytest

from relay.rollup.counter import CounterSlot
from relay.rollup.ledger import KINDS
from relay.rollup.series import Series
from relay.rollup.slot import SetSlot
from relay.rollup.spelling import (
    COUNTER,
    SET,
    Spellings,
    is_plain,
    plain_value,
    spell,
)
from relay.rollup.timer import TimerSlot
from relay.statsd.grammar import Grammar
from relay.statsd.sample import Kind, Sample, What

GAUGE = KINDS.index(Kind.GAUGE)
SERIES = Series(Kind.COUNTER, "a", (), "a", ())


def plain(line: bytes) -> bool:
    [sample] = Grammar().parse(line)
    assert isinstance(sample, Sample)
    return is_plain(sample, spell(line))


@pytest.mark.parametrize(
    "line", [b"a:1|c", b"a:1|ms|@0.5|#k:v", b"a:x|s", b"a:5|g|@0.5", b"|a:1|c|c:in-3"]
)
def test_common_lines_are_plain(line: bytes) -> None:
    """With rates and tags; so their spelling may be learned."""
    assert plain(line)


@pytest.mark.parametrize(
    "line",
    [
        b"a:1:2|ms",
        b"a:x:y|s",
        b"a:+1|g",
        b"a:1|c|T60",
        b"a:1|c|#k:1,k:2",
        b"a:1|c|#" + b"k" * 512,
    ],
)
def test_others_are_not(line: bytes) -> None:
    """What they come to depends on more than a value."""
    assert not plain(line)


@pytest.mark.parametrize(
    ("code", "text", "value"),
    [
        (GAUGE, b"12", 12.0),
        (GAUGE, b"1.5", 1.5),
        (GAUGE, b"-1", None),
        (GAUGE, b"1e3", None),
        (GAUGE, b"1.2.3", None),
        (GAUGE, b"9" * 201, None),
        (GAUGE, b"", None),
        (COUNTER, b"-1", -1.0),
        (SET, b"x", "x"),
        (SET, b"", None),
        (SET, b"x:y", None),
        (SET, "é".encode(), None),
        (SET, b"x" * 65, None),
    ],
)
def test_plain_values(code: int, text: bytes, value: float | str | None) -> None:
    """Whatever is not sure to be one is the grammar's."""
    assert plain_value(code, text) == value


def test_a_step_is_a_whole_line() -> None:
    """Of a counter that counts one, up or down, at any rate."""
    spellings, slot = Spellings(), CounterSlot()
    spellings.learn(spell(b"a:-1|c|@0.5"), Kind.COUNTER, 2.0, slot, SERIES)
    [step] = spellings.steps.values()
    step.came += 3
    assert (slot.total, slot.count) == (-6.0, 6.0)
    assert not spellings.cells


@pytest.mark.parametrize("weight", [1e50, 1e300])
def test_unsafe_weights_are_not_learned(weight: float) -> None:
    """The hot path tests no sum, so it must not meet them."""
    spellings = Spellings()
    spellings.learn(spell(b"a:5|c"), Kind.COUNTER, weight, CounterSlot(), SERIES)
    spellings.learn(spell(b"a:5|ms"), Kind.TIMER, weight, TimerSlot(8), SERIES)
    assert len(spellings) == 0


def test_a_recalled_spelling_is_forgotten() -> None:
    """It moves on to the period that recalled it."""
    spellings = Spellings()
    spellings.learn(spell(b"a:x|s"), Kind.SET, 1.0, SetSlot(8), SERIES)
    assert spellings.recall(spell(b"a:y|s")) == (SET, 1.0, SERIES)
    assert spellings.recall(spell(b"a:y|s")) is None


def test_ignored_names_have_no_series() -> None:
    """They are recognised, and recalled by nobody."""
    spellings = Spellings()
    spellings.ignore(spell(b"a:1|c"), Kind.COUNTER, What.CLIENT_TELEMETRY, {})
    spellings.ignore(spell(b"a:x|s"), Kind.SET, What.CLIENT_TELEMETRY, {})
    assert len(spellings) == 1
    assert spellings.recall(spell(b"a:1|c")) is None


def test_drained_is_empty() -> None:
    """Cells and steps alike."""
    spellings = Spellings()
    spellings.learn(spell(b"a:1|c"), Kind.COUNTER, 1.0, CounterSlot(), SERIES)
    spellings.learn(spell(b"a:2|c"), Kind.COUNTER, 1.0, CounterSlot(), SERIES)
    spellings.drain()
    assert len(spellings) == 0
