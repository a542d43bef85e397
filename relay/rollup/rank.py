"""Percentiles by nearest rank, weighted, rounded as the reference daemon rounds.

The percentile p of samples with the weights w is the smallest value whose cumulated
weight reaches floor(p / 100 * Σw + 0.5), and at least the first one. Where the values
come from, and how exact they are, is not known here.
"""

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache

__all__ = ["Percentiles", "nearest_ranks", "uniform_ranks"]

Percentiles = tuple[tuple[int, float], ...]
"""Pairs of a whole percentage and a value, both ascending."""


def _target(percentage: int, weight: float) -> int:
    # Divided first: 57 / 100 * 50 rounds to 28 as in the reference, 57 * 50 / 100 to 29.
    return math.floor(percentage / 100 * weight + 0.5)


def nearest_ranks(
    ascending: Iterable[tuple[float, float]], weight: float, percentages: Sequence[int]
) -> Percentiles:
    """Of pairs of a value and its weight; ``weight`` is the sum of all weights.

    ``ascending`` has at least one pair and is read once; ``percentages`` ascend.
    """
    found: list[tuple[int, float]] = []
    wanted = [_target(percentage, weight) for percentage in percentages]
    reached = value = 0.0
    for value, part in ascending:
        reached += part
        while len(found) < len(wanted) and wanted[len(found)] <= reached:
            found.append((percentages[len(found)], value))
    # Rounding may leave the sum of the weights a hair below the last target.
    found += [(percentage, value) for percentage in percentages[len(found) :]]
    return tuple(found)


def uniform_ranks(
    ascending: Sequence[float], weight: float, percentages: Sequence[int]
) -> Percentiles:
    """The same where all values have one ``weight``; needs no walk over them."""
    ranks = _uniform(len(ascending), weight, tuple(percentages))
    return tuple([(percentage, ascending[rank - 1]) for percentage, rank in ranks])


@lru_cache(maxsize=1024)
def _uniform(
    most: int, weight: float, percentages: tuple[int, ...]
) -> Sequence[tuple[int, int]]:
    """The rank of each percentage, from 1; most timers have as many samples as others."""
    found = []
    for percentage in percentages:
        rank = math.ceil(_target(percentage, most * weight) / weight)
        found.append((percentage, min(max(rank, 1), most)))
    return found
