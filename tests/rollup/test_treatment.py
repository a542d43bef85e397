"""What rules say of a series beyond its name: statistics, idleness, group."""

from collections.abc import Callable

from relay.rollup.series import Series
from relay.rollup.summary import TimerSummary
from relay.rollup.treatment import Rewritten, Rules, Treatment
from relay.statsd.sample import Kind, Reason, Tags
from tests.rollup.rig import Rig

USUAL_GROUP = "0"


class ByName:
    """The treatment that the series of a name have now."""

    def __init__(self, **treatments: Treatment) -> None:
        self.treatments = treatments

    def __call__(self, kind: Kind, name: str, tags: Tags, /) -> Rewritten | Reason:
        kept = tuple(pair for pair in tags if pair[0] != "pod")
        return Rewritten(name, kept, self.treatments.get(name, Treatment()))


def groups(rules: Rules, *names: str) -> list[str]:
    of = rules.treatments.group_of(USUAL_GROUP)
    return [of(Series(Kind.GAUGE, name, (), name, ())) for name in names]


def test_a_rule_has_percentiles_of_its_own(make_rig: Callable[..., Rig]) -> None:
    """Or none at all; in the long period too."""
    rules = Rules(
        ByName(a=Treatment(percentiles=(10, 99)), b=Treatment(percentiles=()))
    )
    rig = make_rig(rules=rules, percentiles=[50], long_factor=1)
    rig.feed("a:1:2:3|ms", "b:1|ms", "c:1|ms")
    for rollup in rig.rollups(60):
        rows = rig.rows([rollup], 0, 60)
        found = {
            name: [percentage for percentage, _ in row.percentiles]
            for name, row in rows.items()
            if isinstance(row, TimerSummary)
        }
        assert found == {"a": [10, 99], "b": [], "c": [50]}


def test_a_rule_says_how_long_idle_series_are_reported(
    make_rig: Callable[..., Rig],
) -> None:
    """For longer or shorter than the others, for ever, or not at all."""
    rules = Rules(
        ByName(
            a=Treatment(idle_ttl=60),
            b=Treatment(idle_ttl=0),
            c=Treatment(is_silent=True),
            d=Treatment(is_silent=False),
        )
    )
    rig = make_rig(rules=rules, idle_ttl_seconds=120, silent_kinds=[Kind.SET])
    rig.feed("a:1|g", "b:1|g", "c:1|g", "d:x|s", "e:1|g", "f:x|s")
    assert set(rig.base(60)) == {"a", "b", "c", "d", "e", "f"}
    assert set(rig.base(120)) == {"a", "b", "d", "e"}
    assert set(rig.base(180)) == {"b", "d", "e"}
    assert set(rig.base(240)) == {"b"}


def test_who_is_silent_by_rule_gives_way(make_rig: Callable[..., Rig]) -> None:
    """When there is no room for a new one."""
    rig = make_rig(rules=Rules(ByName(a=Treatment(idle_ttl=60))), series_limit=1)
    rig.feed("a:1|c")
    rig.feed("b:1|c", at=60)
    assert rig.refused() == {Reason.SERIES_LIMIT: 1}
    rig.feed("b:1|c", at=120)
    assert rig.refused() == {Reason.SERIES_LIMIT: 1}


def test_the_latest_rule_holds(make_rig: Callable[..., Rig]) -> None:
    """Where spellings of one series have several."""
    by_name = ByName(a=Treatment(group="7"))
    rules = Rules(by_name)
    rig = make_rig(rules=rules)
    rig.feed("a:1|g|#pod:1")
    assert groups(rules, "a", "b") == ["7", USUAL_GROUP]
    by_name.treatments["a"] = Treatment(group="8")
    rig.feed("a:1|g|#pod:2")
    assert groups(rules, "a") == ["8"]
    del by_name.treatments["a"]
    rig.feed("a:1|g|#pod:3")
    assert groups(rules, "a") == [USUAL_GROUP]


def test_a_successor_treats_idle_series_as_before(make_rig: Callable[..., Rig]) -> None:
    """Until it sees them again, as the rules may be others by then."""
    whole = Treatment("7", (50, 99), 60, is_silent=False, priority=-3)
    old = make_rig(rules=Rules(ByName(a=whole)))
    old.feed("a:1|g", "b:1|g")
    new_rules = Rules(ByName())
    new = make_rig(rules=new_rules)
    new.engine.restore(list(old.engine.snapshot()), list(old.engine.carry()))
    [a] = [row for row in new.rollups(60)[0].rows if row[0].name == "a"]
    assert new_rules.treatments.of(a[0]) == whole
    assert groups(new_rules, "a", "b") == ["7", USUAL_GROUP]
    new.feed("a:1|g", at=60)
    assert groups(new_rules, "a") == [USUAL_GROUP]


def test_what_is_carried_is_treated_as_before(make_rig: Callable[..., Rig]) -> None:
    """The long period under way as well, where nothing else is left."""
    old = make_rig(rules=Rules(ByName(a=Treatment(group="7"))))
    old.feed("a:1|g")
    old.rollups(60)
    new_rules = Rules()
    new = make_rig(rules=new_rules)
    assert new.engine.restore((), list(old.engine.carry())).unfit_carry is None
    assert groups(new_rules, "a") == ["7"]


def test_a_name_that_is_free_again_has_no_treatment(
    make_rig: Callable[..., Rig],
) -> None:
    """Nothing is kept of series that nobody holds."""
    rules = Rules(ByName(a=Treatment(group="7")))
    rig = make_rig(rules=rules, series_limit=1, idle_ttl_seconds=60, long_factor=0)
    rig.feed("a:1|g")
    for at in range(120, 600, 60):
        rig.feed("b:1|g", f"c{at}:1|g", at=at)
    assert not rules.treatments.are_any
