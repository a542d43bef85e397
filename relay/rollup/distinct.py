"""How many distinct members a set has, once there are too many to keep them.

HyperLogLog (Flajolet and others, 2007) with 2^14 registers of one byte: a standard error
of 0.8 %. The estimator is Ertl's (arXiv:1702.01284, algorithm 6), which needs no tables
of bias and holds from one member on. The hash is the same in every process, so that
what two of them counted can be merged.
"""

import math
from collections.abc import Iterable
from hashlib import blake2b

from relay.rollup.columns import PartReader, PartWriter

__all__ = ["HyperLogLog"]

_PRECISION = 14
_REGISTERS = 1 << _PRECISION
_RANK_BITS = 64 - _PRECISION
_RANK_MASK = (1 << _RANK_BITS) - 1
_ALPHA = 1 / (2 * math.log(2))


class HyperLogLog:
    """Counts distinct byte strings in 16 KiB."""

    __slots__ = ("registers",)

    def __init__(self) -> None:
        self.registers = bytearray(_REGISTERS)

    def add(self, members: Iterable[bytes]) -> None:
        registers = self.registers
        for member in members:
            digest = int.from_bytes(blake2b(member, digest_size=8).digest(), "big")
            register = digest >> _RANK_BITS
            rank = _RANK_BITS + 1 - (digest & _RANK_MASK).bit_length()
            registers[register] = max(registers[register], rank)

    def absorb(self, other: "HyperLogLog") -> None:
        """Count what ``other`` has counted too; it stays as it is."""
        self.registers[:] = bytes(map(max, self.registers, other.registers))

    def copy(self) -> "HyperLogLog":
        same = HyperLogLog()
        same.registers[:] = self.registers
        return same

    def save(self, part: PartWriter) -> None:
        part.raw += self.registers

    @classmethod
    def load(cls, part: PartReader) -> "HyperLogLog":
        sketch = cls()
        sketch.registers[:] = part.raw(_REGISTERS)
        if max(sketch.registers) > _RANK_BITS + 1:
            raise ValueError("a rank that no hash has")
        return sketch

    def estimate(self) -> int:
        """How many were distinct, within 3 % (more than three standard errors)."""
        counts = [self.registers.count(rank) for rank in range(_RANK_BITS + 2)]
        folded = _REGISTERS * _tau(1 - counts[-1] / _REGISTERS)
        for count in reversed(counts[1:-1]):
            folded = 0.5 * (folded + count)
        folded += _REGISTERS * _sigma(counts[0] / _REGISTERS)
        return round(_ALPHA * _REGISTERS**2 / folded)


def _sigma(x: float) -> float:
    """Σ over k of x^(2^k) 2^(k-1), plus x: what the registers still at zero tell."""
    if x == 1.0:
        return math.inf
    total, weight = x, 1.0
    while True:
        x *= x
        before, total = total, total + x * weight
        if total == before:
            return total
        weight += weight


def _tau(x: float) -> float:
    """The same for registers at the highest rank."""
    if x in (0.0, 1.0):
        return 0.0
    total, weight = 1 - x, 1.0
    while True:
        x = math.sqrt(x)
        weight *= 0.5
        before, total = total, total - (1 - x) ** 2 * weight
        if total == before:
            return total / 3
