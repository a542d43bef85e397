"""What the garbage collector is told after each period."""

import pytest

from relay.service.heap import CHEAP_OBJECTS, set_aside


class Heap:
    """Records what was asked of it, in order."""

    def __init__(self, frozen: int) -> None:
        self.frozen, self.calls = frozen, list[str]()

    def collect(self, generation: int = 2) -> int:
        self.calls.append(f"collect {generation}")
        return 0

    def freeze(self) -> None:
        self.calls.append("freeze")

    def unfreeze(self) -> None:
        self.calls.append("unfreeze")

    def get_freeze_count(self) -> int:
        return self.frozen


@pytest.mark.parametrize(
    ("frozen", "calls"),
    [
        (0, ["unfreeze", "collect 2", "freeze"]),
        (CHEAP_OBJECTS, ["collect 1", "freeze"]),
    ],
)
def test_a_large_heap_is_never_walked_whole(frozen: int, calls: list[str]) -> None:
    """A small one is looked at again, so that cycles which died there are found."""
    heap = Heap(frozen)
    set_aside(heap)
    assert heap.calls == calls
