"""What the kernel dropped: read from its own tables, never falling, never raising."""

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.service.kernel import KernelDrops, ReceiveBuffer, drops, receive_buffer

TABLE = (Path(__file__).parents[1] / "vectors" / "proc-net-udp.txt").read_text("ascii")


@pytest.mark.parametrize(
    ("inode", "count"), [(28132, 94), (28133, 0), (26494, 7), (1000, None), (2, None)]
)
def test_finds_the_drops_by_inode(inode: int, count: int | None) -> None:
    """Only the inode's column names a socket, in both tables."""
    assert drops(TABLE, inode) == count


@given(st.text(max_size=300))
def test_no_table_raises(table: str) -> None:
    """A table in a form nobody foresaw says nothing."""
    assert drops(table, 28132) is None


@pytest.mark.parametrize(
    ("said", "count"),
    [("x", None), ("4294967295", 4294967295), ("-1", 4294967295), ("0", 0)],
)
def test_the_count_has_32_bits(said: str, count: int | None) -> None:
    """Some kernels print the upper half as negative numbers."""
    assert drops(TABLE.replace(" 94 ", f" {said} "), 28132) == count


@pytest.fixture
def inode(monkeypatch: pytest.MonkeyPatch) -> int:
    """The inode that every descriptor seems to have."""
    stat = os.stat_result((0, 28132, *[0] * 8))
    monkeypatch.setattr("relay.service.kernel.os.fstat", lambda _: stat)
    return 28132


def saying(*counts: int | None) -> Callable[[str], str]:
    """A table whose count is each of ``counts`` in turn; None: the socket is gone."""
    texts = iter(
        "" if count is None else TABLE.replace(" 94 ", f" {count} ") for count in counts
    )
    return lambda _: next(texts)


@pytest.mark.usefixtures("inode")
@pytest.mark.parametrize(
    ("said", "counts"),
    [
        ([0, 3, 3, 10], [0, 3, 3, 10]),
        ([None, 3], [None, 3]),
        ([5, None, None], [5, 5, 5]),
        ([(1 << 32) - 2, 3], [(1 << 32) - 2, (1 << 32) + 3]),
    ],
    ids=["grows", "appears", "socket closed", "wraps"],
)
def test_the_count_never_falls(
    said: list[int | None], counts: list[int | None]
) -> None:
    """What is exported is a counter, whatever becomes of the socket."""
    reader = KernelDrops(0, tables=("udp",), read=saying(*said))
    assert [reader.count() for _ in said] == counts


@pytest.mark.usefixtures("inode")
def test_looks_into_both_tables() -> None:
    """A socket of IPv6 is in the second table."""
    texts = {"udp": "", "udp6": TABLE}
    assert KernelDrops(0, tables=("udp", "udp6"), read=texts.__getitem__).count() == 94


@pytest.mark.usefixtures("inode")
def test_a_system_without_tables_says_nothing() -> None:
    """None is not 0: nobody knows."""

    def absent(path: str) -> str:
        raise FileNotFoundError(path)

    assert KernelDrops(0, read=absent).count() is None


class Socket:
    """A socket that allows some options and reports as Linux does, doubled."""

    def __init__(self, allowed: set[int], most: int = 1 << 30) -> None:
        self.allowed, self.most, self.size = allowed, most, 1000

    def setsockopt(self, level: int, option: int, value: int) -> None:
        if option not in self.allowed:
            raise PermissionError
        self.size = min(value, self.most)

    def getsockopt(self, level: int, option: int) -> int:
        return self.size * 2


@pytest.mark.parametrize(
    ("sock", "granted"),
    [
        (Socket({33, socket.SO_RCVBUF}), 8000),
        (Socket({socket.SO_RCVBUF}, most=4000), 4000),
        (Socket(set()), 1000),
    ],
    ids=["forced", "up to rmem_max", "refused"],
)
def test_takes_the_room_it_is_given(
    sock: Socket, granted: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The forced option first, the plain one next, and the truth about the result."""
    monkeypatch.setattr("relay.service.kernel._LINUX", True)
    given_room = receive_buffer(cast("socket.socket", sock), 8000)
    assert given_room == ReceiveBuffer(8000, granted)


@pytest.mark.parametrize(
    ("allowed", "rmem_max", "granted"),
    [
        ({33, socket.SO_RCVBUF}, "100", 8000),
        ({socket.SO_RCVBUF}, "100", 1000),
        ({socket.SO_RCVBUF}, "4000", 4000),
        ({socket.SO_RCVBUF}, "?", 1000),
    ],
    ids=["forced", "would be less", "up to rmem_max", "nobody knows"],
)
def test_a_queue_that_is_not_ours_is_not_made_smaller(
    allowed: set[int], rmem_max: str, granted: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plain request is cut at rmem_max, which may be less than what is there."""
    monkeypatch.setattr("relay.service.kernel._LINUX", True)
    monkeypatch.setattr("relay.service.kernel._read", lambda _: rmem_max)
    most = int(rmem_max) if rmem_max.isdigit() else 100
    sock = Socket(allowed, most=8000 if 33 in allowed else most)
    given_room = receive_buffer(cast("socket.socket", sock), 8000, lower=False)
    assert given_room == ReceiveBuffer(8000, granted)


def test_a_queue_that_is_larger_stays() -> None:
    """Unless it is ours."""
    sock = Socket({33, socket.SO_RCVBUF})
    assert receive_buffer(cast("socket.socket", sock), 500, lower=False).granted == 1000
    assert receive_buffer(cast("socket.socket", sock), 500).granted == 500
