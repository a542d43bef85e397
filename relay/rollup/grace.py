"""When a period may be sealed. Seconds in, seconds out; no clock is read here."""

__all__ = ["SEAL_GRACE_SECONDS", "aligned"]

SEAL_GRACE_SECONDS = 2.0
"""How long after its end a period still takes samples that are stamped for it."""


def aligned(now: float, length: int) -> int:
    """The last boundary of periods of ``length`` at or before ``now``."""
    return int(now // length) * length
