"""Datagrams from a socket of UDP, for commands that are not the daemon."""

import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from relay.errors import ConfigError, RelayError
from relay.settings import Listen
from relay.statsd.grammar import number

__all__ = ["datagrams", "listen_of", "positive"]

LONGEST = 1e9
LARGEST_DATAGRAM = 65_535


def datagrams(
    listen: Listen,
    take: Callable[[bytes, Callable[[], None]], None],
    seconds: float | None,
) -> None:
    """``take`` each with what ends it, until then, that time or a signal.

    Raises RelayError where the address is taken.
    """
    from twisted.internet import reactor as installed  # noqa: PLC0415 - see relay.commands
    from twisted.internet.error import CannotListenError, ReactorNotRunning  # noqa: PLC0415

    from relay.service.intake import Datagrams, Intake  # noqa: PLC0415

    reactor: Any = installed  # which of its interfaces it has is known at run time only
    reactor.seconds = time.monotonic  # timers must not follow a clock that is set

    def stop() -> None:
        with suppress(ReactorNotRunning):  # it is stopping already
            reactor.stop()

    def feed(datagram: bytes, _period: int) -> bytes:
        take(datagram, stop)
        return b""

    door = Datagrams(
        Intake(feed, int, time.time, reactor, piece_bytes=LARGEST_DATAGRAM)
    )
    try:
        port = reactor.listenUDP(
            listen.port, door, interface=listen.host, maxPacketSize=LARGEST_DATAGRAM
        )
    except CannotListenError as error:
        raise RelayError(f"{listen}: {error.socketError}") from None
    print(f"listening {listen._replace(port=port.getHost().port)}", file=sys.stderr)
    print("ready", file=sys.stderr, flush=True)
    if seconds is not None:
        reactor.callLater(seconds, stop)
    reactor.run()


def listen_of(url: str) -> Listen:
    """Of the flag ``--listen``: UDP only."""
    try:
        listen = Listen.parse(url)
    except ValueError as error:
        raise _not_udp(url, f"{error}") from None
    if listen.scheme != "udp":
        raise _not_udp(url, "it listens for datagrams")
    return listen


def _not_udp(url: str, reason: str) -> ConfigError:
    problem = f"wants udp://HOST:PORT; got {url!r} ({reason})"
    return ConfigError("--listen", problem, source="command line")


def positive(flag: str, text: str | None) -> float | None:
    """A number above 0; None where the flag is not given."""
    if text is None:
        return None
    value = number(text.encode())
    if value is None or not 0 < value <= LONGEST:
        raise ConfigError(
            flag, f"wants a number above 0; got {text!r}", source="command line"
        )
    return value
