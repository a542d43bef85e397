"""Who may be replaced by a socket of ours, and what is left in place."""

import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from relay.errors import RelayError
from relay.service.socket_file import made, make_way, remove

KINDS = [socket.SOCK_STREAM, socket.SOCK_DGRAM]


@pytest.fixture
def path() -> Iterator[Path]:
    """Short enough for a socket."""
    with TemporaryDirectory(prefix="s") as folder:
        yield Path(folder) / "s"


def bound(path: Path, kind: socket.SocketKind) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, kind)
    sock.bind(str(path))
    if kind is socket.SOCK_STREAM:
        sock.listen(1)
    return sock


@pytest.mark.parametrize("kind", KINDS)
def test_a_socket_that_nobody_has_open_is_replaced(
    path: Path, kind: socket.SocketKind
) -> None:
    """What a killed process left."""
    bound(path, kind).close()
    make_way(str(path))
    assert not path.exists()


@pytest.mark.parametrize("kind", KINDS)
def test_a_live_socket_is_left_alone(path: Path, kind: socket.SocketKind) -> None:
    """Of either kind, also when its queue is full."""
    with bound(path, kind):
        with pytest.raises(RelayError, match="another process listens"):
            make_way(str(path))
        knocks = [socket.socket(socket.AF_UNIX, kind) for _ in range(4)]
        for knock in knocks:
            knock.setblocking(False)
            knock.connect_ex(str(path))
        with pytest.raises(RelayError, match="another process listens"):
            make_way(str(path))
        for knock in knocks:
            knock.close()
    assert path.is_socket()


def test_nothing_else_is_touched(path: Path) -> None:
    """A file, a folder, a link, also one that leads nowhere."""
    path.write_text("a")
    with pytest.raises(RelayError, match="no socket"):
        make_way(str(path))
    path.unlink()
    path.symlink_to(path.with_name("t"))
    with pytest.raises(RelayError, match="symbolic link"):
        make_way(str(path))
    path.unlink()
    path.mkdir()
    with pytest.raises(RelayError, match="no socket"):
        make_way(str(path))
    path.rmdir()


def test_a_path_that_is_free_needs_nothing(path: Path) -> None:
    """The usual case."""
    make_way(str(path))


def test_a_folder_that_cannot_be_looked_into_is_named(path: Path) -> None:
    """With the system's reason."""
    path.write_text("a")
    with pytest.raises(RelayError, match="Not a directory"):
        make_way(str(path / "s"))


def test_what_is_made_is_ours_alone_until_its_mode_is_set(path: Path) -> None:
    """Whatever the umask was, which is as it was afterwards."""
    before = os.umask(0)
    try:
        with made(), bound(path, socket.SOCK_DGRAM):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert os.umask(0) == 0
    finally:
        os.umask(before)


def test_only_our_own_file_is_removed(path: Path) -> None:
    """Somebody else's may have taken its place."""
    path.write_text("a")
    remove(str(path), path.stat().st_ino + 1)
    assert path.exists()
    remove(str(path), path.stat().st_ino)
    assert not path.exists()
    remove(str(path), 1)
