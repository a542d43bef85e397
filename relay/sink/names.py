"""Look-ups of host names that give up in time.

The system's resolver has no limit of ours, and a thread that is in it cannot be called
back. So a look-up has a thread of its own, which nobody has to wait for: neither the
attempt whose time is over nor the end of the process. Remembers no answer.
"""

import socket
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

__all__ = ["Address", "Names", "NoAnswerError"]

Address = tuple[Any, ...]
"""A row of ``getaddrinfo``."""

FRESH_SECONDS = 30.0
"""A look-up that has been silent for longer is not waited for by those who come anew:
the network may be another one by now. Bounds the threads as well, to two a minute."""


class NoAnswerError(TimeoutError):
    """It was asked, and said nothing in time."""


class _Lookup:
    """One question, asked in a thread; any number may wait for its answer."""

    def __init__(self, host: str, port: int) -> None:
        self.began = time.monotonic()
        self.ended = threading.Event()
        self._question = host, port
        self._found: Sequence[Address] = ()
        self._error: OSError | None = None
        threading.Thread(target=self._ask, name="names", daemon=True).start()

    def wait(self, seconds: float) -> Sequence[Address]:
        """Raises what the resolver raised, or NoAnswerError."""
        if not self.ended.wait(seconds):
            raise NoAnswerError
        if self._error is not None:
            raise self._error
        return self._found

    def _ask(self) -> None:
        host, port = self._question
        try:
            self._found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            self._error = error
        except UnicodeError:  # no name of a host can be so
            self._error = socket.gaierror(
                socket.EAI_NONAME, "Name or service not known"
            )
        finally:
            self.ended.set()


class Names:
    """Asks the resolver, once at a time for each name. Thread: any, many at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lookups: dict[tuple[str, int], _Lookup] = {}

    def find(self, host: str, port: int, seconds: float) -> Sequence[Address]:
        """The addresses as they are now. Raises OSError, NoAnswerError after ``seconds``.

        What is an address already needs no thread.
        """
        with suppress(OSError, UnicodeError):
            return socket.getaddrinfo(
                host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST
            )
        return self._lookup(host, port).wait(seconds)

    def _lookup(self, host: str, port: int) -> _Lookup:
        """The one that is under way, or a new one."""
        with self._lock:
            found = self._lookups.get((host, port))
            if (
                found is None
                or found.ended.is_set()
                or time.monotonic() - found.began > FRESH_SECONDS
            ):
                found = self._lookups[host, port] = _Lookup(host, port)
            return found
