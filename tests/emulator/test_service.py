"""Calls of the API from outside: dispatch, refusals, partial losses, the log."""

import json
from urllib.parse import urlencode

import pytest

from relay.emulator.limits import Limits
from tests.emulator.door import (
    ENTRY,
    Door,
    entry,
    http,
    http_call,
    many,
    put_parameters,
    signature,
    signed,
)


def test_put() -> None:
    """A good entry is taken, answered in the vendor's form, and shown."""
    door = Door()
    reply = door.put(ENTRY)
    request_id = reply.json["RequestId"]
    assert reply.json == {"Message": "success", "RequestId": request_id, "Code": "200"}
    (shown,) = door.entries()
    assert (shown["MetricName"], shown["RequestId"]) == ("hits", request_id)


def test_request_id_is_a_header_too() -> None:
    """And it is no other."""
    reply = Door().put(ENTRY)
    assert reply.headers["x-acs-request-id"] == reply.json["RequestId"].lower()


def test_get_in_the_url() -> None:
    """GET is signed as GET and has all in its URL."""
    door = Door()
    assert door.call(signed(put_parameters(ENTRY), "GET"), "GET").code == "200"
    assert len(door.entries()) == 1


def test_order_of_acceptance() -> None:
    """Entries are listed as they came."""
    door = Door()
    door.put(*many(12))
    door.put(entry(MetricName="last"))
    names = [shown["MetricName"] for shown in door.entries()]
    assert names == [f"hits_{n}" for n in range(12)] + ["last"]


def test_unsigned_call_is_refused_by_the_gateway() -> None:
    """All values of the gateway's answer are text, and it has the vendor's fields."""
    reply = Door().send(http("POST", "/", {"Host": "emulator"}))
    assert (reply.status, reply.code) == (400, "MissingParameter")
    fields = {"RequestId", "HostId", "Code", "Message", "Recommend"}
    assert set(reply.json) == fields
    assert all(isinstance(value, str) for value in reply.json.values())


@pytest.mark.parametrize(
    ("parameters", "status", "code"),
    [
        ({"Action": "PutEvent"}, 404, "InvalidAction.NotFound"),
        ({"Action": "PutCustomMetric", "Version": "2017-03-01"}, 400, "InvalidVersion"),
        ({"Action": "PutCustomMetric"}, 400, "MissingParameter"),
        ({"Action": ""}, 400, "MissingParameter"),
    ],
)
def test_calls_that_do_not_exist(
    parameters: dict[str, str], status: int, code: str
) -> None:
    """A wrong operation or version is refused after its signature held."""
    reply = Door().call(signed(parameters))
    assert (reply.status, reply.code) == (status, code)


def test_other_methods() -> None:
    """Only GET and POST are calls."""
    reply = Door().call(signed(put_parameters(ENTRY), "PUT"), "PUT")
    assert (reply.status, reply.code) == (400, "UnsupportedHTTPMethod")


def test_parameter_twice() -> None:
    """A parameter that is in the URL and in the body is ambiguous, even when signed."""
    body = signed(put_parameters(ENTRY))
    del body["Signature"]
    in_url = [("RegionId", "a"), ("Format", "XML")]
    mac = signature([*body.items(), *in_url])
    raw = http_call(body).replace(
        b"POST / ", f"POST /?{urlencode([*in_url, ('Signature', mac)])} ".encode()
    )
    reply = Door().send(raw)
    assert (reply.status, reply.code) == (400, "InvalidParameter")


def test_nothing_is_taken_unsigned() -> None:
    """A wrong signature leaves no trace but in the log of requests."""
    door = Door()
    forged = signed(put_parameters(ENTRY)) | {"Signature": "forged"}
    assert door.call(forged).code == "SignatureDoesNotMatch"
    assert door.entries() == []


def test_part_is_taken() -> None:
    """An entry that breaks a rule is left out; the answer is 206 inside HTTP 200."""
    door = Door()
    reply = door.put(ENTRY, entry(Type="5"), entry(MetricName="other"))
    assert (reply.status, reply.code) == (200, "206")
    assert reply.json["Message"] == "type is invalid"
    assert [shown["MetricName"] for shown in door.entries()] == ["hits", "other"]


def test_unreadable_entry_refuses_all() -> None:
    """Syntax errors cost the request, with 400 inside HTTP 200 and the place named."""
    door = Door()
    reply = door.put(ENTRY, entry(Values="{"))
    assert (reply.status, reply.code) == (200, "400")
    assert reply.json["Message"] == "syntax: MetricList.2: Values is not JSON"
    assert door.entries() == []


def test_over_quota() -> None:
    """Series beyond the quota are refused in the vendor's words, the others taken."""
    door = Door(Limits(series_quota=10))
    reply = door.put(*many(12))
    assert (reply.status, reply.code) == (200, "206")
    assert reply.json["Message"] == "reach Max time series num"
    assert len(door.entries()) == 10


def test_free_edition() -> None:
    """Raw values are refused, aggregated ones taken."""
    door = Door(Limits(edition="free"))
    reply = door.put(entry(Type="0", Values='{"value":1}'), ENTRY)
    assert reply.json["Message"] == "not allowed original value, please upgrade service"
    assert [shown["Type"] for shown in door.entries()] == [1]


def test_body_limit() -> None:
    """A larger body is refused with a page and no code; one byte less is looked at."""
    raw = http_call(signed(put_parameters(ENTRY)))
    size = len(raw.partition(b"\r\n\r\n")[2])
    assert Door(Limits(body_bytes=size)).send(raw).code == "200"
    reply = Door(Limits(body_bytes=size - 1)).send(raw)
    assert (reply.status, reply.headers["content-type"]) == (
        413,
        "text/html;charset=utf-8",
    )


def test_url_limit() -> None:
    """A longer URL is refused with 414 and a page, as the vendor's gateway does."""
    raw = http_call(signed(put_parameters(ENTRY), "GET"), "GET")
    size = len(raw.split(b" ")[1]) - len("/?")
    assert Door(Limits(url_bytes=size)).send(raw).code == "200"
    assert Door(Limits(url_bytes=size - 1)).send(raw).status == 414


def test_twenty_long_entries_fit_into_a_url() -> None:
    """SDKs put everything into the URL; theirs have to pass."""
    long = entry(Dimensions=json.dumps({f"k{n}": "v" * 64 for n in range(10)}))
    parameters = signed(put_parameters(*[long] * 20), "GET")
    assert len(http_call(parameters, "GET")) > 20_000
    assert Door().call(parameters, "GET").code == "200"


def test_log_of_requests() -> None:
    """Every request is seen, with its size, scheme, status and code."""
    door = Door()
    raw = http_call(signed(put_parameters(ENTRY, ENTRY)))
    door.send(raw)
    door.send(http("POST", "/", {"Host": "emulator"}))
    seen = [
        json.loads(line) for line in door.get("/_emulator/requests").body.splitlines()
    ]
    size = len(raw.partition(b"\r\n\r\n")[2])
    first, second = seen
    assert (first["bytes"], first["entries"], first["signature"]) == (size, 2, "V1")
    assert (first["status"], first["code"]) == (200, "200")
    assert (second["bytes"], second["entries"], second["signature"]) == (0, 0, None)
    assert (second["status"], second["code"]) == (400, "MissingParameter")


def test_received_is_the_time_of_day() -> None:
    """Log and entries carry the second of arrival."""
    door = Door()
    door.clock.advance(7.5)
    door.put(ENTRY)
    assert door.entries()[0]["received"] == 1767323052.5
