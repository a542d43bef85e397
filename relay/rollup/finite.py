"""Where sums end: everything that leaves the relay is a finite number.

A sample that would push a sum beyond the largest double is refused when it comes; sums
of sums, when periods are merged, stop at the largest double.
"""

import sys

__all__ = ["SAFE_VALUE", "SAFE_WEIGHT", "clamp", "clamped_mean"]

_LARGEST = sys.float_info.max

SAFE_VALUE = 1e200
SAFE_WEIGHT = 1e50
"""Values and weights below these make steps that need no test, and the hot path does none.

Such a step is below 1e250. The largest double plus less than half its last place (2**970,
about 1e292) is rounded back to it, so that no finite sum can be pushed over.
"""


def clamp(value: float, low: float = -_LARGEST, high: float = _LARGEST) -> float:
    """``value``, or the bound it is beyond."""
    return value if low <= value <= high else min(max(value, low), high)


def clamped_mean(total: float, count: float, low: float, high: float) -> float:
    """``total / count``, kept between the extremes that rounding could push it over."""
    return clamp(total / count, low, high)
