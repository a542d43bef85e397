"""Recordings: what is written is read back, and what is not one is refused by line."""

import json
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.errors import RelayError
from relay.recording import Recorded, line_of, read

WAITS = st.floats(0, 1e6, allow_nan=False)
DATAGRAMS = st.binary(max_size=64) | st.text(max_size=64).map(str.encode)


@given(st.lists(st.tuples(WAITS, DATAGRAMS)), st.none() | st.floats(0, 2e9))
def test_writing_and_reading_is_identity(
    parts: list[tuple[float, bytes]], epoch: float | None
) -> None:
    """Any datagrams at any times come back as they were, the epoch on all of them."""
    times = accumulate(wait for wait, _ in parts)
    recorded = [
        Recorded(t, datagram, epoch)
        for t, (_, datagram) in zip(times, parts, strict=True)
    ]
    lines = [
        line_of(one if n == 0 else one._replace(epoch=None)).encode() + b"\n"
        for n, one in enumerate(recorded)
    ]
    assert list(read(lines, "a.jsonl")) == recorded


def test_text_stays_readable_and_other_bytes_are_base64() -> None:
    """UTF-8 is written as it is; anything else says so by its key."""
    assert json.loads(line_of(Recorded(0.5, "é:1|c".encode()))) == {
        "t": 0.5,
        "datagram": "é:1|c",
    }
    assert json.loads(line_of(Recorded(1, b"\xff"))) == {"t": 1, "datagram_b64": "/w=="}


def test_an_absent_time_is_the_one_before() -> None:
    """Lines without t came together with the line above, the first at 0."""
    lines = [b'{"datagram": "a"}', b'{"t": 3, "datagram": "b"}', b'{"datagram": "c"}']
    assert [one.t for one in read(lines, "a")] == [0, 3, 3]


def test_empty_lines_are_skipped() -> None:
    """A file may end with an empty line."""
    assert len(list(read([b'{"datagram": ""}\n', b"\n", b" \n"], "a"))) == 1


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        (b"{", "wants one JSON object"),
        (b"[1]", "wants one JSON object"),
        (b"\xff", "wants UTF-8"),
        (b"[" * 100_000, "line 2"),
        (b'{"t": 5}', 'wants "datagram"'),
        (b'{"t": 5, "datagram": 1}', 'wants "datagram"'),
        (b'{"t": 5, "datagram": "a", "datagram_b64": ""}', "not both"),
        (b'{"t": 5, "datagram_b64": "*"}', "line 2"),
        (b'{"t": 5, "datagram": "\\ud800"}', "line 2"),
        (b'{"t": 4.9, "datagram": "a"}', "wants t not to fall"),
        (b'{"t": "5", "datagram": "a"}', "wants t to be a number"),
        (b'{"t": true, "datagram": "a"}', "wants t to be a number"),
        (b'{"t": NaN, "datagram": "a"}', "wants t to be finite"),
        (b'{"t": 1e999, "datagram": "a"}', "wants t to be finite"),
        (b'{"t": 1%s, "datagram": "a"}' % (b"0" * 400), "wants t to be finite"),
        (b'{"epoch": 1, "datagram": "a"}', "first object only"),
    ],
)
def test_a_bad_line_is_named(line: bytes, wanted: str) -> None:
    """File, number of the line and what is wanted; nothing else escapes."""
    with pytest.raises(RelayError, match=r"^a\.jsonl: line 2: ") as refused:
        list(read([b'{"t": 5, "datagram": "x"}', line], "a.jsonl"))
    assert wanted in str(refused.value)
