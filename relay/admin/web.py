"""Health, metrics and status over HTTP: what may be asked, by whom, and how it is said.

Sees the rest of the relay through callables. Every answer comes from memory, and
no request changes anything that is reported.
"""

import ipaddress
import json
import math
import re
from collections.abc import Callable, Collection, Mapping
from time import time
from typing import Any, NamedTuple, TypeVar

from twisted.internet.defer import CancelledError, Deferred, maybeDeferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request, Site

from relay.admin import page
from relay.admin.limits import SmallSite
from relay.admin.live import Live
from relay.admin.status import Status

__all__ = ["make_site"]

_HEADERS = {
    "Server": "cms-relay",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
}

_TEXT = "text/plain; charset=utf-8"

QUERY_CHARACTERS = 200
LINE_BYTES = 4096
FOUND_DEFAULT, FOUND_MAX = 20, 50
SEARCHES = 4
"""So many at a time; each takes some milliseconds of a turn."""


class _Answer(NamedTuple):
    code: int
    content_type: str
    body: bytes


_T = TypeVar("_T")
_Answered = _Answer | Deferred[_Answer]


class _Asked(NamedTuple):
    """``query`` has the first value of each key; bytes that are not UTF-8 are replaced."""

    accept: str
    query: Mapping[str, str]


def make_site(
    *,
    status: Callable[[], Status],
    metrics: Callable[[str], tuple[str, bytes]],
    ready: Callable[[], bool],
    live: Live,
    clock: IReactorTime,
    hosts: Collection[str] = (),
    wall: Callable[[], float] = time,
) -> Site:
    """The admin site.

    ``metrics`` gets the Accept header and gives a content type and a body; ``live`` is
    what the page's script asks for; ``hosts`` are
    the names under which the site may be asked for, besides localhost and addresses;
    ``clock`` ends idle connections; ``wall`` is Unix seconds for people.
    """
    known = frozenset(name.rstrip(".").lower() for name in hosts)
    return SmallSite(_Admin(_Answers(status, metrics, ready, live, wall), known), clock)


class _Answers:
    """One method a path."""

    def __init__(
        self,
        status: Callable[[], Status],
        metrics: Callable[[str], tuple[str, bytes]],
        ready: Callable[[], bool],
        live: Live,
        wall: Callable[[], float],
    ) -> None:
        self._status, self._metrics, self._live = status, metrics, live
        self._ready, self._wall = ready, wall
        self._searches = 0
        self.by_path: dict[bytes, Callable[[_Asked], _Answered]] = {
            b"/": self._page,
            b"/status": lambda _: _json(self._status(), indent=1),
            b"/metrics": lambda asked: _Answer(200, *self._metrics(asked.accept)),
            b"/healthz": lambda _: _Answer(200, _TEXT, b"ok\n"),
            b"/readyz": self._readiness,
            b"/history": self._history,
            b"/series": self._series,
            b"/explain": self._explain,
        }
        for path, (content_type, body) in page.files().items():
            self.by_path[path.encode()] = _file(_Answer(200, content_type, body))

    def _page(self, _: _Asked) -> _Answer:
        status, ready = self._status(), self._ready()
        verdict = self._live.verdict(status, ready)
        html = page.render(status, verdict, ready=ready, now=self._wall())
        return _Answer(200, "text/html; charset=utf-8", html)

    def _history(self, asked: _Asked) -> _Answer:
        """Everything that moves on the page, so that it asks once."""
        try:
            after = float(asked.query.get("after") or "-inf")
        except ValueError:
            after = math.nan
        if math.isnan(after):
            return _bad("after is a moment in Unix seconds")
        status, ready = self._status(), self._ready()
        verdict = self._live.verdict(status, ready)
        return _json(
            {
                "now": self._wall(),
                "ready": ready,
                "verdict": verdict._asdict(),
                "status": status,
                "hour": self._live.hour(after),
            }
        )

    def _series(self, asked: _Asked) -> _Answered:
        query = asked.query.get("q", "")
        if len(query) > QUERY_CHARACTERS:
            return _bad(f"q has at most {QUERY_CHARACTERS} characters")
        written = asked.query.get("limit") or str(FOUND_DEFAULT)
        if not re.fullmatch(r"[0-9]{1,6}", written, re.ASCII):
            return _bad("limit is a whole number")
        if self._searches >= SEARCHES:
            return _Answer(503, _TEXT, b"Other searches are under way; try again.\n")
        self._searches += 1
        found = maybeDeferred(self._live.find, query, min(int(written), FOUND_MAX))
        found.addBoth(self._searched)
        return found.addCallback(_json)

    def _searched(self, found: _T) -> _T:
        self._searches -= 1
        return found

    def _explain(self, asked: _Asked) -> _Answer:
        line = asked.query.get("line", "").encode(errors="replace")
        if len(line) > LINE_BYTES:
            return _bad(f"line has at most {LINE_BYTES} bytes")
        return _json(self._live.explain(line))

    def _readiness(self, _: _Asked) -> _Answer:
        return (
            _Answer(200, _TEXT, b"ready\n")
            if self._ready()
            else _Answer(503, _TEXT, b"not ready\n")
        )


def _file(answer: _Answer) -> Callable[[_Asked], _Answer]:
    return lambda _: answer


def _json(value: Mapping[str, Any], indent: int | None = None) -> _Answer:
    """ASCII, so that control characters a sender chose stay harmless anywhere.

    Without ``indent`` it takes a tenth of the time.
    """
    text = json.dumps(value, indent=indent)
    return _Answer(200, "application/json", f"{text}\n".encode())


def _bad(sentence: str) -> _Answer:
    return _Answer(400, _TEXT, f"{sentence}\n".encode())


class _Admin(Resource):
    """The guard before the answers."""

    isLeaf = True  # noqa: N815 - named by Twisted

    _log = Logger()

    def __init__(self, answers: _Answers, hosts: Collection[str]) -> None:
        super().__init__()
        self._answers, self._hosts = answers.by_path, hosts

    def render(self, request: Request) -> bytes | int:
        for name, value in _HEADERS.items():
            request.setHeader(name, value)
        answer = self._answer(request)
        if not isinstance(answer, Deferred):
            return _said(request, answer)
        request.notifyFinish().addErrback(lambda _: answer.cancel())
        answer.addCallbacks(
            self._say, self._fail, callbackArgs=(request,), errbackArgs=(request,)
        )
        return NOT_DONE_YET

    def _say(self, answer: _Answer, request: Request) -> None:
        request.write(_said(request, answer))
        request.finish()

    def _fail(self, failure: Failure, request: Request) -> None:
        if failure.check(CancelledError):
            return  # nobody is there any more
        self._log.failure("a defect in a search", failure)
        self._say(_Answer(500, _TEXT, b"A defect; the log has more.\n"), request)

    def _answer(self, request: Request) -> _Answered:
        hosts = request.requestHeaders.getRawHeaders("Host", [])
        if not all(_is_known(host, self._hosts) for host in hosts):
            return _Answer(
                403,
                _TEXT,
                b"Unknown host name. Ask for this page by address or localhost, "
                b"or add the name to http_names.\n",
            )
        if request.method not in {b"GET", b"HEAD"}:
            request.setHeader("Allow", "GET, HEAD")
            return _Answer(405, _TEXT, b"GET and HEAD only.\n")
        answer = self._answers.get(request.path)
        if answer is None:
            paths = " ".join(path.decode() for path in self._answers)
            return _Answer(404, _TEXT, f"There are {paths}\n".encode())
        return answer(_asked(request))


def _asked(request: Request) -> _Asked:
    given = {
        key.decode(errors="replace"): values[0].decode(errors="replace")
        for key, values in (request.args or {}).items()
    }
    return _Asked(request.getHeader("Accept") or "", given)


def _said(request: Request, answer: _Answer) -> bytes:
    request.setResponseCode(answer.code)
    request.setHeader("Content-Type", answer.content_type)
    request.setHeader("Content-Length", str(len(answer.body)))
    return b"" if request.method == b"HEAD" else answer.body


def _is_known(host: str, names: Collection[str]) -> bool:
    """Whether a Host header names us in a way that no foreign DNS entry can.

    A page from elsewhere whose name was made to point here (DNS rebinding) sends that
    name.
    """
    match = re.fullmatch(r"(\[(?P<six>[^\]]*)\]|(?P<name>[^:]*))(:\d*)?", host.strip())
    if match is None:
        return False
    name = match["six"] or (match["name"] or "").rstrip(".").lower()
    if name in {"localhost", *names}:
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
