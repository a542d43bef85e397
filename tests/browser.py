"""A browser for tests of pages: Debian's Chromium, headless, driven by selenium.

It is told to talk to nobody on its own account, so what it asks for is what the page
asked for. Where something is missing the test is skipped, and says what.
"""

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

__all__ = ["browser", "chromium", "complaints", "open_browser", "requested"]

WAIT_SECONDS = 30
"""For a page to load, and for a script to end."""

QUIET = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
    *("--no-first-run", "--no-default-browser-check", "--disable-quic"),
    *("--disable-background-networking", "--disable-component-update"),
    *("--disable-sync", "--disable-default-apps", "--disable-extensions"),
    "--disable-features=MediaRouter,OptimizationHints,Translate",
    "--lang=en",
)


def open_browser(profile: Path, width: int = 1280, height: int = 900) -> "Chrome":
    """A Chromium of its own; ``profile`` is an empty folder, sizes are CSS pixels.

    Skips the test where selenium, chromium or chromedriver are missing.
    """
    pytest.importorskip("selenium", reason="selenium is not installed")
    programs = {name: shutil.which(name) for name in ("chromium", "chromedriver")}
    for name, found in programs.items():
        if found is None:
            pytest.skip(f"{name} is not installed")
    from selenium import webdriver  # noqa: PLC0415 - only where it is installed

    options = webdriver.ChromeOptions()
    options.binary_location = str(programs["chromium"])
    for argument in QUIET:
        options.add_argument(argument)
    options.add_argument(f"--user-data-dir={profile}")
    options.add_argument(f"--window-size={width},{height}")
    options.set_capability(
        "goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"}
    )
    # A driver that is named is not looked for elsewhere; a proxy is not for loopback.
    service = webdriver.ChromeService(
        str(programs["chromedriver"]),
        env={**os.environ, "SE_OFFLINE": "true", "SE_AVOID_STATS": "true"},
    )
    driver = webdriver.Chrome(options=options, service=service)
    driver.set_page_load_timeout(WAIT_SECONDS)
    driver.set_script_timeout(WAIT_SECONDS)
    return driver


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Chrome"]:
    """One for all tests of a module: its start takes longer than most of them."""
    driver = open_browser(tmp_path_factory.mktemp("chromium"))
    yield driver
    driver.quit()


@pytest.fixture
def browser(chromium: "Chrome") -> Iterator["Chrome"]:
    """A Chromium on an empty page, with empty logs, 1280 pixels wide, in light colours."""
    chromium.set_window_size(1280, 900)
    chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    chromium.get("about:blank")
    for kind in ("performance", "browser"):
        chromium.get_log(kind)
    yield chromium
    chromium.get("about:blank")


def requested(driver: "Chrome") -> Sequence[str]:
    """The addresses asked for since the last call, ``data:`` and ``about:`` left out."""
    events = (_event(entry) for entry in driver.get_log("performance"))
    return [
        str(event["params"]["request"]["url"])
        for event in events
        if event["method"] == "Network.requestWillBeSent"
        and not event["params"]["request"]["url"].startswith(("data:", "about:"))
    ]


def complaints(driver: "Chrome") -> Sequence[str]:
    """What the console has shown as errors or warnings since the last call."""
    return [
        str(entry["message"])
        for entry in driver.get_log("browser")
        if entry["level"] in {"SEVERE", "WARNING"}
    ]


def _event(entry: dict[str, Any]) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(entry["message"])["message"]
    return event
