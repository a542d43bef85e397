"""What the garbage collector is told after each period."""

from relay.service.heap import set_aside


class Heap:
    """Records what was asked of it, in order."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def collect(self, generation: int = 2) -> int:
        self.calls.append(f"collect {generation}")
        return 0

    def freeze(self) -> None:
        self.calls.append("freeze")


def test_the_heap_is_never_walked_whole() -> None:
    """Young garbage goes first, so that it is not kept; then all is set aside."""
    heap = Heap()
    set_aside(heap)
    assert heap.calls == ["collect 1", "freeze"]
