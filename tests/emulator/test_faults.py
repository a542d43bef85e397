"""The script of faults, and how each looks to a client."""

import json
from typing import Any

import pytest

from relay.emulator.faults import Fault, Faults, read_faults, show
from tests.emulator.door import ENTRY, Door, http_call, put_parameters, signed


@pytest.fixture
def door() -> Door:
    """A service without faults."""
    return Door()


def script(door: Door, *faults: dict[str, Any]) -> None:
    """Post faults as a test outside would."""
    reply = door.get("/_emulator/faults", "POST", json.dumps(faults).encode())
    assert reply.status == 200, reply.body


def raw_put() -> bytes:
    """A good call."""
    return http_call(signed(put_parameters(ENTRY)))


def test_gateway_error(door: Door) -> None:
    """Code, status and retry-after as scripted; nothing is taken."""
    script(door, {"code": "Throttling.User", "status": 429, "retry_after_ms": 500})
    reply = door.put(ENTRY)
    assert (reply.status, reply.code) == (429, "Throttling.User")
    assert reply.headers["x-acs-retry-after"] == "500"
    assert door.entries() == []


def test_a_fault_of_one_call_lets_others_go_by(door: Door) -> None:
    """It waits for its own, as often as it says; the order of the others stays."""
    only = {
        "code": "NoPermission",
        "status": 403,
        "times": 2,
        "action": "PutCustomEvent",
    }
    script(door, only, {"code": "Throttling.User"})
    event = {"EventInfo.1.EventName": "a", "EventInfo.1.Content": "b"}
    codes = [
        door.put(ENTRY).code,
        door.put(ENTRY).code,
        *(
            door.call(signed({"Action": "PutCustomEvent", **event})).code
            for _ in range(3)
        ),
    ]
    assert codes == ["Throttling.User", "200", "NoPermission", "NoPermission", "200"]
    assert len(door.emulator.faults) == 0


def test_gateway_error_by_default(door: Door) -> None:
    """Status 400 and no retry-after, unless told."""
    script(door, {"code": "InvalidParameter", "message": "Period"})
    reply = door.put(ENTRY)
    assert (reply.status, reply.json["Message"]) == (400, "Period")
    assert "x-acs-retry-after" not in reply.headers


@pytest.mark.parametrize(("code", "taken"), [(206, 1), (400, 0), (403, 0), (500, 0)])
def test_service_code(door: Door, code: int, taken: int) -> None:
    """A code in the body of an HTTP 200; with 206 the entries are taken."""
    script(door, {"body_code": code, "message": "said so"})
    reply = door.put(ENTRY)
    assert (reply.status, reply.code) == (200, str(code))
    assert reply.json["Message"] == "said so"
    assert len(door.entries()) == taken


def test_scripted_206_does_not_hide_a_bad_signature(door: Door) -> None:
    """A request that would have failed anyway fails."""
    script(door, {"body_code": 206})
    forged = signed(put_parameters(ENTRY)) | {"Signature": "forged"}
    assert door.call(forged).code == "SignatureDoesNotMatch"


@pytest.mark.parametrize("status", [414, 502, 503])
def test_page_instead_of_json(door: Door, status: int) -> None:
    """A status alone is a proxy's page; nothing is taken."""
    script(door, {"status": status})
    reply = door.put(ENTRY)
    assert reply.status == status
    assert reply.body.startswith(b"<html>")
    assert door.entries() == []


def test_any_body(door: Door) -> None:
    """Text of one's own, for what no table foresees."""
    script(door, {"status": 500, "body": ""}, {"body": "<xml/>"})
    first, second = door.put(ENTRY), door.put(ENTRY)
    assert (first.status, first.body) == (500, b"")
    assert (second.status, second.body) == (200, b"<xml/>")


def test_hang(door: Door) -> None:
    """The answer comes late; the entries are taken at once."""
    script(door, {"hang": 5})
    connection = door.open(raw_put())
    door.clock.advance(4.9)
    assert connection.came == b""
    assert len(door.entries()) == 1
    door.clock.advance(0.1)
    assert b'"Code":"200"' in connection.came


def test_client_gives_up_on_a_hang(door: Door) -> None:
    """A connection lost while waiting is not answered any more, and harms nothing."""
    script(door, {"hang": 5})
    timers = door.clock.getDelayedCalls()
    connection = door.open(raw_put())
    connection.lose()
    assert door.clock.getDelayedCalls() == timers
    door.clock.advance(10)
    assert connection.came == b""


@pytest.mark.parametrize(
    ("cut", "begins", "taken"),
    [("accept", b"", 0), ("headers", b"HTTP/1.1 200 OK", 1), ("body", b"HTTP/1.1 ", 1)],
)
def test_cut(door: Door, cut: str, begins: bytes, taken: int) -> None:
    """The connection ends early; only what ends before the headers was not taken."""
    script(door, {"cut": cut})
    connection = door.open(raw_put())
    came = connection.came
    assert came.startswith(begins)
    assert (b"\r\n\r\n" in came) == (cut == "body")
    assert not came.endswith(b"}")
    assert connection.ended
    assert len(door.entries()) == taken


def test_hang_before_the_cut(door: Door) -> None:
    """Both together: half an answer, silence, and the end."""
    script(door, {"cut": "body", "hang": 5})
    connection = door.open(raw_put())
    assert b"\r\n\r\n" in connection.came
    assert not connection.ended
    door.clock.advance(5)
    assert connection.ended


def test_log_of_requests_tells_what_was_answered(door: Door) -> None:
    """A cut connection has no status, a page no code."""
    script(door, {"cut": "accept"}, {"status": 503})
    door.open(raw_put())
    door.put(ENTRY)
    seen = [(s.status, s.code) for s in door.emulator.requests()]
    assert seen == [(None, None), (503, None)]


@pytest.mark.parametrize(
    ("offset", "code"), [(1200, "InvalidTimeStamp.Expired"), (60, "200")]
)
def test_clock_offset(door: Door, offset: int, code: str) -> None:
    """The service's clock is wrong, in its checks and in its Date header."""
    script(door, {"clock_offset": offset})
    reply = door.put(ENTRY)
    assert reply.code == code
    minute = 4 + offset // 60
    assert reply.headers["date"] == f"fri, 02 jan 2026 03:{minute:02}:05 gmt"


def test_one_fault_a_request(door: Door) -> None:
    """In order, each as often as it says, then all is well."""
    script(door, {"status": 503, "times": 2}, {"code": "Throttling"})
    script(door, {"body_code": 500})
    statuses = [door.put(ENTRY).status for _ in range(5)]
    assert statuses == [503, 503, 400, 200, 200]


def test_faults_do_not_touch_what_is_beside_the_api(door: Door) -> None:
    """Looking at entries uses up no fault."""
    script(door, {"status": 503})
    assert door.entries() == []
    assert json.loads(door.get("/_emulator/faults").body) == [
        {"times": 1, "status": 503}
    ]
    assert door.put(ENTRY).status == 503


def test_forgetting_faults(door: Door) -> None:
    """DELETE lets all be well."""
    script(door, {"status": 503, "times": 9})
    assert json.loads(door.get("/_emulator/faults", "DELETE").body) == {"forgotten": 9}
    assert door.put(ENTRY).status == 200


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("x", "not JSON"),
        ("{}", "a JSON list"),
        ("[1]", "fault 1: an object"),
        ("[{}]", "fault 1: it does not say"),
        ('[{"status": 503}, {"times": 2}]', "fault 2: it does not say"),
        ('[{"stauts": 503}]', "unknown key 'stauts'"),
        ('[{"status": 99}]', "status must be"),
        ('[{"status": "503"}]', "status must be"),
        ('[{"status": 503, "times": 0}]', "times must be"),
        ('[{"status": 503, "times": true}]', "times must be"),
        ('[{"hang": -1}]', "hang must be"),
        ('[{"hang": NaN}]', "hang must be"),
        ('[{"cut": "tail"}]', "cut must be"),
        ('[{"cut": []}]', "cut must be"),
        ('[{"code": 1}]', "code must be"),
    ],
)
def test_bad_script(door: Door, text: str, problem: str) -> None:
    """A script with a mistake is refused whole, and the mistake named."""
    reply = door.get("/_emulator/faults", "POST", text.encode())
    assert reply.status == 400
    assert problem in reply.body.decode()
    assert door.put(ENTRY).code == "200"


def test_script_can_be_read_back() -> None:
    """What is shown of a fault is a script that means the same."""
    faults = (Fault(code="X", times=3), Fault(hang=1.5, cut="body"))
    text = json.dumps([show(fault) for fault in faults]).encode()
    assert read_faults(text) == faults


def test_taking_counts_down() -> None:
    """The queue gives each fault as often as it says."""
    faults = Faults()
    faults.append((Fault(status=503, times=2), Fault(status=502)))
    assert len(faults) == 3
    taken = [faults.take() for _ in range(4)]
    assert [fault.status if fault else None for fault in taken] == [503, 503, 502, None]
