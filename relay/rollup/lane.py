"""Numbers that came last, waiting for somebody to look: a lane of the engine in Python.

What a line costs is what it touches of memory, since the lines of ten thousand series
find none of it in the processor's caches. A gauge has five numbers, each an object of its
own, and a timer a list and what room is left. A lane is one object and the end of an
array; the rest is done for many values together.
"""

from array import array
from collections.abc import Iterable
from typing import TYPE_CHECKING

from relay.rollup.series import Series

__all__ = ["Lane", "lane_with"]

if TYPE_CHECKING:
    _Doubles = array[float]
else:
    _Doubles = array  # no subscript before Python 3.12


class Lane(_Doubles):
    """Doubles in their order, of one weight and one series: see ``lane_with``.

    ``code`` is that of the series' kind. Whoever appends to it has the slot settled when the
    length becomes ``most``. That is the slot's to say; the others mean something where a
    spelling was learned. Lines recognised by their name end in ``tail``, if it has one.
    """

    __slots__ = ("code", "most", "series", "tail", "weight")
    code: int
    most: int
    series: Series
    tail: bytes
    weight: float


def lane_with(values: Iterable[float] = ()) -> Lane:
    """A lane that nobody has learned yet."""
    lane = Lane("d", values)
    lane.tail = b""
    return lane
