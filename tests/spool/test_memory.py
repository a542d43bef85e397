"""The spool in memory: its order, its bounds, its counts."""

from relay.cloudmonitor.packing import compose
from relay.delivery.batch import Batch
from relay.rollup.engine import Rollup
from relay.rollup.series import Series
from relay.rollup.summary import CounterSummary
from relay.spool.memory import EXPIRED, SPACE, MemorySpool
from relay.spool.segment import framed
from relay.statsd.sample import Kind


def batch(name: str, closed_at: int = 0, items: int = 2, size: int = 10) -> Batch:
    """A batch of ``items`` entries of ``size`` bytes each."""
    return Batch(name, closed_at, tuple(f"{n}".ljust(size, ".") for n in range(items)))


SIZE = len(framed(0, batch("a")))
"""Of what is kept of a batch with a name of one letter where there is no room for more."""


def loose(one: Batch) -> int:
    """What a batch takes as it is, in bytes."""
    return one.size_bytes + 57 * len(one.items)


def spool(limit: int = 1_000_000, age: float = 1e9) -> MemorySpool:
    """An empty one."""
    return MemorySpool(limit_bytes=limit, max_age_seconds=age)


def take_all(one: MemorySpool, now: float = 0.0) -> list[str]:
    """The ids of what waits, in the order of taking."""
    taken = iter(lambda: one.take(now)[0], None)
    return [b.id for b in taken if b is not None]


def test_gives_the_oldest_first() -> None:
    """In the order of appending, each once."""
    one = spool()
    one.append([batch("a"), batch("b")])
    one.append([batch("c")])
    assert take_all(one) == ["a", "b", "c"]


def test_live_batches_go_before_the_backlog() -> None:
    """After an outage the newest minute goes first, then the oldest of the rest."""
    one = spool()
    one.append([batch("old", 0), batch("older", 60), batch("live", 3600)])
    assert take_all(one, now=3605.0) == ["live", "old", "older"]


def test_what_comes_back_is_next() -> None:
    """Also where it is part of the backlog."""
    one = spool()
    one.append([batch("a"), batch("b")])
    one.take(3600.0)
    one.give_back("a")
    assert take_all(one, 3600.0) == ["a", "b"]


def test_what_comes_back_behind_is_last() -> None:
    """The others go before a batch that may be the trouble."""
    one = spool()
    one.append([batch("a"), batch("b"), batch("c")])
    one.take(0.0)
    one.give_back("a", True)
    assert take_all(one) == ["b", "c", "a"]


def test_halves_take_the_place_of_the_whole() -> None:
    """In order, before all others; nothing is counted twice."""
    one = spool()
    one.append([batch("a", items=3), batch("b")])
    one.take(0.0)
    tally = one.split("a")
    assert (tally.batches, tally.entries) == (3, 5)
    assert take_all(one) == ["a.a", "a.b", "b"]
    for name in ("a.a", "a.b", "b"):
        tally = one.acknowledge(name)
    assert (tally.batches, tally.entries, tally.bytes) == (0, 0, 0)


def test_counts_what_waits_and_what_is_under_way() -> None:
    """A taken batch waits until it is acknowledged."""
    one = spool()
    one.append([batch("a"), batch("b")])
    _, tally = one.take(0.0)
    assert (tally.batches, tally.in_flight, tally.ready) == (2, 1, 1)
    assert (tally.entries, tally.bytes) == (4, 2 * loose(batch("a")))
    tally = one.acknowledge("a")
    assert (tally.batches, tally.in_flight, tally.entries) == (1, 0, 2)
    assert tally.bytes == loose(batch("a"))


def real_batches() -> list[Batch]:
    """Those of a period with 1,000 series."""
    rows = [
        (
            Series(
                Kind.COUNTER, f"shop.{n}", (), f"shop_{n}", (("instance", "web-1"),)
            ),
            CounterSummary(n / 7, float(n)),
        )
        for n in range(1000)
    ]
    return list(compose(Rollup(0, 60, rows)).batches)


def test_holds_five_times_as_much_as_entries_are_long() -> None:
    """Where room is scarce what waits is compressed: to a fifth of its entries."""
    batches = real_batches()
    one = spool(limit=sum(b.size_bytes for b in batches) // 4)
    tally = one.append(batches)
    assert (tally.entries, tally.dropped[SPACE]) == (1000, 0)
    assert [one.take(60.0)[0] for _ in batches] == batches


def test_compresses_no_more_than_it_has_to() -> None:
    """The first to come; the others stay as they are, and all are the same when taken."""
    batches = real_batches()
    whole = sum(map(loose, batches))
    one = spool(limit=whole // 2)
    tally = one.append(batches)
    assert whole // 2 - max(map(loose, batches)) < tally.bytes <= whole // 2
    tokens = [one.take(60.0)[0] for _ in batches]
    assert tokens == batches
    assert tokens[-1] is batches[-1]
    assert tokens[0] is not batches[0]
    for each in batches:
        tally = one.acknowledge(each.id)
    assert (tally.batches, tally.entries, tally.bytes) == (0, 0, 0)


def test_halves_are_compressed_where_the_whole_was() -> None:
    """To split one brings nothing beyond the limit."""
    batches = real_batches()
    limit = sum(map(loose, batches)) // 2
    one = spool(limit=limit)
    one.append(batches)
    for _ in range(3):
        taken = one.take(60.0)[0]
        assert taken is not None
        assert one.split(taken.id).bytes <= limit


def test_forgets_what_has_gone_however_long_one_stays() -> None:
    """A batch that nobody takes keeps none of those that came after it in memory."""
    one = spool()
    one.append([batch("a")])
    one.take(0.0)
    for n in range(500):
        one.append([batch(f"b{n}")])
        taken, _ = one.take(0.0)
        assert taken is not None
        tally = one.acknowledge(taken.id)
    assert tally.bytes == loose(batch("a"))
    assert len(one._loose) < 100


def test_drops_the_oldest_for_space() -> None:
    """No more than has to go, counted in entries."""
    one = spool(limit=3 * SIZE - 1)
    tally = one.append([batch("b", 60), batch("a", 0), batch("c", 120)])
    assert (tally.dropped[SPACE], tally.dropped[EXPIRED]) == (2, 0)
    assert tally.bytes == 2 * SIZE
    assert take_all(one, 60) == ["b", "c"]


def test_never_drops_what_is_under_way() -> None:
    """Its outcome is still to come, so the next oldest goes."""
    one = spool(limit=2 * SIZE)
    one.append([batch("a"), batch("b", 1)])
    one.take(0.0)
    tally = one.append([batch("c", 2)])
    assert tally.dropped[SPACE] == 2
    one.give_back("a")
    assert take_all(one) == ["a", "c"]


def test_a_batch_larger_than_the_limit_is_dropped_itself() -> None:
    """Memory is bounded whatever comes."""
    tally = spool(limit=10).append([batch("huge", size=100)])
    assert (tally.batches, tally.bytes, tally.dropped[SPACE]) == (0, 0, 2)


def test_expires_what_is_too_old_before_it_is_taken() -> None:
    """Right at the limit is young enough; the younger ones are not touched."""
    one = spool(age=100)
    one.append([batch("a", 0), batch("b", 50), batch("c", 51)])
    taken, tally = one.take(150.0)
    assert taken is not None
    assert (taken.id, tally.dropped[EXPIRED]) == ("b", 2)
    one.give_back("b", True)
    assert one.expire(150.5).dropped[EXPIRED] == 4
    assert take_all(one, 151.0) == ["c"]


def test_what_comes_back_too_old_expires() -> None:
    """A batch that aged while it was under way is dropped then, not sent again."""
    one = spool(age=100)
    one.append([batch("a", 0)])
    one.take(50.0)
    assert one.expire(500.0).dropped[EXPIRED] == 0
    one.give_back("a")
    assert one.take(500.0)[1].dropped[EXPIRED] == 2


def test_parks_with_a_reason_and_a_bound() -> None:
    """At most 5 % of the limit is kept, the oldest goes; all are counted as parked."""
    one = spool(limit=2 * SIZE * 20)  # of which a twentieth is kept
    one.append([batch(name) for name in "abcd"])
    for name in "abcd":
        one.take(0.0)
        tally = one.park(name, f"why {name}")
    assert (tally.parked, tally.parked_kept, tally.entries, tally.bytes) == (8, 4, 0, 0)
    assert [(p.batch.id, p.reason) for p in one.parked()] == [
        ("c", "why c"),
        ("d", "why d"),
    ]


def test_a_tally_stays_as_it_was() -> None:
    """It is handed to another thread."""
    one = spool(limit=10)
    before = one.tally()
    one.append([batch("a", size=100)])
    assert before.dropped[SPACE] == 0
