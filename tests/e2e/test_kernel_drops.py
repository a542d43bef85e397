"""Kernel drops against a real socket: exact, in a flood that nobody reads."""

import socket
import sys

import pytest

from relay.service.kernel import KernelDrops

pytestmark = pytest.mark.e2e


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux only")
@pytest.mark.parametrize(
    ("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")]
)
def test_sent_is_read_plus_dropped(family: socket.AddressFamily, host: str) -> None:
    """What the kernel says it dropped is what was sent and never came out."""
    with (
        socket.socket(family, socket.SOCK_DGRAM) as door,
        socket.socket(family, socket.SOCK_DGRAM) as sender,
    ):
        try:
            door.bind((host, 0))
        except OSError:
            pytest.skip(f"this machine has no {host}")
        door.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        door.setblocking(False)
        kernel = KernelDrops(door.fileno())
        assert kernel.count() == 0
        for _ in range(1000):
            sender.sendto(b"x" * 500, door.getsockname())
        came_out = 0
        while True:
            try:
                door.recv(1000)
            except BlockingIOError:
                break
            came_out += 1
        assert came_out < 1000
        assert kernel.count() == 1000 - came_out
