"""The emulator's page in a real browser: charts of what is stored, and nothing else runs."""

import socket
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from tests.browser import complaints, requested
from tests.e2e.children import Child
from tests.e2e.putting import aggregated, call, put, put_events, start_emulator
from tests.e2e.road import script, start_relay, wait_until

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

pytestmark = [pytest.mark.e2e, pytest.mark.peer]

MINUTES = 20
TAB, ENTER, SPACE, HOME, RIGHT = "\ue004", "\ue007", "\ue00d", "\ue011", "\ue014"
HOSTILE = "<img src=x onerror=alert(1)>\x07\u202egpj\u200b</script>"
HOSTILE_SEEN = "<img src=x onerror=alert(1)>\\u0007\\u202egpj\\u200b</script>"


@pytest.fixture
def stored() -> Iterator[str]:
    """The URL of an emulator that has twenty minutes of three series in it."""
    child, url = start_emulator()
    last = time.time() // 60 * 60
    put(
        url,
        [
            aggregated(
                "checkout_ms",
                {"host": host, "zone": "z"},
                last - minute * 60,
                {"Average": 10 + minute, "P99": 500 + place, "SampleCount": 4},
            )
            for place, host in enumerate(("web-1", "web-2"))
            for minute in range(1, MINUTES + 1)
        ],
    )
    put(url, [aggregated("queue_depth", {"host": "db"}, last - 60, {"LastValue": 7})])
    put(url, [aggregated("checkout_ms", {"host": "old"}, last - 7200, {"Average": 1})])
    put_events(url, [(HOSTILE, f"{HOSTILE} content")])
    script(url, [{"code": f"{HOSTILE}", "times": 2, "action": "Nothing"}])
    yield url
    child.kill()


LUMINANCE = """
const luminance = (text) => {
  const canvas = document.createElement("canvas").getContext("2d");
  canvas.fillStyle = text; canvas.fillRect(0, 0, 1, 1);
  const part = (v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const [r, g, b] = canvas.getImageData(0, 0, 1, 1).data;
  return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
};
const ratio = (a, b) => {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
};
"""
CONTRASTS = f"""{LUMINANCE}
const ground = (e) => {{
  for (; e; e = e.parentElement) {{
    const colour = getComputedStyle(e).backgroundColor;
    if (colour !== "rgba(0, 0, 0, 0)") return colour;
  }}
}};
return [...document.querySelectorAll("body *")]
  .filter((e) => e.checkVisibility() && [...e.childNodes].some(
    (n) => n.nodeType === 3 && n.textContent.trim()))
  .map((e) => [ratio(getComputedStyle(e).color, ground(e)), e.outerHTML.slice(0, 80)]);
"""
LINE_CONTRASTS = f"""{LUMINANCE}
const style = getComputedStyle(document.documentElement);
const colour = (name) => style.getPropertyValue(name).trim();
return Array.from({{length: 10}}, (_, n) => ratio(colour(`--line-${{n}}`), colour("--paper")));
"""
WIDER = """
const inner = (e) => e && (getComputedStyle(e).overflowX !== "visible" || inner(e.parentElement));
return [...document.querySelectorAll("body *")]
  .filter((e) => e.getBoundingClientRect().right > arguments[0] && !inner(e.parentElement))
  .map((e) => e.outerHTML.slice(0, 120));
"""


class Page:
    """The page as somebody sees it."""

    def __init__(self, driver: "Chrome", url: str, query: str = "") -> None:
        self.driver, self.url = driver, url
        driver.get(f"{url}/{query}")
        self.wait("the page is filled", lambda: "As of" in self.text("#renewed"))

    def wait(self, what: str, reached: Any) -> None:
        """Until it is so."""
        wait_until(what, reached, 15)

    def run(self, code: str, *given: object) -> Any:
        """What a piece of script gives."""
        return self.driver.execute_script(code, *given)

    def query(self) -> dict[str, str]:
        """The choice that the address holds."""
        return dict(parse_qsl(urlsplit(self.driver.current_url).query))

    def shown(self, selector: str) -> bool:
        """Whether it can be seen."""
        return bool(self.driver.find_element("css selector", selector).is_displayed())

    def text(self, selector: str) -> str:
        """What is written there."""
        code = "return document.querySelector(arguments[0])?.textContent ?? ''"
        return str(self.run(code, selector))

    def texts(self, selector: str) -> list[str]:
        """What is written in each of these."""
        code = "return [...document.querySelectorAll(arguments[0])].map((e) => e.textContent)"
        return list(self.run(code, selector))

    def select(self, selector: str, value: str) -> None:
        """Choose an option as a person would."""
        code = (
            "const [selector, value] = arguments;"
            "const select = document.querySelector(selector);"
            "select.value = value;"
            "select.dispatchEvent(new Event('change', {bubbles: true}))"
        )
        self.run(code, selector, value)

    def inked(self) -> int:
        """How many pixels of the chart have a colour."""
        code = (
            "const c = document.querySelector('#chart canvas'); if (!c) return 0;"
            "const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
            "let n = 0; for (let i = 0; i < d.length; i += 4)"
            " n += d[i + 3] > 0 && Math.max(d[i], d[i + 1], d[i + 2])"
            " - Math.min(d[i], d[i + 1], d[i + 2]) > 60; return n"
        )
        return int(self.run(code))

    def picture(self) -> str:
        """The chart, to compare."""
        return str(
            self.run("return document.querySelector('#chart canvas').toDataURL()")
        )

    def press(self, *keys: str) -> None:
        """On the keyboard, one after another, wherever the focus is."""
        from selenium.webdriver import ActionChains  # noqa: PLC0415 - may be missing

        for key in keys:
            ActionChains(self.driver).send_keys(key).perform()

    def focused(self) -> str:
        """The name of what has the focus: its id, or its text."""
        return str(
            self.run("const e = document.activeElement; return e.id || e.textContent")
        )

    def tab_to(self, name: str) -> None:
        """With the tabulator key, as far as that."""
        for _ in range(60):
            if self.focused().startswith(name):
                return
            self.press(TAB)
        raise AssertionError(f"{name} is not reached by keyboard")


def test_stored_series_are_a_chart(browser: "Chrome", stored: str) -> None:
    """A line and a row of the legend a series, with what its values were."""
    page = Page(browser, stored)
    assert page.text("#metric") == "checkout_ms"
    assert page.text("#common") == "zone=z"
    assert page.texts("#legend tbody tr:first-child > *") == [
        *("host=web-1", "11", "11", "20.5", "30")
    ]
    assert page.texts("#legend tbody th") == ["host=web-1", "host=web-2"]
    assert page.inked() > 500
    assert not page.shown("#overview")


def test_the_choice_of_a_statistic_changes_chart_legend_and_address(
    browser: "Chrome", stored: str
) -> None:
    """What is drawn is what is chosen, and the address links to it."""
    page = Page(browser, stored)
    before = page.picture()
    page.select("#statistic", "P99")
    page.wait(
        "P99", lambda: page.texts("#legend tbody td:nth-child(2)") == ["500", "501"]
    )
    assert page.picture() != before
    assert page.query() == {"metric": "checkout_ms", "statistic": "P99"}
    linked = Page(browser, stored, "?metric=checkout_ms&statistic=P99")
    assert linked.texts("#legend tbody td:nth-child(2)") == ["500", "501"]


def test_a_line_breaks_where_its_series_missed_a_period(
    browser: "Chrome", stored: str
) -> None:
    """And goes on where only another series has a point between."""
    page = Page(browser, stored)
    data = page.driver.execute_async_script(
        "const [done] = arguments;"
        "const minutes = (...n) => ({times: n.map((m) => m * 60000), values: n});"
        "import('/_emulator/chart.js').then(({aligned}) =>"
        " done(aligned([minutes(1, 2, 5), minutes(1.5)], 60000)"
        ".map((row) => row.map((v) => v === undefined ? 'none' : v))))"
    )
    assert data == [
        [60, 90, 120, 180, 300],
        [1, "none", 2, None, 5],
        ["none", 1.5, "none", "none", "none"],
    ]


def test_points_that_no_line_joins_are_seen(browser: "Chrome", stored: str) -> None:
    """Where there is no room for a mark a point they have one all the same."""
    last = time.time() // 60 * 60
    times = (last - minute * 60 for minute in range(1, 58, 2))
    put(stored, [aggregated("sparse", {}, at, {"LastValue": 1}) for at in times])
    assert Page(browser, stored, "?metric=sparse").inked() > 100


def test_dimension_and_time_range_choose_series(browser: "Chrome", stored: str) -> None:
    """One series where one is chosen; older ones in a longer range."""
    page = Page(browser, stored)
    page.select("[name='d.host']", "web-2")
    page.wait(
        "one line", lambda: page.texts("#legend tbody th") == ["host=web-2, zone=z"]
    )
    page.select("[name='d.host']", "")
    page.select("#seconds", "10800")
    page.wait("the old one", lambda: "host=old" in page.texts("#legend tbody th"))
    assert page.query() == {"metric": "checkout_ms", "seconds": "10800"}


def test_search_and_another_metric(browser: "Chrome", stored: str) -> None:
    """The list gets shorter; what is clicked is shown, and going back shows the former."""
    page = Page(browser, stored)
    search = browser.find_element("id", "search")
    search.send_keys("QUEUE")
    page.wait("one metric", lambda: page.texts("#metrics a") == ["queue_depth1"])
    browser.find_element("css selector", "#metrics a").click()
    page.wait("queue_depth", lambda: page.text("#metric") == "queue_depth")
    assert page.text("#legend tbody td") == "7"
    browser.back()
    page.wait("back again", lambda: page.text("#metric") == "checkout_ms")


def test_new_points_appear_by_themselves(browser: "Chrome", stored: str) -> None:
    """Without a touch; and not once it is told not to."""
    page = Page(browser, stored, "?metric=queue_depth&statistic=LastValue")
    now = time.time() // 60 * 60
    put(stored, [aggregated("queue_depth", {"host": "db"}, now, {"LastValue": 9})])
    page.wait("the new point", lambda: page.text("#legend tbody td") == "9")
    browser.find_element("id", "live").click()
    put(stored, [aggregated("queue_depth", {"host": "db"}, now, {"LastValue": 3})])
    since = page.run("return performance.now()")
    code = "return performance.now() - arguments[0] > 6000"
    page.wait("more than the time of a renewal", lambda: page.run(code, since))
    assert page.text("#legend tbody td") == "9"


def test_what_a_relay_reports_appears_on_an_open_page(browser: "Chrome") -> None:
    """The whole road, from a line of StatsD to the chart, without touching the page."""
    emulator = Child.start(["emulator", "--listen", "127.0.0.1:0", "--period", "2"])
    page = Page(browser, emulator.urls["emulator"][0])
    assert page.text("#metric") == "No entries yet"
    assert not page.shown("#chart")
    relay = start_relay(emulator, 2)
    door = urlsplit(relay.urls["listening"][0])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"road.hello:7|c", (str(door.hostname), int(door.port or 0)))
    page.wait("the chart", lambda: page.text("#metric") == "road_hello")
    page.wait("its sum", lambda: "7" in page.texts("#legend tbody td:last-child"))
    assert page.inked() > 5
    assert page.texts("#period option") == ["2 s", "10 s"]
    assert page.texts("#legend tbody th") == ["instance=test-host"]


def test_answers_that_take_long_are_shown(browser: "Chrome", stored: str) -> None:
    """Longer than the time between two renewals, and yet none overtakes the other."""
    page = Page(browser, stored, "?metric=queue_depth")
    slow = {"offline": False, "latency": 3500}
    rates = {"downloadThroughput": -1, "uploadThroughput": -1}
    browser.execute_cdp_cmd("Network.enable", {})
    browser.execute_cdp_cmd("Network.emulateNetworkConditions", slow | rates)
    try:
        now = time.time() // 60 * 60
        put(stored, [aggregated("queue_depth", {"host": "db"}, now, {"LastValue": 9})])
        wait_until("9", lambda: page.text("#legend tbody td") == "9", 40)
    finally:
        browser.execute_cdp_cmd(
            "Network.emulateNetworkConditions", slow | rates | {"latency": 0}
        )


def test_an_emulator_that_is_gone_is_said(browser: "Chrome", stored: str) -> None:
    """And what was there stays to be read."""
    page = Page(browser, stored)
    for child in tuple(Child.running):
        child.kill()
    page.wait("the news", lambda: page.text("#state").startswith("No answer"))
    assert page.texts("#legend tbody th") == ["host=web-1", "host=web-2"]


def test_points_are_a_table_as_well(browser: "Chrome", stored: str) -> None:
    """The newest first, a column a series."""
    page = Page(browser, stored)
    browser.find_element("css selector", "#points summary").click()
    page.wait("rows", lambda: len(page.texts("#points tbody tr")) == MINUTES)
    assert page.texts("#points thead th") == ["Time", "host=web-1", "host=web-2"]
    assert page.texts("#points tbody tr:first-child td") == ["11", "11"]
    assert page.texts("#points tbody tr:last-child td") == ["30", "30"]
    page.select("#statistic", "P99")
    page.wait("P99", lambda: page.texts("#points tr:last-child td") == ["500", "501"])


def test_hostile_words_are_shown_and_do_nothing(browser: "Chrome", stored: str) -> None:
    """Markup, control characters and marks of direction of clients, and of the address."""
    call(stored, {"Action": HOSTILE}, fails=True)
    page = Page(
        browser, stored, f"?{urlencode({'metric': HOSTILE, f'd.{HOSTILE}': 'x'})}"
    )
    assert page.text("#events td:nth-child(2)") == HOSTILE_SEEN
    assert page.text("#events td:nth-child(4)") == f"{HOSTILE_SEEN} content"
    assert HOSTILE_SEEN in page.texts("#requests td:nth-child(2)")
    assert HOSTILE_SEEN in page.text("#faults td:nth-child(2)")
    assert page.text("#metric") == HOSTILE_SEEN
    assert HOSTILE_SEEN in page.text("#nothing")
    assert page.run("return document.images.length") == 0
    assert not complaints(browser)


def test_nothing_is_asked_of_another_origin(browser: "Chrome", stored: str) -> None:
    """All that the page loads, and goes on asking, is the emulator's own."""
    page = Page(browser, stored)
    stamp = page.text("#renewed")
    page.wait("asked again", lambda: page.text("#renewed") != stamp)
    asked = requested(browser)
    assert {f"{stored}/", f"{stored}/_emulator/uplot.js"} <= set(asked)
    assert [one for one in asked if not one.startswith(f"{stored}/")] == []
    assert not complaints(browser)


def test_inline_script_is_refused_by_the_policy(browser: "Chrome", stored: str) -> None:
    """Even markup that got in could not run, and the console would say so."""
    page = Page(browser, stored)
    page.run(
        "const s = document.createElement('script'); s.textContent = 'window.ran = 1';"
        "document.body.append(s)"
    )
    assert page.run("return window.ran") is None
    assert "Content Security Policy" in str(complaints(browser))


def test_everything_works_by_keyboard(browser: "Chrome", stored: str) -> None:
    """Metric, statistic, the chart's points and a line are reached and used."""
    page = Page(browser, stored)
    page.tab_to("Skip")
    page.tab_to("queue_depth")
    page.press(ENTER)
    page.wait("queue_depth", lambda: page.text("#metric") == "queue_depth")
    assert page.focused().startswith("queue_depth")
    browser.back()
    page.wait("back again", lambda: page.text("#metric") == "checkout_ms")
    page.tab_to("statistic")
    page.press("P")
    page.wait("P99", lambda: page.query().get("statistic") == "P99")
    page.tab_to("chart")
    page.press(HOME)
    page.wait("the first", lambda: page.text("#at") != "Last")
    first = page.run("return document.activeElement.getAttribute('aria-valuetext')")
    page.press(RIGHT)
    second = page.run("return document.activeElement.getAttribute('aria-valuetext')")
    assert "host=web-1 500, host=web-2 501" in first
    assert first < second
    page.press(TAB, TAB, SPACE)
    assert (
        page.run("return document.querySelector('#legend tbody tr').className") == "off"
    )


def test_without_script_the_page_is_complete(browser: "Chrome", stored: str) -> None:
    """Small charts, requests, events and faults are there, and it renews itself."""
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.get(stored)
        body = browser.find_element("tag name", "body").text
        drawn = browser.find_elements("css selector", "#overview svg")
        assert len(drawn) == 4
        assert all(one.is_displayed() for one in drawn)
        for word in (
            "checkout_ms",
            "PutCustomMetric",
            HOSTILE_SEEN,
            "2 faults waiting",
        ):
            assert word in body
        assert not browser.find_element("id", "explorer").is_displayed()
    finally:
        browser.execute_cdp_cmd(
            "Emulation.setScriptExecutionDisabled", {"value": False}
        )


@pytest.mark.parametrize("dark", [False, True])
def test_text_has_contrast(browser: "Chrome", stored: str, dark: bool) -> None:
    """4.5 to 1 for all text, in light colours and in dark."""
    colours(browser, dark=dark)
    page = Page(browser, stored)
    ratios = page.run(CONTRASTS)
    assert len(ratios) > 50
    assert [one for one in ratios if one[0] < 4.5] == []


def test_lines_can_be_told_from_the_ground(browser: "Chrome", stored: str) -> None:
    """3 to 1 for each colour of a line, in light colours and in dark."""
    for dark in (False, True):
        colours(browser, dark=dark)
        page = Page(browser, stored)
        assert min(page.run(LINE_CONTRASTS)) >= 3


def test_long_names_leave_room_for_figures(browser: "Chrome", stored: str) -> None:
    """Ten Dimensions of 64 characters are broken, and the figures in sight."""
    last = time.time() // 60 * 60 - 60
    long = {f"k{n}" + "x" * 62: "v" * 64 for n in range(10)}
    put(stored, [aggregated("m" * 64, long, last, {"Average": -1e9, "P99": -0.0})])
    page = Page(browser, stored, f"?metric={'m' * 64}")
    assert page.texts("#legend tbody td")[0] == "-1,000,000,000"
    code = "const e = document.querySelector('#legend').parentElement;"
    assert page.run(f"{code} return e.scrollWidth - e.clientWidth") == 0
    page.select("#statistic", "P99")
    page.wait("no sign", lambda: page.texts("#legend tbody td") == ["0"] * 4)


def test_a_narrow_screen_needs_no_sideways_scrolling(
    browser: "Chrome", stored: str
) -> None:
    """At 360 pixels, hostile words and all."""
    size = {"width": 360, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        page = Page(browser, stored, f"?{urlencode({'metric': 'x' * 300})}")
        page.select("#seconds", "0")
        page = Page(browser, stored)
        assert page.run("return innerWidth") == 360
        assert page.run(WIDER, 360) == []
        assert page.run("return document.documentElement.scrollWidth") <= 360
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def colours(driver: "Chrome", *, dark: bool) -> None:
    """What the person prefers."""
    preferred = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [preferred]})
