"""PutCustomEvent from outside: what is taken, what is refused, what is shown."""

import json
from typing import Any

import pytest

from relay.emulator import listed
from relay.emulator.limits import Limits
from tests.emulator.door import NOW, Door, Reply, entry, http, signed

EVENT = {
    "EventName": "deploy",
    "Content": '{"title":"Deploy"}',
    "GroupId": "7",
    "Time": "1767322980000",
}


def put(door: Door, *given: dict[str, str], **changed: str) -> Reply:
    """PutCustomEvent."""
    numbered = {
        f"EventInfo.{n}.{field}": value
        for n, event in enumerate(given, 1)
        for field, value in event.items()
    }
    return door.call(signed({"Action": "PutCustomEvent", **numbered}) | changed)


def shown(door: Door) -> list[dict[str, Any]]:
    """What was accepted, in order."""
    lines = door.get("/_emulator/events").body.splitlines()
    return [json.loads(line) for line in lines]


def test_an_event_is_taken_and_shown() -> None:
    """As it was sent, with the request it came in; it is no entry."""
    door = Door()
    reply = put(door, EVENT)
    assert (reply.status, reply.code, reply.json["Message"]) == (200, "200", "success")
    request_id = reply.json["RequestId"]
    wanted = {**EVENT, "Time": 1767322980000, "RequestId": request_id, "received": NOW}
    assert shown(door) == [wanted]
    assert door.entries() == []
    (seen,) = door.emulator.requests()
    assert (seen.action, seen.entries) == ("PutCustomEvent", 1)


def test_group_and_time_may_lack() -> None:
    """The group is 0 then, the time that of the arrival; another form is read."""
    door = Door()
    bare = {"EventName": "a", "Content": "x"}
    put(door, bare, bare | {"Time": "20171013T170923.456+0800"})
    first, second = shown(door)
    assert (first["GroupId"], first["Time"]) == ("0", NOW * 1000)
    assert second["Time"] == 1507885763456


def test_nothing_is_taken_unsigned() -> None:
    """A wrong signature leaves no event."""
    door = Door()
    assert put(door, EVENT, Signature="forged").code == "SignatureDoesNotMatch"
    assert shown(door) == []


@pytest.mark.parametrize(
    ("event", "status", "code"),
    [
        ({"Content": "x"}, 400, "MissingParameter"),
        ({"EventName": "x", "Content": ""}, 400, "MissingParameter"),
        ({**EVENT, "GroupId": "x"}, 200, "400"),
        ({**EVENT, "Time": "yesterday"}, 200, "400"),
    ],
)
def test_one_that_is_malformed_refuses_all(
    event: dict[str, str], status: int, code: str
) -> None:
    """Its good neighbours are not taken either."""
    door = Door()
    reply = put(door, EVENT, event)
    assert (reply.status, reply.code) == (status, code)
    assert shown(door) == []


def test_no_more_than_fifty_in_a_request() -> None:
    """Fifty are taken; one more refuses all, and so does none."""
    door = Door()
    assert put(door, *[EVENT] * 50).code == "200"
    assert put(door, *[EVENT] * 51).code == "InvalidParameter"
    assert put(door).code == "MissingParameter"
    assert put(Door(Limits(events_per_request=1)), EVENT, EVENT).status == 400
    assert len(shown(door)) == 50


def test_forgetting_events() -> None:
    """DELETE empties the list and says how much was in it; entries stay."""
    door = Door()
    door.put(entry())
    put(door, EVENT, EVENT)
    forgotten = json.loads(door.get("/_emulator/events", "DELETE").body)
    assert forgotten == {"forgotten": 2}
    assert shown(door) == []
    assert len(door.entries()) == 1


def test_the_page_shows_events_escaped() -> None:
    """The newest first; what a client sent is text."""
    door = Door()
    put(door, EVENT, {"EventName": "<b>", "Content": "<script>"})
    browser = {"Host": "localhost:8128", "Accept": "text/html"}
    page = door.send(http("GET", "/", browser)).body.decode()
    assert "<td>deploy</td>" in page
    assert page.index("&lt;b&gt;") < page.index("<td>deploy</td>")
    assert "<script>" not in page


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest go first."""
    monkeypatch.setattr(listed, "LOG_BYTES_MAX", 1000)
    door = Door()
    for number in range(20):
        put(door, {**EVENT, "EventName": f"e{number}"})
    kept = [one["EventName"] for one in shown(door)]
    assert 0 < len(kept) < 20
    assert kept[-1] == "e19"
