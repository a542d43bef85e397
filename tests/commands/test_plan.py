"""What a plan says traffic would cost."""

import json
from pathlib import Path
from typing import Any

import pytest

from relay.cli import main


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Thirty series of which a tag makes twenty-nine, and one that is told by no tag."""
    path = tmp_path / "traffic.jsonl"
    datagrams = [
        "\n".join(f"http:1|c|#path:{n},env:prod" for n in range(29)),
        "up:1|g|#env:prod\nup:2:3|g|#env:prod\nbad:x|c\n_sc|redis|0",
    ]
    rows = [
        json.dumps({"t": 10 * n, "datagram": text}) for n, text in enumerate(datagrams)
    ]
    path.write_text("\n".join(rows))
    return path


def planned(capsys: pytest.CaptureFixture[str], *words: object) -> dict[str, Any]:
    """The object that ``plan --json`` prints."""
    assert main(["plan", "--json", "--instance", "i", *map(str, words)]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_series_entries_and_requests_are_counted(
    capsys: pytest.CaptureFixture[str], recording: Path
) -> None:
    """Twenty entries to a request: two a minute, and two more each five minutes."""
    plan = planned(capsys, recording)
    assert plan["lines"] == 33
    assert plan["samples"] == 32
    assert plan["refused"] == {"bad_value": 1}
    assert plan["ignored"] == {"service_check": 1}
    assert plan["seconds"] == 10
    assert plan["series"] == 30
    assert plan["metrics"][0] == {
        "name": "http",
        "series": 29,
        "tags": [
            {"key": "path", "values": 29, "saves": 28},
            {"key": "env", "values": 1, "saves": 0},
        ],
    }
    assert plan["tags"][0] == {"key": "path", "values": 29, "saves": 28}
    assert plan["entries_per_minute"] == 36.0
    assert plan["requests_per_minute"] == 2.4
    assert plan["requests_worst_minute"] == 4
    assert plan["cost"] is None


def test_each_relay_has_series_of_its_own(
    capsys: pytest.CaptureFixture[str], recording: Path
) -> None:
    """And they share what the account may send."""
    plan = planned(
        *(capsys, recording, "--relays", 40, "--region", "cn-hangzhou"),
        *("--series-price", "0.5", "--series-included", "1000"),
    )
    assert plan["series"] == 1200
    assert plan["requests_worst_minute"] == 160
    allowed = plan["requests_allowed_per_minute"]
    assert allowed == {"these_relays": 24_000, "account": 12_000}
    assert plan["cost"] == {
        "price": 0.5,
        "included": 1000,
        "paid_series": 200,
        "per_month": 100.0,
    }


def test_it_says_when_requests_are_too_many(
    capsys: pytest.CaptureFixture[str], recording: Path
) -> None:
    """Thirty relays of one request an entry are beyond what an account has."""
    words = "--entries-per-request", "1", "--relays", "60"
    assert main(["plan", *words, str(recording)]) == 0
    assert "too many: what is closed will wait" in capsys.readouterr().out
    assert main(["plan", str(recording)]) == 0
    assert "too many" not in capsys.readouterr().out


def test_the_rule_it_advises_does_what_it_says(
    capsys: pytest.CaptureFixture[str], recording: Path, tmp_path: Path
) -> None:
    """Pasted into a file of rules it leaves the series that were promised."""
    assert main(["plan", str(recording)]) == 0
    words = capsys.readouterr().out
    assert "       28  series fewer without path, which has 29 values\n" in words
    rule = words.partition("in the file of --mapping:\n")[2].partition("\n\n")[0]
    rules = tmp_path / "rules.toml"
    rules.write_text(rule)
    plan = planned(capsys, recording, "--mapping", rules)
    assert plan["series"] == 2
    assert plan["samples"] == 32


def test_the_limit_of_series_holds_and_known_ones_go_on(
    capsys: pytest.CaptureFixture[str], recording: Path
) -> None:
    """As in the relay."""
    twice = recording.with_name("twice.jsonl")
    again = recording.read_text().replace('"t": 0', '"t": 10')
    twice.write_text(f"{recording.read_text()}\n{again}")
    plan = planned(capsys, twice, "--series-limit", 10)
    assert plan["series"] == 10
    assert plan["samples"] == 20
    assert plan["refused"]["series_limit"] == 44


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["FILE", "--live", "1"],
        ["--live", "0"],
        ["--live", "1", "--listen", "tcp://127.0.0.1:1"],
        ["--relays", "1.5", "FILE"],
        ["--relays", "0", "FILE"],
    ],
)
def test_bad_flags_are_usage(words: list[str], recording: Path) -> None:
    """Nothing is listened to."""
    words = [str(recording) if word == "FILE" else word for word in words]
    assert main(["plan", *words]) == 2


def test_nothing_is_a_plan_as_well(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """An empty recording costs nothing."""
    path = tmp_path / "empty.jsonl"
    path.write_text("")
    plan = planned(capsys, path, "--series-price", 1)
    assert plan["series"] == plan["requests_per_minute"] == 0
    assert plan["cost"]["per_month"] == 0
    assert main(["plan", str(path)]) == 0
