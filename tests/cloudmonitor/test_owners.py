"""relay.cloudmonitor.owners: first comers, and how they are saved."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.cloudmonitor.naming import Namer
from relay.cloudmonitor.owners import Owners
from relay.rollup.series import Series
from relay.statsd.sample import Kind

IDENTITIES = st.binary(min_size=8, max_size=8)


@given(st.dictionaries(IDENTITIES, st.binary(min_size=1, max_size=300)))
def test_who_came_first_survives(claims: dict[bytes, bytes]) -> None:
    """Whoever else asks is told so; who it is finds everything as it was."""
    old, new = Owners(), Owners()
    for identity, owner in claims.items():
        old.claim(identity, owner)
    assert new.restore(old.save()) is None
    for identity, owner in claims.items():
        assert new.claim(identity, b"late" + owner) == owner
        assert new.claim(identity, owner) == owner
    assert new.claims == 0


def test_who_is_not_there_any_more_is_forgotten() -> None:
    """Once all who are have claimed what is theirs."""
    old, new = Owners(), Owners()
    for owner in (b"here", b"gone"):
        old.claim(owner, owner)
    new.restore(old.save())
    new.claim(b"here", b"here")
    new.settle()
    assert new.claim(b"here", b"late") == b"here"
    assert new.claim(b"gone", b"late") is None


def test_who_is_released_makes_room() -> None:
    """Nobody can release what is another's."""
    owners = Owners()
    owners.claim(b"identity", b"first")
    owners.release(b"identity", b"second")
    assert owners.claim(b"identity", b"second") == b"first"
    owners.release(b"identity", b"first")
    assert owners.claim(b"identity", b"second") is None


def test_a_save_is_of_its_moment() -> None:
    """Who comes while the parts are made is not in them."""
    old, new = Owners(), Owners()
    parts = old.save()
    old.claim(b"identity", b"owner")
    new.restore(parts)
    assert new.claim(b"identity", b"late") is None


def test_claims_say_whether_there_is_more_to_save() -> None:
    """Being asked again is nothing new."""
    owners = Owners()
    for identity in (b"a", b"a", b"b"):
        owners.claim(identity, b"owner")
    assert owners.claims == 2


@pytest.mark.parametrize(
    "parts",
    [
        [b""],
        [b"{}"],
        [b'{"what": "owners of names", "version": 2}'],
        [b'{"what": "owners of names", "version": 1}', b"short"],
        [b'{"what": "owners of names", "version": 1}', b"identity\xff\0owner"],
    ],
)
def test_what_does_not_fit_is_refused_whole(parts: list[bytes]) -> None:
    """With a reason, and nothing of it is taken."""
    owners = Owners()
    assert owners.restore(parts)
    assert owners.claim(b"identity", b"late") is None


def test_twins_keep_their_names_across_a_restart() -> None:
    """Also when the second comer is the first to be named again; counted once."""
    old, new = Namer(instance="web"), Namer(instance="web")
    first = old(Kind.COUNTER, "a.b", ())
    second = old(Kind.COUNTER, "a_b", ())
    assert old.claims == 2
    new.restore(old.save())
    assert new(Kind.COUNTER, "a_b", ()) == second
    assert new(Kind.COUNTER, "a.b", ()) == first
    new.settle()
    assert isinstance(second, Series)
    assert dict(second.dimensions)["statsd_series"] == "counter/a_b"
    assert (new.claims, new.collision_count) == (0, 0)
