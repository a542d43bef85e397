"""The status page: the same as ``/status``, for people. HTML without any script.

Everything shown is escaped, whoever sent it. Where the figures come from and how the
page is served are other modules' business.
"""

import base64
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from typing import cast

from relay.admin.status import Entries, Ledger, Status

__all__ = ["REFRESH_SECONDS", "STYLE_SOURCE", "render"]

REFRESH_SECONDS = 5

_TIMES = frozenset(
    {"started", "last_success", "expires_at", "since", "at", "last_checkpoint"}
)

_STYLE = """
:root { color-scheme: light dark; --fine: #18794e; --bad: #c0321f;
  --ground: #fff; --raised: #f4f5f7; --text: #1c2024; --quiet: #5f6670; --line: #d9dce1 }
@media (prefers-color-scheme: dark) { :root { --fine: #4cc38a; --bad: #ff8b78;
  --ground: #14171a; --raised: #1e2226; --text: #e8eaed; --quiet: #9ba3ad; --line: #343a41 } }
* { box-sizing: border-box }
body { margin: 0 auto; padding: 1rem; max-width: 64rem; background: var(--ground);
  color: var(--text); font: 1rem/1.5 system-ui, sans-serif }
header { display: flex; flex-wrap: wrap; gap: .25rem 1rem; align-items: baseline }
h1 { margin: 0; font-size: 1.5rem }
h2 { margin: 2rem 0 .5rem; font-size: 1.1rem }
p { margin: .25rem 0; color: var(--quiet) }
b.fine { color: var(--fine) } b.bad { color: var(--bad) }
dl.tiles { display: grid; gap: .75rem;
  grid-template-columns: repeat(auto-fill, minmax(9rem, 1fr)) }
dl.tiles div { padding: .5rem .75rem; border-radius: .5rem; background: var(--raised) }
dt { color: var(--quiet); font-size: .875rem } dd { margin: 0 }
dl.tiles dd { font-size: 1.4rem; font-variant-numeric: tabular-nums }
dl.tiles dd.bad { color: var(--bad) }
.wide { overflow-x: auto }
table { border-collapse: collapse }
th, td { padding: .2rem 1rem .2rem 0; border-bottom: 1px solid var(--line);
  text-align: left; vertical-align: top; overflow-wrap: anywhere; min-width: 5rem }
th { color: var(--quiet); font-weight: normal }
td { font-variant-numeric: tabular-nums }
td table td, td table th { border: 0 }
"""

_DIGEST = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

STYLE_SOURCE = f"'sha256-{_DIGEST}'"
"""What a Content-Security-Policy has to allow for the page's one style sheet."""

_SECTIONS = (
    *("sink", "listeners", "spool", "events", "credentials"),
    *("collisions", "overflow", "rules", "last_refusals"),
)


def render(status: Status, *, ready: bool, now: float) -> bytes:
    """The page at ``now``, Unix seconds."""
    members: Mapping[str, object] = status
    body = "\n".join(
        (
            _head(status, ready),
            _tiles(status),
            _equations(status["ledger"]),
            *(_section(key, members[key], now) for key in _SECTIONS),
            _section("ledger", status["ledger"], now),
            _section("about", _rest(status), now),
            _foot(now),
        )
    )
    return (
        "<!DOCTYPE html>\n"
        '<html lang="en"><head><meta charset="utf-8"><title>cms-relay</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="refresh" content="{REFRESH_SECONDS}">\n'
        f"<style>{_STYLE}</style></head><body>\n{body}\n</body></html>\n"
    ).encode()


def _foot(now: float) -> str:
    return (
        '<p>JSON: <a href="/status">/status</a> · metrics: '
        f'<a href="/metrics">/metrics</a> · as of {_moment(now)}, '
        f"renewed every {REFRESH_SECONDS} s</p>"
    )


def _head(status: Status, ready: bool) -> str:
    mood = '<b class="fine">ready</b>' if ready else '<b class="bad">not ready</b>'
    return (
        f"<header><h1>cms-relay {_text(status['version'])}</h1> {mood} "
        f"<p>engine {_text(status['engine'])}</p></header>"
    )


def _tiles(status: Status) -> str:
    """The figures one looks at first; what is lost stands out as soon as it is not 0."""
    ledger = status["ledger"]
    entries = ledger["entries"]
    tiles = (
        ("lines", ledger["lines"], False),
        ("series", status["series"], False),
        ("sections refused", sum(ledger["refused"].values()), True),
        ("dropped by the kernel", _kernel_drops(status), True),
        ("entries delivered", entries["acked"], False),
        ("entries waiting", entries["waiting"], False),
        ("entries lost", _lost(entries), True),
    )
    return f'<dl class="tiles">{"".join(_tile(*tile) for tile in tiles)}</dl>'


def _tile(title: str, figure: int, is_loss: bool) -> str:
    mark = ' class="bad"' if is_loss and figure else ""
    return f"<div><dt>{title}</dt><dd{mark}>{figure:,}</dd></div>"


def _kernel_drops(status: Status) -> int:
    return sum(listener["kernel_drops"] or 0 for listener in status["listeners"])


def _lost(entries: Entries) -> int:
    """Of ``partial`` nobody knows how many, so all of them may be."""
    return entries["partial"] + entries["parked"] + sum(entries["dropped"].values())


def _equations(ledger: Ledger) -> str:
    """The two sums that must balance at any moment."""
    entries = ledger["entries"]
    sections = {
        "samples": sum(ledger["samples"].values()),
        "refused": sum(ledger["refused"].values()),
        "ignored": sum(ledger["ignored"].values()),
    }
    ends = {
        "delivered": entries["acked"],
        "partial": entries["partial"],
        "dropped": sum(entries["dropped"].values()),
        "parked": entries["parked"],
        "waiting": entries["waiting"],
    }
    return _equation("sections", ledger["sections"], sections) + _equation(
        "entries", entries["closed"], ends
    )


def _equation(name: str, total: int, parts: Mapping[str, int]) -> str:
    summed = " + ".join(f"{figure:,} {part}" for part, figure in parts.items())
    verdict = (
        '<b class="fine">balanced</b>'
        if total == sum(parts.values())
        else '<b class="bad">does not balance</b>'
    )
    return f"<p>{total:,} {name} = {summed}: {verdict}</p>"


def _rest(status: Status) -> Mapping[str, object]:
    shown = {*_SECTIONS, "ledger", "version", "engine", "series"}
    return {key: value for key, value in status.items() if key not in shown}


def _section(title: str, value: object, now: float) -> str:
    shown = _value(title, value, now)
    return f'<h2>{_words(title)}</h2>\n<div class="wide">{shown}</div>'


def _value(key: str, value: object, now: float) -> str:
    """Anything JSON can hold, as HTML; ``key`` tells times and sizes from figures."""
    for kind, shown in _FORMS:
        if isinstance(value, kind):
            return shown(key, value, now)
    return _text(str(value))


def _figure(key: str, value: float, now: float) -> str:
    if key in _TIMES:
        return f"{_moment(value)} ({_ago(now - value)})"
    return f"{value:,}"


def _pairs(_key: str, value: Mapping[str, object], now: float) -> str:
    """A row a member; counts that are 0 are left out, or nobody finds the others."""
    rows = "".join(
        f'<tr><th scope="row">{_words(key)}</th><td>{_value(key, member, now)}</td></tr>'
        for key, member in value.items()
        if not _is_idle(member, value)
    )
    return f"<table>{rows}</table>" if rows else "none"


def _is_idle(member: object, beside: Mapping[str, object]) -> bool:
    return member == 0 and all(isinstance(other, int) for other in beside.values())


def _rows(_key: str, value: Sequence[object], now: float) -> str:
    if not value:
        return "none"
    if not all(isinstance(row, Mapping) for row in value):
        return ", ".join(_value("", item, now) for item in value)
    rows = cast("Sequence[Mapping[str, object]]", value)
    keys = list(dict.fromkeys(key for row in rows for key in row))
    head = "".join(f'<th scope="col">{_words(key)}</th>' for key in keys)
    body = "".join(_row(keys, row, now) for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"


def _row(keys: Iterable[str], row: Mapping[str, object], now: float) -> str:
    cells = (f"<td>{_value(key, row.get(key), now)}</td>" for key in keys)
    return f"<tr>{''.join(cells)}</tr>"


_FORMS: Sequence[tuple[type | tuple[type, ...], Callable[..., str]]] = (
    (type(None), lambda *_: "—"),
    (bool, lambda _key, value, _now: "yes" if value else "no"),
    ((int, float), _figure),
    (str, lambda _key, value, _now: _text(value)),
    (Mapping, _pairs),
    (Sequence, _rows),
)
"""In this order, since a truth value is a number and a text is a sequence."""


def _words(key: str) -> str:
    return _text(key.replace("_", " "))


def _text(text: str) -> str:
    """Escaped, and characters that nobody can see made visible."""
    return escape("".join(map(_visible, text)))


def _visible(character: str) -> str:
    if character.isprintable():
        return character
    return character.encode("unicode_escape").decode("ascii")


def _moment(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, tz=UTC):%Y-%m-%d %H:%M:%S} UTC"


def _ago(seconds: float) -> str:
    """``3 h ago``, ``in 20 min``: the largest unit that fits."""
    length = abs(seconds)
    unit, size = next(
        ((unit, size) for unit, size in _UNITS if length >= size), ("s", 1)
    )
    figure = f"{int(length // size)} {unit}"
    return f"{figure} ago" if seconds >= 0 else f"in {figure}"


_UNITS = (("d", 86400), ("h", 3600), ("min", 60))
