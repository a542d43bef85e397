"""The admin site: who may ask what, how it is answered, and that it takes little."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred, fail

from relay.admin.limits import BODY_BYTES, HEADERS, HEADERS_BYTES, REQUEST_SECONDS
from relay.admin.status import Status
from tests.admin.sample import a_status
from tests.admin.visitor import Visitor

PATHS = ["/", "/status", "/metrics", "/healthz", "/readyz"]
PATHS += ["/history", "/series", "/explain", "/page.css", "/page.js", "/charts.js"]
PATHS += ["/icon.svg", "/uplot.js", "/uplot.css"]

every_path = pytest.mark.parametrize("path", PATHS)


@pytest.mark.parametrize(
    ("path", "content_type", "begins"),
    [
        ("/", "text/html; charset=utf-8", b"<!DOCTYPE html>"),
        ("/status", "application/json", b"{"),
        ("/metrics", "text/plain; version=0.0.4; charset=utf-8", b"up 1\n"),
        ("/healthz", "text/plain; charset=utf-8", b"ok\n"),
        ("/readyz", "text/plain; charset=utf-8", b"ready\n"),
        ("/history", "application/json", b"{"),
        ("/series", "application/json", b"{"),
        ("/explain", "application/json", b"{"),
        ("/page.js", "text/javascript; charset=utf-8", b"/*"),
        ("/page.css", "text/css; charset=utf-8", b":root"),
        ("/uplot.js", "text/javascript; charset=utf-8", b"/*! https://github.com/"),
        ("/icon.svg", "image/svg+xml", b"<svg"),
    ],
)
def test_answers_at_its_paths(path: str, content_type: str, begins: bytes) -> None:
    """Each path in its form."""
    answer = Visitor().ask(path)
    assert (answer.code, answer.headers["content-type"]) == (200, content_type)
    assert answer.body.startswith(begins)


def test_status_is_json_of_the_status() -> None:
    """Nothing is added, nothing left out."""
    assert json.loads(Visitor().ask("/status").body) == a_status()


def test_a_query_does_not_matter() -> None:
    """Scrapers and probes like to add one."""
    assert Visitor().ask("/healthz?verbose=1").code == 200


def test_not_ready_is_503_and_alive() -> None:
    """Before the start is over and while stopping: unready, but not dead."""
    visitor = Visitor(ready=False)
    assert visitor.ask("/readyz").code == 503
    assert visitor.ask("/healthz").code == 200
    visitor.ready = True
    assert visitor.ask("/readyz").code == 200


def test_metrics_see_what_the_scraper_accepts() -> None:
    """The format is negotiated where the metrics are made."""
    visitor = Visitor()
    visitor.ask("/metrics", Accept="application/openmetrics-text")
    visitor.ask("/metrics")
    assert visitor.accepted == ["application/openmetrics-text", ""]


@pytest.mark.parametrize("path", ["/nope", "//", "/status/", "/../etc/passwd", "*x"])
def test_other_paths_are_404_and_say_which_there_are(path: str) -> None:
    """A typing mistake is mended by the answer."""
    answer = Visitor().ask(path)
    assert (answer.code, answer.headers["content-type"]) == (
        404,
        "text/plain; charset=utf-8",
    )
    assert answer.body.split()[2:] == [path.encode() for path in PATHS]


@pytest.mark.bar("P6")
@every_path
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "BREW"])
def test_only_get_and_head(path: str, method: str) -> None:
    """Nothing here can be changed."""
    answer = Visitor().ask(path, method)
    assert (answer.code, answer.headers["allow"]) == (405, "GET, HEAD")


@every_path
def test_head_is_get_without_its_body(path: str) -> None:
    """The length is that of the body that was not sent."""
    got, headed = Visitor().ask(path), Visitor().ask(path, "HEAD")
    assert headed.body == b""
    assert (headed.code, headed.headers) == (got.code, got.headers)


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST:8127",
        "localhost.:8127",
        "127.0.0.1",
        "10.1.2.3:8127",
        "[::1]",
        "[::1]:8127",
        "relay.example.com",
        "Relay.Example.Com.:80",
    ],
)
def test_known_hosts_are_answered(host: str) -> None:
    """Addresses, localhost and the names of the configuration."""
    visitor = Visitor(hosts=("relay.example.COM",))
    assert visitor.ask("/status", Host=host).code == 200


@pytest.mark.bar("P6")
@every_path
@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "evil.example:127.0.0.1",
        "[localhost]x",
        "[evil.example]",
        "::1",
        "",
        ".",
    ],
)
def test_a_foreign_name_is_refused(path: str, host: str) -> None:
    """A page whose name was made to point here cannot read what is here."""
    answer = Visitor().ask(path, Host=host)
    assert answer.code == 403
    assert b"http_names" in answer.body


def test_one_foreign_name_among_several_is_enough() -> None:
    """Two Host headers are two opinions; the worse one counts."""
    visitor = Visitor()
    visitor.receive(b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n")
    assert visitor.answer().code == 403


def test_old_probes_without_a_host_are_answered() -> None:
    """No browser leaves it out, so nothing is lost by it."""
    visitor = Visitor()
    visitor.receive(b"GET /healthz HTTP/1.0\r\n\r\n")
    assert visitor.answer().code == 200


@pytest.mark.bar("P6")
@pytest.mark.parametrize(
    ("path", "method", "host"),
    [("/", "GET", "localhost"), ("/no", "GET", "localhost"), ("/", "GET", "evil")],
)
def test_every_answer_is_guarded(path: str, method: str, host: str) -> None:
    """No script but our files, no foreign origin, no frame, no guessed type, no cache."""
    headers = Visitor().ask(path, method, Host=host).headers
    policy = headers["content-security-policy"].split("; ")
    assert policy[0] == "default-src 'none'"
    assert {source for part in policy[1:5] for source in part.split()[1:]} == {"'self'"}
    assert {"base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"} <= set(
        policy
    )
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert "twisted" not in headers["server"].lower()


@pytest.mark.bar("H7")
def test_what_a_sender_chose_stays_harmless_in_json() -> None:
    """Control characters and markup are escaped, or nothing a parser may take for it."""

    class Hostile(Visitor):
        def status(self) -> Status:
            line = "<script>\n\x1b[31m\u2028\ud800"
            return {**a_status(), "last_refusals": [{"text": line, "reason": "x"}]}

    body = Hostile().ask("/status").body
    assert body.isascii()
    assert not any(byte < 32 for byte in body.replace(b"\n", b""))
    assert json.loads(body)["last_refusals"][0]["text"].startswith("<script>\n\x1b")


def test_history_has_what_moves_on_the_page_in_one_answer() -> None:
    """The samples after those that the page has, the verdict, the status, the time."""
    visitor = Visitor()
    news = json.loads(visitor.ask("/history?after=12.5").body)
    assert visitor.live.asked == [12.5]
    assert news["hour"]["columns"] == {"lines": [2]}
    assert news["verdict"]["mood"] == "careful"
    assert (news["status"], news["now"]) == (a_status(), 1_000_600.0)


def test_a_search_is_bounded() -> None:
    """At most 50 are asked for, 20 where nobody says."""
    visitor = Visitor()
    for query in ("q=a+b%3Dc", "q=x&limit=1000", "limit=3"):
        assert visitor.ask(f"/series?{query}").code == 200
    assert visitor.live.asked == [("a b=c", 20), ("x", 50), ("", 3)]


@pytest.mark.parametrize(
    "asked",
    [
        "/history?after=nan",
        "/history?after=x",
        "/series?limit=-1",
        "/series?limit=%EF%BC%91",
        f"/series?q={'x' * 201}",
        f"/explain?line={'x' * 4097}",
    ],
)
def test_what_is_too_long_or_no_number_is_refused(asked: str) -> None:
    """400, with a sentence, and nobody is asked."""
    visitor = Visitor()
    answer = visitor.ask(asked)
    assert (answer.code, answer.headers["content-type"]) == (
        400,
        "text/plain; charset=utf-8",
    )
    assert visitor.live.asked == []


def test_a_line_is_explained_as_its_bytes_came() -> None:
    """Signs of the grammar survive the address."""
    visitor = Visitor()
    body = visitor.ask("/explain?line=a%3A1%7Cc%7C%40.5%7C%23k%3A%C3%A4").body
    assert visitor.live.asked == ["a:1|c|@.5|#k:ä".encode()]
    assert json.loads(body)["words"] == ["a:1|c|@.5|#k:ä"]
    assert body.isascii()


def test_only_so_many_search_at_a_time() -> None:
    """The fifth is told to come again, and may when another is done."""
    waiting: Deferred[dict[str, object]] = Deferred()
    first = Visitor()
    first.live.found = waiting
    for _ in range(4):
        first.receive(b"GET /series HTTP/1.1\r\nHost: localhost\r\n\r\n")
        first.connect()
    assert first.ask("/series").code == 503
    waiting.callback({"found": []})
    assert first.ask("/series").code == 200


def test_a_search_of_somebody_who_left_is_given_up() -> None:
    """Nothing is looked for any more, and nothing is said to nobody."""
    ended: list[object] = []
    visitor = Visitor()
    visitor.live.found = Deferred(lambda _: ended.append("cancelled"))
    visitor.receive(b"GET /series HTTP/1.1\r\nHost: localhost\r\n\r\n")
    visitor.leave()
    assert (ended, visitor.sent) == (["cancelled"], b"")


def test_a_search_that_breaks_is_500_without_details() -> None:
    """As any other defect."""
    visitor = Visitor()
    visitor.live.found = fail(RuntimeError("s3cret"))
    assert visitor.ask("/series").code == 500
    assert b"s3cret" not in visitor.sent


def test_a_status_that_cannot_be_told_is_500_without_details() -> None:
    """A defect elsewhere is not shown to strangers, and ends nothing."""

    class Broken(Visitor):
        def status(self) -> Status:
            raise RuntimeError("s3cret")

    visitor = Broken()
    assert visitor.ask("/status").code == 500
    assert b"s3cret" not in visitor.answer().body
    assert visitor.ask("/healthz").code == 200


def test_a_connection_serves_many_requests() -> None:
    """Scrapers keep theirs open."""
    visitor = Visitor()
    for _ in range(50):
        assert visitor.ask("/healthz").code == 200
        visitor.clock.advance(REQUEST_SECONDS - 1)
    assert not visitor.closed


def test_an_idle_connection_is_closed() -> None:
    """Within a minute, before and after a request."""
    silent, served = Visitor(), Visitor()
    served.ask()
    for visitor in (silent, served):
        visitor.clock.advance(REQUEST_SECONDS - 1)
        assert not visitor.closed
        visitor.clock.advance(2)
        assert visitor.closed
    assert REQUEST_SECONDS <= 60


def test_a_dripping_connection_is_idle() -> None:
    """A byte a second does not keep a connection open."""
    visitor = Visitor()
    for byte in b"GET / HTTP/1.1\r\nX: " + b"x" * 60:
        visitor.receive(bytes([byte]))
        visitor.clock.advance(1)
        if visitor.closed:
            break
    assert visitor.clock.seconds() <= REQUEST_SECONDS


def test_a_dripping_body_is_idle_too() -> None:
    """The time goes on while a small body is awaited."""
    visitor = Visitor()
    visitor.receive(b"GET / HTTP/1.1\r\nContent-Length: 100\r\n\r\n")
    for _ in range(REQUEST_SECONDS):
        visitor.receive(b"x")
        visitor.clock.advance(1)
    assert visitor.closed


@pytest.mark.parametrize(
    "announced",
    ["Content-Length: 104857600", "Transfer-Encoding: chunked"],
)
def test_a_large_body_is_refused_unread(announced: str) -> None:
    """One short answer and an end; nothing is kept, nothing promised."""
    visitor = Visitor()
    visitor.receive(
        f"POST / HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n{announced}\r\n"
        "\r\n".encode()
    )
    visitor.receive(b"x" * 100_000)
    assert visitor.answer().code == 413
    assert visitor.answer().body == b""
    assert visitor.closed


def test_a_refused_request_is_answered_once() -> None:
    """Also where its whole body came with it."""
    visitor = Visitor()
    length = BODY_BYTES + 1
    visitor.receive(
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % length
        + b"x" * length
    )
    assert visitor.sent.count(b"HTTP/1.1") == 1


def test_a_small_body_does_no_harm() -> None:
    """A client's mistake gets the answer that names it."""
    visitor = Visitor()
    visitor.receive(
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n"
        b"Content-Type: multipart/form-data\r\n\r\na=b"
    )
    assert visitor.answer().code == 405


@pytest.mark.parametrize(
    "lines",
    [
        b"X: y\r\n" * (HEADERS + 1),
        b"X: " + b"y" * HEADERS_BYTES + b"\r\n",
        (b"X: " + b"y" * 1000 + b"\r\n") * 10,
    ],
    ids=["many", "long", "many long"],
)
def test_headers_without_end_are_refused(lines: bytes) -> None:
    """400, and the connection is closed."""
    visitor = Visitor()
    visitor.receive(b"GET / HTTP/1.1\r\nHost: localhost\r\n" + lines + b"\r\n")
    assert visitor.answer().code == 400
    assert visitor.closed


def test_the_site_has_no_timer_of_its_own() -> None:
    """The only one is the connection's; nothing ticks while nobody asks."""
    assert len(Visitor().clock.getDelayedCalls()) == 1


@given(st.binary(max_size=200))
def test_no_bytes_raise(rubbish: bytes) -> None:
    """What is no HTTP gets an answer or silence."""
    visitor = Visitor()
    visitor.receive(rubbish)
    visitor.receive(b"\r\n\r\n")
    assert visitor.sent[:9] in (b"", b"HTTP/1.1 ", b"HTTP/1.0 ")
