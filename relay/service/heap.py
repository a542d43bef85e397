"""Keeps the garbage collector from walking over what lives long.

A full collection looks at every object there is while all threads wait: with 50,000
series that took 0.2 s, now and then, in the middle of receiving. What a relay holds is
freed by reference counts, so after each closed period the survivors are set aside.
"""

import gc
from typing import Protocol

__all__ = ["set_aside"]


class Collector(Protocol):
    """The part of the module ``gc`` that is used here."""

    def collect(self, generation: int = 2) -> int:
        """Free what only refers to itself, among the younger objects or all."""
        ...

    def freeze(self) -> None:
        """Set all objects aside."""
        ...


def set_aside(collector: Collector = gc) -> None:
    """Call it once all is built, and whenever a period was closed.

    Only the youngest are looked at, whatever the number of series. A cycle that dies
    after it was set aside is never found; between two calls few have the time.
    """
    collector.collect(1)
    collector.freeze()
