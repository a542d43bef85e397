"""The look-alike's page for people: series as small charts, the last events and requests.

Made on the server as HTML and SVG, so that it is complete without script, and
everything that a client sent is escaped. The script adds charts to choose from.
"""

from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from string import Template
from types import MappingProxyType

from relay.assets import UPLOT_SCRIPT, UPLOT_STYLE, asset
from relay.emulator.answers import Answer
from relay.emulator.events import CustomEvent
from relay.emulator.explore import main_statistic
from relay.emulator.faults import show
from relay.emulator.service import Emulator, RequestSeen
from relay.emulator.shown import clock, visible
from relay.emulator.store import Point, SeriesKey

__all__ = ["CONTENT_SECURITY_POLICY", "PAGE_FILES", "page_file", "render"]

SERIES_SHOWN, POINTS_SHOWN, REQUESTS_SHOWN = 60, 60, 15
EVENTS_SHOWN, FAULTS_SHOWN, CONTENT_SHOWN = 15, 15, 300
WIDTH, HEIGHT, MARGIN = 280, 60, 4

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

PAGE_FILES: Mapping[str, str] = MappingProxyType(
    {
        "/_emulator/page.css": "page.css",
        "/_emulator/page.js": "page.js",
        "/_emulator/chart.js": "chart.js",
        "/_emulator/parts.js": "parts.js",
        "/_emulator/uplot.css": UPLOT_STYLE,
        "/_emulator/uplot.js": UPLOT_SCRIPT,
    }
)
"""What the page is made of beside itself, by path."""


def page_file(path: str) -> Answer:
    """One of ``PAGE_FILES``."""
    name = PAGE_FILES[path]
    is_ours = "/" not in name
    body = files("relay.emulator").joinpath(name).read_bytes() if is_ours else None
    kind = "text/css" if path.endswith(".css") else "text/javascript"
    return Answer(
        200,
        asset(name) if body is None else body,
        content_type=f"{kind};charset=utf-8",
        headers={"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"},
    )


def render(emulator: Emulator, metric: str | None = None) -> str:
    """The whole page; its small charts are of one metric, or of all."""
    template = files("relay.emulator").joinpath("page.html").read_text("utf-8")
    store = emulator.store
    keys = list(store.series() if not metric else store.metrics().get(metric, ()))
    newest = keys[: -SERIES_SHOWN - 1 : -1]
    requests = list(emulator.requests())[: -REQUESTS_SHOWN - 1 : -1]
    faults = [show(fault) for fault in emulator.faults][:FAULTS_SHOWN]
    return Template(template).substitute(
        summary=_summary(emulator, len(newest), metric),
        charts="\n".join(_chart(emulator, key) for key in newest),
        events="\n".join(map(_event, emulator.events.newest(EVENTS_SHOWN))),
        requests="\n".join(_row(seen) for seen in requests),
        faults="\n".join(map(_fault, faults)),
    )


def _summary(emulator: Emulator, shown: int, metric: str | None) -> str:
    total = len(list(emulator.store.series()))
    waiting = len(emulator.faults)
    of = f" of {_text(metric)}" if metric else ""
    return (
        f"{total} series stored, the newest {shown}{of} shown, one point every "
        f"{emulator.store.base_period} seconds. {waiting} faults waiting."
    )


def _chart(emulator: Emulator, key: SeriesKey) -> str:
    points = emulator.store.points(key, emulator.store.base_period)[-POINTS_SHOWN:]
    name = _text(key.metric_name)
    caption = (
        f'<a href="?metric={name}"><b>{name}</b></a><br>'
        f"<small>{_text(key.dimension)}, group {_text(key.group_id)}</small>"
    )
    if not points:
        return f"<figure><figcaption>{caption}<br>no points yet</figcaption></figure>"
    last = points[-1].values
    drawn = main_statistic(last) or next(iter(last))
    values = ", ".join(f"{_text(n)} {v:g}" for n, v in last.items())
    return (
        f"<figure><figcaption>{caption}</figcaption>{_line(points, drawn)}"
        f"<small>{_text(drawn)} drawn; last at {clock(points[-1].time_ms / 1000)}: "
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
        clock(event.time_ms / 1000),
        event.name,
        event.group_id,
        event.content[:CONTENT_SHOWN],
    )


def _row(seen: RequestSeen) -> str:
    return _cells(
        clock(seen.received),
        seen.action or "",
        seen.signature or "none",
        seen.entries,
        seen.bytes,
        seen.status or "cut",
        seen.code or "",
    )


def _fault(fault: Mapping[str, object]) -> str:
    what = ", ".join(f"{k} {v}" for k, v in fault.items() if k != "times")
    return _cells(fault["times"], what[:CONTENT_SHOWN])


def _cells(*cells: object) -> str:
    return "<tr>" + "".join(f"<td>{_text(cell)}</td>" for cell in cells) + "</tr>"


def _text(given: object) -> str:
    return escape(visible(str(given)))
