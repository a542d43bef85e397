"""How fast requests leave: this relay's share of the account's rate, and the spread.

Functions of ``now`` in seconds on any clock that does not run backwards.
"""

__all__ = ["Pace", "spread_delay"]

CATCH_UP_SECONDS = 0.02
"""So late may a timer be without a cost in throughput: far below the 5 % by which a window
of 10 s may exceed the limit, where that is a request at all."""

CATCH_UP_RATE = 3.0
"""From so many requests a second on; with fewer, so little lateness costs next to nothing."""


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
        self._slack = CATCH_UP_SECONDS if rate >= CATCH_UP_RATE else 0.0

    def wait(self, now: float) -> float:
        """Seconds until a request may leave; 0 if it may now."""
        return max(0.0, self._due - self._slack - now)

    def room(self, now: float) -> int:
        """How many requests may leave now, one right after the other."""
        if self.wait(now) > 0:
            return 0
        late = now + self._slack - max(self._due, now)
        return 1 + int(late / self._interval)

    def take(self, now: float) -> None:
        """A request leaves."""
        self._due = max(self._due, now) + self._interval


def spread_delay(share: float, seconds: float, requests: float) -> float:
    """When the next of ``requests`` leaves that are to be spread over ``seconds``.

    Every relay closes its minute in the same second; requests that leave spread keep an
    account's relays from asking all at once. ``share`` is of the distance of two: random
    in [0, 1) for the first, so that relays differ; 1 for those that follow, which have
    that share of a distance less before them.
    """
    return share * seconds / requests
