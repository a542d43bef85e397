"""The door itself: segments, connections, the limits of HTTP, and no log of secrets."""

import pytest
from twisted.logger import capturedLogs

from relay.emulator import site as site_module
from relay.emulator.limits import Limits
from tests.emulator.door import ENTRY, Door, http, http_call, put_parameters, signed


def a_call() -> bytes:
    """A good call."""
    return http_call(signed(put_parameters(ENTRY)))


def test_connection_is_kept() -> None:
    """Several calls on one connection are answered in order."""
    connection = Door().open(a_call() + a_call() + a_call())
    assert connection.came.count(b'"Code":"200"') == 3
    assert not connection.ended


def test_request_in_segments() -> None:
    """Cut anywhere into segments, a call is one."""
    door = Door()
    raw = a_call()
    connection = door.open()
    for i in range(len(raw)):
        connection.feed(raw[i : i + 1])
    assert connection.came.count(b'"Code":"200"') == 1


def test_idle_connection_is_closed() -> None:
    """Who says nothing for a minute is sent away."""
    door = Door()
    connection = door.open(a_call()[:10])
    door.clock.advance(site_module.IDLE_SECONDS + 1)
    assert connection.ended


def test_endless_url() -> None:
    """A request line beyond all measure is refused with 414 before it has ended."""
    connection = Door().open(b"GET /?" + b"x" * site_module.HEAD_BYTES_MAX)
    assert connection.came.startswith(b"HTTP/1.1 414 ")
    assert connection.ended


def test_large_body_is_heard_out_but_not_kept() -> None:
    """The client gets its 413, and memory holds no more than a body may have."""
    door = Door(Limits(body_bytes=1000))
    raw = http("POST", "/", {"Host": "h"}, b"x" * 1_000_000)
    connection = door.open()
    for i in range(0, len(raw), 700):
        connection.feed(raw[i : i + 700])
    assert connection.came.startswith(b"HTTP/1.1 413 ")
    assert next(door.emulator.requests()).bytes == 1001


def test_endless_body() -> None:
    """Beyond some megabytes the connection ends."""
    connection = Door().open(
        b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999\r\n\r\n"
    )
    for _ in range(site_module.BODY_BYTES_READ // 2**20 + 1):
        connection.feed(b"x" * 2**20)
    assert connection.ended


@pytest.mark.parametrize("raw", [b"\r\n\r\n", b"GET\r\n\r\n", b"\x16\x03\x01\r\n\r\n"])
def test_no_http(raw: bytes) -> None:
    """What is no HTTP, TLS for example, is no call."""
    door = Door()
    door.open(raw)
    assert not list(door.emulator.requests())


def test_date_is_the_service_clock() -> None:
    """Clients learn from it how wrong theirs is."""
    reply = Door().put(ENTRY)
    assert reply.headers["date"] == "fri, 02 jan 2026 03:04:05 gmt"


def test_token_and_signature_are_not_logged() -> None:
    """With V1 both may be in the URL; there is no access log for them to be in."""
    door = Door()
    with capturedLogs() as events:
        door.site.startFactory()
        parameters = signed(put_parameters(ENTRY), "GET", SecurityToken="canary")
        assert door.call(parameters, "GET").code.startswith("InvalidSecurityToken")
    assert "canary" not in str(events)
