"""Series and what they are called: dimensions, twins, and what is left out."""

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.cloudmonitor.contract import (
    DIMENSION_KEY_SAFE,
    DIMENSION_VALUE_SAFE,
    DIMENSIONS_MAX,
    NAME_SAFE,
)
from relay.cloudmonitor.naming import Collision, Namer
from relay.errors import ConfigError
from relay.rollup.series import Dimensions, Resolve, Series
from relay.statsd.sample import Kind, Tags, What

C, G, T = Kind.COUNTER, Kind.GAUGE, Kind.TIMER


def named(namer: Resolve, kind: Kind = C, name: str = "a", tags: Tags = ()) -> Series:
    series = namer(kind, name, tags)
    assert isinstance(series, Series)
    return series


def dimensions(*tags: tuple[str, str | None], **options: object) -> Dimensions:
    """Of a counter with these tags, sorted as the grammar sorts them."""
    namer = Namer(**{"instance": None, **options})  # type: ignore[arg-type]  # any option
    return named(namer, tags=tuple(sorted(tags))).dimensions


def test_the_series_keeps_both_views() -> None:
    """StatsD's words stay beside the vendor's."""
    tags = (("env", "prod"),)
    assert Namer(instance="web-1")(C, "checkout.ok", tags) == Series(
        C,
        "checkout.ok",
        tags,
        "checkout_ok",
        (("env", "prod"), ("instance", "web-1")),
    )


def test_a_bare_tag_is_true() -> None:
    """The service wants a value."""
    assert dimensions(("canary", None)) == (("canary", "true"),)


def test_an_empty_value_is_left_out() -> None:
    """A value has at least one character; it is not counted as a dropped tag."""
    namer = Namer(instance="i")
    assert named(namer, tags=(("k", ""),)).dimensions == (("instance", "i"),)
    assert namer.dropped_tags == 0


def test_without_any_pair_there_is_a_constant_one() -> None:
    """An empty object is doubtful."""
    assert dimensions() == (("source", "statsd"),)


def test_the_instance_is_configurable() -> None:
    """Its key and its value, both cleaned."""
    assert dimensions(instance="web 1", instance_key="pod.name") == (
        ("pod_name", "web_1"),
    )


def test_a_tag_of_the_instances_key_is_renamed() -> None:
    """As Prometheus does with labels of a target."""
    assert dimensions(("instance", "x"), instance="i") == (
        ("exported_instance", "x"),
        ("instance", "i"),
    )


def test_the_new_name_may_be_taken() -> None:
    """Then it is prefixed again."""
    assert dimensions(("instance", "x"), ("exported_instance", "y"), instance="i") == (
        ("exported_exported_instance", "x"),
        ("exported_instance", "y"),
        ("instance", "i"),
    )


def test_without_instance_its_key_is_free() -> None:
    """A tag may use it as it is."""
    assert dimensions(("instance", "x")) == (("instance", "x"),)


def test_the_key_that_tells_twins_apart_is_ours() -> None:
    """A tag cannot pose as it, nor can the instance."""
    assert dimensions(("statsd_series", "x")) == (("exported_statsd_series", "x"),)
    with pytest.raises(ConfigError, match="instance_key"):
        Namer(instance="i", instance_key="statsd.series")


NINE = tuple((f"k{n}", "v") for n in range(9))


def test_eight_tags_go_out() -> None:
    """The first by name; the others are counted."""
    namer = Namer(instance=None)
    assert named(namer, tags=NINE).dimensions == NINE[:8]
    assert namer.dropped_tags == 1


def test_first_tags_go_out_first() -> None:
    """In their order, before the alphabet has its say; here only the last is left out."""
    first = ("absent", *(f"k{n}" for n in range(8, 0, -1)))
    assert dimensions(*NINE, first_tags=first) == NINE[1:]
    assert dimensions(*NINE, first_tags=("k8",)) == (*NINE[:7], NINE[8])


def test_first_tags_as_they_are_sent() -> None:
    """A configured name is cleaned, and renamed where the tag is."""
    tags = (*((f"a{n}", "v") for n in range(9)), ("y.y", "v"), ("z", "v"))
    kept = dimensions(*tags, instance="i", instance_key="z", first_tags=("z", "y.y"))
    assert {"exported_z", "y_y"} < dict(kept).keys()


def test_two_keys_in_one() -> None:
    """The one that is clean already wins, else the first by name; the other counts."""
    namer = Namer(instance=None)
    tags = (("a-b", "1"), ("a.b", "2"), ("a_b", "3"), ("c.d", "4"), ("c/d", "5"))
    assert named(namer, tags=tags).dimensions == (("a_b", "3"), ("c_d", "4"))
    assert namer.dropped_tags == 3


def test_an_identity_is_told_apart_by_kind() -> None:
    """The first comer keeps it, the next is marked, and both are listed."""
    namer = Namer(instance=None)
    assert named(namer, C).dimensions == (("source", "statsd"),)
    assert named(namer, G).dimensions == (
        ("source", "statsd"),
        ("statsd_series", "gauge/a"),
    )
    assert namer.collisions == (Collision("a", "counter/a", "gauge/a"),)


def test_asked_again_it_answers_the_same() -> None:
    """And counts no second collision."""
    namer = Namer(instance=None)
    asked = [(C, "a.b"), (C, "a_b"), (G, "a.b")]
    first = [named(namer, *series) for series in asked]
    assert [named(namer, *series) for series in reversed(asked)] == first[::-1]
    assert namer.collision_count == 2


def marks(*values: str) -> list[str]:
    """What tells counters apart that differ in the value of one tag only."""
    namer = Namer(instance=None)
    return [
        dict(named(namer, tags=(("k", value),)).dimensions).get("statsd_series", "")
        for value in values
    ]


def test_still_not_unique() -> None:
    """Series of one kind and name get a hash, which is of the series and not of luck."""
    plain, second, third, fourth = marks("a:b", "a,b", "a=b", "a_b")
    assert (plain, second) == ("", "counter/a")
    assert re.fullmatch("counter/a_[0-9a-f]{8}", third)
    assert marks("a:b", "a,b", "a_b", "a=b") == [plain, second, fourth, third]
    assert third != fourth


def test_hashes_that_clash(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight digits may be the same for two series; then another eight are tried."""
    hashing = "relay.cloudmonitor.naming.with_hash"
    monkeypatch.setattr(hashing, lambda text, whole: f"{text}_{len(whole)}")
    assert marks("a:b", "a,b", "a=b", "a_b") == [
        "",
        "counter/a",
        "counter/a_16",
        "counter/a_17",
    ]


def test_a_mark_that_is_cut() -> None:
    """It keeps a hash, as every cut value."""
    namer = Namer(instance=None)
    long = "n" * 60
    named(namer, C, long)
    mark = dict(named(namer, T, long).dimensions)["statsd_series"]
    assert re.fullmatch("timer/n{49}_[0-9a-f]{8}", mark)


def test_collisions_are_listed_within_bounds() -> None:
    """The latest hundred; the count has them all. Long names are shown cut."""
    namer = Namer(instance=None)
    for n in range(101):
        named(namer, C, f"x{n}.{'y' * 500}")
        named(namer, G, f"x{n}.{'y' * 500}")
    assert namer.collision_count == 101
    assert len(namer.collisions) == 100
    assert len(namer.collisions[0].first) == 100


def test_a_name_that_was_let_go_is_free() -> None:
    """The next comer has it plainly; who comes back is the twin then."""
    namer = Namer(instance=None)
    first = namer(C, "a.b", ())
    assert isinstance(first, Series)
    namer.release(first)
    assert len(named(namer, C, "a_b").dimensions) == 1
    assert len(named(namer, C, "a.b").dimensions) == 2


def test_a_twin_that_is_let_go_frees_nothing_of_the_first() -> None:
    """Each owns its own identity only."""
    namer = Namer(instance=None)
    named(namer, C, "a.b")
    twin = namer(G, "a.b", ())
    assert isinstance(twin, Series)
    namer.release(twin)
    assert [len(named(namer, kind, "a.b").dimensions) for kind in (C, G)] == [1, 2]


def test_owners_are_not_forgotten_while_they_are_held() -> None:
    """However many others come meanwhile."""
    namer = Namer(instance=None)
    for n in range(1000):
        named(namer, C, f"a{n}")
    assert len(named(namer, G, "a0").dimensions) == 2


@pytest.mark.parametrize(
    "name", ["datadog.dogstatsd.client.metrics", "dd.internal.entity_id"]
)
def test_telemetry_of_clients_is_ignored(name: str) -> None:
    """Series cost money; it can be switched on."""
    assert Namer(instance=None)(C, name, ()) is What.CLIENT_TELEMETRY
    switched_on = Namer(instance=None, report_client_telemetry=True)
    assert isinstance(switched_on(C, name, ()), Series)


@pytest.mark.parametrize(
    "name", ["datadog.dogstatsd.clients", "dd.internals", "x.dd.internal.y"]
)
def test_what_only_looks_like_telemetry(name: str) -> None:
    """A name that shares letters with it is a metric like any other."""
    assert isinstance(Namer(instance=None)(C, name, ()), Series)


def tags_of(text: st.SearchStrategy[str], **size: int) -> st.SearchStrategy[Tags]:
    pairs = st.dictionaries(text, st.none() | text, **size)  # type: ignore[arg-type]  # sizes
    return pairs.map(lambda tags: tuple(sorted(tags.items())))


ANY = st.text(min_size=1, max_size=70)
FEW = st.text(alphabet="a.:é", min_size=1, max_size=2)  # many of them clean to one


@given(ANY, tags_of(ANY, max_size=12), st.none() | ANY)
def test_whatever_is_named_is_within_the_contract(
    name: str, tags: Tags, instance: str | None
) -> None:
    """Safe texts, one pair at least and nine at most, sorted, one a key."""
    series = named(Namer(instance=instance), name=name, tags=tags)
    keys = [key for key, _ in series.dimensions]
    assert re.fullmatch(NAME_SAFE, series.metric)
    assert keys == sorted(set(keys))
    assert 1 <= len(keys) < DIMENSIONS_MAX
    for key, value in series.dimensions:
        assert re.fullmatch(DIMENSION_KEY_SAFE, key)
        assert re.fullmatch(DIMENSION_VALUE_SAFE, value)


@given(
    st.lists(st.tuples(st.sampled_from([C, G, T]), FEW, tags_of(FEW, max_size=3))),
    st.booleans(),
)
def test_two_series_never_share_an_identity(
    asked: list[tuple[Kind, str, Tags]], with_instance: bool
) -> None:
    """However alike they look once they are clean."""
    namer = Namer(instance="a" if with_instance else None, instance_key="a")
    owners: dict[object, object] = {}
    for spelling in itertools.chain(asked, asked):
        series = named(namer, *spelling)
        assert len(series.dimensions) <= DIMENSIONS_MAX
        identity = series.metric, series.dimensions
        assert owners.setdefault(identity, spelling) == spelling
    assert len(owners) == len(set(asked))
