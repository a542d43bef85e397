"""What stands beside the API: routes, the guard, the page."""

import json
import re

import pytest

from relay.emulator.page import CONTENT_SECURITY_POLICY
from relay.emulator.site import make_site
from tests.emulator.door import ENTRY, NOW, Door, entry, http, signed

PAGE_FILES = [
    ("/_emulator/page.css", "text/css"),
    ("/_emulator/page.js", "text/javascript"),
    ("/_emulator/chart.js", "text/javascript"),
    ("/_emulator/parts.js", "text/javascript"),
    ("/_emulator/uplot.css", "text/css"),
    ("/_emulator/uplot.js", "text/javascript"),
]
BROWSER = {"Host": "localhost:8128", "Accept": "text/html,*/*;q=0.8"}


@pytest.fixture
def door() -> Door:
    """A service with one entry."""
    door = Door()
    door.put(ENTRY)
    return door


def test_forgetting_entries(door: Door) -> None:
    """DELETE empties the list and says how much was in it."""
    assert json.loads(door.get("/_emulator/entries", "DELETE").body) == {"forgotten": 1}
    assert door.entries() == []


def test_entries_are_json_lines(door: Door) -> None:
    """One object a line, each line ended."""
    door.put(ENTRY)
    body = door.get("/_emulator/entries").body
    assert body.endswith(b"}\n")
    assert len(body.splitlines()) == 2


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/_emulator", 404),
        ("GET", "/favicon.ico", 404),
        ("POST", "/_emulator/entries", 405),
        ("DELETE", "/_emulator/requests", 405),
        ("PUT", "/_emulator/faults", 405),
    ],
)
def test_no_other_routes(door: Door, method: str, path: str, status: int) -> None:
    """Paths and methods that are not in the table are refused."""
    assert door.get(path, method).status == status


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:8128", "[::1]:8128", "LOCALHOST:1"]
)
def test_known_host_names(door: Door, host: str) -> None:
    """Addresses and localhost are known."""
    request = http("GET", "/_emulator/entries", {"Host": host})
    assert door.send(request).status == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "", "a@b:c"]
)
def test_unknown_host_names(door: Door, host: str) -> None:
    """A name that somebody can point here is refused: DNS rebinding."""
    assert door.send(http("DELETE", "/_emulator/entries", {"Host": host})).status == 403
    assert len(door.entries()) == 1


def test_any_host_where_it_is_allowed(door: Door) -> None:
    """In a network of containers it is reached by name."""
    door.site = make_site(
        keys={"id": "secret"}, now=lambda: NOW, clock=door.clock, any_host=True
    )
    request = http("GET", "/_emulator/entries", {"Host": "emulator:8128"})
    assert door.send(request).status == 200


@pytest.mark.parametrize(
    ("origin", "status"), [("http://127.0.0.1:8128", 200), ("http://evil.example", 403)]
)
def test_pages_of_other_origins(door: Door, origin: str, status: int) -> None:
    """A page elsewhere cannot script faults through its reader's browser."""
    headers = {"Host": "127.0.0.1:8128", "Origin": origin}
    body = b'[{"status": 503}]'
    assert door.send(http("POST", "/_emulator/faults", headers, body)).status == status


def test_page(door: Door) -> None:
    """A browser gets the series as charts, and the last requests."""
    door.put(entry(Time="1767323040000", Values='{"Sum":7}'))
    reply = door.send(http("GET", "/", BROWSER))
    text = reply.body.decode()
    assert (reply.status, reply.headers["content-type"]) == (
        200,
        "text/html;charset=utf-8",
    )
    assert "<b>hits</b>" in text
    assert "host=web-1" in text
    assert text.count("<svg") == 1
    assert text.count("<td>PutCustomMetric</td>") == 2


def test_page_of_one_metric(door: Door) -> None:
    """Without script too its address chooses a metric."""
    door.put(entry(MetricName="other"))
    text = door.send(http("GET", "/?metric=other", BROWSER)).body.decode()
    assert re.findall(r"<b>(\w+)</b>", text) == ["other"]
    text = door.send(http("GET", "/?metric=%3Ci%3E%07", BROWSER)).body.decode()
    assert "newest 0 of &lt;i&gt;\\u0007 shown" in text


def test_page_shows_faults_that_wait(door: Door) -> None:
    """How often, and what."""
    door.get("/_emulator/faults", "POST", b'[{"code": "<Throttling>", "times": 3}]')
    text = door.send(http("GET", "/", BROWSER)).body.decode()
    assert "<td>3</td><td>code &lt;Throttling&gt;</td>" in text
    assert "3 faults waiting" in text


@pytest.mark.parametrize(("path", "kind"), PAGE_FILES)
def test_files_of_the_page(door: Door, path: str, kind: str) -> None:
    """Scripts and styles, as what they are."""
    reply = door.get(path)
    assert (reply.status, reply.headers["content-type"]) == (
        200,
        f"{kind};charset=utf-8",
    )
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert len(reply.body) > 1000


def test_page_names_all_its_files(door: Door) -> None:
    """The page and its scripts ask for the files that there are, and for no others."""
    sources = [door.send(http("GET", "/", BROWSER)).body]
    sources += [door.get(path).body for path, _ in PAGE_FILES if "uplot" not in path]
    named = re.findall(
        r'(?:src|href|from)[= ]"(?:/_emulator|\.)/(\w+\.\w+)"',
        b"".join(sources).decode(),
    )
    assert {f"/_emulator/{name}" for name in named} == {path for path, _ in PAGE_FILES}


def test_scripts_make_no_markup_of_data(door: Door) -> None:
    """No property or function that reads text as markup or as code is used."""
    for path, _ in PAGE_FILES:
        text = door.get(path).body.decode()
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write", text
        )
        assert not re.search(r"\beval\(|new Function|https?://(?!github)", text)


@pytest.mark.parametrize(
    ("last", "count"), [("2", 2), ("0", 0), ("", 5), ("x", 5), ("-1", 5)]
)
def test_last_requests(door: Door, last: str, count: int) -> None:
    """``last`` is how many of the newest are asked for; anything else is none of it."""
    for _ in range(3):
        door.put(ENTRY)
    door.send(http("POST", "/", {"Host": "h", "x-acs-action": "Newest"}))
    lines = door.get(f"/_emulator/requests?last={last}").body.splitlines()
    assert len(lines) == count
    assert [json.loads(line)["action"] for line in lines[-1:]] == ["Newest"] * bool(
        count
    )


def test_last_events(door: Door) -> None:
    """The newest of them, in order."""
    for name in ("first", "second", "third"):
        event = {"EventInfo.1.EventName": name, "EventInfo.1.Content": "c"}
        door.call(signed({"Action": "PutCustomEvent", **event}))
    lines = door.get("/_emulator/events?last=2").body.splitlines()
    assert [json.loads(line)["EventName"] for line in lines] == ["second", "third"]


def test_page_has_nothing_inline_and_a_policy(door: Door) -> None:
    """Scripts and styles are files of this origin, and the policy allows no others."""
    reply = door.send(http("GET", "/", BROWSER))
    policy = reply.headers["content-security-policy"]
    assert policy == CONTENT_SECURITY_POLICY.lower()
    assert policy.startswith(
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    )
    text = reply.body.decode()
    assert (
        re.findall(r"<script(?! src=\"/_emulator/)|<style|style=| on\w+=", text) == []
    )
    assert re.findall(r"(?:src|href)=\"(?!/_emulator/|#|\?)[^\"]*", text) == []


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        (b"<b onload=x>", "&lt;b onload=x&gt;"),
        (b"a\xe2\x80\xaeb", "a\\u202eb"),
        (b"no UTF-8 \xff", "no UTF-8 \\udcff"),
    ],
)
def test_page_escapes_what_was_sent(door: Door, sent: bytes, shown: str) -> None:
    """Markup in a request is text on the page, and what is hidden is written out."""
    door.send(b"POST / HTTP/1.1\r\nHost: h\r\nx-acs-action: " + sent + b"\r\n\r\n")
    text = door.send(http("GET", "/", BROWSER)).body.decode()
    assert f"<td>{shown}</td>" in text


@pytest.mark.parametrize("time", ["0", "999999999999999"])
def test_page_shows_any_time_and_value(door: Door, time: str) -> None:
    """Dates beyond the calendar and huge numbers do not break it."""
    door.put(entry(Time=time, Values='{"P99":1e308,"Minimum":-1e308}'))
    assert door.send(http("GET", "/", BROWSER)).status == 200


def test_scripts_get_the_api() -> None:
    """Without ``text/html`` the root is the API, and says what is missing."""
    reply = Door().send(http("GET", "/", {"Host": "localhost", "Accept": "*/*"}))
    assert (reply.status, reply.code) == (400, "MissingParameter")
