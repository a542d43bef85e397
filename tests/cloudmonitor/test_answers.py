"""Answers of every form, to the outcome that the tables of codes demand."""

import json
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.cloudmonitor.answers import hint_for, read, server_date
from relay.delivery.outcome import (
    Accepted,
    AcceptedWithLoss,
    Rejected,
    Throttled,
    Unauthorised,
    Unavailable,
    Uncertain,
)
from tests.cloudmonitor.vectors import Answer, answers

ALL = list(answers())
WITH_CODE = [answer for answer in ALL if answer.code]
WITHOUT_CODE = [answer for answer in ALL if not answer.code]


def as_json(answer: Answer) -> bytes:
    """As the gateway writes it: the code behind the message."""
    return json.dumps(
        {"RequestId": "R-1", "Message": answer.message, "Code": answer.code, "End": ""}
    ).encode()


def as_xml(answer: Answer) -> bytes:
    """As it comes where nobody asked for JSON."""
    return (
        f'<?xml version="1.0"?><Error><RequestId>R-1</RequestId>'
        f"<Code>{answer.code}</Code><Message>{escape(answer.message)}</Message></Error>"
    ).encode()


def outcome_name(status: int, body: bytes) -> str:
    return type(read(status, {}, body)).__name__


@pytest.mark.parametrize("answer", WITH_CODE, ids=str)
def test_a_code_in_json(answer: Answer) -> None:
    """The code decides, whatever the status it comes with."""
    assert outcome_name(answer.status, as_json(answer)) == answer.outcome


@pytest.mark.parametrize("answer", WITH_CODE, ids=str)
def test_a_code_in_xml(answer: Answer) -> None:
    """The same where the answer is XML."""
    assert outcome_name(answer.status, as_xml(answer)) == answer.outcome


@pytest.mark.parametrize("answer", WITH_CODE, ids=str)
def test_a_code_before_the_cut(answer: Answer) -> None:
    """A body whose end is missing still tells, if its code can be read."""
    body = as_json(answer).removesuffix(b'"End": ""}')
    assert outcome_name(answer.status, body) == answer.outcome


@pytest.mark.parametrize("answer", WITH_CODE, ids=str)
def test_a_cut_before_the_code(answer: Answer) -> None:
    """A body that ends before or within its code leaves us uncertain."""
    for body in (as_json(answer), as_xml(answer)):
        end = body.index(b"Code") + len(b'Code": "2')
        assert outcome_name(answer.status, body[:end]) == "Uncertain"


@pytest.mark.parametrize("answer", WITHOUT_CODE, ids=str)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><body>no</body></html>",
        b"<!DOCTYPE html><HTML>no",
        b"no",
        b"[]",
        b"{}",
    ],
)
def test_no_code(answer: Answer, body: bytes) -> None:
    """A proxy's page, an empty body, JSON without a code: the status decides."""
    assert outcome_name(answer.status, body) == answer.outcome


def test_a_body_that_the_connection_cut() -> None:
    """An empty body tells something only if it is all there was to come."""
    assert isinstance(read(413, {}, b"", cut=True), Uncertain)


def test_a_code_that_is_a_number() -> None:
    """Not documented, and taken all the same."""
    assert read(200, {}, b'{"Code":200,"RequestId":"R"}') == Accepted("R")
    assert read(200, {}, b'{"Code":200,"RequestId":"R') == Accepted()
    assert isinstance(read(200, {}, b'{"Code":20'), Uncertain)


@pytest.mark.parametrize("code", ["true", "null", "[]", "{}", "2e2", '""'])
def test_a_code_that_is_no_code(code: str) -> None:
    """Nothing that is neither text nor a whole number is one."""
    told = read(414, {}, f'{{"Code":{code}}}'.encode())
    assert told == Rejected("HTTP 414", "too large")


def test_a_code_in_another_case() -> None:
    """The vendor's own pages do not agree on the case of some codes."""
    told = read(400, {}, b'{"Code":"InvalidTimestamp.expired"}')
    assert isinstance(told, Unauthorised)


def test_what_editors_and_serialisers_add() -> None:
    """A byte order mark, blanks around it all, entities in XML."""
    assert read(200, {}, b'\xef\xbb\xbf {"Code":"200"}\n') == Accepted()
    body = b"<E><Code>400</Code><Message>a &lt; b</Message></E>"
    assert read(200, {}, body) == Rejected("400", "a < b")


@pytest.mark.parametrize(
    ("message", "too_many", "fix"),
    [
        ("reach Max time series num", True, "report fewer series"),
        ("REACH MAX TIME SERIES NUM", True, "report fewer series"),
        ("not allowed original value, please upgrade", False, "report Type 1"),
        ("type is invalid", False, "please report it"),
        ("something else", False, "the service's message"),
    ],
)
def test_a_partial_answer_names_the_fix(message: str, too_many: bool, fix: str) -> None:
    """And whether new series were refused for want of a quota."""
    found = read(200, {}, b'{"Code":"206","Message":"%s"}' % message.encode())
    assert isinstance(found, AcceptedWithLoss)
    assert found.too_many_series is too_many
    assert fix in found.hint


def test_entries_that_are_refused_by_name_are_counted() -> None:
    """As the hybrid call has them; whatever else may stand there is none."""
    detail = [{"Index": 1, "ErrorMessage": "bad label"}, {"Index": 4}, "x"]
    body = {"Code": "200", "RequestId": "R", "ErrorDetail": detail}
    found = read(200, {}, json.dumps(body).encode())
    assert isinstance(found, AcceptedWithLoss)
    assert (found.code, found.request_id, found.refused) == ("200", "R", 2)
    assert found.message == "entry 1: bad label; entry 4: "
    nothings: list[object] = [[], None, "x", {"Index": 1}]
    for nothing in nothings:
        other = {**body, "ErrorDetail": nothing}
        assert read(200, {}, json.dumps(other).encode()) == Accepted("R")


def test_details_of_each_outcome() -> None:
    """Code, message and request id get through."""
    body = b'{"Code":"%s","Message":"m","RequestId":"R"}'
    assert read(200, {}, body % b"200") == Accepted("R")
    assert read(200, {}, body % b"206") == AcceptedWithLoss(
        "206", "m", "R", "see the service's message"
    )
    assert read(200, {}, body % b"400") == Rejected("400", "m", "R")
    assert read(200, {}, body % b"500") == Uncertain("500: m", "R")
    assert read(400, {}, body % b"Throttling") == Throttled("Throttling", 0, "m", "R")
    assert read(503, {}, body % b"ServiceUnavailable") == Unavailable(
        "ServiceUnavailable: m", "R"
    )


def test_the_request_id_may_be_a_header() -> None:
    """Where the body has none."""
    assert read(413, {"X-Acs-Request-Id": "R"}, b"") == Rejected(
        "HTTP 413", "too large", "R"
    )


def test_a_missing_permission_names_the_action() -> None:
    """So that people know what to put into the policy."""
    told = read(403, {}, b'{"Code":"NoPermission","Message":"denied"}')
    assert isinstance(told, Unauthorised)
    assert "cms:PutCustomMetric" in told.message
    assert "denied" in told.message


def test_hints_by_code() -> None:
    """A code has advice; an unknown one has none."""
    assert "clock" in hint_for("InvalidTimeStamp.Expired")
    assert "edition" in hint_for("206", "reach Max time series num")
    assert hint_for("NeverSeen") == ""


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("500", 0.5),
        ("60001", 60),
        ("9" * 5000, 60),
        ("-1", 0),
        ("1.5", 0),
        ("", 0),
        ("²", 0),
    ],
)
def test_retry_after_is_in_milliseconds(header: str, seconds: float) -> None:
    """At most a minute; what is no whole number is nothing."""
    told = read(400, {"X-Acs-Retry-After": header}, b'{"Code":"Throttling"}')
    assert told == Throttled("Throttling", seconds, "flow control")


@pytest.mark.parametrize(
    "quoted",
    [
        "POST&%2F&SecurityToken%3DCAIS%252Bfake%252Ftoken%2526x%26Signature%3D1",
        "SecurityToken=CAIS%2Bfake%2Ftoken%26x&Signature=1",
        "x-acs-security-token:CAIS+fake/token&x\nx-acs-version:1",
    ],
)
def test_the_servers_string_to_sign_without_the_token(quoted: str) -> None:
    """What a refused signature quotes is shown, but for the token in it."""
    body = json.dumps({"Code": "SignatureDoesNotMatch", "Message": quoted}).encode()
    told = read(400, {}, body)
    assert isinstance(told, Unauthorised)
    assert "***" in told.message
    assert not any(piece in told.message for piece in ("CAIS", "fake", "2526x", "26x&"))
    assert told.message.endswith(("%26Signature%3D1", "&Signature=1", "-version:1"))


def test_a_long_message_is_cut() -> None:
    """A stack trace does not fill a log."""
    body = json.dumps({"Code": "400", "Message": "x" * 9999}).encode()
    assert read(200, {}, body) == Rejected("400", "x" * 500)


@pytest.mark.parametrize(
    "body", [b"[" * 60_000, b'{"Code":' * 9_000, b'{"a":' + b"9" * 5000]
)
def test_bodies_made_to_hurt(body: bytes) -> None:
    """Deep nesting and endless numbers are no more than unreadable."""
    assert isinstance(read(200, {}, body), Uncertain)


@given(
    st.integers(0, 1000),
    st.dictionaries(st.text(), st.text()),
    st.binary() | st.text().map(str.encode),
    st.sampled_from([b"", b"{", b'{"Code":"', b"<", b"<Error><Code>"]),
)
def test_no_bytes_raise(
    status: int, headers: dict[str, str], body: bytes, start: bytes
) -> None:
    """Whatever a stranger answers is one of the outcomes."""
    read(status, headers, start + body)


def test_the_servers_clock() -> None:
    """From the Date header, with any case of its name."""
    assert server_date({"date": "Fri, 02 Jan 2026 03:04:05 GMT"}) == 1_767_323_045


@pytest.mark.parametrize("text", ["", "soon", "Fri, 99 Jan 2026 03:04:05 GMT", "1 2 3"])
def test_a_clock_that_cannot_be_read(text: str) -> None:
    """A wrong date is none, and so is no date."""
    assert server_date({"Date": text}) is None
    assert server_date({}) is None
