"""The format of segments and marks: what is written is read, what is broken is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.delivery.batch import Batch
from relay.spool import segment as form
from relay.spool.segment import Header, Mark, Range
from tests.spool.rig import batch

BATCHES = st.lists(
    st.builds(
        Batch,
        st.text(min_size=1),
        st.integers(0, 2**40),
        st.lists(st.text(), min_size=1, max_size=5).map(tuple),
    ),
    min_size=1,
    max_size=6,
)


def sealed(batches: list[Batch]) -> tuple[bytes, Header]:
    """All of them in one segment."""
    [body] = form.bodies(batches, 2**30)
    return form.seal(body, 7, 60)


@given(BATCHES, st.integers(1, 2000))
def test_every_batch_is_read_as_it_was_written(
    batches: list[Batch], max_bytes: int
) -> None:
    """In order, in however many segments."""
    read = []
    for body in form.bodies(batches, max_bytes):
        content, header = form.seal(body, 1, 60)
        found = form.scan(content)
        assert found.whole
        assert form.read_header(content) == found.header == header
        assert (header.length, header.entries) == (len(content), body.entries)
        for frame in found.frames.values():
            end = frame.offset + frame.length
            read.append(form.read_frame(content[frame.offset : end]))
    assert read == batches


@given(st.data())
def test_any_damage_leaves_only_what_was_written(data: st.DataObject) -> None:
    """A frame that is read is a frame that was written, whatever became of the file."""
    batches = [batch(f"b{n}") for n in range(5)]
    content = bytearray(sealed(batches)[0])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content)))
        cut = data.draw(st.integers(0, 40))
        content[at : at + cut] = data.draw(st.binary(max_size=40))
    for frame in form.scan(bytes(content)).frames.values():
        raw = bytes(content[frame.offset : frame.offset + frame.length])
        assert form.read_frame(raw) == batches[frame.number]


def test_whole_is_said_of_whole_ones_only() -> None:
    """Not of one with a byte too many, too few, or another."""
    content, _ = sealed([batch("a"), batch("b")])
    for other in (content + b"\0", content[:-1], b"\0" + content[1:]):
        assert not form.scan(other).whole
    assert form.scan(content).whole


def test_segments_are_no_longer_than_told() -> None:
    """Unless one batch is: it is alone then."""
    batches = [batch(f"b{n}") for n in range(20)]
    found = list(form.bodies([*batches, batch("huge", items=2000)], 500))
    assert max(body.length for body in found[:-1]) <= 500
    assert len(found[-1].frames) == 1
    assert sum(body.entries for body in found) == 20 * 2 + 2000


def test_a_stamp_tells_segments_apart() -> None:
    """Also those with the same number, period and counts; not header from trailer."""
    one, other = sealed([batch("a")])[1], sealed([batch("b")])[1]
    assert one._replace(checksum=0, stamp=0) == other._replace(checksum=0, stamp=0)
    assert one.stamp != other.stamp
    content, _ = sealed([batch("a")])
    assert form.scan(b"\0" * 9 + content[9:]).header == one


MARKS = [Mark(0, (0, 20), form.DELIVERED), Mark(3, (5, 10), form.PARKED)]
FIRST, SECOND = {0: [(0, 20)]}, {3: [(5, 10)]}


def test_marks_are_read_as_they_were_written() -> None:
    """The one that is torn or damaged is passed over."""
    header = sealed([batch("a")])[1]
    content = form.marks_head(header) + b"".join(map(form.marked, MARKS))
    assert form.read_marks(content, header) == FIRST | SECOND
    assert len(content) == form.sound_length(content, header) == form.marks_bytes(2)
    assert form.read_marks(content[:-1], header) == FIRST
    assert form.sound_length(content[:-1], header) == form.marks_bytes(1)
    assert form.read_marks(content[:20] + b"\xff" + content[21:], header) == SECOND


def test_marks_for_another_segment_are_none() -> None:
    """They begin anew."""
    one, other = sealed([batch("a")])[1], sealed([batch("b")])[1]
    content = form.marks_head(one) + form.marked(MARKS[0])
    assert form.read_marks(content, other) == {}
    assert form.sound_length(content, other) == 0


@pytest.mark.parametrize(
    ("settled", "left"),
    [
        ([], [(0, 20)]),
        ([(0, 20)], []),
        ([(0, 10)], [(10, 20)]),
        ([(10, 15), (0, 5)], [(5, 10), (15, 20)]),
        ([(0, 2)], [(2, 5), (5, 10), (10, 20)]),
    ],
)
def test_what_is_left_are_halves_of_halves(
    settled: list[Range], left: list[Range]
) -> None:
    """As large as they can be."""
    assert list(form.unsettled((0, 20), settled)) == left


@given(st.integers(1, 40), st.data())
def test_parts_cover_what_is_left(size: int, data: st.DataObject) -> None:
    """Each entry that is not settled is in exactly one part."""
    whole = Batch("a", 0, tuple(map(str, range(size))))
    ends = st.tuples(st.integers(0, size), st.integers(0, size)).map(sorted)
    settled = [(a, b) for a, b in data.draw(st.lists(ends, max_size=4)) if a < b]
    done = {n for a, b in settled for n in range(a, b)}
    parts = [form.part_of(whole, r) for r in form.unsettled((0, size), settled)]
    assert [int(i) for p in parts for i in p.items] == sorted(set(range(size)) - done)
    assert len({part.id for part in parts}) == len(parts)
