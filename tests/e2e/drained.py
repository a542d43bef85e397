"""A socket that a thread drains into an engine, with a sender to it."""

import socket
import threading

from relay.rollup.native import NativeEngine
from tests.e2e.road import wait_until

__all__ = ["Drained"]


class Drained:
    """An engine with a socket that a thread drains."""

    def __init__(self, engine: NativeEngine) -> None:
        self.engine = engine
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**22)
        self.socket.bind(("127.0.0.1", 0))
        self.sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sender.connect(self.socket.getsockname())
        self.drain = engine.drain(self.socket.fileno(), "delta")
        self.errors: list[Exception] = []
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        try:
            self.drain.run()
        except Exception as error:  # noqa: BLE001 - the test looks at it
            self.errors.append(error)

    def send(self, *datagrams: bytes) -> None:
        """And wait until they were taken."""
        wanted = self.drain.datagrams + len(datagrams)
        for datagram in datagrams:
            self.sender.send(datagram)
        wait_until("not drained", lambda: self.drain.datagrams == wanted)

    def stop(self) -> None:
        self.drain.stop()
        self.thread.join(10)
        assert not self.thread.is_alive()

    def close(self) -> None:
        """And close its sockets."""
        self.stop()
        self.socket.close()
        self.sender.close()
