"""The busiest keys: counted from closed periods, written when it is time."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from twisted.logger import capturedLogs, formatEvent

from relay.rollup.engine import Rollup
from relay.rollup.series import Series
from relay.rollup.summary import (
    CounterSummary,
    GaugeSummary,
    SetSummary,
    Summary,
    TimerSummary,
)
from relay.service.busiest import Busiest, appending
from relay.statsd.sample import Kind, Tags


def series(kind: Kind, name: str, tags: Tags = ()) -> Series:
    return Series(kind, name, tags, name, ())


def rollup(counts: Mapping[str, float], length: int = 60) -> Rollup:
    rows: list[tuple[Series, Summary]] = [
        (series(Kind.COUNTER, name), CounterSummary(0.0, count))
        for name, count in counts.items()
    ]
    return Rollup(0, length, rows)


class Rig:
    """On a clock of its own; ``said`` is what was written."""

    def __init__(self, percent: float = 100, seconds: float = 120) -> None:
        self.now, self.said = 1_000_000.0, list[str]()
        self.busiest = Busiest(
            seconds=seconds,
            percent=percent,
            length=60,
            write=self.said.append,
            wall=lambda: self.now,
        )

    def take(self, *rollups: Rollup, later: float = 60) -> None:
        self.now += later
        self.busiest.take(rollups)

    def lines(self) -> list[str]:
        """Counts and keys of the last text."""
        lines = self.said[-1].splitlines()
        return [line[line.index("count=") :] for line in lines]


def test_the_busiest_come_first_when_it_is_time() -> None:
    """Added up over the periods of the interval; then it begins anew."""
    rig = Rig()
    rig.take(rollup({"a": 1, "b": 5}))
    assert rig.said == []
    rig.take(rollup({"a": 2, "c": 4}))
    assert rig.lines() == ["count=5 key=b", "count=4 key=c", "count=3 key=a"]
    rig.take(rollup({"a": 1}))
    rig.take(rollup({}))
    assert rig.lines() == ["count=1 key=a"]


def test_a_line_has_a_moment() -> None:
    """In the form of the reference, which is JavaScript's."""
    rig = Rig(seconds=60)
    rig.take(rollup({"a": 1}))
    day, month, number, year, time, zone, *_ = rig.said[0].split()
    assert (year, time.count(":"), zone[:3]) == ("1970", 2, "GMT")
    assert (len(day), len(month), number.isdigit()) == (3, 3, True)


@pytest.mark.parametrize(("percent", "shown"), [(100, 10), (25, 3), (1, 1)])
def test_a_share_of_the_keys_is_written(percent: float, shown: int) -> None:
    """Rounded up, as the reference does."""
    rig = Rig(percent, seconds=60)
    rig.take(rollup({f"k{n}": n + 1.0 for n in range(10)}))
    assert len(rig.lines()) == shown
    assert rig.lines()[0] == "count=10 key=k9"


def test_long_periods_and_idle_series_are_not_counted() -> None:
    """The ones would count twice, the others had no samples."""
    rig = Rig(seconds=60)
    rig.take(rollup({"a": 1, "idle": 0}), rollup({"a": 5}, length=300))
    assert rig.lines() == ["count=1 key=a"]


def test_every_kind_has_samples() -> None:
    """Of a set its members; a key carries its tags."""
    rig = Rig(seconds=60)
    rows: list[tuple[Series, Summary]] = [
        (series(Kind.GAUGE, "g"), GaugeSummary(1, 1, 1, 1, 4)),
        (series(Kind.TIMER, "t", (("k", "v"),)), TimerSummary(3, 1, 1, 1, 1, ())),
        (series(Kind.SET, "s"), SetSummary(2)),
        (series(Kind.COUNTER, "c"), CounterSummary(9.0, 1e308)),
    ]
    rig.take(Rollup(0, 60, rows))
    assert [line.split("key=")[1] for line in rig.lines()] == ["c", "g", "t;k=v", "s"]


def test_a_clock_set_back_does_not_keep_them() -> None:
    """They are written at once, and the interval begins there."""
    rig = Rig()
    rig.take(rollup({"a": 1}), later=-86_400)
    assert rig.lines() == ["count=1 key=a"]


def test_a_file_is_appended_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Opened each time, since somebody may have moved it away; or standard output."""
    path = tmp_path / "keys"
    write = appending(path)
    write("one\n")
    path.rename(tmp_path / "old")
    write("two\n")
    assert (path.read_text(), (tmp_path / "old").read_text()) == ("two\n", "one\n")
    appending(None)("three\n")
    assert capsys.readouterr().out == "three\n"


def test_a_file_that_cannot_be_written_costs_a_line_of_the_log(tmp_path: Path) -> None:
    """And nothing else."""
    rig = Rig(seconds=60)
    rig.busiest._write = appending(tmp_path / "none" / "keys")
    with capturedLogs() as logs:
        rig.take(rollup({"a": 1}))
    [event] = logs
    assert "could not be written: No such file" in (formatEvent(event) or "")
