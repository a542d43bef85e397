"""A recording on a simulated clock: which entries, in which order, and the ledger."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.cli import main
from relay.commands.replay import simulate
from relay.errors import RelayError
from relay.pipeline import build_engine, build_namer
from relay.recording import Recorded
from relay.rollup.engine import Rollup
from relay.settings import Settings

SETTINGS = Settings(instance="web-1")


def recording(*datagrams: tuple[float, bytes]) -> Iterator[Recorded]:
    """Datagrams at seconds."""
    return (Recorded(t, datagram) for t, datagram in datagrams)


def rollups(
    *datagrams: tuple[float, bytes],
    start: float | None = None,
    until: float | None = None,
) -> list[Rollup]:
    """What a simulation with the default settings closes."""
    engine = build_engine(SETTINGS, build_namer(SETTINGS))
    return list(simulate(engine, 60, recording(*datagrams), start=start, until=until))


def spans(found: Sequence[Rollup]) -> list[tuple[int, int]]:
    """Start and length of those that hold something."""
    return [(one.start, one.length) for one in found if one.rows]


def replayed(
    capsys: pytest.CaptureFixture[str], path: Path, *words: str
) -> list[dict[str, Any]]:
    """The objects that ``replay --json`` prints."""
    assert main(["replay", "--json", "--instance", "web-1", *words, str(path)]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """Three minutes of several kinds, with something of everything that is not taken."""
    path = tmp_path / "mixed.jsonl"
    lines: list[dict[str, object]] = [
        {"epoch": 600, "t": 1, "datagram": "b:1|c|@0.5\na:1:2:x|ms\n_sc|a|0\n\n"},
        {"t": 30, "datagram": "b:2|c\nb:1|c|T599\nfar:1|c|T9999"},
        {"t": 61.5, "datagram": "b:4|c|T659\nu:alice|s"},
        {"t": 150, "datagram": "g:7|g"},
    ]
    path.write_text("\n".join(map(json.dumps, lines)))
    return path


def test_the_ledger_balances(capsys: pytest.CaptureFixture[str], mixed: Path) -> None:
    """The last object counts all sections, packed values each, and the entries above."""
    *entries, last = replayed(capsys, mixed)
    assert last["ledger"] == {
        "lines": 9,
        "sections": 11,
        "samples": 7,
        "refused": {"bad_value": 1, "late": 1, "future": 1},
        "ignored": {"service_check": 1},
        "entries": len(entries),
    }


def test_an_entry_has_the_documented_form(
    capsys: pytest.CaptureFixture[str], mixed: Path
) -> None:
    """Vendor's names; Time in milliseconds of the period's start; a late stamp counted."""
    entry = replayed(capsys, mixed)[1]
    assert entry == {
        "GroupId": "0",
        "MetricName": "b",
        "Dimensions": {"instance": "web-1"},
        "Type": 1,
        "Period": 60,
        "Time": 600_000,
        "Values": {"Sum": 8.0, "SumPerSecond": 8 / 60, "SampleCount": 4},
    }


def test_entries_are_sorted(capsys: pytest.CaptureFixture[str], mixed: Path) -> None:
    """By Time, Period, MetricName, Dimensions, though long periods close last."""
    *entries, _ = replayed(capsys, mixed, "--until", "300")
    keys = [(e["Time"], e["Period"], e["MetricName"]) for e in entries]
    assert keys == sorted(keys)
    assert {e["Period"] for e in entries} == {60, 300}


def test_the_same_recording_gives_the_same_bytes(
    capsys: pytest.CaptureFixture[str], mixed: Path
) -> None:
    """Nothing of this moment or this process is in the output."""
    first = replayed(capsys, mixed)
    assert replayed(capsys, mixed) == first


def test_start_wins_over_the_recordings_epoch(
    capsys: pytest.CaptureFixture[str], mixed: Path
) -> None:
    """The same recording can be laid over any time."""
    assert replayed(capsys, mixed, "--start", "6000")[0]["Time"] == 6_000_000
    assert replayed(capsys, mixed)[0]["Time"] == 600_000


def test_people_read_a_table(capsys: pytest.CaptureFixture[str], mixed: Path) -> None:
    """Periods, series and values, then the ledger."""
    assert main(["replay", "--instance", "web-1", str(mixed)]) == 0
    text = capsys.readouterr().out
    assert "Time 600 s, Period 60 s\n  a {instance=web-1}\n    SampleCount 2," in text
    assert "refused: 1 bad_value, 1 late, 1 future\n" in text


def test_periods_are_aligned_to_the_clock_and_not_to_the_start() -> None:
    """A start in mid minute gives a first period that began before it."""
    assert spans(rollups((0, b"a:1|c"), start=90.5)) == [(60, 60)]


def test_the_default_end_is_that_of_the_last_datagrams_period() -> None:
    """The period of the last datagram is complete, the next one is not reported."""
    assert spans(rollups((0, b"a:1|c"), (60, b"a:1|c"))) == [(0, 60), (60, 60)]


def test_only_what_is_complete_at_the_end_is_reported() -> None:
    """A period that --until cuts has not been closed yet, short or long."""
    assert spans(rollups((0, b"a:1|c"), until=59.9)) == []
    assert spans(rollups((0, b"a:1|c"), until=299)) == [
        (start, 60) for start in (0, 60, 120, 180)
    ]


def test_what_came_after_the_end_is_not_read() -> None:
    """The ledger counts what a daemon would have counted by then."""
    engine = build_engine(SETTINGS, build_namer(SETTINGS))
    datagrams = recording((0, b"a:1|c"), (59, b"a:1|c"), (60, b"a:1|c"))
    list(simulate(engine, 60, datagrams, until=60))
    assert engine.tally().lines == 2


def test_the_long_period_comes_with_its_last_short_one() -> None:
    """At 300 seconds the merge of five is complete."""
    found = rollups((0, b"a:1|c"), (250, b"a:2|c"), until=300)
    assert spans(found)[-1] == (0, 300)
    assert found[-1].rows[0][1][0] == 3


def test_idle_series_are_reported_in_every_period() -> None:
    """Also where no datagram came in between."""
    assert len(spans(rollups((0, b"a:1|c"), until=240))) == 4


@pytest.mark.parametrize(("t", "late"), [(61.9, 0), (62, 1)])
def test_a_stamp_is_honoured_until_two_seconds_after_the_end(
    t: float, late: int
) -> None:
    """As in the daemon, which seals two seconds after the minute."""
    engine = build_engine(SETTINGS, build_namer(SETTINGS))
    stamped = recording((0, b""), (t, b"a:1|c|T59"))
    list(simulate(engine, 60, stamped))
    assert {r.value: n for r, n in engine.tally().refused.items()}["late"] == late


def test_an_empty_recording_reports_nothing() -> None:
    """No datagram, no period."""
    assert rollups() == []


def test_a_gap_of_millions_of_periods_is_refused() -> None:
    """A slip in a time must not take hours."""
    with pytest.raises(RelayError, match="a gap of more than"):
        rollups((0, b"a:1|c"), (1e12, b"a:1|c"))


@given(
    st.lists(st.tuples(st.floats(0, 400), st.integers(1, 9)), min_size=1, max_size=20)
)
def test_no_count_is_lost_or_doubled(parts: list[tuple[float, int]]) -> None:
    """Whenever datagrams come, the sums of the short periods are what was sent."""
    datagrams = sorted((t, b"a:%d|c" % n) for t, n in parts)
    short = [one for one in rollups(*datagrams) if one.length == 60]
    sums = [summary[0] for one in short for _, summary in one.rows]
    assert sum(sums) == sum(n for _, n in parts)


@pytest.mark.parametrize("words", [["--until", "-1"], ["--start", "now"]])
def test_bad_times_are_usage(
    capsys: pytest.CaptureFixture[str], mixed: Path, words: list[str]
) -> None:
    """Status 2 and the flag by name."""
    assert main(["replay", *words, str(mixed)]) == 2
    assert f"{words[0]}: wants seconds" in capsys.readouterr().err


def test_events_are_ignored_and_checks_reported(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Whatever the configuration says of events: entries alone are replayed."""
    path, config = tmp_path / "asides.jsonl", tmp_path / "relay.toml"
    path.write_text('{"t": 1, "datagram": "_e{1,1}:a|b\\n_sc|db.up|2|#k:v"}\n')
    config.write_text("report_events = true\nreport_service_checks = true\n")
    entry, ledger = replayed(capsys, path, "--config", str(config))
    assert (entry["MetricName"], entry["Values"]["LastValue"]) == ("db_up", 2.0)
    assert ledger["ledger"]["ignored"]["event"] == 1
    assert (ledger["ledger"]["lines"], ledger["ledger"]["sections"]) == (2, 2)


def test_a_bad_line_is_a_failure_with_its_number(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Status 1, and nothing half done on standard output."""
    path = tmp_path / "a.jsonl"
    path.write_text('{"datagram": "a:1|c"}\n{"t": -1, "datagram": ""}\n')
    assert main(["replay", "--json", str(path)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert f"{path}: line 2: wants t" in err


def test_the_first_period_is_ours_though_nothing_arrived_in_it() -> None:
    """A stamp of the period that has just ended is honoured from the very start."""
    found = rollups((61.0, b"late:1|c|T59"), until=120)
    assert spans(found)[0] == (0, 60)


def test_rules_are_applied_as_in_a_run(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """What two spellings are mapped to is one entry with the sum of both."""
    rules, path = tmp_path / "rules.toml", tmp_path / "recording.jsonl"
    rules.write_text("[[rule]]\nmatch = 'jobs.*'\nname = 'jobs'\nkeep_tags = ['q']\n")
    path.write_text(
        json.dumps({"t": 1, "datagram": "jobs.a:1|c|#q:x,pod:1\njobs.b:2|c|#pod:2,q:x"})
    )
    entry, *_ = replayed(capsys, path, "--mapping", str(rules))
    assert entry["MetricName"] == "jobs"
    assert entry["Dimensions"] == {"instance": "web-1", "q": "x"}
    assert entry["Values"]["Sum"] == 3.0
