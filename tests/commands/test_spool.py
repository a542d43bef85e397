"""Looking after a spool: what is shown, what is not touched, what is dropped."""

import errno
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from relay.cli import main
from relay.cloudmonitor.datum import Datum, encode
from relay.cloudmonitor.events import TakenEvent, compose_events
from relay.cloudmonitor.hybrid import compose_hybrid
from relay.delivery.batch import Batch
from relay.rollup.engine import Rollup
from relay.rollup.series import Series
from relay.rollup.summary import SetSummary
from relay.spool.file import FileSpool
from relay.spool.files import DiskFiles
from relay.statsd.sample import Event, Kind

FIRST, SECOND = "0000000000000001.seg", "0000000000000002.seg"

Output = pytest.CaptureFixture[str]


def entries(period: int) -> tuple[str, ...]:
    """Five of a period."""
    data = (
        Datum("0", f"m{n}", (("instance", "w"),), 60, period * 1000, {"Sum": float(n)})
        for n in range(5)
    )
    return tuple(map(encode, data))


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[FileSpool]:
    """As a relay has it open: two periods, a batch delivered, a batch parked."""
    found = FileSpool.open(tmp_path, limit_bytes=2**20, max_age_seconds=1e10)
    for period in (60, 120):
        ids = [f"{period}/{n}" for n in range(3)]
        found.append([Batch(name, period, entries(period)) for name in ids])
    found.take(120.0)
    found.take(120.0)
    found.acknowledge("60/0")
    found.park("60/1", "400: \x1b[31m")
    yield found
    found.close()


def said(output: Output) -> list[dict[str, object]]:
    """What was printed, as objects."""
    return [json.loads(line) for line in output.readouterr().out.splitlines()]


@pytest.mark.usefixtures("spool")
@pytest.mark.bar("S7")
def test_ls_lists_what_waits(tmp_path: Path, capsys: Output) -> None:
    """For people: periods with their ends, what was refused, a sum."""
    assert main(["spool", "ls", "--state", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert f"{FIRST}    1970-01-01T00:01:00Z         3        5" in out
    assert "segments: 2, entries: 20, bytes: " in out
    assert "parked: 5 entries refused for good; show --parked says why" in out


@pytest.mark.bar("S7")
def test_ls_as_objects(spool: FileSpool, tmp_path: Path, capsys: Output) -> None:
    """The same for scripts, quarantine included."""
    (tmp_path / "quarantine" / "000001-x").write_text("hi")
    assert main(["spool", "ls", "--json", "--state", str(tmp_path)]) == 0
    first, second, parked, aside = said(capsys)
    assert (first["segment"], first["waiting"], first["batches"]) == (FIRST, 5, 3)
    assert (second["closed_at"], second["waiting"], second["lost"]) == (120, 15, 0)
    assert parked == {"parked": "60/1", "entries": 5, "reason": "400: \x1b[31m"}
    assert aside == {"quarantine": "000001-x", "bytes": 2}
    assert spool.tally().entries == 20


@pytest.mark.usefixtures("spool")
def test_show_prints_the_entries_that_wait(tmp_path: Path, capsys: Output) -> None:
    """In the form of the emulator and of replay; settled ones are left out."""
    words = ["spool", "show", FIRST, "--json", "--state", str(tmp_path)]
    assert main(words) == 0
    found = said(capsys)
    assert [one["MetricName"] for one in found] == ["m0", "m1", "m2", "m3", "m4"]
    assert found[0]["Time"] == 60_000
    assert main([*words, "--limit", "2"]) == 0
    assert len(said(capsys)) == 2


@pytest.mark.usefixtures("spool")
def test_show_tells_why_entries_were_refused(tmp_path: Path, capsys: Output) -> None:
    """Control characters of a foreign text do not reach the terminal."""
    assert main(["spool", "show", "--parked", "--state", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 5
    assert lines[0] == (
        'm0 {"instance": "w"} period 60 time 60000: {"Sum": 0.0}'
        r"  refused: '400: \x1b[31m'"
    )


def test_verify_finds_damage_and_mends_nothing(
    spool: FileSpool, tmp_path: Path, capsys: Output
) -> None:
    """Status 1, which segment, how many entries; the file stays as it is."""
    assert main(["spool", "verify", "--state", str(tmp_path)]) == 0
    path = tmp_path / "spool" / SECOND
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    capsys.readouterr()
    assert main(["spool", "verify", "--json", "--state", str(tmp_path)]) == 1
    out, err = capsys.readouterr()
    first, second = map(json.loads, out.splitlines())
    assert (first["problem"], second["problem"]) == ("", "damaged")
    assert (second["waiting"], second["lost"]) == (10, 5)
    assert err.startswith("1 damaged, 5 entries lost for certain;")
    assert path.read_bytes() == content
    assert spool.tally().quarantined == 0


@pytest.fixture
def denied(spool: FileSpool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first segment is somebody else's, which root would not notice."""
    opened = DiskFiles.open_read

    def refusing(files: DiskFiles, folder: int, name: str) -> int:
        if name == FIRST:
            raise PermissionError(errno.EACCES, "Permission denied", name)
        return opened(files, folder, name)

    monkeypatch.setattr(DiskFiles, "open_read", refusing)


@pytest.mark.usefixtures("denied")
def test_a_segment_that_may_not_be_read_is_listed(
    tmp_path: Path, capsys: Output
) -> None:
    """With its size and the way out, by ls and by verify; it is not called damaged."""
    size = (tmp_path / "spool" / FIRST).stat().st_size
    assert main(["spool", "ls", "--state", str(tmp_path)]) == 0
    line = capsys.readouterr().out.splitlines()[1]
    assert line.split()[:5] == [FIRST, "unknown", "0", "0", str(size)]
    assert line.endswith("  Permission denied: chown it to the relay's user")
    assert main(["spool", "verify", "--state", str(tmp_path)]) == 1
    err = capsys.readouterr().err
    assert err == "1 cannot be read: chown them to the relay's user and restart it\n"


@pytest.mark.usefixtures("denied")
def test_show_goes_on_behind_what_may_not_be_read(
    tmp_path: Path, capsys: Output
) -> None:
    """What was left out is said, and it is no success."""
    assert main(["spool", "show", "--state", str(tmp_path)]) == 1
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 15
    assert err == f"{FIRST}: Permission denied\n"


def test_drop_wants_the_relay_stopped(
    spool: FileSpool, tmp_path: Path, capsys: Output
) -> None:
    """Nothing is removed under a relay that counts on it."""
    assert main(["spool", "drop", "--all", "--state", str(tmp_path)]) == 1
    assert f"{tmp_path}: another cms-relay uses" in capsys.readouterr().err
    assert spool.tally().entries == 20


@pytest.mark.parametrize(
    ("words", "left"),
    [
        ([FIRST], ["parked/0000000000000001.jsonl", "quarantine/x", f"spool/{SECOND}"]),
        (["--all"], ["parked/0000000000000001.jsonl", "quarantine/x"]),
        (["--all", "--parked", "--quarantine"], []),
        (["--quarantine", SECOND, FIRST], ["parked/0000000000000001.jsonl"]),
    ],
)
def test_drop_removes_what_was_named(
    spool: FileSpool, tmp_path: Path, words: list[str], left: list[str]
) -> None:
    """And nothing else; marks go with their segment."""
    spool.close()
    (tmp_path / "quarantine" / "x").touch()
    assert main(["spool", "drop", *words, "--state", str(tmp_path)]) == 0
    files = (path for path in tmp_path.glob("*/*") if path.is_file())
    assert sorted(str(path.relative_to(tmp_path)) for path in files) == left


@pytest.mark.parametrize(
    ("words", "status", "complaint"),
    [
        (["drop"], 2, "wants a SEGMENT, --all"),
        (["drop", "1.seg"], 1, "1.seg: no such segment; cms-relay spool ls lists"),
        (["show", "../x"], 1, "../x: no such segment"),
        (["show", "--limit", "0"], 2, "--limit: wants a number above 0"),
    ],
)
def test_what_makes_no_sense_is_refused(
    tmp_path: Path, capsys: Output, words: list[str], status: int, complaint: str
) -> None:
    """With a word on what would."""
    assert main(["spool", *words, "--state", str(tmp_path)]) == status
    assert complaint in capsys.readouterr().err


def test_a_folder_that_is_not_there_is_not_made(tmp_path: Path, capsys: Output) -> None:
    """A mistyped name shows as one."""
    assert main(["spool", "drop", "--all", "--state", str(tmp_path / "no")]) == 1
    assert "No such file or directory" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_without_a_folder_it_is_asked_for(
    capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None is guessed."""
    monkeypatch.setenv("CMS_RELAY_STATE", "off")
    assert main(["spool", "ls"]) == 2
    assert "--state: wants the FOLDER of the relay" in capsys.readouterr().err


def test_entries_of_the_hybrid_sink_are_shown(tmp_path: Path, capsys: Output) -> None:
    """In words as well as as objects."""
    series = Series(Kind.SET, "up", (), "up", (("instance", "w"),))
    found = FileSpool.open(tmp_path, limit_bytes=2**20, max_age_seconds=1e10)
    found.append(
        compose_hybrid(
            Rollup(120, 60, [(series, SetSummary(7))]), namespace="n"
        ).batches
    )
    found.close()
    words = ["spool", "show", "--state", str(tmp_path)]
    assert main([*words, "--json"]) == 0
    assert said(capsys)[0]["Name"] == "up_last"
    assert main(words) == 0
    assert capsys.readouterr().out == 'up_last {"instance": "w"} time 120000: 7.0\n'


def test_events_that_wait_are_shown_as_events(tmp_path: Path, capsys: Output) -> None:
    """Those of the folder events, for programs and for people."""
    spool = FileSpool.open(tmp_path, limit_bytes=2**20, max_age_seconds=1e10)
    taken = [TakenEvent(Event("Deploy", "\x1b[31m", 1), 5.0)]
    spool.append(compose_events(taken, prefix="e", closed_at=5).batches)
    spool.close()
    words = ["spool", "show", "--state", str(tmp_path)]
    assert main([*words, "--json"]) == 0
    (found,) = said(capsys)
    assert (found["EventName"], found["Time"]) == ("Deploy", 1000)
    assert main(words) == 0
    out = capsys.readouterr().out
    assert out.startswith('event Deploy time 1000: {"title": "Deploy", "text": "')
    assert "\x1b" not in out
