"""Keeps the garbage collector from walking over what lives long.

A full collection looks at every object there is while all threads wait: with 50,000
series that took 0.2 s, now and then, in the middle of receiving. What a relay holds is
freed by reference counts, so after each closed period the survivors are set aside.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

__all__ = ["Heap"]


NEVER = 1 << 30

FEW_OBJECTS = 150_000
"""Looked at in 25 to 60 ms; a relay of ten thousand series has no more."""


class Collector(Protocol):
    """The part of the module ``gc`` that is used here."""

    def collect(self, generation: int = 2) -> int:
        """Free what only refers to itself, among the younger objects or all."""
        ...

    def set_threshold(
        self, threshold0: int, threshold1: int, threshold2: int, /
    ) -> None:
        """After how many new objects, and looks at younger ones, a look is taken."""
        ...

    def disable(self) -> None:
        """Take no looks by itself."""
        ...

    def enable(self) -> None:
        """Take them again."""
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


class Heap:
    """``set_aside`` is to be called once all is built, and when a period was closed.

    Usually only the youngest objects are looked at, whatever the number of series. A
    cycle that dies after it was set aside is found when everything is looked at again,
    every ``thaw_every`` calls, a day of minutes, or every ``thaw_few_every`` while there
    are few objects: measured with a fault in every period, a period leaves 1 to 4 KB.
    """

    def __init__(
        self,
        collector: Collector = gc,
        thaw_every: int = 1440,
        thaw_few_every: int = 60,
    ) -> None:
        self._collector = collector
        self._thaw_every, self._thaw_few_every = thaw_every, thaw_few_every
        self._since = 0
        # Never at all objects by itself: among 7,000 new series that took 37 ms.
        collector.set_threshold(700, 10, NEVER)

    def set_aside(self) -> None:
        """Holds all threads: some milliseconds, a full look 4 µs a series."""
        self._since += 1
        if self._is_time():
            self._since = 0
            self._collector.unfreeze()
            self._collector.collect()
        else:
            self._collector.collect(1)
        self._collector.freeze()

    @contextmanager
    def undisturbed(self) -> Iterator[None]:
        """No looks meanwhile, in any thread; what was made then is set aside unseen.

        A look at a list that is young is one at all that is in it: 0.1 s of a million.
        """
        self._collector.disable()
        try:
            yield
        finally:
            self._collector.freeze()
            self._collector.enable()

    def _is_time(self) -> bool:
        if self._since >= self._thaw_every:
            return True
        if self._since % self._thaw_few_every:
            return False  # to count a million takes 15 ms
        return self._collector.get_freeze_count() <= FEW_OBJECTS
