"""``cms-relay record``: listens on UDP and writes what comes as a recording."""

import argparse
import math
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TextIO

from relay.commands.files import writing
from relay.commands.parsing import Commands, add_command
from relay.errors import ConfigError, RelayError
from relay.recording import Recorded, line_of
from relay.settings import Listen
from relay.statsd.grammar import number

__all__ = ["Recorder", "register"]

MORE = """\
  cms-relay record --seconds 60 traffic.jsonl
  cms-relay record --listen udp://0.0.0.0:8125 --limit 1000 | gzip > traffic.jsonl.gz
  cms-relay replay traffic.jsonl

Ctrl-C and SIGTERM end it with status 0.
"""


def register(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(
        commands, "record", "listen on UDP and write a recording", MORE, _record
    )
    parser.add_argument(
        "file", metavar="FILE", nargs="?", default="-", help="or stdout"
    )
    parser.add_argument(
        "--listen",
        metavar="URL",
        default="udp://127.0.0.1:8125",
        help="udp://HOST:PORT (default: %(default)s)",
    )
    parser.add_argument("--seconds", metavar="N", help="end after this long")
    parser.add_argument("--limit", metavar="N", help="end after so many datagrams")


LONGEST = 1e9
LARGEST_DATAGRAM = 65_535


class Recorder:
    """Writes each datagram with the second since the first look at the clock."""

    def __init__(
        self,
        write: Callable[[str], object],
        seconds: Callable[[], float],
        epoch: float,
        limit: float,
        finished: Callable[[], None],
    ) -> None:
        self._write, self._seconds, self._finished = write, seconds, finished
        self._began = seconds()
        self._epoch: float | None = epoch
        self._left = limit

    def take(self, datagram: bytes) -> None:
        """Write one datagram, and be finished once the limit is reached."""
        if self._left <= 0:
            return
        t = round(self._seconds() - self._began, 6)
        self._write(line_of(Recorded(t, datagram, self._epoch)) + "\n")
        self._epoch = None
        self._left -= 1
        if self._left <= 0:
            self._finished()


def _record(arguments: argparse.Namespace) -> int:
    listen = _listen(arguments.listen)
    seconds = _positive(arguments, "seconds")
    limit = _positive(arguments, "limit")
    try:
        with writing(arguments.file) as file:
            _run(listen, file, seconds, limit)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise RelayError(f"{arguments.file}: {error.strerror}") from None
    return 0


def _run(
    listen: Listen, file: TextIO, seconds: float | None, limit: float | None
) -> None:
    """Listen until the time, the limit, a signal or an error of writing ends it."""
    from twisted.internet import reactor as installed  # noqa: PLC0415 - see relay.commands
    from twisted.internet.error import CannotListenError, ReactorNotRunning  # noqa: PLC0415

    from relay.service.intake import Datagrams, Intake  # noqa: PLC0415

    reactor: Any = installed  # which of its interfaces it has is known at run time only
    reactor.seconds = time.monotonic  # timers must not follow a clock that is set
    failures: list[OSError] = []

    def stop() -> None:
        with suppress(ReactorNotRunning):  # it is stopping already
            reactor.stop()

    def write(line: str) -> None:
        try:
            file.write(line)
            file.flush()
        except OSError as error:
            failures.append(error)
            stop()

    def take(datagram: bytes, _period: int) -> bytes:
        recorder.take(datagram)
        return b""

    recorder = Recorder(write, time.monotonic, time.time(), limit or math.inf, stop)
    door = Datagrams(
        Intake(take, int, time.time, reactor, piece_bytes=LARGEST_DATAGRAM)
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
    if failures:
        raise failures[0]


def _listen(url: str) -> Listen:
    try:
        listen = Listen.parse(url)
    except ValueError as error:
        raise _not_udp(url, f"{error}") from None
    if listen.scheme != "udp":
        raise _not_udp(url, "a recording is of datagrams")
    return listen


def _not_udp(url: str, reason: str) -> ConfigError:
    problem = f"wants udp://HOST:PORT; got {url!r} ({reason})"
    return ConfigError("--listen", problem, source="command line")


def _positive(arguments: argparse.Namespace, name: str) -> float | None:
    text: str | None = getattr(arguments, name)
    if text is None:
        return None
    value = number(text.encode())
    if value is None or not 0 < value <= LONGEST:
        raise ConfigError(
            f"--{name}", f"wants a number above 0; got {text!r}", source="command line"
        )
    return value
