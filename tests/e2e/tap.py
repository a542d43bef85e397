"""A tap between a client and a relay: what the client sends goes on, and is written down.

So that what left a client is known without a hook into it, whoever wrote it in whatever
language. Datagrams over UDP and Unix sockets, and streams over TCP.
"""

import socket
import threading
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

__all__ = ["Tap"]

QUIET_SECONDS = 0.3
CONNECTED_SECONDS = 30


class Tap:
    """``url`` is where the client sends; ``sent`` has the datagrams, or one stream."""

    def __init__(self, relay_url: str, folder: Path) -> None:
        self._there = urlsplit(relay_url)
        self.sent: list[str] = []
        self._over = False
        match self._there.scheme:
            case "udp":
                self._door = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                self._door.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**22)
                self._door.bind(("127.0.0.1", 0))
                self.url = f"udp://127.0.0.1:{self._door.getsockname()[1]}"
            case "unixgram":
                path = str(folder / "tap")
                self._door = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
                self._door.bind(path)
                self.url = f"unixgram://{path}"
            case _:
                self._door = socket.create_server(("127.0.0.1", 0))
                self.url = f"tcp://127.0.0.1:{self._door.getsockname()[1]}"
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """When nothing has come for a while, since the client has ended."""
        self._over = True
        self._thread.join()
        self._door.close()

    def _run(self) -> None:
        self._door.settimeout(QUIET_SECONDS)
        if self._there.scheme == "tcp":
            self._pass_on_a_stream()
            return
        unix = self._there.scheme == "unixgram"
        family = socket.AF_UNIX if unix else socket.AF_INET
        where = self._there.path if unix else (self._there.hostname, self._there.port)
        with socket.socket(family, socket.SOCK_DGRAM) as onward:
            for datagram in iter(self._datagram, None):
                self.sent.append(datagram.decode())
                onward.sendto(datagram, where)

    def _datagram(self) -> bytes | None:
        while True:
            try:
                return self._door.recv(65536)
            except TimeoutError:
                if self._over:
                    return None

    def _pass_on_a_stream(self) -> None:
        self._door.settimeout(CONNECTED_SECONDS)
        peer, _ = self._door.accept()
        where = (str(self._there.hostname), int(self._there.port or 0))
        with peer, socket.create_connection(where) as onward:
            for piece in iter(lambda: peer.recv(65536), b""):
                self.sent.append(piece.decode())
                onward.sendall(piece)
        self.sent = ["".join(self.sent)]
