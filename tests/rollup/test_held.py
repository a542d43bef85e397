"""relay.rollup.held: how many series, and which of them has to go."""

from relay.rollup.gauge import GaugeSlot
from relay.rollup.held import CHARACTERS_OF_ONE, HeldSeries
from relay.rollup.roster import Held, Identity
from relay.rollup.series import Series
from relay.statsd.sample import Kind, Reason, Tags


def identity(name: str) -> Identity:
    return (Kind.COUNTER.value, name, ())


def key(name: str) -> tuple[Kind, str, Tags]:
    return (Kind.COUNTER, name, ())


def admit(held: HeldSeries, name: str, period: int) -> Held | None:
    series = Series(Kind.COUNTER, name, (), name, ())
    if held.no_room(identity(name), period) is not None:
        return None
    return held.admit(series, period)


def held_series(limit: int, idle_ttl: int) -> HeldSeries:
    return HeldSeries(limit, idle_ttl)


def gauge(value: float) -> GaugeSlot:
    slot = GaugeSlot()
    slot.take(value)
    return slot


def test_there_is_no_place_beyond_the_limit() -> None:
    """A third of two is not held."""
    held = held_series(2, 3600)
    assert [admit(held, name, 0) is not None for name in "abc"] == [True, True, False]
    assert len(held) == 2


def test_an_idle_one_gives_way_after_its_time() -> None:
    """Idle for exactly the limit is not yet long enough."""
    held = held_series(1, 120)
    admit(held, "a", 0)
    assert admit(held, "b", 120) is None
    assert admit(held, "b", 180) is not None
    assert held.get(*key("a")) is None


def test_the_longest_unseen_one_goes_first() -> None:
    """Being seen puts a series at the end of the line."""
    held = held_series(2, 60)
    first = admit(held, "a", 0)
    admit(held, "b", 0)
    assert first is not None
    seen = held.see(first, 60)
    admit(held, "c", 120)
    assert held.get(*key("a")) is seen
    assert held.get(*key("b")) is None


def test_late_samples_make_nothing_older() -> None:
    """What was seen in this period stays seen in it."""
    held = held_series(1, 60)
    first = admit(held, "a", 120)
    assert first is not None
    held.see(first, 60)
    assert admit(held, "b", 180) is None


def test_for_ever_is_for_ever() -> None:
    """An idle limit of 0 lets nothing go."""
    held = held_series(1, 0)
    admit(held, "a", 0)
    assert admit(held, "b", 10**9) is None


def test_no_place_at_all_is_no_error() -> None:
    """A limit of 0 admits nothing."""
    assert admit(held_series(0, 60), "a", 0) is None


def last(held: HeldSeries, name: str) -> float:
    found = held.get(*key(name))
    assert found is not None
    return found.last


def test_the_memory_of_a_gauge_never_goes_back() -> None:
    """A late slot of an older period is not the latest one."""
    held = held_series(1, 60)
    admit(held, "a", 60)
    lasts = [last(held, "a")]
    for value, period in ((7.0, 60), (3.0, 0), (4.0, 120)):
        found = held.get(*key("a"))
        assert found is not None
        held.remember(found, gauge(value), period)
        lasts.append(last(held, "a"))
    assert lasts == [0.0, 7.0, 7.0, 4.0]


def test_all_of_them_are_values() -> None:
    """What was given stays as it was when a series is seen again."""
    held = held_series(2, 60)
    first = admit(held, "a", 0)
    assert first is not None
    everything = held.all()
    held.see(first, 60)
    assert [one.seen for one in everything] == [0]


def test_what_is_restored_keeps_its_order() -> None:
    """The longest unseen goes first again; where there is less room, at once."""
    held, narrow, none = held_series(2, 60), held_series(1, 60), held_series(0, 60)
    first = admit(held, "a", 0)
    admit(held, "b", 0)
    assert first is not None
    held.see(first, 60)
    for other in (narrow, none):
        other.restore(reversed(held.all()))
    assert (len(narrow), len(none)) == (1, 0)
    assert narrow.get(*key("a")) is not None
    assert admit(narrow, "c", 180) is not None


def test_whoever_named_a_series_is_told_that_it_is_let_go() -> None:
    """At once that it reports no more, and that another may have its name when no period
    is open that has both; not if it is back by then."""
    gone: list[str] = []
    free: list[str] = []
    held = HeldSeries(
        1,
        60,
        apart=180,
        let_go=lambda series: gone.append(series.name),
        released=lambda series: free.append(series.name),
    )
    for name, period in (("a", 0), ("b", 120), ("a", 240)):
        admit(held, name, period)
    assert (gone, free) == (["a", "b"], [])
    for period in (360, 420):
        admit(held, "c", period)
    assert (gone, free) == (["a", "b", "a"], ["b"])


def crowded(*, limit: int = 100, limit_of_new: int = 0) -> HeldSeries:
    """Two that were known, and in the next period a flood for which there is no room."""
    held = HeldSeries(limit, 3600, limit_of_new=limit_of_new, span=300)
    for name in ("known", "idle"):
        admit(held, name, 0)
    see(held, "known", 60)
    for n in range(2 * limit):
        admit(held, f"flood{n}", 60)
    return held


def see(held: HeldSeries, name: str, period: int) -> None:
    found = held.get(*key(name))
    assert found is not None
    held.see(found, period)


def names(held: HeldSeries) -> set[str]:
    return {one.series.name for one in held.all()}


def test_who_came_in_a_crowd_gives_way_to_a_new_one() -> None:
    """In the next period, the last to come first; two in a hundred places a period."""
    held = crowded()
    found = [admit(held, f"new{n}", 120) is not None for n in range(3)]
    assert found == [True, True, False]
    assert {"known", "idle", "flood0", "flood95", "new0"} <= names(held)
    assert not {"flood96", "flood97"} & names(held)
    assert admit(held, "new3", 180) is not None


def test_who_is_seen_again_is_no_crowd() -> None:
    """It stays, also if it came with one."""
    held = crowded(limit=4)
    for name in ("flood0", "flood1"):
        see(held, name, 120)
    assert admit(held, "new", 120) is None
    assert names(held) == {"known", "idle", "flood0", "flood1"}


def test_in_the_next_span_a_flood_takes_its_own_places() -> None:
    """All of them, if need be, and none of others."""
    held = crowded()
    for n in range(200):
        admit(held, f"more{n}", 300)
    assert {"known", "idle"} <= names(held)
    assert len(held) == 100
    assert not [name for name in names(held) if name.startswith("flood")]


def test_only_so_many_new_ones_come_in_a_span() -> None:
    """Where others were held before; each time as many, and the held grow no further."""
    held = crowded(limit=1000, limit_of_new=30)
    assert len(held) == 32
    for n in range(200):
        admit(held, f"more{n}", 300)
    assert len(held) == 32
    assert {"known", "idle", "more29"} <= names(held)


def test_as_many_may_come_as_are_held() -> None:
    """Whatever the limit of new ones is; and in the first period as many as there are."""
    held = HeldSeries(1000, 3600, limit_of_new=3, span=300)
    for period, came in ((0, 50), (60, 60)):
        for n in range(came):
            admit(held, f"new{period}.{n}", period)
    assert len(held) == 100


def test_many_that_came_before_a_crowd_are_part_of_it() -> None:
    """If they came in the same span; the flood had begun by then."""
    held = HeldSeries(1000, 3600, limit_of_new=20, span=300)
    admit(held, "known", 0)
    for period in (60, 120, 180):
        for n in range(15):
            admit(held, f"flood{period}.{n}", period)
    assert len(held) == 21
    for n in range(40):
        admit(held, f"more{n}", 300)
    assert len(held) == 21
    assert not [name for name in names(held) if name.startswith("flood")]


def tagged(held: HeldSeries, name: str, tag: str, period: int) -> Reason | None:
    found: Identity = (Kind.COUNTER.value, name, (("k", tag),))
    refused = held.no_room(found, period)
    if refused is None:
        held.admit(Series(Kind.COUNTER, name, found[2], name, ()), period)
    return refused


def test_a_name_has_a_limit_of_its_own() -> None:
    """Another name is not touched; a silent series of the name gives way to a new one."""
    held = HeldSeries(100, 60, limit_per_name=2)
    found = [tagged(held, name, tag, 0) for name in "ab" for tag in "xyz"]
    assert found == [None, None, Reason.NAME_LIMIT] * 2
    assert tagged(held, "a", "z", 60) is Reason.NAME_LIMIT
    assert tagged(held, "a", "z", 120) is None
    assert len(held) == 4


def test_the_limit_of_a_name_is_restored() -> None:
    """With what is held of it."""
    old = HeldSeries(100, 60, limit_per_name=2)
    for tag in "xy":
        tagged(old, "a", tag, 0)
    new = HeldSeries(100, 60, limit_per_name=2)
    new.restore(old.all(), old.turnover())
    assert tagged(new, "a", "z", 0) is Reason.NAME_LIMIT
    assert tagged(new, "b", "z", 0) is None


def test_long_names_take_more_places() -> None:
    """One for each 256 characters begun, so that the limit is one of memory."""
    held = held_series(10, 3600)
    assert admit(held, "a" * CHARACTERS_OF_ONE * 8, 0) is not None
    assert admit(held, "b", 0) is not None
    assert admit(held, "c", 0) is None
    assert len(held) == 2
