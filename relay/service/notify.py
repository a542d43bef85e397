"""What the service manager wants to know: ready, reloading, stopping, still alive.

One datagram to the socket that NOTIFY_SOCKET names; without that variable nothing
happens. Nothing here raises or waits: a manager that does not listen must not stop the
relay. The variables come as a mapping.

Source: sd_notify(3), sd_watchdog_enabled(3).
"""

import socket
from collections.abc import Mapping
from contextlib import suppress

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall

__all__ = ["VARIABLES", "Notifier"]

VARIABLES = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")

_STATUS_MAX = 512
_USEC_DIGITS = 18


class Notifier:
    """``clock`` is the reactor's, on CLOCK_MONOTONIC; ``pid`` is this process's.

    Thread: the reactor's. So a reactor that is stuck sends no WATCHDOG=1, which is what
    that is for.
    """

    def __init__(
        self, environment: Mapping[str, str], pid: int, clock: IReactorTime
    ) -> None:
        self._clock = clock
        self._address = _address(environment.get("NOTIFY_SOCKET", ""))
        self._socket = self._address and _open()
        self._watchdog = LoopingCall(self._send, "WATCHDOG=1")
        self._watchdog.clock = clock
        self._every = _watchdog_seconds(environment, pid) / 2

    def ready(self, status: str) -> None:
        """Started, or done with a reload."""
        self._send("READY=1", _status(status))
        if self._every and self._socket and not self._watchdog.running:
            self._watchdog.start(self._every)

    def reloading(self) -> None:
        """A reload begins; ``ready`` ends it.

        Source: systemd.service(5), Type=notify-reload, asks for the time.
        """
        self._send("RELOADING=1", f"MONOTONIC_USEC={int(self._clock.seconds() * 1e6)}")

    def stopping(self) -> None:
        """A stop begins."""
        self._send("STOPPING=1", _status("stopping"))

    def close(self) -> None:
        """Nothing is sent from now on."""
        if self._watchdog.running:
            self._watchdog.stop()
        if self._socket:
            self._socket.close()
            self._socket = None

    def _send(self, *assignments: str) -> None:
        if self._socket:
            with suppress(OSError):
                self._socket.sendto("\n".join(assignments).encode(), self._address)


def _open() -> socket.socket | None:
    with suppress(OSError):
        opened = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        opened.setblocking(False)
        return opened
    return None


def _address(text: str) -> str:
    """A path, or a name in the abstract space; other kinds are not for local services."""
    if text.startswith("@") and len(text) > 1:
        return "\0" + text[1:]
    return text if text.startswith("/") else ""


def _watchdog_seconds(environment: Mapping[str, str], pid: int) -> float:
    """How often the manager wants to hear of us; 0 where it does not."""
    wanted, whom = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID")
    if whom is not None and whom != str(pid):
        return 0.0
    if not (wanted.isascii() and wanted.isdigit() and len(wanted) <= _USEC_DIGITS):
        return 0.0
    return int(wanted) / 1e6


def _status(text: str) -> str:
    """One line, whatever is in it."""
    return f"STATUS={' '.join(text.split())[:_STATUS_MAX]}"
