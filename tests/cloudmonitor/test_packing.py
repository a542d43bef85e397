"""Batches: nothing lost, nothing too large, measured on real request bodies."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.cloudmonitor.credentials import Credentials, Secret
from relay.cloudmonitor.datum import Datum, encode, in_group
from relay.cloudmonitor.exchange import Endpoint, put_request
from relay.cloudmonitor.packing import Oversize, Packed, compose, pack, unreported
from relay.delivery.batch import Batch
from relay.rollup.engine import Rollup
from relay.rollup.series import Series
from relay.rollup.summary import SetSummary
from relay.statsd.sample import Kind


def item(metric: str) -> str:
    return encode(Datum("0", metric, (("k", "v"),), 60, 0, {"Sum": 1.0}))


def body_bytes(items: Sequence[str]) -> int:
    """Of the request that carries these items."""
    request = put_request(
        items,
        endpoint=Endpoint("https", "h"),
        credentials=Credentials("key", Secret("secret")),
        now=0,
        nonce="n",
    )
    return len(request.body)


class Whole(NamedTuple):
    """What ``Packed`` gives."""

    batches: list[Batch]
    refused: list[Oversize]

    @classmethod
    def of(cls, packed: Packed) -> "Whole":
        return cls(list(packed.batches), packed.refused)


def packed(items: Iterable[str], max_entries: int, max_bytes: int) -> Whole:
    return Whole.of(
        pack(
            items,
            prefix="p",
            closed_at=60,
            max_entries=max_entries,
            max_bytes=max_bytes,
        )
    )


def test_by_number() -> None:
    """Full batches first; ids count from one."""
    a, b, c = map(item, "abc")
    assert packed([a, b, c], 2, 10_000) == (
        [Batch("p/1", 60, (a, b)), Batch("p/2", 60, (c,))],
        [],
    )


@pytest.mark.parametrize(("spare", "batches"), [(0, 1), (-1, 2)])
def test_by_bytes(spare: int, batches: int) -> None:
    """A body may be exactly as large as allowed."""
    items = [item(name) for name in "abcdefghijkl"]  # twelve: numbers of two digits
    limit = body_bytes(items) + spare
    assert len(packed(items, 100, limit).batches) == batches


def test_an_entry_larger_than_a_body() -> None:
    """It is handed back with its size and a sentence; its neighbours go on."""
    small, large = item("a"), item("a" * 500)
    assert packed([large], 9, body_bytes([large])).refused == []
    result = packed([small, large, small], 9, 600)
    assert result.batches == [Batch("p/1", 60, (small, small))]
    assert result.refused == [Oversize(large, body_bytes([large]), 600)]
    assert "does not fit" in result.refused[0].sentence


def test_nothing_makes_no_batch() -> None:
    """A batch holds at least one entry."""
    assert packed([], 20, 1000) == ([], [])


def test_what_was_reported_is_not_reported_again() -> None:
    """Whatever its values are now; a batch with nothing left is none."""
    a, b, c = map(item, "abc")
    other = encode(Datum("0", "a", (("k", "v"),), 60, 0, {"Sum": 2.0}))
    later = encode(Datum("0", "b", (("k", "v"),), 60, 60_000, {"Sum": 1.0}))
    batches = [Batch("p/1", 60, (a, b)), Batch("p/2", 60, (c,))]
    left = unreported(batches, [other, later, c])
    assert list(left) == [Batch("p/1", 60, (b,))]


def test_a_rollup_is_composed() -> None:
    """Named after its period, closed at its end, within the defaults."""
    series = Series(Kind.SET, "a", (), "a", (("k", "v"),))
    rollup = Rollup(300, 60, [(series, SetSummary(1))] * 21)
    result = Whole.of(compose(rollup, group_of=in_group("7")))
    assert [batch.id for batch in result.batches] == ["300/60/1", "300/60/2"]
    assert [len(batch.items) for batch in result.batches] == [20, 1]
    assert {batch.closed_at for batch in result.batches} == {360}
    assert "&GroupId=7&" in result.batches[0].items[0]


def test_a_batch_is_made_when_it_is_asked_for() -> None:
    """No more of a period is there at a time than one batch."""
    given = 0

    def items() -> Iterator[str]:
        nonlocal given
        for given in range(1, 1000):
            yield item(str(given))

    batches = pack(items(), prefix="p", closed_at=60, max_entries=20).batches
    assert given == 0
    next(batches)
    assert given == 20
    assert (sum(len(batch.items) for batch in batches), given) == (979, 999)


@given(
    st.lists(st.integers(1, 300), max_size=120),
    st.integers(1, 100),
    st.integers(200, 5000),
)
def test_packing_loses_nothing_and_breaks_no_limit(
    lengths: list[int], max_entries: int, max_bytes: int
) -> None:
    """Every item once, in order; every real body within the limits; no gap for one more."""
    items = [item(f"{'a' * length}{n}") for n, length in enumerate(lengths)]
    result = packed(items, max_entries, max_bytes)
    refused = [oversize.item for oversize in result.refused]
    sent = [entry for batch in result.batches for entry in batch.items]
    assert sent == [entry for entry in items if entry not in refused]
    assert all(body_bytes([entry]) > max_bytes for entry in refused)
    assert len({batch.id for batch in result.batches}) == len(result.batches)
    for batch in result.batches:
        assert 1 <= len(batch.items) <= max_entries
        assert body_bytes(batch.items) <= max_bytes
    for batch, following in zip(result.batches, result.batches[1:], strict=False):
        full = len(batch.items) == max_entries
        assert full or body_bytes([*batch.items, following.items[0]]) > max_bytes
