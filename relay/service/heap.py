"""Keeps the garbage collector from walking over what lives long.

A full collection looks at every object there is while all threads wait: with 50,000
series that took 0.2 s, now and then, in the middle of receiving. What a relay holds is
freed by reference counts, so after each closed period the survivors are set aside.
"""

import gc
from typing import Protocol

__all__ = ["set_aside"]

CHEAP_OBJECTS = 100_000
"""Up to so many objects a full collection costs some milliseconds, and is done: a cycle
that was set aside alive can only be found by looking at everything again."""


class Collector(Protocol):
    """The part of the module ``gc`` that is used here."""

    def collect(self, generation: int = 2) -> int:
        """Free what only refers to itself, among the younger objects or all."""
        ...

    def freeze(self) -> None:
        """Set all objects aside."""
        ...

    def unfreeze(self) -> None:
        """Take them back."""
        ...

    def get_freeze_count(self) -> int:
        """How many are set aside."""
        ...


def set_aside(collector: Collector = gc) -> None:
    """Call it when a period was closed. Holds all threads for a few milliseconds."""
    if collector.get_freeze_count() < CHEAP_OBJECTS:
        collector.unfreeze()
        collector.collect()
    else:
        collector.collect(1)
    collector.freeze()
