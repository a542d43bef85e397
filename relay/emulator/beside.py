"""What stands beside the API: the page, the three logs, and the script of faults.

No HTTP server, no timers. Answers only to names that a rebound DNS entry cannot have,
and to no page of another origin: these paths are neither signed nor verified.
"""

import ipaddress
import json
import re
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from urllib.parse import urlsplit

from relay.emulator.answers import HTML_TYPE, Answer, reason
from relay.emulator.explore import find_metrics, find_points
from relay.emulator.faults import read_faults, show
from relay.emulator.page import (
    CONTENT_SECURITY_POLICY,
    PAGE_FILES,
    page_file,
    render,
)
from relay.emulator.service import Emulator
from relay.emulator.verify import scheme_of
from relay.emulator.wire import Call

__all__ = ["Beside"]

LINES_TYPE = "application/x-ndjson;charset=utf-8"
TEXT_TYPE = "text/plain;charset=utf-8"


class Beside:
    """Answers what is no call of the API; ``any_host`` switches the guard of names off."""

    def __init__(self, emulator: Emulator, *, any_host: bool) -> None:
        self._emulator = emulator
        self._any_host = any_host
        self._routes: Mapping[tuple[str, str], Callable[[Call], Answer]] = (
            MappingProxyType(
                {
                    ("/", "GET"): self._page,
                    ("/_emulator/entries", "GET"): self._entries,
                    ("/_emulator/entries", "DELETE"): self._forget,
                    ("/_emulator/events", "GET"): self._events,
                    ("/_emulator/events", "DELETE"): self._forget_events,
                    ("/_emulator/hybrid", "GET"): self._hybrid,
                    ("/_emulator/hybrid", "DELETE"): self._forget_hybrid,
                    ("/_emulator/requests", "GET"): self._requests,
                    ("/_emulator/faults", "GET"): self._faults,
                    ("/_emulator/faults", "POST"): self._add_faults,
                    ("/_emulator/faults", "DELETE"): self._clear_faults,
                    ("/_emulator/metrics", "GET"): self._metrics,
                    ("/_emulator/points", "GET"): self._points,
                    **{(path, "GET"): self._page_file for path in PAGE_FILES},
                }
            )
        )

    def is_asked(self, call: Call) -> bool:
        """Whether this is for us, and no call of the API, well made or not."""
        return call.path != "/" or _is_browser(call)

    def answer(self, call: Call) -> Answer:
        """Guard, then act."""
        if not (self._any_host or _is_local_name(call.headers.get("host", ""))):
            return _text(403, "This host name is not known here.")
        if _is_foreign(call):
            return _text(403, "A page of another origin may not do this.")
        act = self._routes.get((call.path, call.method))
        if act is not None:
            return act(call)
        status = 405 if any(path == call.path for path, _ in self._routes) else 404
        return _text(status, reason(status))

    def _page(self, call: Call) -> Answer:
        headers = {
            "Content-Security-Policy": CONTENT_SECURITY_POLICY,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
        }
        page = render(self._emulator, dict(call.query).get("metric")).encode()
        return Answer(200, page, content_type=HTML_TYPE, headers=headers)

    def _page_file(self, call: Call) -> Answer:
        return page_file(call.path)

    def _metrics(self, call: Call) -> Answer:
        return _json(find_metrics(self._emulator.store, call.query))

    def _points(self, call: Call) -> Answer:
        emulator = self._emulator
        found = find_points(emulator.store, call.query, emulator.now())
        return _text(400, found) if isinstance(found, str) else _json(found)

    def _entries(self, _call: Call) -> Answer:
        return _lines(self._emulator.store.lines())

    def _forget(self, _call: Call) -> Answer:
        forgotten = sum(1 for _ in self._emulator.store.lines())
        self._emulator.store.clear()
        return _json({"forgotten": forgotten})

    def _events(self, call: Call) -> Answer:
        return _lines(deque(self._emulator.events.lines(), maxlen=_last(call)))

    def _forget_events(self, _call: Call) -> Answer:
        return _json({"forgotten": self._emulator.events.clear()})

    def _hybrid(self, _call: Call) -> Answer:
        return _lines(self._emulator.hybrid.lines())

    def _forget_hybrid(self, _call: Call) -> Answer:
        return _json({"forgotten": self._emulator.hybrid.clear()})

    def _requests(self, call: Call) -> Answer:
        return _lines(self._emulator.request_lines(_last(call)))

    def _faults(self, _call: Call) -> Answer:
        return _json([show(fault) for fault in self._emulator.faults])

    def _add_faults(self, call: Call) -> Answer:
        script = read_faults(call.body)
        if isinstance(script, str):
            return _text(400, script)
        self._emulator.faults.append(script)
        return _json({"waiting": len(self._emulator.faults)})

    def _clear_faults(self, _call: Call) -> Answer:
        forgotten = len(self._emulator.faults)
        self._emulator.faults.clear()
        return _json({"forgotten": forgotten})


def _is_browser(call: Call) -> bool:
    return (
        call.method == "GET"
        and "text/html" in call.headers.get("accept", "")
        and scheme_of(call) is None
    )


def _is_local_name(host: str) -> bool:
    """An address or ``localhost``: names that nobody else can point at this machine."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or bool(ipaddress.ip_address(name))
    except ValueError:
        return False


def _is_foreign(call: Call) -> bool:
    """Whether a browser says that another site's page is behind this."""
    origin = call.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != call.headers.get("host")


def _last(call: Call) -> int | None:
    """How many lines the parameter of that name asks for; None where it says nothing."""
    given = dict(call.query).get("last", "")
    return int(given) if re.fullmatch(r"\d{1,9}", given, re.ASCII) else None


def _lines(lines: Iterable[bytes]) -> Answer:
    return Answer(
        200, b"".join(line + b"\n" for line in lines), content_type=LINES_TYPE
    )


def _json(value: object) -> Answer:
    return Answer(200, json.dumps(value).encode() + b"\n")


def _text(status: int, text: str) -> Answer:
    return Answer(status, f"{text}\n".encode(), content_type=TEXT_TYPE)
