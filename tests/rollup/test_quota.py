"""The quota of series: who finds a place, who gives way, and what the service may say."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.rollup.quota import SHUT_SECONDS, Quota
from relay.rollup.summary import CounterSummary
from relay.rollup.treatment import Rewritten, Rules, Treatment
from relay.statsd.sample import Kind, Reason, Tags
from tests.rollup.rig import Rig


def test_of_the_places_a_tenth_is_kept_for_each_priority_above() -> None:
    """And half of them at most."""
    quota = Quota(100, [2, 1, -1])
    assert [quota.share(priority) for priority in (2, 1, 0, -1)] == [100, 90, 80, 70]
    assert Quota(100, range(10)).share(0) == 50
    assert Quota(100).share(0) == 100


@given(st.integers(1, 10**6), st.sets(st.integers(-9, 9)))
def test_whoever_matters_more_has_no_fewer_places(limit: int, some: set[int]) -> None:
    """And none has more than there are, or none at all."""
    quota = Quota(limit, some)
    shares = [quota.share(priority) for priority in range(-9, 10)]
    assert shares == sorted(shares)
    assert 1 <= shares[0] <= shares[-1] == limit


def by_priority(kind: Kind, name: str, tags: Tags, /) -> Rewritten | Reason:
    """What begins with ``vip`` has a priority of 1."""
    priority = 1 if name.startswith("vip") else 0
    return Rewritten(name, tags, Treatment(priority=priority))


def test_a_flood_leaves_room_for_what_matters(make_rig: Callable[..., Rig]) -> None:
    """And is refused in a way of its own, with the number of its samples."""
    rig = make_rig(rules=Rules(by_priority, Quota(10, [1])))
    rig.feed(*(f"n{number}:1|c" for number in range(50)), "vip:1|c")
    assert rig.refused() == {Reason.SERIES_QUOTA: 41}
    assert set(rig.base(60)) == {*(f"n{number}" for number in range(9)), "vip"}


A_THOUSAND = [
    pytest.param(lambda: {"rules": Rules(quota=Quota(1000))}, id="quota"),
    pytest.param(lambda: {"series_limit": 1000}, id="limit"),
]


@pytest.mark.parametrize("options", A_THOUSAND)
@pytest.mark.parametrize("flood", [20_000])
def test_known_series_lose_nothing_in_a_flood(
    make_rig: Callable[..., Rig], flood: int, options: Callable[[], dict[str, Any]]
) -> None:
    """Every sample of theirs is in what is reported, every other one is counted."""
    rig = make_rig(**options())
    known = [f"known.{number}:1|c" for number in range(1000)]
    rig.feed(*known)
    for first in range(0, flood, 1000):
        rig.feed(*(f"new.{number}:1|c" for number in range(first, first + 1000)))
        rig.feed(*known)
    rows = rig.base(60)
    assert {row.total for row in rows.values() if isinstance(row, CounterSummary)} == {
        flood / 1000 + 1
    }
    assert len(rows) == 1000
    assert list(rig.refused().values()) == [flood]


def test_who_is_silent_gives_way(make_rig: Callable[..., Rig]) -> None:
    """It is not reported any more; who is idle and reported does not."""
    rig = make_rig(rules=Rules(quota=Quota(1)), idle_ttl_seconds=120)
    rig.feed("a:1|c")
    rig.feed("b:1|c", at=120)
    assert rig.refused() == {Reason.SERIES_QUOTA: 1}
    rig.feed("b:1|c", at=180)
    assert rig.refused() == {Reason.SERIES_QUOTA: 1}
    assert rig.engine.tally().series == 1


def test_without_a_limit_nobody_is_refused(make_rig: Callable[..., Rig]) -> None:
    """It is the default."""
    rig = make_rig(rules=Rules(quota=Quota()))
    rig.feed(*(f"n{number}:1|c" for number in range(500)))
    assert rig.refused() == {}


def test_when_the_service_has_enough_only_the_known_go_on(
    make_rig: Callable[..., Rig],
) -> None:
    """Also without a limit of ours, for an hour after it last said so."""
    quota = Quota()
    rig = make_rig(rules=Rules(quota=quota))
    rig.feed("a:1|c")
    quota.service_is_full()
    rig.feed("a:1|c", "b:1|c", at=60)
    quota.service_is_full()
    rig.feed("b:1|c", at=120)
    rig.feed("a:1|c", "b:1|c", at=60 + SHUT_SECONDS)
    assert rig.refused() == {Reason.SERIES_QUOTA: 3}
    assert quota.is_refused
    rig.feed("b:1|c", at=120 + SHUT_SECONDS)
    assert rig.refused() == {Reason.SERIES_QUOTA: 3}
    assert not quota.is_refused


def test_more_places_help_at_once(make_rig: Callable[..., Rig]) -> None:
    """Whoever bought more changes the limit in place."""
    quota = Quota(1)
    rig = make_rig(rules=Rules(quota=quota))
    rig.feed("a:1|c", "b:1|c")
    quota.limit = 2
    rig.feed("b:1|c")
    assert rig.refused() == {Reason.SERIES_QUOTA: 1}


@pytest.mark.soak
@pytest.mark.parametrize("options", A_THOUSAND)
def test_ten_million_names_do_not_touch_a_thousand(
    make_rig: Callable[..., Rig], options: Callable[[], dict[str, Any]]
) -> None:
    """As above, at length."""
    test_known_series_lose_nothing_in_a_flood(make_rig, 10_000_000, options)
