"""Something that the native module can be asked, and what it is handed then.

Whose references are counted by references.py.
"""

import sys
from collections.abc import Callable
from typing import Any, NamedTuple

from relay.rollup import _native
from relay.rollup._native import Lane, Members, Set, Timer
from relay.rollup.native_slots import NATIVE_SLOTS, NativeBins
from relay.rollup.series import Series
from relay.statsd.sample import Kind

__all__ = ["Again", "Asked", "Things", "types"]

Call = Callable[[], object]
Again = Callable[[Any, float], Any]


class Asked(NamedTuple):
    """What to do, by ``Type.method`` and a few words; ``raises`` is what comes of it."""

    name: str
    call: Call
    raises: type[Exception] | None = None


def types() -> list[type]:
    """Those of the module."""
    return [one for one in vars(_native).values() if isinstance(one, type)]


class Things:
    """What is handed to the module, and has to have as many references afterwards."""

    def __init__(self) -> None:
        self.member = bytes(bytearray(b"a member"))
        self.line = bytes(bytearray(b"a:1|c"))
        self.number = float("2.5")
        self.named = object()
        self.registers = bytearray(2**14)
        self.lane, self.bins, self.members = Lane([1.0, 2.0]), NativeBins(), Members()
        self.members.update([b"one", b"two"])
        self.counter, self.gauge = NATIVE_SLOTS.counter(), NATIVE_SLOTS.gauge()
        self.timer, self.set = Timer(), Set()
        self.timer.put_lane(self.number, self.lane)
        self.series = Series(Kind.GAUGE, f"{1}b", (("k", "v"),), "m", ())
        self.pair = self.counter, self.counter
        self.slow: Callable[[bytes], int] = lambda _: 1
        self.again: Again = lambda _named, _weight: self.pair

    def counted(self) -> dict[str, int]:
        """References to all of these, to the types and to what there is one of."""
        found = {name: sys.getrefcount(one) for name, one in vars(self).items()}
        for one in (*types(), *NATIVE_SLOTS, NativeBins):
            found[one.__name__] = sys.getrefcount(one)
        for single in (None, True, False, NotImplemented, "fold", "trim", ()):
            found[f"{single!r}"] = sys.getrefcount(single)
        for error in (RuntimeError, TypeError, ValueError, IndexError, OSError):
            found[error.__name__] = sys.getrefcount(error)
        return found
