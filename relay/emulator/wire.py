"""One HTTP request as it came: decoded for reading, raw where bytes are hashed.

Knows neither signatures nor metrics. Text is UTF-8; bytes that are not survive as
surrogates, so that what is encoded again is what came.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote_to_bytes

from relay.cloudmonitor.contract import CONTENT_TYPE_FORM

__all__ = ["Call", "Pairs", "percent_encode", "read_call"]

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A request; ``headers`` have lower-case names and trimmed values."""

    method: str
    path: str
    query: Pairs
    form: Pairs
    headers: Mapping[str, str]
    body: bytes
    query_bytes: int

    @property
    def parameters(self) -> Pairs:
        """Of URL and form body alike: the gateway looks in both."""
        return self.query + self.form

    @property
    def payload_bytes(self) -> int:
        """What carries parameters: query string and body, as sent."""
        return self.query_bytes + len(self.body)


def read_call(
    method: bytes, target: bytes, headers: Iterable[tuple[bytes, bytes]], body: bytes
) -> Call:
    """Take a request apart. A header that comes twice is joined by commas (RFC 9110)."""
    path, _, query = target.partition(b"?")
    named = _headers(headers)
    media_type = named.get("content-type", "").partition(";")[0].strip().lower()
    return Call(
        method=_text(method),
        path=_text(path),
        query=_pairs(query),
        form=_pairs(body) if media_type == CONTENT_TYPE_FORM else (),
        headers=named,
        body=body,
        query_bytes=len(query),
    )


def percent_encode(text: str) -> str:
    """RFC 3986: all but unreserved characters, upper-case hexadecimal, space as %20."""
    return quote(text.encode("utf-8", "surrogateescape"), safe="~")


def _headers(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    named: dict[str, str] = {}
    for name, value in raw:
        key, text = _text(name).lower(), _text(value).strip(" \t")
        named[key] = f"{named[key]},{text}" if key in named else text
    return named


def _pairs(encoded: bytes) -> Pairs:
    """Decode ``k=v&k=v``; ``+`` and ``%20`` are spaces, a stray ``%`` stays."""
    parts = (part.partition(b"=") for part in encoded.split(b"&") if part)
    return tuple((_decode(name), _decode(value)) for name, _, value in parts)


def _decode(encoded: bytes) -> str:
    return _text(unquote_to_bytes(encoded.replace(b"+", b" ")))


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")
