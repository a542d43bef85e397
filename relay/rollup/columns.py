"""Numbers and texts as bytes, column by column, and back without a bit lost.

A *part* holds four columns: texts (JSON), whole numbers, real numbers, raw bytes. Whoever
writes appends to them; whoever reads takes from them in the same order. What they mean is
not known here. Whole columns are packed at once, which costs a tenth of what packing each
record by itself does. A part that cannot be one raises ValueError.
"""

import json
import struct
import sys
from array import array
from itertools import pairwise
from typing import Any

__all__ = ["PartReader", "PartWriter"]

_HEAD = struct.Struct("<IIII")
_ITEM_BYTES = 8


class PartWriter:
    """One part in the making; ``whole`` and ``raw`` and the others are appended to."""

    __slots__ = ("raw", "real", "texts", "whole")

    def __init__(self) -> None:
        self.texts: list[object] = []
        self.whole = array("q")
        self.real = array("d")
        self.raw = bytearray()

    def __len__(self) -> int:
        """In bytes and roughly: texts count as long as many of them are."""
        numbers = len(self.whole) + len(self.real)
        return 64 * len(self.texts) + _ITEM_BYTES * numbers + len(self.raw)

    def part(self) -> bytes:
        """The whole of it."""
        texts = json.dumps(self.texts, separators=(",", ":")).encode()
        columns = (texts, _bytes(self.whole), _bytes(self.real), self.raw)
        return b"".join((_HEAD.pack(*map(len, columns)), *columns))


class PartReader:
    """Takes from a part what was appended, in the same order."""

    def __init__(self, part: bytes) -> None:
        if len(part) < _HEAD.size:
            raise ValueError("a part without its head")
        sizes = _HEAD.unpack_from(part)
        if len(part) != _HEAD.size + sum(sizes):
            raise ValueError("a part of another length than it says")
        ends = [_HEAD.size]
        for size in sizes:
            ends.append(ends[-1] + size)
        texts, whole, real, raw = (part[start:end] for start, end in pairwise(ends))
        loaded = json.loads(texts)
        if not isinstance(loaded, list):
            raise ValueError("no list of texts")  # noqa: TRY004 - of bytes, not of ours
        self.texts: list[Any] = loaded
        self._whole: array[int] = _array("q", whole)
        self._real: array[float] = _array("d", real)
        self._raw = raw
        self._at_whole = self._at_real = self._at_raw = 0

    def whole(self) -> int:
        """The next whole number."""
        self._at_whole += 1
        if self._at_whole > len(self._whole):
            raise ValueError("no more whole numbers")
        return self._whole[self._at_whole - 1]

    def real(self) -> float:
        """The next real number."""
        self._at_real += 1
        if self._at_real > len(self._real):
            raise ValueError("no more real numbers")
        return self._real[self._at_real - 1]

    def wholes(self, count: int) -> "array[int]":
        """The next whole numbers."""
        start, self._at_whole = self._at_whole, self._at_whole + count
        return self._whole[_span(start, count, len(self._whole))]

    def reals(self, count: int) -> "array[float]":
        """The next real numbers."""
        start, self._at_real = self._at_real, self._at_real + count
        return self._real[_span(start, count, len(self._real))]

    def raw(self, count: int) -> bytes:
        """The next bytes."""
        start, self._at_raw = self._at_raw, self._at_raw + count
        return self._raw[_span(start, count, len(self._raw))]

    @property
    def has_more(self) -> bool:
        """Whether whole numbers are left; every record begins with one."""
        return self._at_whole < len(self._whole)


def _span(start: int, count: int, length: int) -> slice:
    if not 0 <= count <= length - start:
        raise ValueError(f"{count} more of {length - start}")
    return slice(start, start + count)


def _bytes(column: "array[Any]") -> bytes:
    """Little end first, on every machine."""
    if sys.byteorder == "big":
        column = column[:]
        column.byteswap()
    return column.tobytes()


def _array(form: str, content: bytes) -> "array[Any]":
    column: array[Any] = array(form)
    column.frombytes(content)
    if sys.byteorder == "big":
        column.byteswap()
    return column
