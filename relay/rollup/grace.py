"""When a period may be sealed. Seconds in, seconds out; no clock is read here."""

__all__ = ["aligned", "seal_grace"]


def aligned(now: float, length: int) -> int:
    """The last boundary of periods of ``length`` at or before ``now``."""
    return int(now // length) * length


def seal_grace(length: int) -> float:
    """How long after its end a period still takes samples stamped for it."""
    return min(2.0, length / 2)
