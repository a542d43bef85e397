"""The status page: whether metrics flow, and the same as ``/status``, for people.

What is here is whole without its script; that keeps it up to date, draws the last hour,
searches and explains. Everything shown is escaped, whoever sent it. Where the figures
come from and how the page is served are other modules' business.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from importlib.resources import files as lying_in
from typing import cast

from relay.admin.status import Credentials, Entries, Ledger, Status
from relay.admin.verdict import Verdict
from relay.assets import UPLOT_SCRIPT, UPLOT_STYLE, asset

__all__ = ["REFRESH_SECONDS", "files", "render"]

REFRESH_SECONDS = 5

_TIMES = frozenset(
    {"started", "last_success", "expires_at", "since", "at", "last_checkpoint"}
)

_SECTIONS = (
    *("sink", "listeners", "spool", "events", "credentials"),
    *("collisions", "overflow", "rules"),
)

_SCRIPT, _STYLE = "text/javascript; charset=utf-8", "text/css; charset=utf-8"


def files() -> Mapping[str, tuple[str, bytes]]:
    """What the page is made of besides itself: types and bodies by path."""
    ours = {
        "/page.css": _STYLE,
        "/page.js": _SCRIPT,
        "/charts.js": _SCRIPT,
        "/icon.svg": "image/svg+xml",
    }
    here = lying_in("relay.admin")
    return {
        path: (kind, here.joinpath(path[1:]).read_bytes())
        for path, kind in ours.items()
    } | {
        "/uplot.js": (_SCRIPT, asset(UPLOT_SCRIPT)),
        "/uplot.css": (_STYLE, asset(UPLOT_STYLE)),
    }


def render(status: Status, verdict: Verdict, *, ready: bool, now: float) -> bytes:
    """The page at ``now``, Unix seconds."""
    members: Mapping[str, object] = status
    facts = "\n".join(
        (
            *(_section(key, members[key], now) for key in _SECTIONS),
            _section("ledger", status["ledger"], now),
            _section("about", _rest(status), now),
        )
    )
    return _HTML.format(
        refresh=REFRESH_SECONDS,
        head=_head(status, ready),
        verdict=_verdict(verdict),
        tiles=_tiles(status, now),
        refusals=_section("last_refusals", status["last_refusals"], now),
        equations=_equations(status["ledger"]),
        facts=facts,
        foot=_foot(now),
    ).encode()


_HTML = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>cms-relay</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<noscript><meta http-equiv="refresh" content="{refresh}"></noscript>
<link rel="icon" href="/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/uplot.css">
<link rel="stylesheet" href="/page.css">
<script src="/uplot.js" defer></script>
<script src="/page.js" type="module"></script>
</head><body>
<a class="skip" href="#main">To the verdict</a>
{head}
<main id="main" tabindex="-1">
{verdict}
<section aria-labelledby="h-now"><h2 id="h-now" class="quiet">Now</h2>{tiles}</section>
<section id="hour" aria-labelledby="h-hour" hidden>
<h2 id="h-hour">The last hour</h2>
<div id="charts"></div>
</section>
<section id="periods" aria-labelledby="h-periods" hidden>
<h2 id="h-periods">Periods</h2>
<p id="periods-said"></p>
<ol id="strip" aria-hidden="true"></ol>
<ul id="losses"></ul>
</section>
<section id="search" aria-labelledby="h-search" hidden>
<h2 id="h-search">Live series</h2>
<form id="search-form" role="search"><label for="q">Words of a name, a tag or a kind</label>
<span class="ask"><input id="q" type="search" maxlength="200" autocomplete="off"
autocapitalize="off" spellcheck="false"><button>Search</button></span></form>
<p id="search-said" role="status"></p>
<ul id="found"></ul>
</section>
<section id="explain" aria-labelledby="h-explain" hidden>
<h2 id="h-explain">Explain a line</h2>
<form id="explain-form"><label for="line">A line of StatsD, as a program sends it</label>
<span class="ask"><input id="line" maxlength="4096" autocomplete="off" autocapitalize="off"
spellcheck="false" placeholder="checkout.ok:1|c|@0.5|#env:prod"><button>Explain</button>
</span></form>
<pre id="explained" role="status"></pre>
</section>
<section id="refusals">{refusals}</section>
<section id="facts" aria-labelledby="h-facts"><h2 id="h-facts">All figures</h2>
<div id="equations">{equations}</div>
{facts}
</section>
</main>
{foot}
</body></html>
"""


def _foot(now: float) -> str:
    return (
        '<footer><p>JSON: <a href="/status">/status</a> · metrics: '
        f'<a href="/metrics">/metrics</a> · as of <span id="as-of">{_moment(now)}'
        f"</span>, renewed every {REFRESH_SECONDS} s</p></footer>"
    )


def _head(status: Status, ready: bool) -> str:
    mood = (
        '<b id="ready" class="fine">ready</b>'
        if ready
        else '<b id="ready" class="bad">not ready</b>'
    )
    return (
        f"<header><h1>cms-relay {_text(status['version'])}</h1> {mood} "
        f"<p>engine {_text(status['engine'])}</p></header>"
    )


def _verdict(verdict: Verdict) -> str:
    """The sentence, then why, then what mends it; an empty one is hidden.

    The sentence alone is read aloud when it changes: the others have counts.
    """
    more = (("reason", verdict.reason), ("fix", verdict.fix))
    rows = "".join(
        f'<p id="{name}"{"" if text else " hidden"}>{_text(text)}</p>'
        for name, text in more
    )
    return (
        f'<section id="verdict" class="{verdict.mood}" aria-label="Verdict">'
        f'<p id="sentence" aria-live="polite">{_text(verdict.sentence)}</p>'
        f"{rows}</section>"
    )


def _tiles(status: Status, now: float) -> str:
    """The figures one looks at first; what is lost stands out as soon as it is not 0."""
    ledger = status["ledger"]
    entries = ledger["entries"]
    offset = status["sink"]["clock_offset"]
    tiles = (
        ("lines", ledger["lines"], False),
        ("series", status["series"], False),
        ("sections refused", sum(ledger["refused"].values()), True),
        ("dropped by the kernel", _kernel_drops(status), True),
        ("entries delivered", entries["acked"], False),
        ("entries waiting", entries["waiting"], False),
        ("entries lost", _lost(entries), True),
        ("requests", sum(ledger["requests"].values()), False),
    )
    words = (
        ("keys expire", _expiry(status["credentials"], now)),
        ("clock is off by", f"{offset:.0f} s"),
    )
    shown = "".join((*(_tile(*tile) for tile in tiles), *(_worded(*w) for w in words)))
    return f'<dl class="tiles">{shown}</dl>'


def _expiry(keys: Credentials | None, now: float) -> str:
    """None are known before the first request, and where nothing is signed."""
    if keys is None:
        return "—"
    expires = keys["expires_at"]
    return "never" if expires is None else _ago(now - expires)


def _worded(title: str, words: str) -> str:
    return f"<div><dt>{title}</dt><dd>{words}</dd></div>"


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
    shown = {*_SECTIONS, "ledger", "version", "engine", "series", "last_refusals"}
    return {key: value for key, value in status.items() if key not in shown}


def _section(title: str, value: object, now: float) -> str:
    shown = _value(title, value, now)
    return f'<h3>{_words(title)}</h3>\n<div class="wide" id="{title}">{shown}</div>'


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
