"""The sink CloudMonitor: what is signed and sent, and what is made of the answer."""

import json
from collections.abc import Callable

import pytest

from relay.cloudmonitor.contract import EVENTS, METRICS, Operation
from relay.cloudmonitor.credentials import (
    Credentials,
    CredentialsUnavailable,
    Provider,
    Secret,
)
from relay.cloudmonitor.exchange import Endpoint
from relay.cloudmonitor.hybrid import hybrid_operation
from relay.credentials.static import Static
from relay.delivery.batch import Batch
from relay.delivery.outcome import (
    Accepted,
    Rejected,
    Throttled,
    Unauthorised,
    Unavailable,
    Uncertain,
)
from relay.errors import ConfigError
from relay.sink.cloudmonitor import CloudMonitorSink
from relay.sink.transport import Answer
from tests.sink.contract import AnySink, SinkContract, packed, rollup
from tests.sink.transports import ListedTransport

SECRET, TOKEN = "s3cret/Canary+1=", "t0ken/Canary+2=="
KEYS = Credentials("LTAIexamplekey00", Secret(SECRET), Secret(TOKEN))
NOW = 1_767_323_045.0


class Rig:
    """A sink over a listed transport with a settable clock."""

    def __init__(self, *answers: Answer | Unavailable | Uncertain | Exception) -> None:
        self.now = NOW
        self.transport = ListedTransport(answers)
        self.provider: Provider = Static(KEYS)
        self.nonces = iter(f"nonce-{n}" for n in range(100))
        self.sink = self.build()

    def build(
        self,
        operation: Operation = METRICS,
        fits: Callable[[str], bool] = lambda _: True,
    ) -> CloudMonitorSink:
        """With what is set now."""
        return CloudMonitorSink(
            endpoint=Endpoint("https", "metrics.cn-hangzhou.aliyuncs.com"),
            compose=packed,
            provider=self.provider,
            transport=self.transport,
            wall=lambda: self.now,
            nonce=lambda: next(self.nonces),
            operation=operation,
            fits=fits,
        )

    def batch(self) -> Batch:
        """One that the sink composed."""
        return next(self.sink.compose(rollup()).batches)

    def sent_headers(self) -> list[dict[str, str]]:
        """Of every request, in order."""
        return [dict(request.headers) for request in self.transport.sent]


class TestCloudMonitor(SinkContract):
    """Every promise of a sink."""

    def build(self) -> CloudMonitorSink:
        """One whose service takes everything."""
        self.rig = Rig()
        return self.rig.sink

    def break_it(self, sink: AnySink) -> None:
        """A network that raises what it should not."""
        self.rig.transport.answers = [RuntimeError("x")] * 9


class TestHybrid(SinkContract):
    """The same promises, put another way."""

    def build(self) -> CloudMonitorSink:
        """One whose service takes everything."""
        self.rig = Rig()
        return self.rig.build(hybrid_operation("statsd"))

    def break_it(self, sink: AnySink) -> None:
        """A network that raises what it should not."""
        self.rig.transport.answers = [RuntimeError("x")] * 9


def test_what_another_sink_closed_is_not_sent() -> None:
    """A spool may hold it still; it is put aside, one by one, and can be looked at."""
    rig = Rig()
    sink = rig.build(fits=lambda item: "level" not in item)
    batch = rig.batch()
    assert isinstance(sink.deliver(batch), Accepted)
    (*_, other) = rig.sink.compose(rollup()).batches
    assert sink.deliver(other) == Rejected(
        "OtherSink", "it was closed for another sink"
    )
    assert len(rig.transport.sent) == 1


def answer(status: int, code: str, message: str = "", **headers: str) -> Answer:
    """As the service writes them."""
    body = json.dumps({"Code": code, "Message": message, "RequestId": "r9"})
    return Answer(status, headers, body.encode())


def test_every_attempt_is_signed_anew() -> None:
    """Same entries, another time stamp, another nonce, another signature."""
    rig = Rig(Uncertain("timeout"))
    batch = rig.batch()
    rig.sink.deliver(batch)
    rig.now += 30
    rig.sink.deliver(batch)
    first, second = rig.sent_headers()
    for header in ("x-acs-date", "x-acs-signature-nonce", "Authorization"):
        assert first[header] != second[header]
    assert rig.transport.sent[0].body == rig.transport.sent[1].body


def test_another_operation_is_the_same_call() -> None:
    """Its own action and list; time, nonce, keys and endpoint are as for entries."""
    rig = Rig()
    sink = rig.build(EVENTS)
    assert sink.deliver(Batch("b", 0, ("Content=c&EventName=n",))) == Accepted("r1")
    (request,) = rig.transport.sent
    headers = dict(request.headers)
    assert headers["x-acs-action"] == "PutCustomEvent"
    assert headers["x-acs-security-token"] == TOKEN
    assert request.body == b"EventInfo.1.Content=c&EventInfo.1.EventName=n"


@pytest.mark.parametrize(
    ("came_back", "outcome"),
    [
        (answer(200, "200", "success"), Accepted("r9")),
        (answer(400, "Throttling.User"), Throttled),
        (answer(400, "InvalidParameter", "x"), Rejected("InvalidParameter", "x", "r9")),
        (Answer(502, {}, b"<html>"), Uncertain),
        (Answer(200, {}, b'{"Code":"2', cut=True), Uncertain),
        (Answer(400, {}, b"", cut=True), Uncertain),
        (Unavailable("refused"), Unavailable("refused")),
    ],
)
def test_the_answer_decides(came_back: Answer | Unavailable, outcome: object) -> None:
    """What came back over the network is read once, here, into an outcome."""
    rig = Rig(came_back)
    got = rig.sink.deliver(rig.batch())
    assert got == outcome or type(got) is outcome


@pytest.mark.parametrize("status", [301, 302, 307, 407])
def test_what_stands_in_the_way_is_lasting(status: int) -> None:
    """A captive portal or a proxy that wants a password is asked once a minute only."""
    rig = Rig(Answer(status, {"Location": "http://login.example"}, b"<html>"))
    got = rig.sink.deliver(rig.batch())
    assert isinstance(got, Unavailable)
    assert got.lasting


def test_a_wrong_clock_is_named_and_corrected_by_refresh() -> None:
    """20 minutes behind: told so, and the next attempt carries the service's time."""
    date = "Fri, 02 Jan 2026 03:24:05 GMT"  # 1,200 s after NOW
    rig = Rig(answer(400, "InvalidTimeStamp.Expired", "Specified time…", Date=date))
    got = rig.sink.deliver(rig.batch())
    assert isinstance(got, Unauthorised)
    assert got.message.startswith("this machine's clock is 1200 s behind")
    rig.sink.refresh()
    rig.sink.deliver(rig.batch())
    assert [headers["x-acs-date"] for headers in rig.sent_headers()] == [
        "2026-01-02T03:04:05Z",
        "2026-01-02T03:24:05Z",
    ]
    assert rig.sink.status().clock_offset == 1200


def test_other_refusals_leave_the_clock_alone() -> None:
    """A Date header is believed only where the clock was the complaint."""
    date = "Fri, 02 Jan 2026 09:00:00 GMT"
    rig = Rig(answer(403, "NoPermission", "x", Date=date))
    rig.sink.deliver(rig.batch())
    rig.sink.refresh()
    assert rig.sink.status().clock_offset == 0


class Silent:
    """A source that is configured and does not answer, or another one later."""

    warning = "half written"
    refreshed = 0

    def get(self) -> Credentials:
        """Not now."""
        raise CredentialsUnavailable("metadata service: no answer")

    def refresh(self) -> None:
        """Counted."""
        self.refreshed += 1


def test_without_credentials_nothing_is_sent() -> None:
    """It is a reason to hold, not to end, and refresh asks the source again."""
    rig = Rig()
    rig.provider = source = Silent()
    sink = rig.build()
    got = sink.deliver(rig.batch())
    assert got == Unauthorised("NoCredentials", "metadata service: no answer")
    assert rig.transport.sent == []
    sink.refresh()
    assert source.refreshed == 1


@pytest.mark.parametrize(
    "told",
    [
        f"server string to sign is:POST&{SECRET}",
        f"token {TOKEN} is wrong",
        f"{'x' * 90} {TOKEN} {'x' * 388} {TOKEN}",  # their ends are cut off
        "once t0ken%2FCanary%2B2%3D%3D twice t0ken%252FCanary%252B2%253D%253D",
    ],
)
def test_no_text_shows_a_secret(told: str) -> None:
    """What the service quotes back is scrubbed, encoded or not."""
    rig = Rig(answer(400, "SignatureDoesNotMatch", told), answer(400, told))
    for _ in range(2):
        shown = repr(rig.sink.deliver(rig.batch()))
        assert "Canary" not in shown
        assert "***" in shown


def test_a_defect_is_uncertain() -> None:
    """Bounded, and the others go first; its text is not quoted."""
    rig = Rig(RuntimeError(SECRET))
    got = rig.sink.deliver(rig.batch())
    assert got == Uncertain("a defect of this program: RuntimeError")


def test_plain_http_is_for_loopback() -> None:
    """A signed request does not cross a network in the clear."""
    with pytest.raises(ConfigError):
        CloudMonitorSink(
            endpoint=Endpoint("http", "metrics.cn-hangzhou.aliyuncs.com"),
            compose=packed,
            provider=Static(KEYS),
            transport=ListedTransport(),
            wall=lambda: NOW,
            nonce=lambda: "n",
        )


def test_status_masks_the_key() -> None:
    """Where requests go and with which key, as far as people may see it."""
    rig = Rig()
    assert rig.sink.status().key_id == ""
    rig.sink.deliver(rig.batch())
    status = rig.sink.status()
    assert (status.key_id, status.credentials_source) == ("LTAI…ey00", "static")
    assert status.endpoint == "https://metrics.cn-hangzhou.aliyuncs.com/"
    assert "Canary" not in repr(status)


def test_close_cuts_what_is_under_way() -> None:
    """The transport is told."""
    rig = Rig()
    rig.sink.close()
    assert rig.transport.closed


def test_other_keys_sign_from_the_next_attempt_on() -> None:
    """The sink, its connections and its clock stay."""
    rig = Rig(answer(200, "200"), answer(200, "200"))
    rig.sink.deliver(rig.batch())
    rig.sink.use(Static(Credentials("LTAIanotherkey01", Secret("x"))))
    rig.sink.deliver(rig.batch())
    first, second = (headers["Authorization"] for headers in rig.sent_headers())
    assert "LTAIexamplekey00" in first
    assert "LTAIanotherkey01" in second
