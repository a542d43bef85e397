"""Pictures of the emulator's page for the documents: docs/images/emulator-*.png.

``python -m tests.screenshots_emulator`` starts a look-alike, puts an hour of plausible
entries through its API and takes a picture in light colours and one in dark.
"""

import math
import random
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from tests.browser import open_browser
from tests.e2e.putting import aggregated, call, put, put_events, start_emulator
from tests.e2e.road import script, wait_until

IMAGES = Path(__file__).parents[1] / "docs" / "images"
IMAGE_BYTES_MAX = 200_000
SHOWN = "?metric=gateway_latency_ms&statistic=P95"
EVENTS = (
    ("deploy.started", "checkout 4.18.2 on web-1"),
    ("deploy.finished", "checkout 4.18.2 on web-1, 41 s"),
    ("backup.done", "stock: 1.2 GB in 3 min"),
)
MINUTES = 62
INSTANCES = ("web-1", "web-2", "web-3")


class Shape(NamedTuple):
    """How a metric goes: about ``level``, a wave of ``swing``, ``noise`` on top."""

    name: str
    kind: str
    level: float
    swing: float
    noise: float
    key: str
    values: tuple[str, ...]


SHAPES = (
    Shape("checkout_orders", "counter", 180, 60, 14, "channel", ("web", "app", "pos")),
    Shape("checkout_payment_ms", "timer", 84, 22, 9, "provider", ("alipay", "card")),
    Shape("checkout_basket_items", "gauge", 340, 90, 18, "channel", ("web", "app")),
    Shape(
        "gateway_requests", "counter", 2400, 700, 90, "status", ("2xx", "4xx", "5xx")
    ),
    Shape(
        "gateway_latency_ms", "timer", 46, 14, 5, "route", ("cart", "search", "user")
    ),
    Shape("gateway_connections", "gauge", 510, 120, 20, "zone", ("b", "g", "h")),
    Shape("search_queries", "counter", 900, 240, 40, "shard", ("0", "1", "2", "3")),
    Shape("search_index_lag", "gauge", 14, 9, 3, "shard", ("0", "1", "2", "3")),
    Shape("stock_reserved", "gauge", 1200, 160, 25, "depot", ("hz", "sz", "qd")),
    Shape("users_active", "set", 820, 210, 20, "channel", ("web", "app")),
)


def entries(now: float) -> Iterator[dict[str, str]]:
    """What a relay on each of three machines would have reported in the last hour."""
    dice = random.Random(8)  # noqa: S311 - for a picture
    last = now // 60 * 60
    for shape in SHAPES:
        for place, value in enumerate(shape.values):
            for minute in range(MINUTES):
                level = _level(shape, place, minute, dice)
                yield aggregated(
                    shape.name,
                    {"instance": INSTANCES[0], shape.key: value},
                    last - (MINUTES - minute) * 60,
                    _values(shape, level, dice),
                )


def _level(shape: Shape, place: int, minute: int, dice: random.Random) -> float:
    wave = math.sin((minute + 11 * place) / 9) + 0.4 * math.sin(minute / 3.1 + place)
    own = shape.level * 0.72**place + shape.swing * 0.8**place * wave / 1.4
    spike = 0.5 * shape.level if shape.kind == "timer" and minute in (38, 39) else 0
    return max(0.0, own + spike + dice.gauss(0, shape.noise * 0.5 * 0.7**place))


def _values(shape: Shape, level: float, dice: random.Random) -> Mapping[str, float]:
    if shape.kind == "counter":
        whole = round(level)
        return {"Sum": whole, "SampleCount": whole, "SumPerSecond": whole / 60}
    if shape.kind == "set":
        return {"LastValue": round(level)}
    spread = 1 + abs(dice.gauss(0, 0.03))
    if shape.kind == "gauge":
        return {
            "LastValue": round(level),
            "Average": round(level * 0.99, 1),
            "Maximum": round(level * 1.06),
            "Minimum": round(level * 0.93),
            "SampleCount": 60,
        }
    count = round(200 + dice.gauss(0, 20))
    tail = (("P50", 0.9), ("P75", 1.2), ("P90", 1.7), ("P95", 2.1), ("P99", 3.0))
    return {
        "SampleCount": count,
        "CountPerSecond": count / 60,
        "Sum": round(level * count, 1),
        "Average": round(level, 2),
        "Maximum": round(level * 4.2 * spread, 2),
        "Minimum": round(level * 0.4, 2),
        **{name: round(level * factor * spread, 2) for name, factor in tail},
    }


def main() -> None:
    """Both pictures, each small enough to be kept."""
    child, url = start_emulator()
    stored = list(entries(time.time()))
    put(url, stored)
    put_events(url, EVENTS)
    script(url, [{"code": "Throttling.User", "status": 400, "retry_after_ms": 500}])
    call(url, {"Action": "PutCustomMetric"}, fails=True)
    script(url, [{"status": 503, "times": 2}, {"hang": 5}])
    IMAGES.mkdir(parents=True, exist_ok=True)
    for scheme in ("light", "dark"):
        picture = _picture(f"{url}/{SHOWN}", scheme)
        assert len(picture) < IMAGE_BYTES_MAX, len(picture)
        (IMAGES / f"emulator-{scheme}.png").write_bytes(picture)
    child.stop()


def _picture(url: str, scheme: str) -> bytes:
    with TemporaryDirectory() as profile:
        driver = open_browser(Path(profile))
        try:
            preferred = {"name": "prefers-color-scheme", "value": scheme}
            driver.execute_cdp_cmd(
                "Emulation.setEmulatedMedia", {"features": [preferred]}
            )
            size = {"width": 1280, "height": 1000, "deviceScaleFactor": 1}
            driver.execute_cdp_cmd(
                "Emulation.setDeviceMetricsOverride", {**size, "mobile": False}
            )
            driver.execute_cdp_cmd("Emulation.setScrollbarsHidden", {"hidden": True})
            driver.get(url)
            drawn = "return document.querySelectorAll('#legend tbody tr').length"
            wait_until("the chart", lambda: driver.execute_script(drawn) > 0)
            driver.execute_script("document.activeElement.blur()")
            return bytes(driver.get_screenshot_as_png())
        finally:
            driver.quit()


if __name__ == "__main__":
    main()
