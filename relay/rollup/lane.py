"""Numbers that came last, waiting for somebody to look: a lane of the engine in Python.

What a line costs is what it touches of memory, since the lines of ten thousand series
find none of it in the processor's caches. A gauge has five numbers, each an object of its
own, and a timer a list and what room is left. A lane is one object and the end of an
array; the rest is done for many values together.
"""

from array import array
from typing import TYPE_CHECKING

from relay.rollup.series import Series

__all__ = ["Lane"]

if TYPE_CHECKING:
    _Doubles = array[float]
else:
    _Doubles = array  # no subscript before Python 3.12


class Lane(_Doubles):
    """``Lane("d")`` holds doubles in their order, of one weight and one series.

    ``code`` is that of the series' kind. Whoever appends to it has the slot settled when the length becomes ``most``. That is the
    slot's to say; the others mean something where a spelling was learned.
    """

    __slots__ = ("code", "most", "series", "weight")
    code: int
    most: int
    series: Series
    weight: float
