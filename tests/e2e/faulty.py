"""A peer that misbehaves: a listening socket whose manners are a function."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Manners = Callable[[socket.socket], None]

OK = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 57\r\n\r\n"
    b'{"Code":"200","Message":"success","RequestId":"r-0000001"}'
)


class Faulty:
    """Counts its connections; each is served in a thread of its own."""

    def __init__(self, manners: Manners) -> None:
        self._manners = manners
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.connections = 0
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """No more connections."""
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                threading.Thread(
                    target=self._serve, args=(connection,), daemon=True
                ).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            self._manners(connection)


@contextmanager
def faulty(manners: Manners) -> Iterator[Faulty]:
    """One for the length of a test."""
    peer = Faulty(manners)
    try:
        yield peer
    finally:
        peer.close()


def read_request(connection: socket.socket) -> bytes:
    """Headers and body of one request; gives the headers."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += _some(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length")
    )
    while len(body) < length:
        body += _some(connection)
    return head


def _some(connection: socket.socket) -> bytes:
    data = connection.recv(65536)
    if not data:
        raise OSError("the other side has gone")
    return data


def hang(connection: socket.socket) -> None:
    """Until the other side goes away."""
    with suppress(OSError):
        while connection.recv(65536):
            pass


def drip(connection: socket.socket, data: bytes, pause: float = 0.1) -> None:
    """A byte at a time, for ever."""
    while True:
        for n in range(len(data)):
            connection.sendall(data[n : n + 1])
            time.sleep(pause)
