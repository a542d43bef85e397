"""Packets on a stream, however the bytes are cut."""

import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from relay.statsd.framing import FRAME_BYTES_MAX, Framer

LINES = st.lists(st.binary(max_size=12).filter(lambda b: b"\n" not in b), max_size=8)
CUTS = st.lists(st.integers(0, 200), max_size=6)


def framed(packets: list[bytes]) -> bytes:
    return b"".join(len(p).to_bytes(4, "little") + p for p in packets)


def cut(data: bytes, at: list[int]) -> list[bytes]:
    places = [0, *sorted(min(place, len(data)) for place in at), len(data)]
    return [data[a:b] for a, b in itertools.pairwise(places)]


def lines_of(packets: list[bytes]) -> list[bytes]:
    """As the grammar cuts them; empty lines are none."""
    return [line for packet in packets for line in packet.split(b"\n") if line]


@given(LINES, CUTS)
def test_lines_are_whole_wherever_the_stream_is_cut(
    lines: list[bytes], at: list[int]
) -> None:
    """None is lost, none is split, and the last needs no end."""
    framer = Framer()
    found = [p for piece in cut(b"\n".join(lines), at) for p in framer.take(piece)]
    found.append(framer.end())
    assert lines_of(found) == [line for line in lines if line]
    assert not framer.is_broken


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=6), CUTS)
@example([b"a:1|c|#k:v"], [1])
@example([b"a" * 2657], [2])
def test_frames_are_whole_wherever_the_stream_is_cut(
    packets: list[bytes], at: list[int]
) -> None:
    """Each comes out as it went in."""
    framer = Framer(lengths=True)
    found = [p for piece in cut(framed(packets), at) for p in framer.take(piece)]
    assert found == packets
    assert (framer.end(), framer.is_broken) == (b"", False)


@given(LINES, CUTS)
def test_lines_are_told_from_frames(lines: list[bytes], at: list[int]) -> None:
    """A socket that takes both takes lines as they are."""
    text = b"".join(b"a:1|c" + line.replace(b"\0", b"") + b"\n" for line in lines)
    framer = Framer(lengths=True)
    found = [p for piece in cut(text, at) for p in framer.take(piece)]
    assert lines_of(found) == lines_of([text])


def test_what_may_be_a_length_waits_for_the_rest_of_it() -> None:
    """Also where it holds a line feed; no metric is as short, and an end gives a line."""
    framer = Framer(lengths=True)
    assert framer.take(b"a\n") == []
    assert framer.take(b"b:1|c\n") == [b"a\nb:1|c"]
    framer = Framer(lengths=True)
    assert (framer.take(b"a\n"), framer.end()) == ([], b"a\n")


@pytest.mark.parametrize("lengths", [False, True])
def test_a_line_without_end_breaks_the_stream(lengths: bool) -> None:
    """At 64 KiB; what was whole before it counts."""
    framer = Framer(lengths=lengths)
    first = framer.take(b"a:1|c\n" + b"x" * FRAME_BYTES_MAX)
    assert (first, framer.is_broken) == ([b"a:1|c"], False)
    more = framer.take(b"x")
    assert (more, framer.is_broken) == ([], True)
    assert framer.take(b"\nb:1|c\n") == []
    assert framer.end() == b""


def test_a_frame_that_is_too_long_breaks_the_stream() -> None:
    """Its length is seen before its bytes; the frames before it count."""
    framer = Framer(lengths=True)
    too_long = (FRAME_BYTES_MAX + 1).to_bytes(4, "little")
    assert framer.take(framed([b"a:1|c"]) + too_long) == [b"a:1|c"]
    assert framer.is_broken


def test_part_of_a_frame_at_the_end_is_nothing() -> None:
    """Nobody knows how much of it is missing."""
    framer = Framer(lengths=True)
    assert framer.take(framed([b"a:1|c"])[:-1]) == []
    assert (framer.end(), framer.is_broken) == (b"", True)


def test_nothing_at_all_is_nothing() -> None:
    """A health check that connects and goes."""
    framer = Framer(lengths=True)
    assert (framer.take(b""), framer.end(), framer.is_broken) == ([], b"", False)
