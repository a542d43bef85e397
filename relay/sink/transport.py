"""Carries a signed request and brings an answer, or says why there is none.

The only module that knows the HTTP library and its exceptions. Texts of foreign
exceptions never leave it: they quote URLs, and proxies carry passwords.
"""

import errno
import http.cookiejar
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import requests
from requests.adapters import HTTPAdapter
from requests.models import PreparedRequest
from urllib3.exceptions import HTTPError

from relay import __version__
from relay.cloudmonitor.exchange import Request
from relay.delivery.outcome import Unavailable, Uncertain
from relay.sink.authorities import look_into
from relay.sink.leash import Leash, LeashedAdapter
from relay.sink.names import Names, NoAnswerError

__all__ = ["ANSWER_BYTES_MAX", "Answer", "Transport"]

ANSWER_BYTES_MAX = 64 * 1024
"""Of an answer; CloudMonitor's have a few hundred."""

IDLE_SECONDS, AGE_SECONDS = 15.0, 45.0
"""When a kept connection is given up: idle ones before a load balancer ends them under a
request, old ones so that a name's new address is found within a minute."""


class Answer(NamedTuple):
    """What came back; ``cut`` where the body's end is missing."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    cut: bool = False


class Transport:
    """One kept connection a thread; each attempt has ``seconds`` from first to last.

    ``trust_env``: heed the proxies named in the environment. ``ca_file``: whose
    certificates are trusted in place of certifi's; read anew with each new connection.
    Raises ConfigError where it cannot be. Thread: any, many at once.
    """

    def __init__(
        self,
        *,
        seconds: float = 15.0,
        trust_env: bool = False,
        ca_file: Path | None = None,
        adapter: Callable[[], HTTPAdapter] = LeashedAdapter,
    ) -> None:
        self._seconds, self._trust_env, self._adapter = seconds, trust_env, adapter
        self._threads = threading.local()
        self._verify: str | bool = True
        if ca_file is not None:
            look_into(ca_file)
            self._verify = str(ca_file)
        self._names = Names()
        self._leashes: set[Leash] = set()
        self._closed = False

    def send(self, request: Request) -> Answer | Unavailable | Uncertain:
        """Never raises, never follows, never sends twice."""
        leash = Leash(self._seconds, self._names)
        self._leashes.add(leash)
        try:
            with leash:
                if self._closed:
                    leash.cut()
                return self._exchange(request, leash)
        except Exception as error:  # noqa: BLE001 - whatever it was, it is an outcome
            self._forget()
            return _outcome_of(error, leash)
        finally:
            self._leashes.discard(leash)

    def close(self) -> None:
        """Cut what is under way, and whatever is tried from now on. Any thread."""
        self._closed = True
        for leash in tuple(self._leashes):
            leash.cut()

    def _exchange(self, request: Request, leash: Leash) -> Answer:
        session = self._session(leash)
        with session.request(
            request.method,
            request.url,
            data=request.body,
            headers=dict(request.headers),
            allow_redirects=False,
            stream=True,
            verify=self._verify,  # else the environment has the last word
            timeout=leash.remaining,
        ) as response:
            body, cut = _body_of(response)
            cut = cut or leash.expired or (not body and _has_no_end(response))
            if cut:
                self._forget()
            headers = {k: _latin(v) for k, v in response.headers.items()}
            return Answer(response.status_code, headers, body, cut)

    def _session(self, leash: Leash) -> requests.Session:
        """This thread's session, made anew when it is old or was long idle."""
        mine, now = self._threads, time.monotonic()
        if (
            getattr(mine, "session", None) is None
            or now - mine.used_at > IDLE_SECONDS
            or now - mine.made_at > AGE_SECONDS
        ):
            self._forget()
            mine.adapter, mine.made_at = self._adapter(), now
            mine.session = _session_over(mine.adapter, trust_env=self._trust_env)
        mine.used_at, mine.adapter.leash = now, leash
        session: requests.Session = mine.session
        return session

    def _forget(self) -> None:
        session = getattr(self._threads, "session", None)
        if session is not None:
            self._threads.session = None
            session.close()


def _session_over(adapter: HTTPAdapter, *, trust_env: bool) -> requests.Session:
    session = requests.Session()
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    session.trust_env = trust_env
    session.auth = _as_it_is
    session.cookies.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
    session.headers.clear()
    session.headers["User-Agent"] = f"cms-relay/{__version__}"
    session.headers["Accept-Encoding"] = "identity"
    return session


def _as_it_is(prepared: PreparedRequest) -> PreparedRequest:
    """Otherwise a ~/.netrc would replace our signature by a password."""
    return prepared


def _latin(text: str | bytes) -> str:
    return text if isinstance(text, str) else text.decode("latin-1")


def _body_of(response: requests.Response) -> tuple[bytes, bool]:
    """At most ANSWER_BYTES_MAX of the body, and whether its end is missing."""
    unpack = _unpacker(response.headers.get("Content-Encoding", ""))
    body = b""
    try:
        for piece in _pieces(response):
            body += unpack(piece, ANSWER_BYTES_MAX + 1 - len(body))
            if len(body) > ANSWER_BYTES_MAX:
                return body[:ANSWER_BYTES_MAX], True
    except (HTTPError, OSError, zlib.error):
        return body, True
    return body, False


def _has_no_end(response: requests.Response) -> bool:
    """Whether only the connection's end can be the body's.

    Headers that are cut short look like that too: the HTTP library takes the end of the
    connection for the end of the headers.
    """
    framed = {"content-length", "transfer-encoding"}
    return framed.isdisjoint(name.lower() for name in response.headers)


def _pieces(response: requests.Response) -> Iterator[bytes]:
    """As they arrive, so that what came before a cut is not lost."""
    while piece := response.raw.read1(ANSWER_BYTES_MAX, decode_content=False):
        yield piece


def _unpacker(encoding: str) -> Callable[[bytes, int], bytes]:
    """We ask for none, but proxies compress; never more than was asked for comes out."""
    if encoding.lower() in ("gzip", "x-gzip", "deflate"):
        return zlib.decompressobj(zlib.MAX_WBITS | 32).decompress
    return lambda piece, most: piece[:most]


_WORDS: tuple[tuple[type[BaseException], str], ...] = (
    (ssl.SSLCertVerificationError, "the certificate is not trusted"),
    (ssl.SSLError, "TLS failed"),
    (requests.exceptions.SSLError, "TLS failed"),
    (requests.exceptions.ProxyError, "the proxy does not let us through"),
    (requests.exceptions.InvalidProxyURL, "the proxy's URL is not valid"),
    (socket.gaierror, "the name is not resolved"),
    (NoAnswerError, "the resolver does not answer"),
    (ConnectionRefusedError, "connection refused"),
    (ConnectionError, "connection reset"),
    (requests.exceptions.Timeout, "no answer in time"),
    (TimeoutError, "no answer in time"),
    (OSError, "network error"),
)
"""What went wrong, in our words; the first row that fits any exception of the chain."""

_LASTING = (ssl.SSLError, requests.exceptions.SSLError)


def _outcome_of(error: BaseException, leash: Leash) -> Unavailable | Uncertain:
    """The table of attempts without an answer.

    What decides is whether a byte of the request had left. A certificate is looked at
    before that, even where a proxy was spoken to first.
    """
    chain = tuple(_chain(error))
    if any(isinstance(one, ssl.SSLCertVerificationError) for one in chain):
        why = next(o for o in chain if isinstance(o, ssl.SSLCertVerificationError))
        return Unavailable(f"{_WORDS[0][1]}: {why.verify_message}", lasting=True)
    if leash.sent and not isinstance(error, requests.exceptions.ProxyError):
        return Uncertain(_reason(chain, leash, "after the request was sent"))
    reason = _reason(chain, leash, "before anything was sent")
    return Unavailable(reason, lasting=any(isinstance(o, _LASTING) for o in chain))


def _reason(chain: tuple[BaseException, ...], leash: Leash, when: str) -> str:
    if leash.expired and not any(isinstance(one, NoAnswerError) for one in chain):
        return f"no answer in time, {when}"
    for kind, words in _WORDS:
        for one in chain:
            if isinstance(one, kind) and not _is_wrapper(one, kind):
                return f"{words}{_errno(one)}, {when}"
    return f"{type(chain[0]).__name__}, {when}"


def _is_wrapper(error: BaseException, kind: type[BaseException]) -> bool:
    """requests' exceptions are OSErrors, and say nothing by that alone."""
    return kind is OSError and isinstance(error, requests.RequestException)


def _errno(error: BaseException) -> str:
    """Such as `` (ECONNREFUSED)``; the numbers of TLS and of the resolver are not these."""
    if isinstance(error, ssl.SSLError | socket.gaierror):
        return ""
    name = errno.errorcode.get(getattr(error, "errno", None) or 0)
    return f" ({name})" if name else ""


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An exception and all that it wraps, as cause, context, reason or argument."""
    seen: set[int] = set()
    todo: list[object] = [error]
    while todo:
        one = todo.pop(0)
        if isinstance(one, BaseException) and id(one) not in seen:
            seen.add(id(one))
            yield one
            todo += [one.__cause__, one.__context__, getattr(one, "reason", None)]
            todo += one.args
