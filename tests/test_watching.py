"""What the page gets of a relay: samples in time, periods, a verdict, the command's words."""

from typing import Any

from twisted.internet.task import Clock

from relay.admin.history import EVERY_SECONDS
from relay.admin.status import Status
from relay.commands.explain import Explainer, in_words
from relay.destination import open_sink
from relay.pipeline import build_engine, build_mapper, build_namer, build_rules
from relay.settings import Settings
from relay.watching import WORDS_MAX, Watching
from tests.admin.sample import a_status

LINE = b"checkout.ok:1|c|@0.5|#env:prod"


class Rig:
    """A watch over a status that a test changes; the wall is 1,000 s ahead of the clock."""

    def __init__(self) -> None:
        self.settings = Settings(instance="h", sink="null", group_id=77)
        self.clock, self.now = Clock(), a_status()
        self.now["sink"] |= {"state": "sending", "reason": None}
        mapper = build_mapper(self.settings)
        rules = build_rules(self.settings, mapper)
        self.engine = build_engine(self.settings, build_namer(self.settings), rules)
        self.sink = open_sink(
            self.settings, provider=None, emulator=None, wall=lambda: 1000, rules=rules
        )
        self.watching = Watching(
            self.engine,
            mapper,
            settings=lambda: self.settings,
            status=self.status,
            health=lambda: (0.125, 2),
            clock=self.clock,
            wall=lambda: 1000 + self.clock.seconds(),
        )
        self.watching.start()

    def status(self) -> Status:
        return self.now

    def hour(self, after: float = 0.0) -> dict[str, Any]:
        return dict(self.watching.hour(after))


def test_a_sample_is_taken_every_five_seconds_from_the_start() -> None:
    """Of the clock's seconds, under the wall's time; until it is stopped."""
    rig = Rig()
    rig.clock.pump([EVERY_SECONDS] * 3)
    rig.watching.stop()
    rig.clock.pump([EVERY_SECONDS] * 3)
    hour = rig.hour()
    assert hour["t"] == [1000, 1005, 1010, 1015]
    assert hour["columns"]["lag_seconds"] == [0.125] * 4
    assert rig.hour(after=1010)["t"] == [1015]


def test_a_status_that_cannot_be_told_ends_no_sampling() -> None:
    """The next one is there again; nothing else of the relay suffers."""
    rig = Rig()
    now, rig.now = rig.now, {}  # type: ignore[typeddict-item]
    rig.clock.advance(EVERY_SECONDS)
    rig.now = now
    rig.clock.advance(EVERY_SECONDS)
    assert rig.hour()["t"] == [1000, 1010]


def test_a_closed_period_is_marked_with_what_it_lost() -> None:
    """By what rose since the start, or the period before."""
    rig = Rig()
    listener = rig.now["listeners"][0]
    listener["kernel_drops"] = 3 + 4
    rig.watching.closed(960)
    rig.watching.closed(1020)
    first, second = rig.hour()["periods"]
    assert first["lost"] == {"kernel_drops": 4, "gap_seconds": 10}
    assert (second["start"], second["lost"]) == (1020, {})


def test_the_verdict_goes_by_the_last_minutes() -> None:
    """What was dropped long ago does not count any more."""
    rig = Rig()
    rig.now["credentials"] = None
    rig.now["listeners"][0]["kernel_drops"] = 9
    rig.clock.advance(EVERY_SECONDS)
    assert "6 came faster" in rig.watching.verdict(rig.now, ready=True).reason
    rig.clock.pump([EVERY_SECONDS] * 61)
    assert "came faster" not in rig.watching.verdict(rig.now, ready=True).reason


def test_silence_is_no_verdict_before_there_were_some_minutes() -> None:
    """After a start, with counts that an earlier process left, nobody is called silent."""
    rig = Rig()
    rig.now["credentials"] = None
    assert rig.watching.verdict(rig.now, ready=True).mood == "flows"
    rig.clock.pump([EVERY_SECONDS] * 30)
    silent = rig.watching.verdict(rig.now, ready=True)
    assert silent.sentence == "Nothing has arrived in the last 2 minutes."


def test_the_verdict_knows_what_mends_a_code() -> None:
    """From the table that the log and the doctor use."""
    rig = Rig()
    rig.now["sink"] |= {"state": "held", "reason": "NoPermission and more"}
    assert "RAM policy" in rig.watching.verdict(rig.now, ready=True).fix


def test_an_answer_is_found_by_whoever_looks_for_the_series() -> None:
    """Of the sink as it is opened, with the group of the settings."""
    rig = Rig()
    noting = rig.watching.noting(rig.sink)
    rig.engine.feed(LINE, 960)
    for sealed in rig.engine.seal(1020):
        for rollup in rig.engine.close(sealed):
            for batch in rig.watching.composing(rig.sink)(rollup).batches:
                noting.deliver(batch)
    found: list[Any] = []
    rig.watching.find("checkout", 9).addCallback(found.append)
    rig.clock.pump([0] * 10)
    (row,) = found[0]["found"]
    assert row["answer"]["word"] == "accepted"


def test_a_line_is_explained_in_the_words_of_the_command() -> None:
    """No other explanation is made for the page."""
    rig = Rig()
    item = Explainer(rig.settings).explain(LINE)
    said = rig.watching.explain(LINE)
    assert said["words"] == [*in_words(LINE, item)]
    assert (said["accepted"], said["refused"], said["ignored"]) == (1, 0, 0)


def test_an_explanation_is_bounded() -> None:
    """However many pieces a line has; how many are left out is said."""
    line = b"a:" + b":".join([b"x"] * 1000) + b"|c"
    words = Rig().watching.explain(line)["words"]
    assert isinstance(words, list)
    assert len(words) == WORDS_MAX + 1
    assert words[-1] == "  … and 801 lines more"
