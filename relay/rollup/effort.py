"""What lines cost, so that nobody has to wait for all of a datagram.

Counted, not measured, since an engine has no clock: one is some 7 µs of an ordinary
machine, namely a line that is refused at first sight.
"""

from collections.abc import Sized

__all__ = ["ENOUGH", "FOLDING", "cost"]

ENOUGH = 300
"""Then whoever feeds has his turn: 2 ms, and the longest line that costs another 4."""

FOLDING = 20
"""Samples or members that go into bins or a sketch."""

_NAMING = 8
_BYTES_OF_ONE = 32


def cost(items: Sized, line: bytes, namings: int) -> int:
    """Of a line that goes by way of the grammar; ``namings`` is its new series."""
    return 1 + len(items) + len(line) // _BYTES_OF_ONE + _NAMING * namings
