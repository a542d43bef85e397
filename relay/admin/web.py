"""Health, metrics and status over HTTP: what may be asked, by whom, and how it is said.

Sees the rest of the relay through four callables. Every answer comes from memory, and
no request changes anything.
"""

import ipaddress
import json
import re
from collections.abc import Callable, Collection
from time import time
from typing import NamedTuple

from twisted.internet.interfaces import IReactorTime
from twisted.web.resource import Resource
from twisted.web.server import Request, Site

from relay.admin import page
from relay.admin.limits import SmallSite
from relay.admin.status import Status

__all__ = ["make_site"]

_HEADERS = {
    "Server": "cms-relay",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": (
        f"default-src 'none'; style-src {page.STYLE_SOURCE}; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
}

_TEXT = "text/plain; charset=utf-8"


class _Answer(NamedTuple):
    code: int
    content_type: str
    body: bytes


def make_site(
    *,
    status: Callable[[], Status],
    metrics: Callable[[str], tuple[str, bytes]],
    ready: Callable[[], bool],
    clock: IReactorTime,
    hosts: Collection[str] = (),
    wall: Callable[[], float] = time,
) -> Site:
    """The admin site.

    ``metrics`` gets the Accept header and gives a content type and a body; ``hosts`` are
    the names under which the site may be asked for, besides localhost and addresses;
    ``clock`` ends idle connections; ``wall`` is Unix seconds for people.
    """
    known = frozenset(name.rstrip(".").lower() for name in hosts)
    return SmallSite(_Admin(_Answers(status, metrics, ready, wall), known), clock)


class _Answers:
    """One method a path."""

    def __init__(
        self,
        status: Callable[[], Status],
        metrics: Callable[[str], tuple[str, bytes]],
        ready: Callable[[], bool],
        wall: Callable[[], float],
    ) -> None:
        self._status, self._metrics = status, metrics
        self._ready, self._wall = ready, wall
        self.by_path: dict[bytes, Callable[[str], _Answer]] = {
            b"/": self._page,
            b"/status": self._json,
            b"/metrics": lambda accept: _Answer(200, *self._metrics(accept)),
            b"/healthz": lambda _: _Answer(200, _TEXT, b"ok\n"),
            b"/readyz": self._readiness,
        }

    def _page(self, _accept: str) -> _Answer:
        html = page.render(self._status(), ready=self._ready(), now=self._wall())
        return _Answer(200, "text/html; charset=utf-8", html)

    def _json(self, _accept: str) -> _Answer:
        """ASCII, so that control characters a sender chose stay harmless anywhere."""
        text = json.dumps(self._status(), indent=1)
        return _Answer(200, "application/json", f"{text}\n".encode())

    def _readiness(self, _accept: str) -> _Answer:
        return (
            _Answer(200, _TEXT, b"ready\n")
            if self._ready()
            else _Answer(503, _TEXT, b"not ready\n")
        )


class _Admin(Resource):
    """The guard before the answers."""

    isLeaf = True  # noqa: N815 - named by Twisted

    def __init__(self, answers: _Answers, hosts: Collection[str]) -> None:
        super().__init__()
        self._answers, self._hosts = answers.by_path, hosts

    def render(self, request: Request) -> bytes:
        for name, value in _HEADERS.items():
            request.setHeader(name, value)
        answer = self._answer(request)
        request.setResponseCode(answer.code)
        request.setHeader("Content-Type", answer.content_type)
        if request.method != b"HEAD":
            return answer.body
        request.setHeader("Content-Length", str(len(answer.body)))
        return b""

    def _answer(self, request: Request) -> _Answer:
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
        return answer(request.getHeader("Accept") or "")


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
