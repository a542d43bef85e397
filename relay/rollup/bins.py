"""Logarithmic bins: how weights are spread over values, within 0.5 % of each value.

The mapping is DDSketch's (Masson, Rim, Lee, VLDB 2019): bin i holds the magnitudes in
(g^(i-1), g^i] and answers with 2g^i / (g + 1), which differs from none of them by more
than the relative error e, g being (1 + e) / (1 - e). Zero has a bin of its own, each sign
a row.

Their number is bounded, so that values of every size there is cost no more memory than
others. Bins know weights, not samples, and neither sums nor extremes: those are exact and live
with whoever owns the bins.
"""

import math
from array import array
from collections.abc import Iterable, Iterator

from relay.rollup.columns import PartReader, PartWriter

__all__ = ["MOST_CHUNKS", "PER_LOG_GAMMA", "RELATIVE_ERROR", "Bins"]

RELATIVE_ERROR = 0.005

# A little finer than promised, so that rounding at a bin's edge stays within it.
_ERROR = 0.998 * RELATIVE_ERROR
_LOG_GAMMA = math.log((1 + _ERROR) / (1 - _ERROR))
PER_LOG_GAMMA = 1 / _LOG_GAMMA
_LOG_MIDDLE = math.log(1 - _ERROR)  # 2g^i / (g + 1) = (1 - e) g^i

_CHUNK_BITS = 6
_CHUNK = 1 << _CHUNK_BITS
_IN_CHUNK = _CHUNK - 1
_CHUNK_BYTES = 8 * _CHUNK

MOST_CHUNKS = 72
"""Of both rows together, 48 KB of memory: twenty decades of magnitudes without a gap, or
as many values that are far apart. Beyond that the smallest magnitudes share a bin."""

_BELOW_ALL = -(1 << 30)


RowParts = tuple[int, Iterable[tuple[int, bytes]]]
"""The floor of a row, and its chunks by their place, as doubles in the machine's order."""


class Bins:
    """Weights by value; equal to any other order of adding and merging the same, as long
    as there are not too many bins."""

    __slots__ = ("negative", "positive", "zero")

    def __init__(self) -> None:
        self.negative = _Row()
        self.zero = 0.0
        self.positive = _Row()

    def add(self, values: Iterable[float], weight: float) -> None:
        """Count ``values`` with ``weight`` each."""
        log, ceil, per, positive = math.log, math.ceil, PER_LOG_GAMMA, self.positive
        for value in values:
            if value > 0.0:
                if positive.add(ceil(log(value) * per), weight):
                    self._bound()
            elif value < 0.0:
                if self.negative.add(ceil(log(-value) * per), weight):
                    self._bound()
            else:
                self.zero += weight

    def absorb(self, other: "Bins") -> None:
        """Add what ``other`` holds; it stays as it is."""
        for mine, its in (
            (self.negative, other.negative),
            (self.positive, other.positive),
        ):
            for index, weight in its.ascending():
                if mine.add(index, weight):
                    self._bound()
        self.zero += other.zero

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

    def cells(self) -> Iterator[tuple[bool, int, float]]:
        """Whether it is negative, the index and the weight of each bin but that of zero."""
        for index, weight in self.negative.ascending():
            yield True, index, weight
        for index, weight in self.positive.ascending():
            yield False, index, weight

    def floors(self) -> tuple[int, int]:
        """Of the negative and of the positive row."""
        return self.negative.floor, self.positive.floor

    @classmethod
    def of_rows(cls, negative: RowParts, zero: float, positive: RowParts) -> "Bins":
        """Bins with these rows."""
        bins = cls()
        bins.zero = zero
        bins.negative, bins.positive = _Row.of(*negative), _Row.of(*positive)
        return bins

    def _bound(self) -> None:
        """Give up the smallest magnitudes of the longer row, if there are too many."""
        negative, positive = len(self.negative.chunks), len(self.positive.chunks)
        if negative + positive > MOST_CHUNKS:
            longer = self.negative if negative > positive else self.positive
            longer.give_up_lowest()

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
    """Weights by index, in chunks that are there where something was added.

    What is below ``floor`` counts as if it were there.
    """

    __slots__ = ("chunks", "floor")

    def __init__(self) -> None:
        self.chunks: dict[int, array[float]] = {}
        self.floor = _BELOW_ALL

    def add(self, index: int, weight: float) -> bool:
        """Whether it took another chunk."""
        index = max(index, self.floor)
        chunk = self.chunks.get(index >> _CHUNK_BITS)
        if chunk is not None:
            chunk[index & _IN_CHUNK] += weight
            return False
        chunk = self.chunks[index >> _CHUNK_BITS] = array("d", bytes(_CHUNK_BYTES))
        chunk[index & _IN_CHUNK] = weight
        return True

    def give_up_lowest(self) -> None:
        """Move the weight of the lowest chunk to the lowest bin of the next; of two."""
        lowest, heir = sorted(self.chunks)[:2]
        self.floor = heir << _CHUNK_BITS
        self.chunks[heir][0] += sum(self.chunks.pop(lowest))

    def copy(self) -> "_Row":
        same = _Row()
        same.floor = self.floor
        same.chunks = {at: chunk[:] for at, chunk in self.chunks.items()}
        return same

    def save(self, part: PartWriter) -> None:
        part.whole.extend((self.floor, len(self.chunks)))
        for at, chunk in self.chunks.items():
            part.whole.append(at)
            part.real.extend(chunk)

    @classmethod
    def of(cls, floor: int, chunks: Iterable[tuple[int, bytes]]) -> "_Row":
        row = cls()
        row.floor = floor
        row.chunks = {at: array("d", chunk) for at, chunk in chunks}
        return row

    @classmethod
    def load(cls, part: PartReader) -> "_Row":
        row = cls()
        row.floor = part.whole()
        for _ in range(part.whole()):
            row.chunks[part.whole()] = part.reals(_CHUNK)
        return row

    def ascending(self) -> Iterator[tuple[int, float]]:
        for at in sorted(self.chunks):
            for index, weight in enumerate(self.chunks[at], at << _CHUNK_BITS):
                if weight:
                    yield index, weight

    def descending(self) -> Iterator[tuple[int, float]]:
        for at in sorted(self.chunks, reverse=True):
            top = (at << _CHUNK_BITS) + _IN_CHUNK
            for back, weight in enumerate(reversed(self.chunks[at])):
                if weight:
                    yield top - back, weight
