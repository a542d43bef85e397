"""Packing lines into datagrams, and where they can be sent to."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.cli import main
from relay.commands.send import datagrams

LINES = st.lists(st.binary(min_size=1, max_size=40).filter(lambda b: b"\n" not in b))


@given(LINES, st.integers(1, 100))
def test_packing_loses_nothing_and_keeps_the_order(
    lines: list[bytes], size: int
) -> None:
    """Cut at LF again, the datagrams are the lines."""
    packed = list(datagrams(lines, size))
    assert [line for one in packed for line in one.split(b"\n")] == lines


@given(LINES, st.integers(1, 100))
def test_a_datagram_keeps_its_size(lines: list[bytes], size: int) -> None:
    """Only a line that is longer by itself goes beyond, and then alone."""
    for one in datagrams(lines, size):
        assert len(one) <= size or b"\n" not in one


@given(LINES, st.integers(1, 100))
def test_datagrams_are_as_full_as_can_be(lines: list[bytes], size: int) -> None:
    """No first line of a datagram would have fitted into the one before."""
    packed = list(datagrams(lines, size))
    for one, after in pairwise(packed):
        assert len(one) + 1 + len(after.split(b"\n")[0]) > size


@pytest.mark.parametrize(
    "url",
    [
        *("127.0.0.1:8125", "udp://127.0.0.1", "udp://:8125", "udp://h:99999"),
        *(
            "http://127.0.0.1:80",
            "unix://relative",
            "unix:",
            "udp://h:1/path",
            "udp://[",
        ),
    ],
)
def test_what_is_no_target(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 2, and the forms that there are."""
    assert main(["send", "--to", url, "a:1|c"]) == 2
    assert "--to: wants udp://HOST:PORT, tcp://" in capsys.readouterr().err
