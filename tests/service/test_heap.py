"""What the garbage collector is told after each period."""

import pytest

from relay.service.heap import FEW_OBJECTS, Heap


class Calls:
    """Records what was asked of it, in order."""

    def __init__(self, objects: int = FEW_OBJECTS + 1) -> None:
        self.calls: list[str] = []
        self.objects = objects
        self.counts = 0

    def collect(self, generation: int = 2) -> int:
        self.calls.append(f"collect {generation}")
        return 0

    def set_threshold(self, _young: int, _middle: int, old: int, /) -> None:
        self.calls.append(f"never by itself: {old > 1_000_000}")

    def disable(self) -> None:
        self.calls.append("disable")

    def enable(self) -> None:
        self.calls.append("enable")

    def freeze(self) -> None:
        self.calls.append("freeze")

    def unfreeze(self) -> None:
        self.calls.append("unfreeze")

    def get_freeze_count(self) -> int:
        self.counts += 1
        return self.objects


def test_the_heap_is_walked_whole_only_now_and_then() -> None:
    """Young garbage goes each time; what died later is found by the rare full look."""
    calls = Calls()
    heap = Heap(calls, thaw_every=3, thaw_few_every=1)
    for _ in range(3):
        heap.set_aside()
    assert calls.calls == [
        "never by itself: True",
        *("collect 1", "freeze") * 2,
        *("unfreeze", "collect 2", "freeze"),
    ]


def test_what_a_period_is_made_of_is_never_looked_at() -> None:
    """Nor while it is made, and a defect does not keep the collector from its work."""
    calls = Calls()
    with pytest.raises(IndexError), Heap(calls).undisturbed():
        list[int]().pop()
    assert calls.calls[1:] == ["disable", "freeze", "enable"]


def test_few_objects_are_walked_more_often() -> None:
    """It costs little then, and what requests leave does not gather for an hour."""
    calls = Calls(FEW_OBJECTS)
    heap = Heap(calls, thaw_every=6, thaw_few_every=2)
    for _ in range(4):
        heap.set_aside()
    assert calls.calls.count("unfreeze") == 2
    calls.objects += 1
    for _ in range(6):
        heap.set_aside()
    assert calls.calls.count("unfreeze") == 3


def test_many_objects_are_seldom_counted() -> None:
    """Not after each period from the tenth on."""
    calls = Calls()
    heap = Heap(calls, thaw_every=60, thaw_few_every=10)
    for _ in range(59):
        heap.set_aside()
    assert calls.counts == 5
