"""What doctor says of the service: every answer it may get, and what mends it."""

import json
from collections.abc import Mapping, Sequence
from email.utils import formatdate
from typing import Any

import pytest

from relay.cloudmonitor.credentials import (
    Credentials,
    CredentialsUnavailable,
    Secret,
)
from relay.cloudmonitor.exchange import Request, endpoint_at
from relay.commands.findings import Finding, Mark
from relay.commands.service_findings import METRIC, Service
from relay.delivery.outcome import Unavailable, Uncertain
from relay.settings import Settings
from relay.sink.transport import Answer

NOW = 1_800_000_000.0
SECRET = "a-secret-that-nobody-may-see"


class Keys:
    """A provider that gives what it was made with, or has nothing."""

    def __init__(
        self, expires_at: float | None = None, warning: str = "", reason: str = ""
    ) -> None:
        self.warning, self._reason = warning, reason
        self._found = Credentials(
            "LTAI4key0001", Secret(SECRET), expires_at=expires_at, source="a test"
        )

    def get(self) -> Credentials:
        if self._reason:
            raise CredentialsUnavailable(self._reason)
        return self._found

    def refresh(self) -> None:
        pass


def answer(
    code: object = "200", message: str = "", *, status: int = 200, late: float = 0.0
) -> Answer:
    """One of the service, whose clock is ``late`` seconds behind ours."""
    body = json.dumps({"Code": code, "Message": message}).encode()
    return Answer(status, {"Date": formatdate(NOW - late)}, body, cut=False)


class Line:
    """A network on which the answers are known in advance, by action."""

    def __init__(self, **by_action: Sequence[Any]) -> None:
        self._left = {action: list(answers) for action, answers in by_action.items()}
        self.asked: list[Request] = []

    def send(self, request: Request) -> Answer | Unavailable | Uncertain:
        self.asked.append(request)
        action = dict(request.headers)["x-acs-action"]
        answers = self._left[action]
        found: Answer | Unavailable | Uncertain = (
            answers.pop(0) if len(answers) > 1 else answers[0]
        )
        return found


def findings(
    line: Line,
    keys: Keys | None = None,
    *,
    write: bool = False,
    report_events: bool = False,
) -> Mapping[str, Finding]:
    """By what they are about."""
    service = Service(
        Settings(instance="web-1", region="cn-hangzhou", report_events=report_events),
        keys or Keys(),
        endpoint_at("https://metrics.cn-hangzhou.aliyuncs.com"),
        send=line.send,
        wall=lambda: NOW,
        nonce=lambda: "n",
        pause=lambda _: None,
    )
    found = list(service.findings(write=write))
    assert SECRET not in repr(found)
    assert all(bool(one.fix) for one in found if one.mark in (Mark.WARN, Mark.FAIL))
    return {one.about: one for one in found}


LIST, PUT = "DescribeCustomMetricList", "PutCustomMetric"
EVENT = "PutCustomEvent"


def test_all_is_well_and_nothing_is_written() -> None:
    """Without being told to write, it only reads."""
    line = Line(**{LIST: [answer()]})
    found = findings(line)
    assert {about: one.mark for about, one in found.items()} == {
        "credentials": Mark.OK,
        "endpoint": Mark.OK,
        "clock": Mark.OK,
        "identity": Mark.OK,
        "permission": Mark.SKIP,
    }
    assert found["credentials"].text.endswith("from a test")
    assert len(line.asked) == 1


def test_one_value_is_written_and_looked_for() -> None:
    """As often as it takes, up to a limit."""
    listed = Answer(
        200, {}, f'{{"Code":"200","Result":"{METRIC}"}}'.encode(), cut=False
    )
    line = Line(**{LIST: [answer(), answer(), listed], PUT: [answer()]})
    found = findings(line, write=True)
    assert found["permission"].mark is found["visible"].mark is Mark.OK
    body = next(r.body for r in line.asked if dict(r.headers)["x-acs-action"] == PUT)
    assert body.count(b"MetricName=") == 1
    assert f"MetricName={METRIC}".encode() in body
    line = Line(**{LIST: [answer()], PUT: [answer()]})
    assert findings(line, write=True)["visible"].mark is Mark.WARN
    assert len(line.asked) == 6


def test_reading_need_not_be_permitted() -> None:
    """The relay itself does not read."""
    refused = answer("NoPermission", "You are not authorized", status=403)
    line = Line(**{LIST: [refused], PUT: [answer()]})
    found = findings(line, write=True)
    assert found["identity"].mark is Mark.OK
    assert "NoPermission" in found["identity"].text
    assert found["permission"].mark is Mark.OK
    assert found["visible"].mark is Mark.SKIP


@pytest.mark.parametrize(
    ("refusal", "fix"),
    [
        (answer("NoPermission", "no", status=403), "deploy/ram-policy.json"),
        (answer("403", "not authorised"), "deploy/ram-policy.json"),
        (answer("206", "reach Max time series num"), "report fewer series"),
        (answer("400", "MetricName is invalid"), ""),
        (answer("Throttling.User", "slow down", status=400), "--requests-per-second"),
        (answer("500", "internal"), "try again"),
    ],
)
def test_a_put_that_is_refused_fails(refusal: Answer, fix: str) -> None:
    """With the policy, or whatever mends it."""
    found = findings(Line(**{LIST: [answer()], PUT: [refusal]}), write=True)
    assert found["permission"].mark is Mark.FAIL
    assert fix in found["permission"].fix
    assert "visible" not in found


def test_events_are_tried_where_they_are_reported() -> None:
    """Keys may be allowed one and not the other; each says what to mend."""
    no = answer("NoPermission", "no", status=403)
    line = Line(**{LIST: [answer()], PUT: [answer()], EVENT: [no]})
    found = findings(line, write=True, report_events=True)
    assert found["permission"].mark is Mark.OK
    assert found["events"].mark is Mark.FAIL
    assert "cms:PutCustomEvent" in found["events"].fix
    line = Line(**{LIST: [answer()], PUT: [no], EVENT: [answer()]})
    found = findings(line, write=True, report_events=True)
    assert found["permission"].mark is Mark.FAIL
    assert found["events"].mark is Mark.OK
    away: list[object] = [Unavailable("x")]
    line = Line(**{LIST: [answer()], PUT: [answer()]}, **{EVENT: away})
    assert findings(line, write=True, report_events=True)["endpoint"].mark is Mark.FAIL
    line = Line(**{LIST: [answer()], PUT: [answer()]})
    assert "events" not in findings(line, write=True)
    assert "events" not in findings(line, report_events=True)


@pytest.mark.parametrize(
    ("refusal", "mark", "fix"),
    [
        (answer("InvalidAccessKeyId.NotFound", "x", status=404), Mark.FAIL, "key"),
        (answer("SignatureDoesNotMatch", "x", status=400), Mark.FAIL, "secret"),
        (answer("InvalidTimeStamp.Expired", "x", status=400), Mark.FAIL, "set-ntp"),
        (answer("InvalidSecurityToken.Expired", "x", status=400), Mark.FAIL, ""),
        (answer("Throttling.User", "x", status=400), Mark.WARN, "again"),
        (answer("ServiceUnavailable", "x", status=503), Mark.FAIL, "again"),
    ],
)
def test_keys_that_the_service_does_not_take(
    refusal: Answer, mark: Mark, fix: str
) -> None:
    """Nothing else is tried with them."""
    line = Line(**{LIST: [refusal]})
    found = findings(line, write=True)
    assert found["identity"].mark is mark
    assert fix in found["identity"].fix
    assert "permission" not in found


@pytest.mark.parametrize(
    ("reason", "fix"),
    [
        ("the name is not resolved, before anything was sent", "resolv.conf"),
        ("the resolver does not answer, before anything was sent", "resolv.conf"),
        ("connection refused (ECONNREFUSED), before anything was sent", "--endpoint"),
        ("the certificate is not trusted: self-signed", "--ca-file"),
        ("TLS failed, before anything was sent", "--use-proxy"),
        ("the proxy does not let us through, before", "no_proxy"),
        ("no answer in time, before anything was sent", "port 443"),
        ("network error (ENETUNREACH), before", "check the network"),
    ],
)
def test_an_endpoint_that_is_not_reached(reason: str, fix: str) -> None:
    """Resolver, connection and TLS are told apart, in the relay's own words."""
    found = findings(Line(**{LIST: [Unavailable(reason)]}))
    assert found["endpoint"].mark is Mark.FAIL
    assert reason in found["endpoint"].text
    assert fix in found["endpoint"].fix
    assert "identity" not in found


@pytest.mark.parametrize(
    ("late", "mark", "words"),
    [
        (0.0, Mark.OK, "agrees"),
        (59.0, Mark.OK, "agrees"),
        (120.0, Mark.WARN, "120 s ahead of"),
        (-120.0, Mark.WARN, "120 s behind"),
        (1200.0, Mark.FAIL, "1200 s ahead of the service's: more than it takes"),
    ],
)
def test_a_clock_that_differs(late: float, mark: Mark, words: str) -> None:
    """By the Date of the answer."""
    found = findings(Line(**{LIST: [answer(late=late)]}))
    assert found["clock"].mark is mark
    assert words in found["clock"].text


def test_an_answer_without_a_date_says_nothing_of_the_clock() -> None:
    """It is skipped."""
    undated = answer()._replace(headers={})
    assert findings(Line(**{LIST: [undated]}))["clock"].mark is Mark.SKIP


def test_credentials_that_are_not_there_end_it() -> None:
    """With the source's own reason; nothing is asked then."""
    line = Line()
    found = findings(line, Keys(reason="/etc/keys: group or others can touch it"))
    assert list(found) == ["credentials"]
    assert "group or others can touch it" in found["credentials"].text
    assert line.asked == []


def test_temporary_credentials_have_their_time() -> None:
    """And a warning of their source is passed on."""
    line = Line(**{LIST: [answer()]})
    found = findings(line, Keys(expires_at=NOW + 600))
    assert "good for 10 min" in found["credentials"].text
    found = findings(line, Keys(warning="the source is silent"))
    assert found["credentials"].mark is Mark.WARN
    assert "the source is silent" in found["credentials"].text
