"""What the kernel knows of a socket: datagrams it dropped, and the room it gave.

Linux only; elsewhere the answer is None, which is not 0. What the figures are shown as
is other rooms' business.
"""

import os
import socket
import sys
from collections.abc import Callable, Sequence
from typing import NamedTuple

__all__ = ["KernelDrops", "ReceiveBuffer", "drops", "granted", "receive_buffer"]

TABLES = ("/proc/net/udp", "/proc/net/udp6")

_INODE, _DROPS = 9, 12
"""Columns, counted from 0. tx_queue:rx_queue are one, as are tr:tm->when.

Source: proc_pid_net(5) and net/ipv4/udp.c, udp4_format_sock.
"""

_WRAP = 1 << 32
"""The kernel counts in 32 bits."""

_SO_RCVBUFFORCE = 33
"""From asm-generic/socket.h; Python does not name it. Where the number means another
thing the call fails, and the plain option is used."""


def drops(table_text: str, inode: int) -> int | None:
    """The drops of the socket with ``inode``, None where no row is about it."""
    wanted = str(inode)
    for line in table_text.splitlines():
        columns = line.split()
        if len(columns) > _DROPS and columns[_INODE] == wanted:
            return _count(columns[_DROPS])
    return None


def _count(text: str) -> int | None:
    try:
        return int(text) % _WRAP  # older kernels print the upper half as negative
    except ValueError:
        return None


def _read(path: str) -> str:
    with open(path, encoding="ascii", errors="replace") as table:  # noqa: PTH123 - a name, not a place
        return table.read()


class KernelDrops:
    """How many datagrams the kernel dropped for one UDP socket since it was opened.

    ``count`` never falls, and stays at the last figure once the socket is closed.
    """

    def __init__(
        self,
        fileno: int,
        *,
        tables: Sequence[str] = TABLES,
        read: Callable[[str], str] = _read,
    ) -> None:
        self._inode = os.fstat(fileno).st_ino
        self._tables, self._read = tables, read
        self._last: int | None = None
        self._total = 0

    def count(self) -> int | None:
        """None as long as the system has not said anything. Never raises."""
        seen = self._look()
        if seen is not None:
            self._total += (seen - (self._last or 0)) % _WRAP
            self._last = seen
        return None if self._last is None else self._total

    def _look(self) -> int | None:
        for table in self._tables:
            try:
                found = drops(self._read(table), self._inode)
            except OSError:
                continue
            if found is not None:
                return found
        return None


class ReceiveBuffer(NamedTuple):
    """Bytes asked for, and bytes the kernel gave, in the same measure."""

    asked: int
    granted: int


def receive_buffer(
    sock: socket.socket, asked: int, *, lower: bool = True
) -> ReceiveBuffer:
    """Ask for a receive queue of ``asked`` bytes; beyond net.core.rmem_max if allowed.

    Unless it may ``lower`` it, a queue that is larger already stays as it is: a service
    manager can give more than we can. Linux doubles the figure for its own book-keeping
    and reports the double (socket(7), SO_RCVBUF); ``granted`` is halved back, so that
    the two can be compared.
    """
    options = [_SO_RCVBUFFORCE] if _LINUX else []
    if lower or min(asked, _most_bytes()) > granted(sock):
        options.append(socket.SO_RCVBUF)  # cuts at the most, which may be less than now
    for option in options if lower or asked > granted(sock) else ():
        try:
            sock.setsockopt(socket.SOL_SOCKET, option, asked)
        except OSError:
            continue
        break
    return ReceiveBuffer(asked, granted(sock))


_LINUX = sys.platform.startswith("linux")


def granted(sock: socket.socket) -> int:
    """Bytes of a socket's receive queue, as they are asked for."""
    reported = sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
    return reported // 2 if _LINUX else reported


def _most_bytes() -> int:
    """What a process without privileges may have; 0 where nobody knows."""
    try:
        return int(_read("/proc/sys/net/core/rmem_max"))
    except (OSError, ValueError):
        return 0
