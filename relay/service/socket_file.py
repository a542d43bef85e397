"""The file of a Unix socket: made way for, made with its mode, and removed at the end.

A socket that nobody listens at is replaced; whatever else stands in its place is not
ours to touch. What is sent there is not known here.
"""

import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from relay.errors import RelayError

__all__ = ["MODE", "made", "make_way", "remove"]

MODE = 0o666
"""Whoever is on this machine may send, as over UDP on loopback."""

_KINDS = (socket.SOCK_DGRAM, socket.SOCK_STREAM)


def make_way(path: str) -> None:
    """Remove a socket that nobody listens at.

    Raises RelayError where there is anything else: it names what, and what to do.
    """
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return
    except OSError as error:
        raise RelayError(f"{path}: {error.strerror}") from None
    if stat.S_ISLNK(found.st_mode):
        raise RelayError(f"{path} is a symbolic link; name the socket itself")
    if not stat.S_ISSOCK(found.st_mode):
        raise RelayError(
            f"{path} is there and is no socket; remove it, or name another"
        )
    if any(_is_live(path, kind) for kind in _KINDS):
        raise RelayError(f"{path}: another process listens there; stop it first")
    with suppress(FileNotFoundError):
        Path(path).unlink()


@contextmanager
def made() -> Iterator[None]:
    """What is made meanwhile is nobody else's until its mode is set."""
    before = os.umask(0o177)
    try:
        yield
    finally:
        os.umask(before)


def remove(path: str, inode: int) -> None:
    """At the end, if it is still the same file."""
    with suppress(OSError):
        if os.lstat(path).st_ino == inode:
            Path(path).unlink()


def _is_live(path: str, kind: socket.SocketKind) -> bool:
    """Whether somebody has it open. One of the other kind does not say."""
    with socket.socket(socket.AF_UNIX, kind) as knock:
        knock.setblocking(False)
        try:
            knock.connect(path)
        except BlockingIOError:  # its queue is full
            return True
        except OSError:
            return False
        return True
