"""What the garbage collector is told after each period."""

from relay.service.heap import Heap


class Calls:
    """Records what was asked of it, in order."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def collect(self, generation: int = 2) -> int:
        self.calls.append(f"collect {generation}")
        return 0

    def set_threshold(self, _young: int, _middle: int, old: int, /) -> None:
        self.calls.append(f"never by itself: {old > 1_000_000}")

    def freeze(self) -> None:
        self.calls.append("freeze")

    def unfreeze(self) -> None:
        self.calls.append("unfreeze")


def test_the_heap_is_walked_whole_only_now_and_then() -> None:
    """Young garbage goes each time; what died later is found by the rare full look."""
    calls = Calls()
    heap = Heap(calls, thaw_every=3)
    for _ in range(3):
        heap.set_aside()
    assert calls.calls == [
        "never by itself: True",
        *("collect 1", "freeze") * 2,
        *("unfreeze", "collect 2", "freeze"),
    ]
