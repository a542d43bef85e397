"""relay.rollup.native: what is so of this engine only, namely what it needs no Python for."""

import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from relay.rollup.effort import ENOUGH, FOLDING
from relay.rollup.engines import engine_names
from relay.rollup.summary import CounterSummary, GaugeSummary
from tests.rollup.rig import Rig, resolve
from tests.rollup.test_python import Asked

if "native" not in engine_names():
    pytest.skip("the native engine was not built", allow_module_level=True)

from relay.rollup._native import Table
from relay.rollup.native import NativeEngine
from relay.rollup.native_slots import NativeCounter

pytestmark = pytest.mark.native

digits = st.text("0123456789", max_size=24)
numbers = st.one_of(
    digits,
    st.tuples(digits, digits).map(".".join),
    st.tuples(digits, digits, digits).map(".".join),
    st.builds(
        lambda whole, at: f"{str(whole)[:at]}.{str(whole)[at:]}",
        st.integers(2**53, 10**18),
        st.integers(1, 18),
    ),
    st.sampled_from(
        ["9" * 201, "0" * 400 + "1", "1" + "0" * 200, "." + "0" * 340 + "1"]
    ),
)


@given(numbers)
@example("9007199254740993")
@example("9007199254740992.5")
@example("0.1234567890123456789")
@example("179769313486231570000000000000.5")
def test_numbers_are_those_that_python_reads(text: str) -> None:
    """To the last bit; what is none, or is very large, is refused or taken as there."""
    native, python = Rig("native"), Rig("python")
    for rig in (native, python):
        rig.feed("c:1|c", "g:1|g", "t:1|ms")
        rig.feed(
            f"c:{text}|c", f"c:-{text}|c", f"c:{text}|c", f"g:{text}|g", f"t:{text}|ms"
        )
    assert native.base(60) == python.base(60)
    assert native.engine.tally() == python.engine.tally()


def test_the_grammar_is_asked_once_a_spelling() -> None:
    """Not in later periods either, and not for what nobody wants."""
    grammar = Asked()
    engine = NativeEngine(resolve, grammar)
    first = b"a:1|c\na:1|c|@0.5\ng:5|g\nt:1.5|ms|@0.5|#k:v\ns:x|s\ntelemetry:1|c"
    again = b"g:0.25|g\nt:7|ms|@0.5|#k:v\ns:y|s\na:-1|c\na:2|c|@0.5\ntelemetry:2|c"
    engine.feed(first, 0)
    for period in (0, 60, 120):
        engine.feed(again, period)
        engine.seal(period)
    assert grammar.lines == first.split(b"\n")


def test_a_spelling_is_forgotten_when_it_was_not_used_in_a_whole_period() -> None:
    """While periods are closed, not while lines are taken."""
    rig = Rig("native")
    engine = rig.engine
    assert isinstance(engine, NativeEngine)
    names = [f"n{number}" for number in range(5000)]
    rig.feed(*[f"{name}:1|c" for name in names])
    sizes = []
    for period in (60, 120, 180, 240):
        rig.feed(*[f"{name}:1|c" for name in names[:100]], at=period)
        rig.rollups(period)
        sizes.append(engine.spellings)
    assert sizes[0] == 5000
    assert sizes[-1] == 100
    rig.feed(*[f"{name}:1|c" for name in names], at=240)
    assert len(rig.base(300)) == 5000


@given(st.integers(0, 2**32))
def test_a_table_finds_what_it_was_told(seed: int) -> None:
    """However it has grown and been swept, whatever order names came and went in."""
    dice = random.Random(seed)  # noqa: S311 - a choice of names
    counters: dict[bytes, NativeCounter] = {}
    missed: list[bytes] = []

    def slow(line: bytes) -> int:
        missed.append(line)
        return 1

    table = Table(100_000, ENOUGH, FOLDING, lambda named, _: (counters[named],) * 2)
    with table:
        for _ in range(4):
            for _ in range(dice.randrange(2000)):
                name = b"n%d" % dice.randrange(4000)
                if name not in counters:
                    counters[name] = NativeCounter()
                    slot = counters[name]
                    table.learn(name, b"c", 0, 0, 1.0, slot, slot, name)
            table.turn()
    used = dice.sample(sorted(counters), k=len(counters) // 2)
    for _ in range(3):
        with table:
            for name in used:
                table.feed(b"%s:1|c" % name, slow)
            table.turn()
        while table.sweep():
            pass
    assert {name for name in counters if counters[name].total} == set(used)
    assert not missed
    assert len(table) == len(used)
    with table:
        for name in sorted(set(counters) - set(used)):
            table.feed(b"%s:1|c" % name, slow)
    assert len(missed) == len(counters) - len(used)


def test_strays_are_folded_too() -> None:
    """Values that are too large for lanes; however many others there are between."""
    rig = Rig("native", exact_samples=4)
    for _ in range(50):
        rig.feed(*["t:1e250|ms", *["t:1|ms"] * 20] * 4)
    [slot] = rig.engine._book.slots.values()  # type: ignore[attr-defined]
    assert len(slot.strays) <= 5


def test_what_a_slow_line_raises_costs_that_line_alone() -> None:
    """The lines behind it are taken, and the caller hears of it."""
    table = Table(100, ENOUGH, FOLDING, lambda _named, _weight: None)
    seen: list[bytes] = []

    def slow(line: bytes) -> int:
        seen.append(line)
        if line == b"bad":
            raise RuntimeError("a defect")
        return 1

    with table, pytest.raises(RuntimeError, match="a defect"):
        table.feed(b"one\nbad\ntwo", slow)
    assert seen == [b"one", b"bad", b"two"]


def test_slots_of_another_kind_are_refused() -> None:
    """A mistake of ours is an exception, never memory that is written to."""
    table, counter = Table(100, ENOUGH, FOLDING, lambda _n, _w: None), NativeCounter()
    with table, pytest.raises(TypeError, match="another kind"):
        table.learn(b"a", b"c", 1, 0, 1.0, counter, counter, "a")
    with table, pytest.raises(ValueError, match="no such"):
        table.learn(b"a", b"c", 9, 0, 1.0, counter, counter, "a")


def test_a_slot_that_is_asked_for_again_has_the_value_that_asked() -> None:
    """A signed gauge goes the slow way, and finds the memory that was there before."""
    rig = Rig("native")
    rig.feed("g:10|g", "c:1|c")
    rig.feed("g:+1|g", "c:x|c", at=60)
    assert rig.rows(rig.rollups(60), 0, 60)["g"] == GaugeSummary(
        10.0, 10.0, 10.0, 10.0, 1
    )
    rows = rig.base(120)
    assert rows["g"] == GaugeSummary(11.0, 11.0, 11.0, 11.0, 1)
    assert rows["c"] == CounterSummary(0.0, 0.0)
