"""Series that count as others: one series, one place, one memory, and what is dropped."""

from collections.abc import Callable

from relay.rollup.summary import CounterSummary, GaugeSummary
from relay.rollup.treatment import Rewritten, Rules
from relay.statsd.sample import Kind, Reason, Tags
from tests.rollup.rig import Rig


class Rewriter:
    """Drops ``debug``, takes the tag ``pod`` away, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, kind: Kind, name: str, tags: Tags, /) -> Rewritten | Reason:
        self.asked += 1
        if name.startswith("debug"):
            return Reason.DROPPED_BY_RULE
        return Rewritten(name, tuple(pair for pair in tags if pair[0] != "pod"))


def test_what_counts_as_one_series_is_one(make_rig: Callable[..., Rig]) -> None:
    """The tags that are taken away do not tell series apart any more."""
    rig = make_rig(rules=Rules(Rewriter()))
    for pod in range(50):
        rig.feed(f"a:2|c|#pod:{pod},env:prod", f"a:x{pod}|c|#pod:{pod}", "a:3|c")
    rows = rig.base(60)
    assert {
        name: row.total for name, row in rows.items() if isinstance(row, CounterSummary)
    } == {
        "a;env=prod": 100.0,
        "a": 150.0,
    }
    assert rig.engine.tally().series == 2


def test_a_flood_of_what_is_taken_away_costs_no_place(
    make_rig: Callable[..., Rig],
) -> None:
    """The limit of series is one of those that are left."""
    rig = make_rig(rules=Rules(Rewriter()), series_limit=2)
    rig.feed(*(f"a:1|c|#pod:{pod}" for pod in range(10_000)), "b:1|c")
    assert rig.refused() == {}
    assert rig.engine.tally().series == 2
    row = rig.base(60)["a"]
    assert isinstance(row, CounterSummary)
    assert row.total == 10_000


def test_deltas_of_all_spellings_have_one_memory(make_rig: Callable[..., Rig]) -> None:
    """Also in the next period."""
    rig = make_rig(rules=Rules(Rewriter()))
    rig.feed("g:10|g|#pod:1", "g:+5|g|#pod:2")
    rig.rollups(60)
    rig.feed("g:-1|g|#pod:3", at=60)
    row = rig.rows(rig.rollups(120), 60, 60)["g"]
    assert isinstance(row, GaugeSummary)
    assert row.last == 14.0


def test_what_is_dropped_is_refused_and_counted(make_rig: Callable[..., Rig]) -> None:
    """Every value of it, in every period; and it is asked about once a spelling."""
    rewriter = Rewriter()
    rig = make_rig(rules=Rules(rewriter))
    for period in (0, 60, 120):
        rig.feed(*["debug.x:1|c", "debug.x:2:3|ms", "debug.x:a|s"] * 100, at=period)
    assert rig.refused() == {Reason.DROPPED_BY_RULE: 1200}
    assert rig.engine.tally().sections == 1200
    assert rewriter.asked == 3
    assert rig.engine.last_refusals() == ()


def test_saved_series_are_not_rewritten_again(make_rig: Callable[..., Rig]) -> None:
    """A successor goes on with the series as they count."""
    old, new = (make_rig(rules=Rules(Rewriter())) for _ in range(2))
    old.feed("a:2|c|#pod:1")
    new.engine.restore(list(old.engine.snapshot()), list(old.engine.carry()))
    new.feed("a:3|c|#pod:2")
    row = new.base(60)["a"]
    assert isinstance(row, CounterSummary)
    assert row.total == 5.0
