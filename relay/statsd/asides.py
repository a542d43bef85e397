"""Events and service checks: told apart from metrics, well formed or not, and read.

Bad optional fields do not spoil one; the Datadog agent skips those too. Whether one is
wanted is not known here.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, NamedTuple

from relay.statsd.ends import trim
from relay.statsd.numbers import timestamp
from relay.statsd.sample import Event, Reason, What
from relay.statsd.tags import gather, hash_tags

__all__ = [
    "ASIDES",
    "EVENT",
    "SERVICE_CHECK",
    "Check",
    "judge",
    "read_check",
    "read_event",
]

EVENT, SERVICE_CHECK = b"_e{", b"_sc|"

ASIDES = (EVENT, SERVICE_CHECK)
"""What a line begins with if it is no metric."""

# Nine digits reach beyond any line, and keep int() away from a datagram full of them.
_event_header = re.compile(rb"_e\{([0-9]{1,9}),([0-9]{1,9})\}:").match
_is_service_check = re.compile(rb"_sc\|[^|]+\|[0-3](?:\|.*)?", re.DOTALL).fullmatch

_PRIORITIES = (b"normal", b"low")
_ALERT_TYPES = (b"error", b"warning", b"info", b"success")


class Check(NamedTuple):
    """A service check as sent; ``status`` is 0 OK, 1 warning, 2 critical or 3 unknown.

    ``tags`` is what stands behind ``#``, ``timestamp`` is in Unix seconds.
    """

    name: bytes
    status: int
    tags: bytes | None = None
    timestamp: bytes | None = None
    container: bytes | None = None


def judge(line: bytes) -> What | Reason:
    """What a line beginning with one of ASIDES is, or why it is malformed.

    Source: datadog-agent, ``parse_events.go`` and ``parse_service_checks.go``.
    """
    if line.startswith(EVENT):
        return Reason.BAD_EVENT if _event_texts(line) is None else What.EVENT
    good = _is_service_check(line) is not None
    return What.SERVICE_CHECK if good else Reason.BAD_SERVICE_CHECK


def read_event(line: bytes) -> Event:
    """The event on a line that ``judge`` takes for one; ValueError for any other."""
    found = _event_texts(line)
    if found is None:
        raise ValueError("not an event")
    title, text, rest = found
    fields: dict[str, Any] = {}
    for name, value in _fields(rest, _EVENT_FIELDS):
        read = _EVENT_FIELDS[name][1](value)
        if read is not None:
            fields[_EVENT_FIELDS[name][0]] = read
    return Event(_lines(title), _lines(text), **fields)


def read_check(line: bytes) -> Check:
    """The service check on a line that ``judge`` takes for one.

    A message comes last and is not kept: a gauge has no place for it.
    """
    _, name, status, *rest = line.split(b"|", 3)
    fields: dict[bytes, bytes] = {}
    for mark, value in _fields(b"".join(rest), _CHECK_FIELDS):
        if mark == b"m:":
            break
        if mark != b"d:" or timestamp(value) is not None:
            fields[mark] = value
    return Check(name, int(status), *map(fields.get, (b"#", b"d:", b"c:")))


def _event_texts(line: bytes) -> tuple[bytes, bytes, bytes] | None:
    """Title, text and the fields of ``_e{<title bytes>,<text bytes>}:<title>|<text>``.

    Title and text are taken by length in bytes and may hold any sign; the title must
    not be empty, and behind the text there is the end of the line or a field.
    """
    header = _event_header(line)
    if header is None:
        return None
    title, text = int(header[1]), int(header[2])
    middle = header.end() + title
    end = middle + 1 + text
    rest = trim(line[end:])
    good = (
        title > 0
        and line[middle : middle + 1] == b"|"
        and len(line) >= end
        and rest[:1] in (b"", b"|")
    )
    if not good:
        return None
    return line[header.end() : middle], line[middle + 1 : end], rest[1:]


def _fields(rest: bytes, known: Collection[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Marks and values of the known fields, in order."""
    for piece in rest.split(b"|"):
        mark = piece[:1] if piece.startswith(b"#") else piece[:2]
        if mark in known:
            yield mark, piece[len(mark) :]


def _text(value: bytes) -> str | None:
    return value.decode("utf-8", "replace") or None


def _lines(text: bytes) -> str:
    """Clients write a line feed as a backslash and an n."""
    return text.decode("utf-8", "replace").replace("\\n", "\n")


def _word(*words: bytes) -> Callable[[bytes], str | None]:
    return lambda value: value.decode() if value in words else None


_EVENT_FIELDS: Mapping[bytes, tuple[str, Callable[[bytes], object]]] = {
    b"d:": ("timestamp", timestamp),
    b"h:": ("hostname", _text),
    b"k:": ("aggregation_key", _text),
    b"p:": ("priority", _word(*_PRIORITIES)),
    b"s:": ("source", _text),
    b"t:": ("alert_type", _word(*_ALERT_TYPES)),
    b"#": ("tags", lambda value: gather(hash_tags(value))[0]),
}
"""What each field is called, and how it is read; None is a bad one."""

_CHECK_FIELDS = (b"d:", b"#", b"c:", b"m:")
