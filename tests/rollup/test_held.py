"""relay.rollup.held: how many series, and which of them has to go."""

from relay.rollup.held import Held, HeldSeries, Identity
from relay.rollup.series import Series
from relay.rollup.slot import GaugeSlot
from relay.statsd.sample import Kind


def identity(name: str) -> Identity:
    return (Kind.COUNTER.value, name, ())


def admit(held: HeldSeries, name: str, period: int) -> Held | None:
    series = Series(Kind.COUNTER, name, (), name, ())
    if held.no_room(identity(name), period) is not None:
        return None
    return held.admit(identity(name), series, period)


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
    assert held.get(identity("a")) is None


def test_the_longest_unseen_one_goes_first() -> None:
    """Being seen puts a series at the end of the line."""
    held = held_series(2, 60)
    first = admit(held, "a", 0)
    admit(held, "b", 0)
    assert first is not None
    seen = held.see(first, 60)
    admit(held, "c", 120)
    assert held.get(identity("a")) is seen
    assert held.get(identity("b")) is None


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
    found = held.get(identity(name))
    assert found is not None
    return found.last


def test_the_memory_of_a_gauge_never_goes_back() -> None:
    """A late slot of an older period is not the latest one."""
    held = held_series(1, 60)
    admit(held, "a", 60)
    lasts = [last(held, "a")]
    for value, period in ((7.0, 60), (3.0, 0), (4.0, 120)):
        found = held.get(identity("a"))
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
    assert narrow.get(identity("a")) is not None
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
