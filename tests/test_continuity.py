"""A relay goes on where the one before it was, and says what it found of it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from twisted.internet.task import Clock

from relay.cloudmonitor.naming import Namer
from relay.continuity import Continuity
from relay.errors import ConfigError
from relay.rollup.python import PythonEngine
from relay.rollup.summary import CounterSummary
from relay.service.lanes import InlineLane
from relay.statsd.grammar import Grammar
from relay.statsd.sample import Kind


class Life:
    """A relay's engine and what ties it to the folder, at some wall clock."""

    def __init__(self, folder: Path | None, now: float, *, period: int = 60) -> None:
        self.now, self.period = now, period
        self.namer = Namer(instance="i")
        self.engine = PythonEngine(
            self.namer,
            Grammar(),
            period_seconds=period,
            released=self.namer.release,
        )
        self.clock = Clock()
        self.continuity = Continuity(
            folder,
            engine=self.engine,
            namer=self.namer,
            lane=InlineLane(),
            clock=self.clock,
            wall=lambda: self.now + self.clock.seconds(),
            interval=10,
        )
        self.periods = self.continuity.go_on(self.present)
        self.continuity.start()

    @property
    def present(self) -> int:
        now = int(self.now + self.clock.seconds())
        return now - now % self.period

    def feed(self, line: bytes) -> None:
        self.engine.feed(line, self.present)

    def stop(self) -> None:
        self.continuity.stop()
        assert self.continuity.hand_over().result is True
        self.continuity.close()

    def report(self) -> dict[tuple[str, int], float]:
        """What is open, closed: sums of counters by name and start."""
        rollups = [
            rollup
            for sealed in self.engine.seal_all()
            for rollup in self.engine.close(sealed)
            if rollup.length == self.period
        ]
        return {
            (series.metric, rollup.start): summary.total
            for rollup in rollups
            for series, summary in rollup.rows
            if isinstance(summary, CounterSummary) and summary.count
        }


def test_what_was_open_goes_on(tmp_path: Path) -> None:
    """A stop and a start within a period make one report of it."""
    first = Life(tmp_path, 610)
    first.feed(b"a:1|c")
    first.stop()
    second = Life(tmp_path, 620)
    assert second.periods == [600]
    second.feed(b"a:2|c")
    assert second.report() == {("a", 600): 3.0}
    assert second.continuity.predecessor == {
        "clean": True,
        "last_checkpoint": 610,
        "gap_seconds": 0,
    }


def test_a_kill_is_told_with_the_gap_it_leaves(
    tmp_path: Path, value: Callable[[Life, str], float]
) -> None:
    """From the last checkpoint to the start: nobody knows what came between."""
    first = Life(tmp_path, 600)
    assert first.continuity.predecessor is None
    first.feed(b"a:1|c")
    first.clock.advance(10)
    first.feed(b"a:1|c")
    second = Life(tmp_path, 617)
    assert second.report() == {("a", 600): 1.0}
    assert second.continuity.predecessor == {
        "clean": False,
        "last_checkpoint": 610,
        "gap_seconds": 7,
    }
    assert value(second, "unclean_start_gap_seconds") == 7


@pytest.fixture
def value() -> Callable[[Life, str], float]:
    """A metric of ours."""
    return lambda life, name: life.continuity.counts()[name][()]


def test_a_kill_before_the_first_checkpoint_is_told_too(tmp_path: Path) -> None:
    """The gap begins with its start."""
    Life(tmp_path, 600)
    predecessor = Life(tmp_path, 603).continuity.predecessor
    assert predecessor is not None
    assert (predecessor["clean"], predecessor["gap_seconds"]) == (False, 3)


@pytest.mark.parametrize("back", [150, 3600, 86_400])
def test_a_clock_that_was_set_back_between_does_not_hold_back_what_was_open(
    tmp_path: Path, back: int
) -> None:
    """It is reported as of now, and not when the old hour has come round again."""
    first = Life(tmp_path, 100_000)
    first.feed(b"a:1|c")
    first.stop()
    second = Life(tmp_path, 100_010 - back)
    second.feed(b"a:2|c")
    assert second.report() == {("a", second.present): 3.0}


def test_another_period_length_does_not_fit_and_is_set_aside(
    tmp_path: Path, value: Callable[[Life, str], float]
) -> None:
    """With the reason, and the relay starts."""
    Life(tmp_path, 600).stop()
    second = Life(tmp_path, 600, period=10)
    assert not second.periods
    shown = second.continuity.checkpoints
    assert shown is not None
    assert shown["set_aside"]["open"] == "period_seconds is 60, not 10"
    assert value(second, "checkpoints_damaged_total") == len(shown["set_aside"])
    kept = {path.name for path in (tmp_path / "quarantine").iterdir()}
    assert any(name.endswith("checkpoint-open") for name in kept)


@pytest.mark.parametrize("name", ["open", "carry", "owners", "running"])
def test_a_damaged_file_is_set_aside_and_told(tmp_path: Path, name: str) -> None:
    """One flipped bit; the others are used."""
    first = Life(tmp_path, 610)
    first.feed(b"a:1|c")
    first.stop()
    first = Life(tmp_path, 612)
    first.continuity.before_closing()
    first.continuity.commit()
    path = tmp_path / "checkpoint" / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)
    second = Life(tmp_path, 615)
    shown = second.continuity.checkpoints
    assert shown is not None
    assert list(shown["set_aside"]) == [name]
    assert second.report() == ({} if name == "open" else {("a", 600): 1.0})


def test_without_a_folder_nothing_is_left_and_nothing_found() -> None:
    """And a stop is told so."""
    life = Life(None, 600)
    assert not life.periods
    assert life.continuity.hand_over().result is False
    assert (life.continuity.predecessor, life.continuity.checkpoints) == (None, None)


def test_a_folder_of_no_use_is_named(tmp_path: Path) -> None:
    """With the setting that names it."""
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="state"):
        Life(tmp_path / "file", 600)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


VECTOR = Path(__file__).parent / "vectors" / "checkpoint-v1.json"


@pytest.mark.bar("R10")
def test_a_checkpoint_of_every_released_version_is_gone_on_from(tmp_path: Path) -> None:
    """The files were written by the first release that had any."""
    Life(tmp_path, 700).continuity.close()
    for name, content in json.loads(VECTOR.read_text()).items():
        if name != "_":
            (tmp_path / "checkpoint" / name).write_bytes(bytes.fromhex(content))
    life = Life(tmp_path, 700)
    assert life.continuity.checkpoints is not None
    assert life.continuity.checkpoints["set_aside"] == {}
    life.feed(b"a:1|c\nb:+1|g")
    assert life.report() == {("a", 660): 8.0}
    assert life.engine.tally().samples[Kind.GAUGE] == 4
