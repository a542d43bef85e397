"""The status page in a browser, against a relay with traffic and an emulator with faults.

What people see is asked of the page as they find it: by labels, roles and texts.
"""

import json
import socket
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import pytest

from tests.browser import complaints, requested
from tests.e2e.children import ROOT, Child
from tests.e2e.road import get, script, start_relay, status, wait_until

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

pytestmark = [pytest.mark.e2e, pytest.mark.peer]

PERIOD_SECONDS = 2
HOSTILE = "<img src=x onerror=alert(1)>\x1b[31m\u202e"
SHOWN = "<img src=x onerror=alert(1)>\\x1b[31m\\u202e"
NARROW = 360


class Site:
    """An emulator and a relay that reports to it."""

    def __init__(self) -> None:
        self.emulator = Child.start(
            ["emulator", "--listen", "127.0.0.1:0", "--period", f"{PERIOD_SECONDS}"]
        )
        self.relay = start_relay(self.emulator, PERIOD_SECONDS)
        self.http = self.relay.urls["http"][0]

    def send(self, *lines: str) -> None:
        """A datagram a line."""
        where = urlsplit(self.relay.urls["listening"][0])
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for line in lines:
                sender.sendto(line.encode(), (where.hostname, where.port))

    def fault(self, *faults: dict[str, object]) -> None:
        """What the service does next."""
        script(self.emulator.urls["emulator"][0], faults)


@pytest.fixture
def site() -> Iterator[Site]:
    """Both end with the test."""
    made = Site()
    yield made
    made.relay.kill()
    made.emulator.kill()


class Page:
    """A page as it is in the browser now."""

    def __init__(self, driver: "Chrome") -> None:
        self.driver = driver

    def run(self, script: str, *arguments: object) -> Any:
        """What a piece of script gives, which is the function's body."""
        execute: Callable[..., Any] = self.driver.execute_script
        return execute(script, *arguments)

    def text(self, css: str = "body") -> str:
        """What is to be read there."""
        return str(
            self.run("return document.querySelector(arguments[0]).innerText", css)
        )

    def wait_for(self, text: str, css: str = "body", seconds: float = 30) -> None:
        """Until it is to be read there; the page comes for news every five seconds."""
        wait_until(
            f"{text!r} did not come: {self.text(css)}",
            lambda: text in self.text(css),
            seconds,
        )

    def ask(self, field: str, text: str) -> None:
        """Write into a field and press Enter, by keys alone."""
        self.run(
            "const f = document.getElementById(arguments[0]); f.value = ''; f.focus()",
            field,
        )
        self.driver.switch_to.active_element.send_keys(text, "\ue007")


@pytest.fixture
def page(browser: "Chrome") -> Page:
    """Of a browser on an empty page."""
    return Page(browser)


def test_a_page_with_traffic_says_that_metrics_flow(site: Site, page: Page) -> None:
    """The verdict, the tiles, charts that are drawn and described, periods; and nothing
    is asked of anybody else, nor complained of."""
    site.send("checkout.ok:1|c|#env:prod", "depth:3|g", "bad")
    wait_until(
        "nothing was delivered",
        lambda: status(site.http)["ledger"]["entries"]["acked"] > 0,
    )
    page.driver.get(site.http)
    page.wait_for("Metrics flow to CloudMonitor.", "#sentence")
    page.wait_for("Of the last", "#periods-said")
    page.wait_for("no_value", "#refusals")
    site.send("checkout.ok:1|c")
    page.wait_for("4\n", "dl.tiles div")
    drawn = page.run(
        "return [...document.querySelectorAll('[role=img]')].map("
        "(one) => [one.getAttribute('aria-label'), one.querySelectorAll('canvas').length])"
    )
    assert len(drawn) == 8
    assert all(": " in label and canvases == 1 for label, canvases in drawn)
    asked = requested(page.driver)
    assert {url[: len(site.http) + 1] for url in asked} == {f"{site.http}/"}
    assert any(url.startswith(f"{site.http}/history?after=") for url in asked)
    assert complaints(page.driver) == []


def test_a_fault_of_the_service_comes_to_be_seen(site: Site, page: Page) -> None:
    """While the page is open: that nothing flows, why, what to do; and when it is over."""
    page.driver.get(site.http)
    page.wait_for("Nothing has arrived yet.", "#sentence")
    site.fault({"code": "NoPermission", "status": 403, "times": 10_000})
    site.send("a:1|c")
    page.wait_for("Metrics do not flow", "#sentence")
    assert "NoPermission" in page.text("#reason")
    assert "RAM policy" in page.text("#fix")
    assert page.run("return document.getElementById('verdict').className") == "stopped"
    assert page.run("return document.title").startswith("✕")
    page.ask("q", "a counter")
    page.wait_for("unauthorised NoPermission", "#found")


def test_entries_that_are_lost_mark_their_period(site: Site, page: Page) -> None:
    """What the service took in part is lost perhaps, and shown as that."""
    site.fault({"body_code": 206, "message": "reach max time series num", "times": 3})
    site.send("a:1|c")
    page.driver.get(site.http)
    page.wait_for("entries taken in part at most", "#losses")
    page.wait_for("got lost in the last minutes", "#sentence")
    assert "✕" in page.text("#strip")


def test_hostile_names_are_shown_as_they_are(site: Site, page: Page) -> None:
    """Refused lines, tags and names: no element is made of them, nothing is hidden."""
    site.send(f"{HOSTILE}:x|c", "hostile.tag:1|c|#k:" + HOSTILE)
    wait_until("it was not fed", lambda: status(site.http)["ledger"]["lines"] == 2)
    page.driver.get(site.http)
    page.wait_for("\\x1b[31m\\u202e", "#refusals")
    page.ask("q", "hostile")
    page.wait_for("1 found.", "#search-said")
    assert SHOWN in page.text("#found")
    page.ask("line", "<b>x</b>:1|q")
    page.wait_for("unknown_type", "#explained")
    assert "<b>x</b>:1|q" in page.text("#explained")
    made = "return document.querySelectorAll('img, #found b, #explained *').length"
    assert page.run(made) == 0
    assert not [text for text in complaints(page.driver) if "alert" in text]


def test_a_search_shows_what_a_series_reported_and_what_was_answered(
    site: Site, page: Page
) -> None:
    """Name, Dimensions, Values of the last closed period, the answer of the service."""
    site.send("queue.depth:7|g|#env:prod")
    page.driver.get(site.http)
    page.ask("q", "depth prod")
    page.wait_for("1 found.", "#search-said")
    page.wait_for("env=prod, instance=test-host", "#found")

    def is_reported() -> bool:
        page.ask("q", "depth prod")
        text = page.text("#found")
        return "last Values" in text and "accepted" in text

    wait_until("no Values came", is_reported)
    assert "LastValue 7" in page.text("#found")
    assert "queue_depth" in page.text("#found")


def test_a_line_is_explained_in_the_words_of_the_command(
    site: Site, page: Page
) -> None:
    """To the letter, rates, tags and refusals included."""
    line = "checkout.ok:1|c|@0.5|#env:prod:2|x"
    page.driver.get(site.http)
    page.ask("line", line)
    words = json.loads(get(f"{site.http}/explain?line={quote(line)}"))["words"]
    page.wait_for(words[-1], "#explained")
    assert page.text("#explained") == "\n".join(words)


def test_a_relay_that_is_gone_is_not_said_to_be_well(site: Site, page: Page) -> None:
    """The page that stays open says so, with the age of what it shows."""
    page.driver.get(site.http)
    page.wait_for("Nothing has arrived yet.", "#sentence")
    site.relay.kill()
    page.wait_for("The relay does not answer this page.", "#sentence")
    assert "s old" in page.text("#reason")


def test_a_relay_that_was_started_anew_is_followed(site: Site, page: Page) -> None:
    """The page begins its hour anew, without being loaded again."""
    site.send("a:1|c", "b:1|c")
    page.driver.get(site.http)
    page.wait_for("2\n", "dl.tiles div")
    address = urlsplit(site.http).netloc
    restarted = page.run("return new Date().toLocaleTimeString('en-GB')")
    site.relay.kill()
    site.relay = start_relay(site.emulator, PERIOD_SECONDS, "--http", address)
    site.send("c:1|c")
    page.wait_for("\n1\n", "dl.tiles div")
    page.ask("q", "")
    page.wait_for("1 found.", "#search-said")
    oldest = page.run(
        "document.querySelector('details').open = true;"
        "return new Promise((done) => setTimeout(() => done([...document"
        ".querySelectorAll('details th[scope=row]')].at(-1).textContent), 500))"
    )
    assert oldest >= restarted


def test_charts_are_drawn_anew_when_the_colours_change(site: Site, page: Page) -> None:
    """A reader whose system turns dark at night sees the lines still."""
    page.driver.get(site.http)
    page.wait_for("As a table", "#charts")
    page.run("document.querySelector('canvas').id = 'by-day'")
    page.driver.execute_cdp_cmd(
        "Emulation.setEmulatedMedia",
        {"features": [{"name": "prefers-color-scheme", "value": "dark"}]},
    )
    gone = "return document.getElementById('by-day') === null"
    wait_until("the charts are as they were", lambda: bool(page.run(gone)), 20)
    assert page.run("return document.querySelectorAll('canvas').length") == 8


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_fits_a_phone_in_light_and_dark(site: Site, page: Page, scheme: str) -> None:
    """Nothing is wider than 360 pixels, and texts stand out as WCAG AA asks."""
    site.send("a.rather.long.name.of.a.series.that.goes.on.and.on:1|c|#env:prod", "x")
    page.driver.execute_cdp_cmd(
        "Emulation.setEmulatedMedia",
        {"features": [{"name": "prefers-color-scheme", "value": scheme}]},
    )
    page.driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": NARROW, "height": 780, "deviceScaleFactor": 1, "mobile": True},
    )
    page.driver.get(site.http)
    page.wait_for("found.", "#search-said")
    page.ask("line", "x" * 100)
    page.wait_for("refused", "#explained")
    assert page.run("return document.documentElement.scrollWidth") == NARROW
    faint = page.run((ROOT / "tests" / "e2e" / "contrast.js").read_text("utf-8"))
    assert faint == []


def test_everything_can_be_reached_by_keyboard(site: Site, page: Page) -> None:
    """Tab goes to the skip link, both fields and their buttons, and what has the focus
    is to be seen."""
    page.driver.get(site.http)
    page.wait_for("As a table", "#charts")
    reached = []
    for _ in range(20):
        page.driver.switch_to.active_element.send_keys("\ue004")
        reached.append(
            page.run(
                "const on = document.activeElement; return [on.id || on.innerText,"
                " getComputedStyle(on).outlineStyle]"
            )
        )
    names = [name for name, _ in reached]
    for expected in ("To the verdict", "As a table", "q", "Search", "line", "Explain"):
        assert expected in names
    assert {outline for name, outline in reached if name in ("q", "line")} == {"solid"}


def test_fields_regions_and_headings_have_names(site: Site, page: Page) -> None:
    """For who does not see them, as the browser computes them."""
    page.driver.get(site.http)
    page.wait_for("As a table", "#charts")
    tree = page.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    named = {
        (node["role"]["value"], node.get("name", {}).get("value", ""))
        for node in tree
        if "role" in node
    }
    for one in (
        ("searchbox", "Words of a name, a tag or a kind"),
        ("textbox", "A line of StatsD, as a program sends it"),
        ("region", "Verdict"),
        ("region", "The last hour"),
        ("heading", "Live series"),
    ):
        assert one in named
    roles = {role for role, _ in named}
    assert {"banner", "main", "contentinfo", "search", "status"} <= roles
    nameless = [
        role for role, name in named if role in ("image", "button") and not name
    ]
    assert nameless == []
