"""From flags to the parameters of one call, and from the answer to a status."""

import json
import shlex
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from relay.cli import main
from relay.cloudmonitor.exchange import Request
from relay.delivery.outcome import Unavailable
from relay.sink import transport

KEYS = {
    "ALIBABA_CLOUD_ACCESS_KEY_ID": "emulator",
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "canary",
}
NOW = 1_795_478_430.25
SHORT = ("--metric", "hello", "--dimension", "host=web-1")


class Wire:
    """Takes the place of the transport: keeps requests, answers as told."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.trusting: list[bool] = []
        self.authorities: list[Path | None] = []
        self.answer: transport.Answer | Unavailable
        self.answer = transport.Answer(200, {}, b'{"Code":"200"}')

    def __call__(
        self, *, seconds: float, trust_env: bool, ca_file: Path | None
    ) -> "Wire":
        self.trusting.append(trust_env)
        self.authorities.append(ca_file)
        return self

    def send(self, request: Request) -> transport.Answer | Unavailable:
        self.requests.append(request)
        return self.answer

    @property
    def entry(self) -> dict[str, str]:
        """The parameters of the only request, without those that sign it."""
        (request,) = self.requests
        return dict(parse_qsl(request.body.decode()))


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    """No network, a clock that stands, and credentials in the environment."""
    double = Wire()
    monkeypatch.setattr(transport, "Transport", double)
    monkeypatch.setattr("time.time", lambda: NOW)
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    return double


def put(*words: str) -> int:
    """The status of the command, with a region."""
    return main(["put", "--region", "cn-hangzhou", *words])


def test_a_value_is_a_raw_entry(wire: Wire) -> None:
    """--value goes out as Type 0, at this millisecond."""
    assert put(*SHORT, "--dimension", "az=b", "--value", "1", "--group-id", "7") == 0
    assert wire.entry == {
        "MetricList.1.GroupId": "7",
        "MetricList.1.MetricName": "hello",
        "MetricList.1.Dimensions": '{"az":"b","host":"web-1"}',
        "MetricList.1.Type": "0",
        "MetricList.1.Time": "1795478430250",
        "MetricList.1.Values": '{"value":1}',
    }


def test_statistics_are_an_aggregated_entry(wire: Wire) -> None:
    """--statistic goes out as Type 1 with a Period, at the start of that period."""
    assert put(*SHORT, "--statistic", "Sum=1.5", "--statistic", "SampleCount=3") == 0
    assert wire.entry["MetricList.1.Type"] == "1"
    assert wire.entry["MetricList.1.Period"] == "60"
    assert wire.entry["MetricList.1.Time"] == "1795478400000"
    assert wire.entry["MetricList.1.Values"] == '{"Sum":1.5,"SampleCount":3}'


def test_the_vendors_flags_go_out_as_they_are(wire: Wire) -> None:
    """Nothing is added to them, checked or put into order."""
    given = {
        "MetricList.1.MetricName": "a.b",
        "MetricList.1.Dimensions": '{"z": "1", "a": ""}',
        "MetricList.100.Values": "nonsense",
    }
    words = [word for name, text in given.items() for word in (f"--{name}", text)]
    assert put(*words) == 0
    assert wire.entry == given


def test_the_answer_is_printed_as_it_came(
    wire: Wire, capsys: pytest.CaptureFixture[str]
) -> None:
    """The vendor's own words are the result."""
    assert put(*SHORT, "--value", "1") == 0
    assert capsys.readouterr().out == '{"Code":"200"}\n'


@pytest.mark.parametrize(
    ("status", "code"), [(200, "206"), (200, "400"), (400, "NoPermission"), (503, "")]
)
def test_only_code_200_is_success(
    wire: Wire, capsys: pytest.CaptureFixture[str], status: int, code: str
) -> None:
    """Whatever HTTP says, another Code is status 1, explained on standard error."""
    body = json.dumps({"Code": code, "Message": "no"})
    wire.answer = transport.Answer(status, {}, body.encode())
    assert put(*SHORT, "--value", "1") == 1
    out, err = capsys.readouterr()
    assert out == body + "\n"
    assert "not accepted" in err
    assert "canary" not in out + err


def test_no_answer_is_a_failure(wire: Wire, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 1 with the reason."""
    wire.answer = Unavailable("connection refused")
    assert put(*SHORT, "--value", "1") == 1
    assert "connection refused" in capsys.readouterr().err


def test_loopback_is_never_asked_through_a_proxy(wire: Wire) -> None:
    """Proxies of the environment are for the world outside."""
    assert put(*SHORT, "--value", "1") == 0
    assert put(*SHORT, "--value", "1", "--endpoint", "http://127.0.0.1:8128") == 0
    assert wire.trusting == [True, False]
    assert wire.requests[1].url == "http://127.0.0.1:8128/"


@pytest.mark.parametrize(
    ("words", "flag"),
    [
        ((), "--metric"),
        (("--value", "1"), "--metric"),
        ((*SHORT, "--MetricList.1.Type", "0", "--value", "1"), "--metric"),
        (SHORT, "--value"),
        ((*SHORT, "--value", "1", "--statistic", "Sum=1"), "--value"),
        ((*SHORT, "--value", "nan"), "--value"),
        ((*SHORT, "--value", "1", "--type", "1"), "--type"),
        ((*SHORT, "--statistic", "Sum"), "--statistic"),
        ((*SHORT, "--statistic", "Sum=x"), "--statistic"),
        ((*SHORT, "--statistic", "Sum=1", "--period", "0"), "--period"),
        (("--metric", "a", "--dimension", "=v", "--value", "1"), "--dimension"),
    ],
)
def test_what_does_not_make_an_entry_is_usage(
    wire: Wire, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], flag: str
) -> None:
    """Status 2, the flag by name, and nothing sent."""
    assert put(*words) == 2
    assert f"command line: {flag}: wants" in capsys.readouterr().err
    assert wire.requests == []


def test_without_destination_or_keys_nothing_is_sent(
    wire: Wire, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are configuration errors that name what is missing."""
    assert main(["put", *SHORT, "--value", "1"]) == 2
    assert "--region" in capsys.readouterr().err
    for name in KEYS:
        monkeypatch.delenv(name)
    assert put(*SHORT, "--value", "1") == 2
    assert "ALIBABA_CLOUD_ACCESS_KEY_ID" in capsys.readouterr().err
    assert wire.requests == []


ENTRY = {
    "GroupId": "0",
    "MetricName": "a",
    "Dimensions": {"k": "v w"},
    "Type": 1,
    "Period": 60,
    "Time": 60000,
    "Values": {"Sum": 1.5, "SampleCount": 2},
}


def entries_file(folder: Path, *entries: object) -> str:
    path = folder / "entries.jsonl"
    path.write_text("\n".join(json.dumps(entry) for entry in entries) + "\n\n")
    return str(path)


def test_entries_of_a_file_go_out_in_requests_of_twenty(
    wire: Wire, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As replay prints them, its ledger left out; each answer is printed."""
    many = [ENTRY | {"MetricName": f"m{n}"} for n in range(45)]
    file = entries_file(tmp_path, *many, {"ledger": {"entries": 45}})
    assert put("--file", file, "--requests-per-second", "1000") == 0
    sent = [dict(parse_qsl(request.body.decode())) for request in wire.requests]
    assert [sum(k.endswith("MetricName") for k in one) for one in sent] == [20, 20, 5]
    assert sent[0]["MetricList.1.Dimensions"] == '{"k":"v w"}'
    assert sent[0]["MetricList.1.Values"] == '{"Sum":1.5,"SampleCount":2}'
    assert sent[0]["MetricList.1.Type"] == "1"
    names = [
        one[f"MetricList.{n}.MetricName"]
        for one in sent
        for n in range(1, 21)
        if f"MetricList.{n}.MetricName" in one
    ]
    assert names == [f"m{n}" for n in range(45)]
    out, err = capsys.readouterr()
    assert out == '{"Code":"200"}\n' * 3
    assert err.splitlines()[-1] == "45 entries"


def test_a_refusal_of_one_request_is_the_status_of_all(
    wire: Wire, tmp_path: Path
) -> None:
    """The others are made all the same."""
    wire.answer = transport.Answer(200, {}, b'{"Code":"206","Message":"no"}')
    file = entries_file(tmp_path, ENTRY, ENTRY)
    words = "--entries-per-request", "1", "--requests-per-second", "1000"
    assert put("--file", file, *words) == 1
    assert len(wire.requests) == 2


def test_an_entry_may_leave_out_what_has_a_default(wire: Wire, tmp_path: Path) -> None:
    """GroupId is the setting's, Type aggregated; texts go out as they are."""
    entry = {"MetricName": "a", "Values": '{"Sum": 1}', "Dimensions": "{}"}
    assert put("--file", entries_file(tmp_path, entry), "--group-id", "7") == 0
    assert wire.entry == {
        "MetricList.1.GroupId": "7",
        "MetricList.1.MetricName": "a",
        "MetricList.1.Dimensions": "{}",
        "MetricList.1.Type": "1",
        "MetricList.1.Values": '{"Sum": 1}',
    }


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ([], "wants a JSON object"),
        ({"Values": {}}, "MetricName is missing"),
        ({"MetricName": "a"}, "Values is missing"),
        (
            {"MetricName": "a", "Values": {}, "Name": "b"},
            "'Name' is none of Dimensions",
        ),
    ],
)
def test_a_line_that_is_no_entry_is_named(
    wire: Wire,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    entry: object,
    why: str,
) -> None:
    """By its number; nothing of it is sent."""
    assert put("--file", entries_file(tmp_path, ENTRY, entry)) == 1
    assert f"line 2: {why}" in capsys.readouterr().err
    assert wire.requests == []


def test_what_is_no_json_is_named_too(
    wire: Wire, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever it is."""
    path = tmp_path / "x"
    path.write_text("{")
    assert put("--file", str(path)) == 1
    assert "line 1: wants a JSON object" in capsys.readouterr().err
    assert put("--file", str(path), *SHORT, "--value", "1") == 2


@pytest.mark.parametrize("signature", ["v1", "v3"])
def test_a_dry_run_shows_all_but_secrets(
    wire: Wire,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    signature: str,
) -> None:
    """And the aliyun command that makes the same call; nothing is sent."""
    monkeypatch.setenv("ALIBABA_CLOUD_SECURITY_TOKEN", "token-canary")
    monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", "LTAI4canary000001")
    words = "--statistic", "Sum=1", "--dry-run", "--signature", signature
    assert put(*SHORT, *words) == 0
    out = capsys.readouterr().out
    assert wire.requests == []
    assert "canary" not in out
    assert "POST https://metrics.cn-hangzhou.aliyuncs.com/\n" in out
    assert "Signature=***" in out
    assert 'MetricList.1.Dimensions={"host":"web-1"}\n' in out
    line = out.splitlines()[-1]
    assert shlex.split(line)[:5] == [
        *("aliyun", "cms", "PutCustomMetric", "--region", "cn-hangzhou")
    ]
    assert "LTAI" not in line


def test_a_dry_run_needs_no_keys(
    wire: Wire, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It shows what somebody with keys would send."""
    for name in KEYS:
        monkeypatch.delenv(name)
    assert put(*SHORT, "--value", "1", "--dry-run") == 0
    assert "MetricList.1.MetricName=hello" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "url"),
    [
        (("--endpoint", "metrics.example"), "https://metrics.example/"),
        (("--endpoint", "127.0.0.1:9", "--insecure"), "http://127.0.0.1:9/"),
        (("--endpoint", "https://metrics.example"), "https://metrics.example/"),
    ],
)
def test_an_endpoint_may_be_written_as_for_the_cli(
    wire: Wire, words: tuple[str, ...], url: str
) -> None:
    """A host alone, and --insecure for plain http."""
    assert main(["put", *SHORT, "--value", "1", *words]) == 0
    assert wire.requests[0].url == url


def test_plain_http_is_for_loopback(
    wire: Wire, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where somebody insists."""
    words = "--endpoint", "metrics.example", "--insecure"
    assert main(["put", *SHORT, "--value", "1", *words]) == 2
    assert "loopback" in capsys.readouterr().err
    assert wire.requests == []


def test_a_bundle_that_is_not_there_is_blamed_on_its_variable(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As run does, before anything is sent."""
    for name, value in {**KEYS, "REQUESTS_CA_BUNDLE": "/nowhere"}.items():
        monkeypatch.setenv(name, value)
    words = ("--metric", "hello", "--value", "1", "--region", "cn-hangzhou")
    assert main(["put", *words]) == 2
    assert "environment: REQUESTS_CA_BUNDLE: /nowhere: " in capsys.readouterr().err


def test_plain_http_asks_for_no_bundle(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor for one that is not there."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere")
    words = ("--metric", "hello", "--value", "1")
    assert main(["put", *words, "--endpoint", "http://127.0.0.1:8128"]) == 0
    assert wire.authorities == [None]
