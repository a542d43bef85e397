"""``cms-relay record``: listens on UDP and writes what comes as a recording."""

import argparse
import math
import time
from collections.abc import Callable
from typing import TextIO

from relay.commands.files import STANDARD, writing
from relay.commands.listening import datagrams, listen_of, positive
from relay.commands.parsing import Commands, add_command
from relay.errors import RelayError
from relay.recording import Recorded, line_of
from relay.settings import Listen

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
    listen = listen_of(arguments.listen)
    seconds = positive("--seconds", arguments.seconds)
    limit = positive("--limit", arguments.limit)
    try:
        with writing(arguments.file) as file:
            _run(listen, file, seconds, limit)
    except OSError as error:
        if arguments.file == STANDARD:
            raise
        raise RelayError(f"{arguments.file}: {error.strerror}") from None
    return 0


def _run(
    listen: Listen, file: TextIO, seconds: float | None, limit: float | None
) -> None:
    """Listen until the time, the limit, a signal or an error of writing ends it."""
    failures: list[OSError] = []
    ended = False

    def end() -> None:
        nonlocal ended
        ended = True

    def write(line: str) -> None:
        try:
            file.write(line)
            file.flush()
        except OSError as error:
            failures.append(error)
            end()

    def take(datagram: bytes, stop: Callable[[], None]) -> None:
        recorder.take(datagram)
        if ended:
            stop()

    recorder = Recorder(write, time.monotonic, time.time(), limit or math.inf, end)
    datagrams(listen, take, seconds)
    if failures:
        raise failures[0]
