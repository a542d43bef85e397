"""The search over live series: what it finds, what it shows, and that it yields."""

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from relay.cloudmonitor.packing import compose
from relay.delivery.outcome import Rejected
from relay.pipeline import build_engine, build_mapper, build_namer, build_rules
from relay.rollup.engine import Engine
from relay.rollup.series import Series
from relay.search import SLICE_SERIES, Search
from relay.service.answered import Answers, Watched
from relay.settings import Settings
from relay.statsd.sample import Kind

FIFTH_RULE = (5, "api.*")


class Turns(Clock):
    """Counts what is put off to another turn."""

    count = 0

    def callLater(self, *args: Any, **kwargs: Any) -> Any:  # noqa: N802
        self.count += 1
        return super().callLater(*args, **kwargs)


class Rig:
    """A search over an engine of its own."""

    def __init__(self) -> None:
        settings = Settings(instance="h", sink="null")
        rules = build_rules(settings, build_mapper(settings))
        self.engine: Engine = build_engine(settings, build_namer(settings), rules)
        self.answers, self.watched = Answers(lambda: 7.0), Watched()
        self.clock = Turns()
        self.group_of = rules.treatments.group_of("77")
        self.search = Search(
            self.engine,
            period=lambda: 60,
            length=60,
            rule_of=self.rule_of,
            answers=self.answers,
            watched=self.watched,
            clock=self.clock,
        )

    def rule_of(self, series: Series) -> tuple[int, str] | None:
        return FIFTH_RULE if series.name.startswith("api.") else None

    def feed(self, *lines: str) -> None:
        for line in lines:
            self.engine.feed(line.encode(), 60)

    def close(self) -> None:
        """The period is over: composed, and refused by the service."""
        (sealed,) = self.engine.seal(120)
        for rollup in self.engine.close(sealed):
            seen = self.watched.seeing(rollup, 60)
            for batch in compose(seen, group_of=self.group_of).batches:
                self.answers.note(batch, Rejected("400", "no"))

    def find(self, query: str, limit: int = 20) -> dict[str, object]:
        found: list[dict[str, object]] = []
        pending = self.search.find(query, limit)
        pending.addCallback(found.append)
        while not found:
            self.clock.advance(0)
        return found[0]

    def names(self, query: str, limit: int = 20) -> set[str]:
        rows = self.find(query, limit)["found"]
        assert isinstance(rows, list)
        return {row["name"] for row in rows}

    def only(self, query: str) -> dict[str, object]:
        rows = self.find(query)["found"]
        assert isinstance(rows, list)
        (row,) = rows
        assert isinstance(row, dict)
        return row


def test_finds_by_all_words_of_name_tags_metric_and_kind() -> None:
    """In any case and order; none is all."""
    rig = Rig()
    rig.feed("Check.ok:1|c|#env:prod", "check.ok:1|c|#env:test", "depth:3|g")
    assert rig.names("check") == {"Check.ok;env=prod", "check.ok;env=test"}
    assert rig.names("PROD check") == {"Check.ok;env=prod"}
    assert rig.names("check_ok env=test") == {"check.ok;env=test"}
    assert rig.names("gauge") == {"depth"}
    assert rig.names("check gauge") == set()
    assert len(rig.names("")) == 3


def test_shows_what_a_series_is_and_what_it_has_so_far() -> None:
    """Before a period was closed since somebody looked."""
    rig = Rig()
    rig.feed("api.get:2|c|#env:prod")
    row = rig.only("api")
    assert (row["kind"], row["metric"]) == ("counter", "api_get")
    assert row["dimensions"] == {"env": "prod", "instance": "h"}
    assert row["rule"] == {"number": 5, "match": "api.*"}
    assert row["values"] == {"Sum": 2.0, "SumPerSecond": 2 / 60, "SampleCount": 1}
    assert row["of"] == {"start": 60, "length": 60, "is_closed": False}
    assert row["answer"] is None


def test_shows_what_it_reported_last_and_what_came_of_it() -> None:
    """Once a period was closed; the answer is there for all, watched or not."""
    rig = Rig()
    rig.feed("bee:5|g", "sea:1|c")
    rig.only("bee")
    rig.close()
    row, other = rig.only("bee"), rig.only("sea")
    assert row["of"] == {"start": 60, "length": 60, "is_closed": True}
    assert isinstance(row["values"], dict)
    assert row["values"]["LastValue"] == 5.0
    assert row["answer"] == {"word": "rejected", "text": "400 no", "at": 7.0} | {
        "closed_at": 120
    }
    assert other["answer"] == row["answer"]
    assert isinstance(other["of"], dict)
    assert not other["of"]["is_closed"]


def test_stops_at_enough_and_says_that_there_are_more() -> None:
    """Exactly as many are no more."""
    rig = Rig()
    rig.feed("a:1|c", "b:1|c", "c:1|c")
    assert rig.find("", 3)["more"] is False
    found = rig.find("", 2)
    assert found["more"] is True
    assert isinstance(found["found"], list)
    assert len(found["found"]) == 2


def test_a_long_search_yields_to_the_reactor() -> None:
    """A slice a turn, however many series are held, and each is looked at once."""
    rig = Rig()
    rig.feed(*(f"s{n}:1|c" for n in range(4 * SLICE_SERIES + 1)))
    found = rig.find("nothing")
    assert rig.clock.count == 4 + len(Kind)
    assert (found["scanned"], found["found"]) == (4 * SLICE_SERIES + 1, [])


def test_series_may_come_while_it_searches() -> None:
    """What is fed between two turns breaks nothing."""
    rig = Rig()
    rig.feed(*(f"s{n}:1|c" for n in range(SLICE_SERIES + 1)))
    found: list[object] = []
    rig.search.find("nothing", 9).addCallback(found.append)
    rig.feed(*(f"t{n}:1|c" for n in range(SLICE_SERIES)))
    for _ in range(3):
        rig.clock.advance(0)
    assert len(found) == 1


def test_a_search_that_was_given_up_goes_on_no_more() -> None:
    """No further slice is looked at, and nothing is left to be called."""
    rig = Rig()
    rig.feed(*(f"s{n}:1|c" for n in range(3 * SLICE_SERIES)))
    pending: Deferred[dict[str, object]] = rig.search.find("nothing", 9)
    pending.addErrback(lambda _: None)
    turns = rig.clock.count
    pending.cancel()
    rig.clock.advance(0)
    assert (rig.clock.count, rig.clock.getDelayedCalls()) == (turns, [])


def test_a_defect_is_told_to_who_waits() -> None:
    """Also when it is met in a later turn."""
    rig = Rig()
    rig.feed(*(f"s{n}:1|c" for n in range(SLICE_SERIES)), "api.x:1|c")
    rig.search._rule_of = lambda series: 1 / 0  # type: ignore[assignment, return-value]
    failures: list[object] = []
    rig.search.find("api", 9).addErrback(failures.append)
    rig.clock.advance(0)
    assert len(failures) == 1
