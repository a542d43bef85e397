"""Pictures of the status page for the documentation: ``python -m tests.screenshots``.

A relay with short periods reports to its own emulator, mixed traffic is sent to it, some
of it wrong, and after a while a browser takes the pictures. Not run in CI.
"""

import argparse
import base64
import math
import random
import socket
import struct
import tempfile
import threading
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tests.browser import open_browser
from tests.e2e.children import ROOT, Child

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

IMAGES = ROOT / "docs" / "images"
COLOURS = 3
SIMPLE = ("none", "sub", "up", "average")
"""Filters of rows; the one after them is Paeth's."""

MAGIC = b"\x89PNG\r\n\x1a\n"
WRONG = (b"checkout.total:12,50|c", b"api.latency:fast|ms", b"queue.depth|g", b"a:1|x")
PERIOD_SECONDS = 5
SETTLED_SECONDS = 2 * PERIOD_SECONDS
SIZES = {"light": (1120, 1000), "dark": (1120, 1000), "phone": (360, 780)}


def lines(moment: float) -> Iterator[bytes]:
    """What a shop's programs send in a twentieth of a second."""
    swing = 1 + 0.5 * math.sin(moment / 9)
    for env in ("prod", "staging"):
        for _ in range(int(6 * swing)):
            yield f"checkout.ok:1|c|#env:{env},region:hangzhou".encode()
            took = random.lognormvariate(3.2, 0.5)
            yield f"api.users.get.latency:{took:.1f}|ms|#env:{env}".encode()
    yield f"queue.depth:{20 * swing:.0f}|g".encode()
    yield f"users.active:{random.randrange(500)}|s".encode()  # noqa: S311
    if moment % 60 < 6 and random.random() < 0.1:  # noqa: S311
        yield random.choice(WRONG)  # noqa: S311


def send(url: str, seconds: float) -> None:
    """Traffic for so long."""
    where = urlsplit(url)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        end = time.monotonic() + seconds
        while (now := time.monotonic()) < end:
            sender.sendto(b"\n".join(lines(now)), (where.hostname, where.port))
            time.sleep(0.05)


def take(browser: "Chrome", http: str, name: str, to: Path) -> None:
    """One picture, after the page has drawn."""
    width, height = SIZES[name]
    scheme = "dark" if name == "dark" else "light"
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia",
        {"features": [{"name": "prefers-color-scheme", "value": scheme}]},
    )
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {
            "width": width,
            "height": height,
            "deviceScaleFactor": 1,
            "mobile": name == "phone",
        },
    )
    browser.get(http)
    browser.execute_script(  # type: ignore[no-untyped-call,unused-ignore]
        "document.getElementById('q').value = 'checkout';"
        "document.getElementById('search-form').requestSubmit();"
        "document.getElementById('line').value = 'checkout.ok:1|c|@0.5|#env:prod';"
        "document.getElementById('explain-form').requestSubmit();"
    )
    time.sleep(SETTLED_SECONDS)
    browser.execute_script(  # type: ignore[no-untyped-call,unused-ignore]
        "document.getElementById('search-form').requestSubmit();"
    )
    time.sleep(1)
    bottom = browser.execute_script(  # type: ignore[no-untyped-call,unused-ignore]
        "return document.getElementById('search').getBoundingClientRect().bottom"
    )
    tall = 1500 if name == "phone" else bottom + 16
    clip = {"x": 0, "y": 0, "width": width, "height": tall, "scale": 1}
    shot = browser.execute_cdp_cmd(
        "Page.captureScreenshot", {"clip": clip, "captureBeyondViewport": True}
    )
    (to / f"status-{name}.png").write_bytes(packed(base64.b64decode(shot["data"])))


def packed(png: bytes) -> bytes:
    """The same picture in fewer bytes: flat colours want no filters.

    The browser packs for speed; eight bits for each of three colours are what it makes.
    """
    parts: dict[bytes, bytes] = {}
    at = len(MAGIC)
    while at < len(png):
        (size,) = struct.unpack_from(">I", png, at)
        kind, body = png[at + 4 : at + 8], png[at + 8 : at + 8 + size]
        parts[kind] = parts.get(kind, b"") + body
        at += size + 12
    width, *_ = struct.unpack_from(">II", parts[b"IHDR"])
    rows = unfiltered(zlib.decompress(parts[b"IDAT"]), width * COLOURS)
    best = zlib.compress(b"".join(b"\0" + row for row in rows), 9)
    pieces = ((b"IHDR", parts[b"IHDR"]), (b"IDAT", best), (b"IEND", b""))
    return MAGIC + b"".join(chunk(*piece) for piece in pieces)


def unfiltered(image: bytes, size: int) -> Iterator[bytearray]:
    """The rows of a picture, each of ``size`` bytes. Source: PNG, section 9."""
    above = bytearray(size)
    for start in range(0, len(image), size + 1):
        kind, row = image[start], bytearray(image[start + 1 : start + 1 + size])
        for i in range(size):
            left, corner = (
                (row[i - COLOURS], above[i - COLOURS]) if i >= COLOURS else (0, 0)
            )
            row[i] = (row[i] + _guess(kind, left, above[i], corner)) & 0xFF
        yield row
        above = row


def _guess(kind: int, left: int, up: int, corner: int) -> int:
    if kind < len(SIMPLE):
        return (0, left, up, (left + up) // 2)[kind]
    ahead = left + up - corner
    return min((left, up, corner), key=lambda one: abs(ahead - one))


def chunk(kind: bytes, body: bytes) -> bytes:
    """A piece of a PNG."""
    check = zlib.crc32(kind + body)
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", check)


def main() -> None:
    """``--seconds`` of traffic first, then the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=240)
    parser.add_argument("--to", type=Path, default=IMAGES)
    arguments = parser.parse_args()
    arguments.to.mkdir(parents=True, exist_ok=True)
    relay = Child.start(
        [
            *("run", "--sink", "emulator", "--emulator", "127.0.0.1:0"),
            *("--listen", "udp://127.0.0.1:0", "--http", "127.0.0.1:0"),
            *("--period", f"{PERIOD_SECONDS}", "--instance", "web-1"),
        ]
    )
    url = relay.urls["listening"][0]
    more = len(SIZES) * 2 * SETTLED_SECONDS
    threading.Thread(
        target=send, args=(url, arguments.seconds + more), daemon=True
    ).start()
    time.sleep(arguments.seconds)
    with tempfile.TemporaryDirectory() as profile:
        browser = open_browser(Path(profile))
        try:
            for name in SIZES:
                take(browser, relay.urls["http"][0], name, arguments.to)
        finally:
            browser.quit()
    relay.stop()


if __name__ == "__main__":
    main()
