"""One deadline for a whole attempt, kept from outside.

The timeouts of an HTTP library hold for each socket operation, so a peer that drips a
byte now and then is never late. A leash therefore shuts the connection down when its
time is over, whatever the thread at the other end of it is waiting for.
"""

import os
import socket
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from relay.sink.names import Address, Names

__all__ = ["Leash", "LeashedAdapter"]


class Leash:
    """The time an attempt has, and what has happened in it so far.

    ``sent``: bytes were given to the connection; ``expired``: time is over. Thread: that
    of the attempt, but for ``cut``, which any thread may call.
    """

    def __init__(self, seconds: float, names: Names) -> None:
        self._deadline = time.monotonic() + seconds
        self._names = names
        self._lock = threading.Lock()
        self._held: socket.socket | None = None
        self._timer: threading.Timer | None = threading.Timer(seconds, self.cut)
        self._timer.daemon = True
        self.sent = False
        self.expired = False

    def __enter__(self) -> Self:
        if self._timer is not None:
            with suppress(RuntimeError):  # no thread: each step has its limit still
                self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        # It knows us: the two would be there until somebody collects garbage.
        self._timer = None
        self._hold(None)

    @property
    def remaining(self) -> float:
        """Seconds, above zero always: a socket takes 0 for 'do not wait'."""
        return max(0.001, self._deadline - time.monotonic())

    def find(self, host: str, port: int) -> Sequence[Address]:
        """The addresses of a name, within the time that is left. Raises OSError."""
        return self._names.find(host, port, self.remaining)

    def cut(self) -> None:
        """End the attempt now."""
        with self._lock:
            self.expired = True
            _shut(self._held)

    def hold(self, connection: socket.socket) -> None:
        """From now on it is this connection that is cut.

        A descriptor of our own is kept, since TLS takes the socket's away.
        """
        self._hold(socket.socket(fileno=os.dup(connection.fileno())))

    def _hold(self, held: socket.socket | None) -> None:
        with self._lock:
            if self._held is not None:
                self._held.close()
            self._held = held
            if self.expired:
                _shut(held)


def _shut(held: socket.socket | None) -> None:
    if held is not None:
        with suppress(OSError):  # it may have ended by itself
            held.shutdown(socket.SHUT_RDWR)


class _Present(threading.local):
    """The attempt that is under way in this thread."""

    leash: Leash


_present = _Present()


class _Leashed(HTTPConnection):
    """A connection that shows itself to the leash of the moment; a mixin too."""

    def _new_conn(self) -> socket.socket:
        """Connect within the leash, however many addresses the name has."""
        leash = _present.leash
        found = leash.find(self._dns_host, self.port)
        error: OSError = TimeoutError("no time left to connect")
        for left, (family, kind, protocol, _, address) in zip(
            range(len(found), 0, -1), found, strict=True
        ):
            if leash.expired:
                break
            connection = socket.socket(family, kind, protocol)
            try:
                leash.hold(connection)
                for option in self.socket_options or ():
                    connection.setsockopt(*option)
                connection.settimeout(leash.remaining / left)
                connection.connect(address)
            except OSError as failed:
                error = failed
                connection.close()
            else:
                return connection
        raise error

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        leash = _present.leash
        if not leash.sent:  # an older connection belonged to an earlier leash
            leash.hold(self.sock)
            leash.sent = True
        self.sock.settimeout(leash.remaining)
        super().send(data)


class _LeashedSecure(_Leashed, HTTPSConnection):
    """The same under TLS."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Leashed


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _LeashedSecure


# Of all adapters: types that are made for each one refer to themselves, and would be there
# until somebody collects garbage.
_POOLS = {"http": _Pool, "https": _SecurePool}


class LeashedAdapter(HTTPAdapter):
    """Carries requests over connections that obey ``leash``. Thread: one.

    It never sends anything twice: the nonce would be the same.
    """

    def __init__(self) -> None:
        super().__init__(max_retries=0, pool_connections=1, pool_maxsize=1)

    @property
    def leash(self) -> Leash:
        """That of the attempt which this thread makes now, whatever the adapter."""
        return _present.leash

    @leash.setter
    def leash(self, leash: Leash) -> None:
        _present.leash = leash

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager
