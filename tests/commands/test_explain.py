"""What explain says of a line, for programs and for people."""

import io
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from relay.cli import main
from relay.statsd.sample import Reason, What


def explained(capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, Any]]:
    """The objects that ``explain --json`` prints."""
    assert main(["explain", "--json", "--instance", "web-1", *words]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_the_documented_example(capsys: pytest.CaptureFixture[str]) -> None:
    """An accepted line with everything that stands in it, exactly."""
    (found,) = explained(capsys, "checkout.ok:1|c|@0.5|#env:prod")
    assert found == {
        "item": 0,
        "accepted": [
            {
                "name": "checkout.ok",
                "kind": "counter",
                "values": [1.0],
                "relative": False,
                "rate": 0.5,
                "tags": {"env": "prod"},
                "timestamp": None,
                "container": None,
                "metric": {
                    "MetricName": "checkout_ok",
                    "Dimensions": {"env": "prod", "instance": "web-1"},
                },
            }
        ],
        "refused": [],
        "ignored": [],
    }


def test_a_refusal_has_the_line_and_a_reason(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What is refused shows as it was sent."""
    (found,) = explained(capsys, "checkout.ok:x|c")
    assert found["accepted"] == []
    assert found["refused"] == [{"text": "checkout.ok:x|c", "reason": "bad_value"}]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("_e{5,4}:title|text", "event"),
        ("_sc|redis|0", "service_check"),
    ],
)
def test_what_is_not_for_us_is_ignored(
    capsys: pytest.CaptureFixture[str], line: str, reason: str
) -> None:
    """Events and service checks are neither good nor bad."""
    (found,) = explained(capsys, line)
    assert found["ignored"] == [{"text": line, "reason": reason}]
    assert (found["accepted"], found["refused"]) == ([], [])


def test_telemetry_of_clients_is_accepted_by_the_grammar_and_ignored(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It has no metric, and each packed value is ignored by itself, as in the ledger."""
    line = "datadog.dogstatsd.client.metrics:1:2|c"
    (found,) = explained(capsys, line)
    assert [one["metric"] for one in found["accepted"]] == [None]
    assert found["ignored"] == [{"text": line, "reason": "client_telemetry"}] * 2
    assert found["refused"] == []


def test_a_service_check_is_a_gauge_where_it_is_reported(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With its tags as Dimensions."""
    (found,) = explained(capsys, "--report-service-checks", "_sc|db.up|2|#env:prod")
    (accepted,) = found["accepted"]
    assert (accepted["kind"], accepted["values"]) == ("gauge", [2.0])
    assert accepted["metric"]["MetricName"] == "db_up"
    assert accepted["metric"]["Dimensions"] == {"env": "prod", "instance": "web-1"}


def test_an_event_is_shown_where_it_is_reported(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With its name at the service, for programs and for people."""
    line = "_e{6,4}:Deploy|text|#env:prod|t:error"
    (found,) = explained(capsys, "--report-events", line)
    (event,) = found["events"]
    assert (event["title"], event["EventName"]) == ("Deploy", "Deploy")
    assert (event["alert_type"], event["tags"]) == ("error", {"env": "prod"})
    assert found["accepted"] == found["refused"] == found["ignored"] == []
    assert main(["explain", "--report-events", line]) == 0
    assert "  event reported as Deploy: Deploy\n" in capsys.readouterr().out


def test_tags_show_bare_empty_and_repeated_keys(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A bare tag is null, an empty value empty, the last of one key wins."""
    (found,) = explained(capsys, "a:1|c|#k:1,bare,empty:,k:2")
    (accepted,) = found["accepted"]
    assert accepted["tags"] == {"bare": None, "empty": "", "k": "2"}
    assert accepted["tags_raw"] == ["k:1", "bare", "empty:", "k:2"]


def test_packed_values_are_one_entry(capsys: pytest.CaptureFixture[str]) -> None:
    """Values of one section stand together; a bad one among them is refused alone."""
    (found,) = explained(capsys, "a:1:x:2|ms")
    assert [one["values"] for one in found["accepted"]] == [[1.0, 2.0]]
    assert [one["reason"] for one in found["refused"]] == ["bad_value"]


def test_a_series_over_the_limit_has_no_metric(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The line is fine, the series is not taken, and the reason is beside it."""
    _, second, again = explained(
        capsys, "--series-limit", "1", "a:1|c", "b:1|c", "a:1|c"
    )
    assert second["accepted"][0]["metric"] is None
    assert second["refused"] == [{"text": "b:1|c", "reason": "series_limit"}]
    assert again["accepted"][0]["metric"] is not None


def test_a_time_stamp_is_shown_and_never_late(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """There is no clock that it could be late by."""
    (found,) = explained(capsys, "a:1|c|T1|c:in-1")
    assert found["accepted"][0]["timestamp"] == 1
    assert found["accepted"][0]["container"] == "in-1"


def test_dialects_and_signs_follow_the_settings(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Flags change the grammar as they do in the daemon."""
    words = ("--dialect", "influx", "--signed-gauge", "value", "a,k=v:+1|g")
    (found,) = explained(capsys, *words)
    assert found["accepted"][0]["tags"] == {"k": "v"}
    assert found["accepted"][0]["relative"] is False


def test_a_configuration_without_endpoint_will_do(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """explain sends nothing, so it does not ask where to."""
    config = tmp_path / "relay.toml"
    config.write_text('instance_key = "node"\n')
    (found,) = explained(capsys, "--config", str(config), "a:1|c")
    assert found["accepted"][0]["metric"]["Dimensions"] == {"node": "web-1"}


def test_lines_come_from_standard_input(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without arguments each line of standard input is an item."""
    stdin = io.TextIOWrapper(io.BytesIO(b"a:1|c\nb:\xff|s\n"))
    monkeypatch.setattr("sys.stdin", stdin)
    found = explained(capsys)
    assert [one["accepted"][0]["values"] for one in found] == [[1.0], ["\ufffd"]]


def test_a_datagram_of_a_recording_is_one_item(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """All lines of a datagram are in the same object."""
    path = tmp_path / "a.jsonl"
    path.write_text('{"datagram": "a:1|c\\nb:1|c\\n"}\n{"datagram": "c:1|c"}\n')
    found = explained(capsys, "--recording", str(path))
    assert [[a["name"] for a in one["accepted"]] for one in found] == [
        ["a", "b"],
        ["c"],
    ]


def test_reasons_are_the_closed_list(capsys: pytest.CaptureFixture[str]) -> None:
    """Each word that can stand behind ``reason`` is listed once, with a sentence."""
    assert main(["explain", "--reasons"]) == 0
    rows = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    assert [word for word, _ in rows] == [one.value for one in (*Reason, *What)]
    assert all(sentence for _, sentence in rows)


def test_people_read_sentences(capsys: pytest.CaptureFixture[str]) -> None:
    """The same in words, with nothing in it that could move a cursor."""
    words = [
        "checkout.ok:1|c|@0.5|#env:prod",
        "a:+2|g|T5|c:\x1b[2J",
        "a:x|c",
        "_sc|a|0",
    ]
    assert main(["explain", "--instance", "web-1", *words]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "checkout.ok:1|c|@0.5|#env:prod",
        "  counter checkout.ok: 1; rate 0.5; tags env=prod",
        "    reported as checkout_ok with env=prod, instance=web-1",
        r"a:+2|g|T5|c:\x1b[2J",
        r"  gauge a: changed by 2; time stamp 5; container \x1b[2J",
        "    reported as a with instance=web-1",
        "a:x|c",
        f"  refused: bad_value: {Reason.BAD_VALUE.sentence}",
        "_sc|a|0",
        "  ignored: service_check",
    ]


def test_names_as_they_were_sent(capsys: pytest.CaptureFixture[str]) -> None:
    """Where nobody wants statsd's key rule; CloudMonitor's is not a matter of choice."""
    words = ["explain", "--json", "--no-key-name-sanitize", "a b/c:1|c"]
    assert main(words) == 0
    [accepted] = json.loads(capsys.readouterr().out)["accepted"]
    assert accepted["name"] == "a b/c"
    assert accepted["metric"]["MetricName"] == "a_b_c"


def test_the_rule_that_was_applied_is_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """By its place in the file; what it drops is refused."""
    path = tmp_path / "rules.toml"
    path.write_text(
        "[[rule]]\nmatch = 'debug.*'\ndrop = true\n"
        "[[rule]]\nmatch = 'api.*.latency'\nname = 'latency'\nadd_tags = {service='$1'}\n"
    )
    words = "--mapping", str(path)
    dropped, mapped, other = explained(
        capsys, *words, "debug.x:1|c", "api.users.latency:1|ms|#pod:p", "other:1|c"
    )
    assert dropped["accepted"][0]["metric"] is None
    assert dropped["accepted"][0]["rule"] == {"number": 1, "match": "debug.*"}
    assert dropped["refused"] == [{"text": "debug.x:1|c", "reason": "dropped_by_rule"}]
    (accepted,) = mapped["accepted"]
    assert accepted["name"] == "api.users.latency"
    assert accepted["tags"] == {"pod": "p"}
    assert accepted["rule"] == {"number": 2, "match": "api.*.latency"}
    assert accepted["metric"] == {
        "MetricName": "latency",
        "Dimensions": {"instance": "web-1", "pod": "p", "service": "users"},
    }
    assert "rule" not in other["accepted"][0]
    assert main(["explain", *words, "api.users.latency:1|ms"]) == 0
    assert "    rule 2: api.*.latency\n" in capsys.readouterr().out


HOSTILE = "a;$(id)`id`'\"\\ b&|<>*?!#{}"


def test_the_command_survives_a_shell(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Whatever stands in a tag, the aliyun CLI gets just that; Time is this minute's."""
    words = "--as-cli", "--region", "cn-hangzhou", "--instance", HOSTILE
    (found,) = explained(capsys, *words, "checkout.ok:2|c|@0.5|#env:prod")
    stand_in = tmp_path / "aliyun"
    stand_in.write_text(
        '#!/bin/sh\nfor word in "$@"; do printf "%s\\n" "$word"; done\n'
    )
    stand_in.chmod(0o755)
    done = subprocess.run(
        ["sh", "-c", found["accepted"][0]["command"]],
        check=True,
        capture_output=True,
        text=True,
        env=os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        timeout=30,
    )
    action, given = done.stdout.splitlines()[:4], done.stdout.splitlines()[4:]
    assert action == ["cms", "PutCustomMetric", "--region", "cn-hangzhou"]
    fields = dict(zip(given[::2], given[1::2], strict=True))
    assert (
        json.loads(fields["--MetricList.1.Dimensions"])
        == (found["accepted"][0]["metric"]["Dimensions"])
    )
    assert json.loads(fields["--MetricList.1.Values"])["Sum"] == 4.0
    assert int(fields["--MetricList.1.Time"]) % 60_000 == 0
    assert fields["--MetricList.1.Type"] == "1"


def test_commands_are_shown_where_they_were_asked_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """For what is reported, and for nothing else."""
    assert main(["explain", "--as-cli", "a:1|c", "a:x|c"]) == 0
    assert capsys.readouterr().out.count("    aliyun cms PutCustomMetric ") == 1
    (found,) = explained(capsys, "a:1|c")
    assert "command" not in found["accepted"][0]
