"""Scripted faults: what the service shall do wrong next, one per request.

Reads the script and hands faults out in order; acting them out is the resource's work.
"""

import json
import math
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from types import MappingProxyType
from typing import Literal

__all__ = ["Cut", "Fault", "Faults", "read_faults"]

Cut = Literal["accept", "headers", "body"]

FAULTS_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing to go wrong, ``times`` times.

    ``code``: an error of the gateway with ``status`` (400), ``message`` and
    ``retry_after_ms``. ``body_code``: an answer of the service with that code; with 206
    or 200 the entries are taken. ``status`` alone, or ``body``: no JSON but a page or
    that text. ``hang``: seconds before the answer; the entries are taken at once.
    ``cut``: the connection ends before, in the middle of, or after the headers; only
    with ``accept`` the entries are not taken. ``clock_offset``: seconds by which the
    service's clock is ahead, in its checks and in the Date header. ``action``: of which
    call alone; it waits for one, and others go by.
    """

    times: int = 1
    code: str | None = None
    message: str | None = None
    retry_after_ms: int | None = None
    body_code: int | None = None
    status: int | None = None
    body: str | None = None
    hang: float = 0.0
    cut: Cut | None = None
    clock_offset: float = 0.0
    action: str | None = None

    @property
    def takes_entries(self) -> bool:
        """Whether the request is handled all the same."""
        if self.cut == "accept" or self.code is not None or self.body is not None:
            return False
        if self.body_code is not None:
            return self.body_code in {200, 206}
        return self.status is None


class Faults:
    """The faults that wait, oldest first."""

    def __init__(self) -> None:
        self._waiting: deque[Fault] = deque()

    def __iter__(self) -> Iterator[Fault]:
        return iter(self._waiting)

    def __len__(self) -> int:
        return sum(fault.times for fault in self._waiting)

    def append(self, faults: tuple[Fault, ...]) -> None:
        """Let these happen after those that wait already."""
        self._waiting.extend(faults)

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        self._waiting.clear()

    def take(self, action: str | None = None) -> Fault | None:
        """The fault of the next request, which is a call of ``action``, if any."""
        for place, fault in enumerate(self._waiting):
            if fault.action in (None, action):
                del self._waiting[place]
                if fault.times > 1:
                    left = replace(fault, times=fault.times - 1)
                    self._waiting.insert(place, left)
                return fault
        return None


def read_faults(text: bytes) -> tuple[Fault, ...] | str:
    """A JSON list of faults, or a sentence on what is wrong with it."""
    try:
        script = json.loads(text)
    except (ValueError, RecursionError):
        return "a JSON list of faults is wanted; this is not JSON"
    if not isinstance(script, list) or len(script) > FAULTS_MAX:
        return f"a JSON list of at most {FAULTS_MAX} faults is wanted"
    for number, fault in enumerate(script, 1):
        if problem := _problem(fault):
            return f"fault {number}: {problem}"
    return tuple(Fault(**fault) for fault in script)


def show(fault: Fault) -> Mapping[str, object]:
    """A fault as it would be written in a script."""
    default = asdict(Fault())
    return {k: v for k, v in asdict(fault).items() if v != default[k] or k == "times"}


def _problem(fault: object) -> str | None:
    if not isinstance(fault, dict):
        return "an object is wanted"
    for name, value in fault.items():
        if name not in _FIELDS:
            return f"unknown key {name!r}; known are {', '.join(_FIELDS)}"
        fits, wanted = _FIELDS[name]
        if not fits(value):
            return f"{name} must be {wanted}"
    if not fault.keys() - {"times", "message", "retry_after_ms", "action"}:
        return "it does not say what shall go wrong"
    return None


def _is_number(value: object) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and math.isfinite(value)  # type: ignore[arg-type] # just checked


def _is_whole(value: object, first: int, last: int) -> bool:
    return type(value) is int and first <= value <= last


def _is_text(value: object) -> bool:
    return isinstance(value, str)


_FIELDS: Mapping[str, tuple[Callable[[object], bool], str]] = MappingProxyType(
    {
        "times": (lambda v: _is_whole(v, 1, 10**9), "a number from 1"),
        "code": (_is_text, "text"),
        "message": (_is_text, "text"),
        "retry_after_ms": (lambda v: _is_whole(v, 0, 10**9), "milliseconds"),
        "body_code": (lambda v: _is_whole(v, 0, 999), "a number such as 206"),
        "status": (lambda v: _is_whole(v, 200, 599), "an HTTP status, 200 to 599"),
        "body": (_is_text, "text"),
        "hang": (lambda v: _is_number(v) and 0 <= v <= 10**6, "seconds"),  # type: ignore[operator] # just checked
        "cut": (
            lambda v: v in ("accept", "headers", "body"),
            "accept, headers or body",
        ),
        "clock_offset": (_is_number, "seconds"),
        "action": (_is_text, "text"),
    }
)
