"""A recording of datagrams: JSON Lines, each with the second it arrived in.

``{"t": 1.5, "datagram": "a:1|c"}``, or ``datagram_b64`` for bytes that are not UTF-8;
the first object may carry ``epoch``, the wall-clock second at which ``t`` is 0. Lines in,
values out and back; files and clocks are the caller's.
"""

import base64
import json
import math
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from relay.errors import RelayError

__all__ = ["Recorded", "line_of", "read"]


class Recorded(NamedTuple):
    """A datagram and when it came, in seconds since the start; ``epoch`` if it is known.

    ``epoch`` is the same for all of a recording.
    """

    t: float
    datagram: bytes
    epoch: float | None = None


def line_of(recorded: Recorded) -> str:
    """One line without its end; only the first of a recording should have an epoch."""
    head = {} if recorded.epoch is None else {"epoch": recorded.epoch}
    try:
        body = {"datagram": recorded.datagram.decode()}
    except UnicodeDecodeError:
        body = {"datagram_b64": base64.b64encode(recorded.datagram).decode()}
    return json.dumps(head | {"t": recorded.t} | body, ensure_ascii=False)


def read(lines: Iterable[bytes], source: str) -> Iterator[Recorded]:
    """What ``line_of`` wrote; empty lines are skipped.

    Raises RelayError with ``source``, the number of the line and what is wanted.
    """
    t, epoch, first = 0.0, None, True
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            found = _object(line)
            if "epoch" in found:
                epoch = _epoch(found, first=first)
            t = _time(found, t)
            yield Recorded(t, _datagram(found), epoch)
        except (ValueError, RecursionError) as error:
            raise RelayError(f"{source}: line {number}: {error}") from None
        first = False


def _object(line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line.decode())
    except UnicodeDecodeError:
        raise ValueError("wants UTF-8") from None
    except ValueError as error:
        raise ValueError(f"wants one JSON object; {error}") from None
    if not isinstance(found, dict):
        raise ValueError('wants one JSON object, {"t": …, "datagram": …}')  # noqa: TRY004 - caught above as bad input
    return found


def _epoch(found: dict[str, Any], *, first: bool) -> float:
    if not first:
        raise ValueError("epoch belongs to the first object only")
    return _number(found, "epoch")


def _time(found: dict[str, Any], before: float) -> float:
    t = _number(found, "t") if "t" in found else before
    if t < before:
        raise ValueError(f"wants t not to fall; {t} comes after {before}")
    return t


def _number(found: dict[str, Any], key: str) -> float:
    value = found[key]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"wants {key} to be a number of seconds; got {value!r:.40}")  # noqa: TRY004 - caught above as bad input
    try:
        seconds = float(value)
    except OverflowError:
        seconds = math.inf
    if not math.isfinite(seconds) or seconds < 0:
        raise ValueError(f"wants {key} to be finite and not negative")
    return seconds


def _datagram(found: dict[str, Any]) -> bytes:
    match found:
        case {"datagram": str(), "datagram_b64": _}:
            raise ValueError("wants datagram or datagram_b64, not both")
        case {"datagram": str(text)}:
            return text.encode()
        case {"datagram_b64": str(text)}:
            return base64.b64decode(text, validate=True)
        case _:
            raise ValueError('wants "datagram": text, or "datagram_b64": text')
