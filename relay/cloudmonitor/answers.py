"""What an answer means: by its ``Code`` first, by its HTTP status where there is none.

An answer may be JSON, XML, a proxy's HTML, empty or cut short; refusals arrive inside
HTTP 200. The tables are in ``contract``; what to do about an outcome is not decided here.
"""

import html
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from relay.cloudmonitor.contract import (
    GATEWAY_CODES,
    NO_CODE,
    OVER_QUOTA,
    RETRY_AFTER_CAP_SECONDS,
    RETRY_AFTER_HEADER,
    SERVICE_CODES,
    UNKNOWN_CODE,
    Code,
    Status,
)
from relay.delivery.outcome import (
    Accepted,
    AcceptedWithLoss,
    Outcome,
    Rejected,
    Throttled,
    Unauthorised,
    Unavailable,
    Uncertain,
)

__all__ = ["MESSAGE_CHARACTERS_MAX", "hint_for", "read", "server_date"]

MESSAGE_CHARACTERS_MAX = 500
_WORD = 100  # characters of a code or a request id, both from a stranger


def read(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    cut: bool = False,
    scrub: Callable[[str], str] = lambda text: text,
) -> Outcome:
    """The outcome an answer tells of; never raises, whatever the bytes.

    ``cut``: the connection ended before the body did. Header names in any case.
    ``scrub`` takes secrets out of a text, before it is cut to a length: what is left of
    one that was cut could not be told any more.
    """
    lower = {name.lower(): value for name, value in headers.items()}
    said = _said(body)
    row = _row_for(status, said, cut=cut)
    told = _Told(
        code=_shown(scrub(said.code))[:_WORD] or f"HTTP {status}",
        message=_shown(scrub(said.message)),
        meaning=row.meaning,
        hint=row.hint,
        after=_retry_after(lower.get(RETRY_AFTER_HEADER, "")),
        request_id=_shown(scrub(said.request_id or lower.get("x-acs-request-id", "")))[
            :_WORD
        ],
    )
    outcome = _MAKE[row.outcome](told)
    if said.refused and isinstance(outcome, Accepted | AcceptedWithLoss):
        return _refused_by_name(told, _shown(scrub("; ".join(said.refused))), said)
    return outcome


def _refused_by_name(told: "_Told", message: str, said: "_Said") -> Outcome:
    return AcceptedWithLoss(
        told.code,
        message,
        told.request_id,
        "the service names what it refused",
        refused=len(said.refused),
    )


def hint_for(code: str, message: str = "") -> str:
    """What people can do about a code of the service or the gateway; may be empty."""
    row = _known(code, message)
    return row.hint if row else ""


def server_date(headers: Mapping[str, str]) -> float | None:
    """The ``Date`` of an answer in Unix seconds, None where there is none to be read."""
    for name, value in headers.items():
        if name.lower() == "date":
            try:
                return parsedate_to_datetime(value).timestamp()
            except (ValueError, TypeError, IndexError, OverflowError):
                return None
    return None


class _Said(NamedTuple):
    """What could be read of a body; ``whole`` is False where its end is missing.

    ``refused`` is a sentence for each entry that the service names as refused.
    """

    code: str = ""
    message: str = ""
    request_id: str = ""
    whole: bool = True
    refused: tuple[str, ...] = ()


class _Told(NamedTuple):
    code: str
    message: str
    meaning: str
    hint: str
    after: float
    request_id: str


_Row = Code | Status

_CUT = Status(0, 999, Uncertain, "the answer was cut short", "", "ours")

_MAKE: Mapping[type[Outcome], Callable[[_Told], Outcome]] = {
    Accepted: lambda t: Accepted(t.request_id),
    AcceptedWithLoss: lambda t: AcceptedWithLoss(
        t.code, t.message, t.request_id, t.hint, t.meaning == OVER_QUOTA
    ),
    Throttled: lambda t: Throttled(t.code, t.after, _either(t), t.request_id),
    Unavailable: lambda t: Unavailable(f"{t.code}: {_either(t)}", t.request_id),
    Uncertain: lambda t: Uncertain(f"{t.code}: {_either(t)}", t.request_id),
    Unauthorised: lambda t: Unauthorised(
        t.code, f"{t.hint}; the service says: {_either(t)}", t.request_id
    ),
    Rejected: lambda t: Rejected(t.code, _either(t), t.request_id),
}


def _either(told: _Told) -> str:
    return told.message or told.meaning


def _row_for(status: int, said: _Said, *, cut: bool) -> _Row:
    """The first row that fits, of the table that applies."""
    if said.code:
        return _known(said.code, said.message) or _by_status(UNKNOWN_CODE, status)
    if cut or not said.whole:
        return _CUT
    return _by_status(NO_CODE, status)


def _known(code: str, message: str) -> Code | None:
    number = code.isascii() and code.isdigit()
    text = f"{code} {message}".casefold()
    for row in SERVICE_CODES if number else GATEWAY_CODES:
        if _fits(row.code.casefold(), code.casefold()) and row.contains in text:
            return row
    return None


def _fits(pattern: str, code: str) -> bool:
    if pattern.endswith("*"):
        return code.startswith(pattern[:-1])
    return code == pattern


def _by_status(rows: Sequence[Status], status: int) -> Status:
    return next((row for row in rows if row.first <= status <= row.last), _CUT)


def _said(body: bytes) -> _Said:
    text = body.decode("utf-8-sig", "replace").strip()
    if text.startswith("{"):
        return _said_in_json(text)
    if text.startswith("<") and "<html" not in text[:1000].lower():
        return _said_in_xml(text)
    return _Said()


def _said_in_json(text: str) -> _Said:
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):  # cut short, or never was JSON
        return _pieces(lambda name: _first(_JSON_PIECE[name], text), whole=False)
    said = _pieces(lambda name: _plain(answer.get(name)), whole=True)
    return said._replace(refused=tuple(_refused(answer.get("ErrorDetail"))))


def _refused(detail: object) -> Iterator[str]:
    """Source: PutHybridMonitorMetricData, a list of ``{Index, ErrorMessage}``. [hybrid]"""
    for one in detail if isinstance(detail, list) else ():
        if isinstance(one, dict):
            yield f"entry {one.get('Index')}: {_plain(one.get('ErrorMessage'))}"


def _said_in_xml(text: str) -> _Said:
    root = re.search(r"<(\w+)", text)
    whole = root is not None and f"</{root[1]}>" in text
    return _pieces(
        lambda name: html.unescape(_first(_XML_PIECE[name], text)), whole=whole
    )


_PIECES = ("Code", "Message", "RequestId")
_JSON_PIECE = {
    name: re.compile(rf'"{name}"\s*:\s*(?:"((?:[^"\\]|\\.)*)"|(\d+)\s*[,}}])')
    for name in _PIECES
}
_XML_PIECE = {name: re.compile(rf"<{name}>([^<]*)</{name}>") for name in _PIECES}


def _pieces(find: Callable[[str], str], *, whole: bool) -> _Said:
    code, message, request_id = map(find, _PIECES)
    return _Said(code, message, request_id, whole)


def _first(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return next((group for group in match.groups() if group), "") if match else ""


def _plain(value: object) -> str:
    """A text as it is, a whole number as text, anything else as nothing."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else ""


# A refused signature quotes what the server signed: with V1 the token is in it, encoded
# once or twice, with V3 it may be among the canonical headers.
_TOKEN = re.compile(
    r"(?i)(SecurityToken%3D)(?:(?!%26)\S)*|(SecurityToken=)[^&\s]*"
    r"|(x-acs-security-token:)\S*"
)


def _shown(message: str) -> str:
    """For people and logs: no token, no lone surrogate, 500 characters at most."""
    masked = _TOKEN.sub(lambda match: f"{match[match.lastindex or 0]}***", message)
    cut = masked[:MESSAGE_CHARACTERS_MAX]
    return cut.encode("utf-8", "replace").decode()


def _retry_after(milliseconds: str) -> float:
    """In seconds, at most a minute; 0 for a text that is no whole number."""
    text = milliseconds.strip()
    if not (text.isascii() and text.isdigit()):
        return 0.0
    return min(float(text) / 1000, RETRY_AFTER_CAP_SECONDS)
