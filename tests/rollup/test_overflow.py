"""relay.rollup.overflow: what refused series have in common, in a few words."""

from relay.rollup.overflow import CHARACTERS, TOLD_APART, OverflowSample, Seen
from relay.statsd.sample import Reason
from tests.rollup.rig import Rig


def sampled(*names: str, reason: Reason = Reason.SERIES_LIMIT) -> OverflowSample:
    sample = OverflowSample()
    for name in names:
        sample.add(reason, name, 2, 0)
    return sample


def test_prefixes_end_at_the_first_dot() -> None:
    """They are counted, and names are not kept."""
    found = sampled("flood.a", "flood.b.c", "other", "x" * 500).sample()
    assert found.prefixes == Seen({"flood": 4, "other": 2, "x" * CHARACTERS: 2}, 0)
    assert found.names == Seen({}, 0)


def test_only_a_few_are_told_apart() -> None:
    """The first to come; the others are counted in one."""
    found = sampled(*[f"a{n}" for n in range(TOLD_APART + 5)]).sample()
    assert len(found.prefixes.known) == TOLD_APART
    assert found.prefixes.others == 10


def test_names_that_are_full_are_told() -> None:
    """They are no flood of names, so that they can be."""
    found = sampled("checkout.ok", reason=Reason.NAME_LIMIT).sample()
    assert found.names == Seen({"checkout.ok": 2}, 0)


def test_each_period_begins_anew() -> None:
    """When it has refusals; a calm one leaves what was."""
    sample = sampled("old.a")
    sample.add(Reason.SERIES_LIMIT, "new.a", 1, 60)
    assert sample.sample().prefixes == Seen({"new": 1}, 0)


def test_an_engine_tells_prefixes_and_not_lines() -> None:
    """What found no room is not among the last refusals, which others need."""
    rig = Rig("python", series_limit=1, series_limit_per_name=1)
    rig.feed("a:1|c", "flood.x:1|c", "flood.y:1:2|ms", "a:1|c|#k:v", "b:x|c")
    assert rig.engine.overflow().prefixes == Seen({"flood": 3}, 0)
    assert rig.engine.overflow().names == Seen({"a": 1}, 0)
    assert rig.refused()[Reason.NAME_LIMIT] == 1
    assert [one.text for one in rig.engine.last_refusals()] == ["b:x|c"]
