"""How fast requests leave: this relay's share of the account's rate, and the spread.

Functions of ``now`` in seconds on any clock that does not run backwards.
"""

__all__ = ["Pace", "spread_delay"]

CATCH_UP = 0.02
"""Part of a second's requests that may follow at once after a late timer: large enough
that timers of a millisecond or two cost no throughput, and far below the 5 % by which a
window of 10 s may exceed the limit."""


class Pace:
    """At most ``rate`` requests a second, evenly spaced (a leaky bucket as a meter).

    In no 10 s do more than ``10.2 * rate``, rounded up, leave.
    """

    def __init__(self, rate: float) -> None:
        self._due = float("-inf")
        self._interval = 0.0
        self.change(rate)

    def change(self, rate: float) -> None:
        """Go on at another rate, also after the request that left last."""
        self._due += 1.0 / rate - self._interval
        self._interval = 1.0 / rate
        self._slack = int(rate * CATCH_UP) * self._interval

    def wait(self, now: float) -> float:
        """Seconds until a request may leave; 0 if it may now."""
        return max(0.0, self._due - self._slack - now)

    def take(self, now: float) -> None:
        """A request leaves."""
        self._due = max(self._due, now) + self._interval


def spread_delay(share: float, seconds: float, requests: int) -> float:
    """When the next of ``requests`` leaves that are to be spread over ``seconds``.

    Every relay closes its minute in the same second; requests that leave spread keep an
    account's relays from asking all at once. ``share`` is of the distance of two: random
    in [0, 1) for the first, so that relays differ; 1 for those that follow.
    """
    return share * seconds / requests
