"""relay.rollup.native_slots: the same as those in Python, over numbers of C."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.rollup.columns import PartReader
from relay.rollup.distinct import HyperLogLog
from relay.rollup.engines import engine_names
from relay.rollup.slot import SetSlot, Slot
from relay.rollup.timer import TimerSlot
from tests.rollup.test_saved_slots import saved, values

if "native" not in engine_names():
    pytest.skip("the native engine was not built", allow_module_level=True)

from relay.rollup._native import Bins as BinsInC
from relay.rollup._native import Lane, Members
from relay.rollup.adding import PYTHON_SLOTS
from relay.rollup.bins import MOST_CHUNKS, Bins
from relay.rollup.native_slots import NATIVE_SLOTS, NativeBins, NativeSet, NativeTimer

pytestmark = pytest.mark.native

finite = st.floats(allow_nan=False, allow_infinity=False)
members = st.lists(st.binary(min_size=0, max_size=64), max_size=60)


@pytest.mark.parametrize("kind", ["counter", "gauge"])
@given(before=values, after=values)
def test_counters_and_gauges_are_saved_and_merged_as_in_python(
    kind: str, before: list[tuple[float, float]], after: list[tuple[float, float]]
) -> None:
    """In every bit."""
    both = []
    for types in (PYTHON_SLOTS, NATIVE_SLOTS):
        make = getattr(types, kind)
        one, other = make(), make()
        for slot, some in ((one, before), (other, after)):
            for value, weight in some:
                slot.add(float(value), weight)
        both.append([saved(one), saved(one.copy()), saved(one.merged(other))])
        assert saved(make.load(PartReader(saved(one)))) == saved(one)
    assert both[0] == both[1]


@given(values, values)
def test_timers_are_read_back_and_merged_as_in_python(
    before: list[tuple[float, float]], after: list[tuple[float, float]]
) -> None:
    """Whatever of them is in lanes, strays and bins."""
    shown = []
    for make in (TimerSlot, NativeTimer):
        one, other = make(4), make(4)
        for slot, some in ((one, before), (other, after)):
            for value, weight in some:
                slot.add(float(value), weight)
        again = make.load(PartReader(saved(one)), 4)
        assert saved(again.copy()) == saved(one)
        shown.append([_summary(slot) for slot in (one, again, one.merged(other))])
    assert shown[0] == shown[1]


def _summary(slot: Slot) -> object:
    kept = getattr(slot, "settled").weight or getattr(slot, "kept")()  # noqa: B009
    return slot.summary((50, 99)) if kept else None


def _shown(kind: str, slot: Slot) -> object:
    """What has to be the same; how bins and members lie in memory has not."""
    if kind == "timer":
        return _summary(slot)
    return slot.summary(()) if kind == "set" else saved(slot)


@pytest.mark.parametrize("kind", ["counter", "gauge", "timer", "set"])
@given(st.lists(values, min_size=1, max_size=5))
def test_slots_absorb_others_as_in_python(
    kind: str, parts: list[list[tuple[float, float]]]
) -> None:
    """One after the other, which stay as they are."""
    after: list[object] = []
    for types in (PYTHON_SLOTS, NATIVE_SLOTS):
        exact = () if kind in ("counter", "gauge") else (4,)
        whole, *slots = (getattr(types, kind)(*exact) for _ in range(len(parts) + 1))
        for slot, some in zip(slots, parts, strict=True):
            for value, weight in some:
                slot.add(str(value) if kind == "set" else float(value), weight)
        before = [saved(slot) for slot in slots]
        for slot in slots:
            whole.absorb(slot)
        assert [saved(slot) for slot in slots] == before
        after.append(_shown(kind, whole))
    assert after[0] == after[1]


@given(members, members)
def test_members_are_a_set(some: list[bytes], others: list[bytes]) -> None:
    """Of byte strings up to 64 bytes."""
    one, other = Members(), Members()
    one.update(some)
    other.update(others)
    assert (set(one), len(one)) == (set(some), len(set(some)))
    both = one.copy()
    both.update(other)
    assert set(both) == {*some, *others}
    assert (set(one), set(other)) == (set(some), set(others))
    one.clear()
    assert (len(one), list(one)) == (0, [])
    one.update(others)
    assert set(one) == set(others)


@given(st.lists(st.text(max_size=70), min_size=9, max_size=60))
def test_the_registers_of_a_sketch_are_those_of_python(texts: list[str]) -> None:
    """The hash is blake2b in both, so that what two processes counted can be merged."""
    native, python = NativeSet(4), SetSlot(4)
    for text in texts:
        native.add(text, 1.0)
        python.add(text, 1.0)
    assert (native.sketch is None) == (python.sketch is None)
    if native.sketch is not None and python.sketch is not None:
        assert native.sketch.registers == python.sketch.registers


@given(st.lists(st.binary(min_size=1, max_size=64), min_size=1, max_size=40))
def test_c_hashes_members_as_python_does(some: list[bytes]) -> None:
    """Members that the hot path folds are those that ``HyperLogLog.add`` would."""
    from tests.rollup.rig import Rig  # noqa: PLC0415 - with the engine that is skipped

    text = [member.hex().encode()[:60] for member in some]
    rig = Rig("native", exact_members=2)
    rig.feed("s:a|s", "s:b|s", "s:c|s")
    rig.feed(b"\n".join(b"s:%s|s" % member for member in text))
    [slot] = rig.engine._book.slots.values()  # type: ignore[attr-defined]
    sketch = HyperLogLog()
    sketch.add([b"a", b"b", b"c", *text])
    slot.sketch.add(slot.members)
    assert slot.sketch.registers == sketch.registers


@given(st.lists(st.tuples(finite, st.sampled_from([1.0, 2.5])), max_size=60))
def test_bins_are_those_of_python(some: list[tuple[float, float]]) -> None:
    """Also where there are so many that the lowest are given up."""
    native, python = NativeBins(), Bins()
    for value, weight in some:
        native.add((value,), weight)
        python.add((value,), weight)
    for scale in range(-300, 301, 5):  # more chunks than there may be
        for bins in (native, python):
            bins.add((10.0**scale, -(10.0**scale)), 1.0)
    assert list(native.ascending()) == list(python.ascending())
    (_, negative), _, (_, positive) = native.rows()
    assert len(negative) + len(positive) <= MOST_CHUNKS
    assert list(native.copy().ascending()) == list(python.ascending())


@given(st.lists(finite, min_size=1, max_size=40))
def test_a_lane_is_a_list_of_doubles(some: list[float]) -> None:
    lane = Lane(some)
    assert list(lane.sorted()) == sorted(some)
    lane += [1.0]
    assert list(lane) == [*some, 1.0]
    lane.clear()
    assert not len(lane)


def test_wrong_arguments_are_exceptions() -> None:
    """Of whoever made the mistake, never a crash."""
    with pytest.raises(TypeError):
        Lane(["x"])  # type: ignore[list-item]
    with pytest.raises(TypeError):
        Members().update([1])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="too long"):
        Members().add(b"x" * 65)
    with pytest.raises(TypeError):
        BinsInC().add([None], 1.0)  # type: ignore[list-item]
    with pytest.raises(TypeError):
        NativeTimer(4).put_lane(1.0, [])
    with pytest.raises(TypeError):
        NativeTimer(4).lane_of("1")  # type: ignore[arg-type]
    with pytest.raises(IndexError):
        Lane([1.0])[1]


@given(values, st.integers(0, 20))
def test_samples_go_into_bins_at_the_same_one(
    samples: list[tuple[float, float]], exact: int
) -> None:
    """Here each takes from the room that is left; in Python they are counted when due."""
    python, native = TimerSlot(exact), NativeTimer(exact)
    for value, weight in samples:
        assert python.add(value, weight) == native.add(value, weight)
        assert python.kept() == native.kept()
