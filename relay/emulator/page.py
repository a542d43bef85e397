"""The look-alike's page for people: series as small charts, the last events and requests.

Made on the server as HTML and SVG: no script, and everything that a client sent escaped.
"""

import base64
import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from importlib.resources import files
from string import Template

from relay.emulator.events import CustomEvent
from relay.emulator.service import Emulator, RequestSeen
from relay.emulator.store import Point, SeriesKey

__all__ = ["CONTENT_SECURITY_POLICY", "render"]

SERIES_SHOWN, POINTS_SHOWN, REQUESTS_SHOWN = 60, 60, 15
EVENTS_SHOWN, CONTENT_SHOWN = 15, 300
WIDTH, HEIGHT, MARGIN = 280, 60, 4
MAIN_STATISTICS = ("Sum", "LastValue", "Average", "Maximum", "SampleCount")

STYLE = """
:root{color-scheme:light dark;font:14px/1.4 system-ui,sans-serif}
body{margin:1.5rem auto;max-width:72rem;padding:0 1rem}
main{display:grid;grid-template-columns:repeat(auto-fill,minmax(19rem,1fr));gap:1rem}
figure{margin:0;padding:.8rem;border:1px solid #8886;border-radius:.5rem}
figcaption b{overflow-wrap:anywhere}
small{color:#777;overflow-wrap:anywhere}
svg{display:block;width:100%;height:4rem;margin:.4rem 0}
polyline{fill:none;stroke:#0a7cff;stroke-width:1.5}
circle{fill:#0a7cff}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.2rem .6rem .2rem 0;border-bottom:1px solid #8883}
"""
_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
CONTENT_SECURITY_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)


def render(emulator: Emulator) -> str:
    """The whole page."""
    template = files("relay.emulator").joinpath("page.html").read_text("utf-8")
    newest = list(emulator.store.series())[: -SERIES_SHOWN - 1 : -1]
    charts = [_chart(emulator, key) for key in newest]
    requests = list(emulator.requests())[: -REQUESTS_SHOWN - 1 : -1]
    return Template(template).substitute(
        style=STYLE,
        summary=_summary(emulator, len(newest)),
        charts="\n".join(charts),
        events="\n".join(map(_event, emulator.events.newest(EVENTS_SHOWN))),
        requests="\n".join(_row(seen) for seen in requests),
    )


def _summary(emulator: Emulator, shown: int) -> str:
    total = len(list(emulator.store.series()))
    waiting = len(emulator.faults)
    return (
        f"{total} series stored, the newest {shown} shown, one point every "
        f"{emulator.store.base_period} seconds. {waiting} faults waiting."
    )


def _chart(emulator: Emulator, key: SeriesKey) -> str:
    points = emulator.store.points(key, emulator.store.base_period)[-POINTS_SHOWN:]
    caption = (
        f"<b>{escape(key.metric_name)}</b><br>"
        f"<small>{escape(key.dimension)}, group {escape(key.group_id)}</small>"
    )
    if not points:
        return f"<figure><figcaption>{caption}<br>no points yet</figcaption></figure>"
    last = points[-1].values
    name = next((n for n in MAIN_STATISTICS if n in last), next(iter(last)))
    values = ", ".join(f"{escape(n)} {v:g}" for n, v in last.items())
    return (
        f"<figure><figcaption>{caption}</figcaption>{_line(points, name)}"
        f"<small>{escape(name)} drawn; last at {_clock(points[-1].time_ms / 1000)}: "
        f"{values}</small></figure>"
    )


def _line(points: Sequence[Point], name: str) -> str:
    drawn = [(p.time_ms, float(p.values[name])) for p in points if name in p.values]
    first, last = drawn[0][0], drawn[-1][0]
    low, high = min(v for _, v in drawn), max(v for _, v in drawn)
    spots = [
        (_scale(time, first, last, WIDTH), HEIGHT - _scale(value, low, high, HEIGHT))
        for time, value in drawn
    ]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)
    x, y = spots[-1]
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img">'
        f"<title>{low:g} to {high:g}</title>"
        f'<polyline points="{line}"/><circle cx="{x:.1f}" cy="{y:.1f}" r="2.5"/></svg>'
    )


def _scale(value: float, low: float, high: float, size: int) -> float:
    """Where a value lies between the margins; in the middle where all are equal."""
    share = (value - low) / (high - low) if high > low else 0.5
    return MARGIN + share * (size - 2 * MARGIN)


def _event(event: CustomEvent) -> str:
    return _cells(
        _clock(event.time_ms / 1000),
        event.name,
        event.group_id,
        event.content[:CONTENT_SHOWN],
    )


def _row(seen: RequestSeen) -> str:
    return _cells(
        _clock(seen.received),
        seen.action or "",
        seen.signature or "none",
        seen.entries,
        seen.bytes,
        seen.status or "cut",
        seen.code or "",
    )


def _cells(*cells: object) -> str:
    return "<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in cells) + "</tr>"


def _clock(seconds: float) -> str:
    """A time of day in UTC; nothing where the number is no date."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return "?"
