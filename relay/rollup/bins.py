"""Logarithmic bins: how weights are spread over values, within 0.5 % of each value.

The mapping is DDSketch's (Masson, Rim, Lee, VLDB 2019): bin i holds the magnitudes in
(g^(i-1), g^i] and answers with 2g^i / (g + 1), which differs from none of them by more
than the relative error e, g being (1 + e) / (1 - e). Zero has a bin of its own, each sign
a row.

Bins know weights, not samples, and neither sums nor extremes: those are exact and live
with whoever owns the bins.
"""

import math
from array import array
from collections.abc import Iterable, Iterator

from relay.rollup.columns import PartReader, PartWriter

__all__ = ["RELATIVE_ERROR", "Bins"]

RELATIVE_ERROR = 0.005

# A little finer than promised, so that rounding at a bin's edge stays within it.
_ERROR = 0.998 * RELATIVE_ERROR
_LOG_GAMMA = math.log((1 + _ERROR) / (1 - _ERROR))
_PER_LOG_GAMMA = 1 / _LOG_GAMMA
_LOG_MIDDLE = math.log(1 - _ERROR)  # 2g^i / (g + 1) = (1 - e) g^i

_CHUNK = 64


class Bins:
    """Weights by value; equal to any other order of adding and merging the same."""

    __slots__ = ("negative", "positive", "zero")

    def __init__(self) -> None:
        self.negative = _Row()
        self.zero = 0.0
        self.positive = _Row()

    def add(self, values: Iterable[float], weight: float) -> None:
        """Count ``values`` with ``weight`` each."""
        log, ceil, per, positive = math.log, math.ceil, _PER_LOG_GAMMA, self.positive
        for value in values:
            if value > 0.0:
                positive.add(ceil(log(value) * per), weight)
            elif value < 0.0:
                self.negative.add(ceil(log(-value) * per), weight)
            else:
                self.zero += weight

    def absorb(self, other: "Bins") -> None:
        """Add what ``other`` holds; it stays as it is."""
        self.negative.absorb(other.negative)
        self.zero += other.zero
        self.positive.absorb(other.positive)

    def copy(self) -> "Bins":
        same = Bins()
        same.zero = self.zero
        same.negative, same.positive = self.negative.copy(), self.positive.copy()
        return same

    def save(self, part: PartWriter) -> None:
        part.real.append(self.zero)
        self.negative.save(part)
        self.positive.save(part)

    @classmethod
    def load(cls, part: PartReader) -> "Bins":
        bins = cls()
        bins.zero = part.real()
        bins.negative, bins.positive = _Row.load(part), _Row.load(part)
        return bins

    def ascending(self) -> Iterator[tuple[float, float]]:
        """Each value that stands for a bin, with the bin's weight, without empty ones."""
        for index, weight in self.negative.descending():
            yield -_value(index), weight
        if self.zero:
            yield 0.0, self.zero
        for index, weight in self.positive.ascending():
            yield _value(index), weight


def _value(index: int) -> float:
    try:
        return math.exp(index * _LOG_GAMMA + _LOG_MIDDLE)
    except OverflowError:  # the last bin reaches beyond the largest double
        return math.inf


class _Row:
    """Weights by index, contiguous; the first one is that of index ``_first``.

    A decade of magnitudes takes 1.8 KB; all that doubles have take 1.1 MB. There is no
    bound below that: one absurd sample must not spoil the percentiles of the others.
    """

    __slots__ = ("_first", "_weights")

    def __init__(self) -> None:
        self._first = 0
        self._weights = array("d")

    def add(self, index: int, weight: float) -> None:
        at = index - self._first
        if not 0 <= at < len(self._weights):
            at = self._reach(index)
        self._weights[at] += weight

    def absorb(self, other: "_Row") -> None:
        for index, weight in other.ascending():
            self.add(index, weight)

    def copy(self) -> "_Row":
        same = _Row()
        same._first, same._weights = self._first, self._weights[:]
        return same

    def save(self, part: PartWriter) -> None:
        part.whole.extend((self._first, len(self._weights)))
        part.real.extend(self._weights)

    @classmethod
    def load(cls, part: PartReader) -> "_Row":
        row = cls()
        row._first = part.whole()
        row._weights = part.reals(part.whole())
        return row

    def ascending(self) -> Iterator[tuple[int, float]]:
        for index, weight in enumerate(self._weights, self._first):
            if weight:
                yield index, weight

    def descending(self) -> Iterator[tuple[int, float]]:
        top = self._first + len(self._weights) - 1
        for back, weight in enumerate(reversed(self._weights)):
            if weight:
                yield top - back, weight

    def _reach(self, index: int) -> int:
        """Lengthen the row by whole chunks towards ``index``, and say where it is now."""
        low = index - index % _CHUNK
        high = low + _CHUNK
        if self._weights:
            low = min(low, self._first)
            high = max(high, self._first + len(self._weights))
        if low != self._first or high - low != len(self._weights):
            self._lay_out(low, high)
        return index - low

    def _lay_out(self, low: int, high: int) -> None:
        weights = array("d", bytes(8 * (high - low)))
        for index, weight in self.ascending():
            weights[index - low] = weight
        self._first, self._weights = low, weights
