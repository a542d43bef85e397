"""relay.cloudmonitor.owners: first comers, and how they are saved."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.cloudmonitor.naming import Namer
from relay.cloudmonitor.owners import Claim, Owners
from relay.rollup.reported import PythonReported
from relay.rollup.series import Series
from relay.statsd.sample import Kind

PLAIN = (("instance", "web"),)

TEXTS = st.text(max_size=120)
TAGS = st.lists(st.tuples(TEXTS, st.none() | TEXTS), max_size=2).map(tuple)
DIMENSIONS = st.just(PLAIN) | st.lists(st.tuples(TEXTS, TEXTS), max_size=2).map(tuple)
SERIES = st.builds(Series, st.sampled_from(Kind), TEXTS, TAGS, TEXTS, DIMENSIONS)


def series(name: str, metric: str = "metric") -> Series:
    return Series(Kind.COUNTER, name, (), metric, PLAIN)


def saved(owners: Owners) -> Owners:
    successor = Owners(PythonReported())
    assert successor.restore(owners.save()) is None
    return successor


@given(st.lists(SERIES, max_size=8))
def test_who_came_first_survives(claimants: list[Series]) -> None:
    """Whoever else asks is told so; who it is finds everything as it was."""
    old = Owners(PythonReported())
    first: dict[tuple[object, ...], Series] = {}
    for one in claimants:
        old.claim(one)
        first.setdefault((one.metric, one.dimensions), one)
    new = saved(old)
    for owner in first.values():
        kind, name, tags, _, dimensions = owner
        late = Series(kind, f"{name} late", tags, owner.metric, dimensions)
        assert new.claim(late) is old.claim(late) is Claim.TAKEN
        assert new.shown(late) == old.shown(late) == shown(owner)
        assert new.claim(owner) is old.claim(owner) is Claim.OWN
        assert new.claim(late) is Claim.TAKEN
    assert new.claims == 0


def shown(owner: Series) -> str:
    text = f"{owner.kind.value}/{owner.name}"[:100]
    return text.encode("utf-8", "replace").decode()


def test_who_is_not_there_any_more_is_forgotten() -> None:
    """Once all who are have claimed what is theirs."""
    old = Owners(PythonReported())
    for name in ("here", "gone"):
        old.claim(series(name, name))
    new = saved(old)
    new.claim(series("here", "here"))
    new.settle()
    assert new.claim(series("late", "here")) is Claim.TAKEN
    assert new.claim(series("late", "gone")) is Claim.FRESH


def test_who_is_released_makes_room() -> None:
    """Nobody can release what is another's."""
    owners = Owners(PythonReported())
    owners.claim(series("first"))
    owners.release(series("second"))
    assert owners.claim(series("second")) is Claim.TAKEN
    owners.release(series("first"))
    assert owners.claim(series("second")) is Claim.FRESH


def test_other_dimensions_are_another_identity() -> None:
    """Of the same metric; those that most have are no exception."""
    owners = Owners(PythonReported())
    claims = [
        owners.claim(Series(Kind.COUNTER, name, (), "metric", dimensions))
        for name in "ab"
        for dimensions in (PLAIN, (("instance", "web"), ("k", "v")), ())
    ]
    assert claims == [Claim.FRESH] * 3 + [Claim.TAKEN] * 3


def test_a_save_is_of_its_moment() -> None:
    """Who comes while the parts are made is not in them."""
    old, new = Owners(PythonReported()), Owners(PythonReported())
    parts = old.save()
    old.claim(series("owner"))
    new.restore(parts)
    assert new.claim(series("late")) is Claim.FRESH


def test_claims_say_whether_there_is_more_to_save() -> None:
    """Being asked again is nothing new."""
    owners = Owners(PythonReported())
    for name in "aab":
        owners.claim(series(name, name))
    assert owners.claims == 2


def test_saved_owners_are_those_of_the_first_version() -> None:
    """A digest of the identity, the owner's length, a digest of the owner, its name."""
    owners = Owners(PythonReported())
    owners.claim(Series(Kind.GAUGE, "a.b", (("k", None),), "a_b", PLAIN))
    head, part = owners.save()
    assert head == b'{"what": "owners of names", "version": 1}'
    digests = "19cf0adccd81d3c6", "4b2c201c0fe0548f"
    assert (part[:8].hex(), part[10:18].hex()) == digests
    assert (part[8:10], part[18:]) == (b"\x11\0", b"gauge/a.b")


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
    owners = Owners(PythonReported())
    assert owners.restore(parts)
    assert owners.claim(series("late")) is Claim.FRESH


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
