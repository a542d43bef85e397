"""Events as elements of EventInfo: names, contents, and requests within the limits."""

import json
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.cloudmonitor.contract import EVENTS, EVENTS_MAX
from relay.cloudmonitor.credentials import Credentials, Secret
from relay.cloudmonitor.events import (
    TakenEvent,
    compose_events,
    decode_event,
    encode_event,
    event_name,
)
from relay.cloudmonitor.exchange import Endpoint, Request, put_request
from relay.statsd.sample import Event

FULL = Event(
    title="Deploy ö",
    text="line\n|two",
    timestamp=1_700_000_000,
    hostname="web-1",
    aggregation_key="deploys",
    priority="low",
    source="ci",
    alert_type="warning",
    tags=(("bare", None), ("env", "prod")),
)


def request_of(items: tuple[str, ...]) -> Request:
    """The call that carries these items."""
    return put_request(
        items,
        endpoint=Endpoint("https", "h"),
        credentials=Credentials("key", Secret("secret")),
        now=0,
        nonce="n",
        operation=EVENTS,
    )


def test_an_event_with_everything() -> None:
    """All that was sent is in the content; the name is cleaned."""
    shown = decode_event(encode_event(TakenEvent(FULL, 5.0), group_id="7"))
    assert shown == {
        "GroupId": "7",
        "EventName": event_name("Deploy ö"),
        "Time": 1_700_000_000_000,
        "Content": {
            "title": "Deploy ö",
            "text": "line\n|two",
            "alert_type": "warning",
            "priority": "low",
            "host": "web-1",
            "aggregation_key": "deploys",
            "source": "ci",
            "tags": {"bare": None, "env": "prod"},
        },
    }


def test_an_event_with_nothing_but_a_title() -> None:
    """It has the time of its arrival and the defaults; a relay may name itself."""
    shown = decode_event(encode_event(TakenEvent(Event("a b", ""), 5.25), instance="i"))
    assert (shown["EventName"], shown["Time"]) == ("a_b", 5250)
    assert shown["Content"] == {
        "title": "a b",
        "text": "",
        "alert_type": "info",
        "priority": "normal",
        "instance": "i",
    }


def test_a_time_that_is_no_date_counts_as_none() -> None:
    """Else one sender's nonsense would have a whole request refused."""
    event = Event("a", "", timestamp=10**18 - 1)
    assert decode_event(encode_event(TakenEvent(event, 5.0)))["Time"] == 5000


def test_titles_of_other_alphabets_keep_apart() -> None:
    """Where nothing but underscores would be left of them."""
    names = {event_name("部署完成"), event_name("部署失败")}
    assert len(names) == 2
    assert all(name.isascii() and len(name) <= 64 for name in names)


def test_what_is_no_event_is_not_decoded() -> None:
    """An entry, for example."""
    with pytest.raises(ValueError, match="not an event"):
        decode_event("Dimensions=a&GroupId=0")


def test_the_request() -> None:
    """The vendor's call and its parameters, numbered from one."""
    items = tuple(encode_event(TakenEvent(Event(t, ""), 1.0)) for t in "abcdefghijk")
    request = request_of(items)
    assert ("x-acs-action", "PutCustomEvent") in request.headers
    pairs = dict(parse_qsl(request.body.decode(), strict_parsing=True))
    assert len(pairs) == 4 * len(items)
    assert pairs["EventInfo.11.EventName"] == "k"
    assert json.loads(pairs["EventInfo.1.Content"])["title"] == "a"
    assert request.body.decode().split("&") == sorted(request.body.decode().split("&"))


def test_no_more_than_fifty_in_a_request() -> None:
    """Full ones first."""
    taken = [TakenEvent(Event("a", ""), 1.0)] * 101
    batches = compose_events(taken, prefix="p", closed_at=60).batches
    assert [(one.id, len(one.items)) for one in batches] == [
        ("p/1", 50),
        ("p/2", 50),
        ("p/3", 1),
    ]


@given(
    st.lists(st.tuples(st.text(min_size=1), st.text(max_size=300)), max_size=120),
    st.integers(300, 5000),
)
def test_composing_loses_nothing_and_breaks_no_limit(
    said: list[tuple[str, str]], max_bytes: int
) -> None:
    """Every event once, in order, sent or handed back; every body within the limits."""
    taken = [TakenEvent(Event(title, text), 1.0) for title, text in said]
    packed = compose_events(taken, prefix="p", closed_at=60, max_bytes=max_bytes)
    batches = list(packed.batches)
    refused = [one.item for one in packed.refused]
    items = [encode_event(one) for one in taken]
    sent = [item for batch in batches for item in batch.items]
    assert sent == [item for item in items if item not in refused]
    assert len(sent) + len(refused) == len(items)
    assert all(len(request_of((item,)).body) > max_bytes for item in refused)
    for batch in batches:
        assert 1 <= len(batch.items) <= EVENTS_MAX
        assert len(request_of(batch.items).body) <= max_bytes
