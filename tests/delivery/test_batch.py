"""A batch and its halves."""

from hypothesis import given
from hypothesis import strategies as st

from relay.delivery.batch import Batch, halve


@given(st.lists(st.text("abc", max_size=5), min_size=2, max_size=40))
def test_halves_are_the_whole(items: list[str]) -> None:
    """Same items, same order, neither half empty, names and sizes of their own."""
    batch = Batch("60/1", 60, tuple(items))
    first, second = halve(batch)
    assert first.items + second.items == batch.items
    assert first.items
    assert second.items
    assert abs(len(first.items) - len(second.items)) <= 1
    assert len({batch.id, first.id, second.id}) == 3
    assert first.size_bytes + second.size_bytes == batch.size_bytes
