"""The log: one line a record on standard error, small, scrubbed, and never in the way.

Takes what ``twisted.logger`` and the standard library's ``logging`` emit. It refuses to
know who logs and why; the lines that scripts wait for at the start are not its either.

A record is written only when that needs no waiting: the descriptor is polled first, and
a record is smaller than the piece a pipe takes at once (PIPE_BUF, pipe(7)). So a pipe
that nobody reads, or a full disk, costs records, which are counted, and nothing else.
"""

import json
import logging
import os
import re
import select
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from traceback import format_exception
from typing import Literal, NamedTuple
from urllib.parse import quote

from twisted.logger import (
    ILogObserver,
    LogEvent,
    LogLevel,
    formatEvent,
    globalLogBeginner,
)
from twisted.python.failure import Failure
from zope.interface import implementer

__all__ = [
    "LEVELS",
    "Level",
    "Logs",
    "Record",
    "Scrubber",
    "begin",
    "nonblocking",
    "to_stderr",
]

Level = Literal["debug", "info", "warning", "error"]

LEVELS: tuple[Level, ...] = ("debug", "info", "warning", "error")
"""From least to most severe."""

_OF_TWISTED: Mapping[object, Level] = {
    LogLevel.debug: "debug",
    LogLevel.info: "info",
    LogLevel.warn: "warning",
    LogLevel.error: "error",
    LogLevel.critical: "error",
}

_NUMBERS: Mapping[Level, int] = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}

_CHATTER = ("twisted.", "log_legacy")
"""Rooms of Twisted, whose news of ports and factories is none to an operator."""

RECORD_BYTES = 2048
"""The longest line, with its end."""

RECORDS_PER_SECOND = 10
"""Of one format; the rest of the second is summed into one record."""

FORMATS_MAX = 256
"""How many formats are told apart; a library that builds its own texts has no end."""

SECRETS_MAX = 64
"""How many secrets are remembered; tokens come anew every hour for years."""

MASK = "***"


class Record(NamedTuple):
    """One thing worth saying: ``time`` in Unix seconds, ``text`` scrubbed already."""

    time: float
    level: Level
    room: str
    text: str


class Scrubber:
    """Replaces every secret it was told of, also where it was percent-encoded, or twice."""

    def __init__(self) -> None:
        self._secrets: dict[str, None] = {}
        self._pattern = re.compile(r"(?!)")

    def add(self, secret: str) -> None:
        """Never show ``secret`` again. Any thread."""
        if not secret.strip():
            return
        known = dict(self._secrets)
        known.pop(secret, None)
        known[secret] = None
        self._secrets = dict.fromkeys(list(known)[-SECRETS_MAX:])
        forms = {form for one in self._secrets for form in _forms(one)}
        longest_first = sorted(forms, key=len, reverse=True)
        any_of_them = "|".join(map(re.escape, longest_first))
        self._pattern = re.compile(any_of_them, re.IGNORECASE)

    def scrub(self, text: str) -> str:
        """``text`` without any secret."""
        return self._pattern.sub(MASK, text)


def _forms(secret: str) -> Iterator[str]:
    """As it may stand in a text; twice encoded it is in what the service has signed."""
    yield from (secret, quote(secret), repr(secret)[1:-1])
    once = quote(secret, safe="")
    yield from (once, quote(once, safe=""))


class _Pace:
    """Lets a few records of one format through each second, and sums up the rest."""

    def __init__(self) -> None:
        self._second = 0
        self._seen: dict[str, int] = {}

    def admits(self, key: str) -> bool:
        if key not in self._seen and len(self._seen) >= FORMATS_MAX:
            key = ""
        self._seen[key] = self._seen.get(key, 0) + 1
        return self._seen[key] <= RECORDS_PER_SECOND

    def turn(self, now: float) -> Mapping[str, int]:
        """Where a second is over: by format, how many were not let through in it."""
        if self._second - 1 <= int(now) <= self._second:  # threads overtake each other
            return {}
        over = {
            key: seen - RECORDS_PER_SECOND
            for key, seen in self._seen.items()
            if seen > RECORDS_PER_SECOND
        }
        self._second, self._seen = int(now), {}
        return over


@implementer(ILogObserver)
class Logs:
    """An observer of ``twisted.logger``; its ``handler`` is one of ``logging``.

    ``write`` takes one whole line and says whether it was written. Any thread.
    """

    def __init__(
        self,
        write: Callable[[bytes], bool],
        *,
        level: Level = "info",
        as_json: bool = True,
        scrubber: Scrubber | None = None,
    ) -> None:
        self.scrubber = scrubber or Scrubber()
        self.dropped = 0
        self.handler: logging.Handler = _Handler(self)
        self._write = write
        self.level(level)
        self._render = _as_json if as_json else _as_text
        self._pace = _Pace()
        self._lock = threading.RLock()

    def __call__(self, event: LogEvent) -> None:
        room = str(event.get("log_namespace", ""))
        level = _OF_TWISTED.get(event.get("log_level"), "info")
        if level == "info" and room.startswith(_CHATTER):
            level = "debug"
        self.take(
            time=event.get("log_time", 0.0),
            level=level,
            room=room,
            key=str(event.get("log_format")),
            text=lambda: _text_of(event),
        )

    def level(self, least: Level) -> None:
        """Log what is at least that severe."""
        self._least = LEVELS.index(least)
        self.handler.setLevel(_NUMBERS[least])
        if self.handler in logging.root.handlers:  # where the libraries look first
            logging.root.setLevel(_NUMBERS[least])

    def take(
        self, *, time: float, level: Level, room: str, key: str, text: Callable[[], str]
    ) -> None:
        """Log ``text()``, which is asked only if there is room; ``key`` is its format."""
        if LEVELS.index(level) < self._least:
            return
        with self._lock:
            self.flush(time)
            if self._pace.admits(f"{room} {key}"):
                self._put(Record(time, level, room, self.scrubber.scrub(text())))

    def flush(self, now: float) -> None:
        """Say how many records were summed up, once their second is over."""
        with self._lock:
            for key, more in self._pace.turn(now).items():
                text = f"{more} more like this: {key}"
                self._put(Record(now, "warning", __name__, self.scrubber.scrub(text)))

    def _put(self, record: Record) -> None:
        if not self._write(_fitted(record, self._render)):
            self.dropped += 1


class _Handler(logging.Handler):
    """The standard library's records, for libraries that use it."""

    def __init__(self, logs: Logs) -> None:
        super().__init__()
        self._logs = logs

    def emit(self, record: logging.LogRecord) -> None:
        self._logs.take(
            time=record.created,
            level=_of_logging(record.levelno),
            room=record.name,
            key=str(record.msg),
            text=lambda: _text_of_logging(record),
        )


def begin(logs: Logs) -> None:
    """Send everything that is logged in this process to ``logs``, and only there."""
    globalLogBeginner.beginLoggingTo([logs], redirectStandardIO=False)
    logging.basicConfig(handlers=[logs.handler], level=logs.handler.level, force=True)


def nonblocking(fileno: int) -> Callable[[bytes], bool]:
    """Write whole lines to a descriptor, if that needs no waiting. One thread a time.

    Not O_NONBLOCK: that would be set for everybody who shares the terminal or pipe.
    """
    poll = select.poll()
    poll.register(fileno, select.POLLOUT)
    unfinished = False

    def write(line: bytes) -> bool:
        nonlocal unfinished
        try:
            if not any(events & select.POLLOUT for _, events in poll.poll(0)):
                return False
            whole = b"\n" + line if unfinished else line
            written = os.write(fileno, whole)
        except OSError:
            return False
        unfinished = written < len(whole)
        return not unfinished

    return write


def to_stderr(level: Level, scrubber: Scrubber | None = None) -> Logs:
    """The log of a daemon: words on a terminal, JSON anywhere else."""
    fileno = sys.stderr.fileno()
    return Logs(
        nonblocking(fileno),
        level=level,
        as_json=not os.isatty(fileno),
        scrubber=scrubber,
    )


def _text_of(event: LogEvent) -> str:
    """The message, and the traceback of what went wrong."""
    said, failure = formatEvent(event), event.get("log_failure")
    if not isinstance(failure, Failure):
        return said
    return f"{said}\n{failure.getTraceback()}".lstrip()


def _text_of_logging(record: logging.LogRecord) -> str:
    try:
        said = record.getMessage()
    except Exception:  # noqa: BLE001 - arguments that do not fit their format
        said = str(record.msg)
    if record.exc_info and record.exc_info[1]:
        return said + "\n" + "".join(format_exception(record.exc_info[1]))
    return said


def _of_logging(number: int) -> Level:
    return max(
        (level for level in LEVELS if _NUMBERS[level] <= number),
        key=LEVELS.index,
        default="debug",
    )


def _time(record: Record) -> str:
    moment = datetime.fromtimestamp(record.time, tz=UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _as_json(record: Record) -> str:
    """ASCII: a record stays one line whatever characters are in it."""
    return json.dumps(
        {
            "time": _time(record),
            "level": record.level,
            "room": record.room,
            "text": record.text,
        }
    )


def _as_text(record: Record) -> str:
    line = f"{_time(record)} {record.level} {record.room}: {record.text}"
    return "".join(map(_visible, line))


def _visible(character: str) -> str:
    if character.isprintable():
        return character
    return character.encode("unicode_escape").decode("ascii")


def _fitted(record: Record, render: Callable[[Record], str]) -> bytes:
    """The line, its text shortened in the middle until it fits.

    The end stays because it is where a traceback says what happened.
    """
    keep = RECORD_BYTES
    record = record._replace(room=record.room[:100])
    while True:
        line = render(record._replace(text=_shortened(record.text, keep))).encode()
        if len(line) < RECORD_BYTES:
            return line + b"\n"
        keep = keep * 9 // 10


def _shortened(text: str, keep: int) -> str:
    if len(text) <= keep:
        return text
    return f"{text[: keep // 2]} … {text[len(text) - keep // 2 :]}"
