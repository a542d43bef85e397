"""What a PutCustomMetric call is made of, for people: entries in files, a request that is
shown and not sent, and the aliyun command line that would make the same call.
"""

import json
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl

from relay.cloudmonitor import contract
from relay.cloudmonitor.credentials import Credentials
from relay.cloudmonitor.datum import Datum
from relay.cloudmonitor.exchange import Request
from relay.cloudmonitor.signing import canonical_form
from relay.errors import RelayError

__all__ = ["PREFIX", "THIS_PERIOD", "as_cli", "fields_of", "items_in", "shown"]

PREFIX: Final = "MetricList."

_VALUE = re.compile(r"(Signature=)[^,&\s]+")
_HIDDEN: Final = frozenset({"x-acs-security-token"})


class _Period(NamedTuple):
    seconds: int


THIS_PERIOD: Final = _Period(contract.PERIODS[0])
"""In the place of a ``Time``: the start of the minute in which the line is run."""


def fields_of(datum: Datum) -> dict[str, str]:
    """An entry's fields as plain texts, by the vendor's names."""
    return {
        "Dimensions": _json(dict(datum.dimensions)),
        "GroupId": datum.group_id,
        "MetricName": datum.metric,
        "Period": str(datum.period),
        "Time": str(datum.time_ms),
        "Type": str(contract.TYPE_AGGREGATED),
        "Values": _json(dict(datum.values)),
    }


def items_in(lines: Iterable[bytes], name: str, group_id: int) -> Iterator[str]:
    """Entries in JSON Lines, as ``replay --json`` prints them, encoded.

    ``Dimensions`` and ``Values`` are objects, or texts that hold them; a GroupId may be left
    out. A line with a ledger is skipped. RelayError names the line that is no entry.
    """
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            raise RelayError(f"{name}: line {number}: wants a JSON object") from None
        if isinstance(found, dict) and "ledger" in found:
            continue
        try:
            yield _item(found, group_id)
        except ValueError as error:
            raise RelayError(f"{name}: line {number}: {error}") from None


def _item(found: Any, group_id: int) -> str:
    if not isinstance(found, dict):
        raise ValueError("wants a JSON object")  # noqa: TRY004 - as all bad text
    for key in ("MetricName", "Values"):
        if key not in found:
            raise ValueError(f"{key} is missing")
    for key in found:
        if key not in contract.FIELDS:
            raise ValueError(f"{key!r} is none of {', '.join(contract.FIELDS)}")
    fields = {"GroupId": str(group_id), "Type": str(contract.TYPE_AGGREGATED)} | {
        key: value if isinstance(value, str) else _json(value)
        for key, value in found.items()
    }
    return canonical_form(fields)


def shown(request: Request, credentials: Credentials) -> Iterator[str]:
    """A signed request, line by line, without what could sign another one."""
    yield f"{request.method} {request.url.partition('?')[0]}"
    for name, text in request.headers:
        yield f"{name}: {'***' if name in _HIDDEN else _masked(text, credentials)}"
    yield ""
    for name, text in parse_qsl(request.body.decode(), keep_blank_values=True):
        is_secret = name in ("Signature", "SecurityToken")
        yield f"{name}={'***' if is_secret else _masked(text, credentials)}"


def _masked(text: str, credentials: Credentials) -> str:
    text = text.replace(credentials.key_id, credentials.masked_key_id)
    return _VALUE.sub(r"\1***", text)


def as_cli(
    entries: Iterable[Mapping[str, object]],
    *,
    region: str | None = None,
    endpoint: str | None = None,
) -> str:
    """The aliyun command that puts ``entries``, for a POSIX shell; keys are its own.

    ``endpoint`` is a URL; over plain http the CLI wants to be told.
    """
    words = ["aliyun", "cms", contract.ACTION]
    if region:
        words += ["--region", region]
    if endpoint:
        scheme, _, host = endpoint.rstrip("/").partition("://")
        words += ["--endpoint", host]
        words += ["--insecure"] if scheme == "http" else []
    line = shlex.join(words)
    for number, entry in enumerate(entries, 1):
        for field in contract.FIELDS:
            if field in entry:
                line += f" --{PREFIX}{number}.{field} {_word(entry[field])}"
    return line


def _word(value: object) -> str:
    if isinstance(value, _Period):
        return f'"$(($(date +%s) / {value.seconds} * {value.seconds}000))"'
    return shlex.quote(f"{value}")


_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
