"""Whether the road to the service is open: one state for all batches.

When the service is away, slow or refuses our keys, that is no batch's fault, so the whole
road closes for a while. Afterwards one request goes alone; its answer opens the road or
closes it for longer. So does the first of all, since a road that was never travelled may
lead nowhere. What closes it is the policy's business. ``now`` is an argument.
"""

import enum
from typing import NamedTuple

__all__ = ["Gate", "State", "Ticket"]


class State(enum.Enum):
    """For people and dashboards; the value is the public word."""

    SENDING = "sending"
    WAITING = "waiting"
    HELD = "held"


class Ticket(NamedTuple):
    """What was known when a request left.

    ``round`` tells stale answers: requests that left before the road was closed say
    nothing about how it is now. ``refresh`` asks for new credentials before sending.
    """

    round: int
    attempts: int
    refreshed: bool
    refresh: bool


class Gate:
    """Open, closed until a moment, or open for one request that tries it."""

    def __init__(self) -> None:
        self.state = State.SENDING
        self.reason = ""
        self._round = 0
        self._failures = 0
        self._refreshed = False
        self._refresh_due = False
        self._proven = False
        self._closed_until = self._told_until = float("-inf")

    def wait(self, now: float) -> float:
        """Seconds until a request may leave; 0 if it may now."""
        return max(0.0, self._closed_until - now)

    @property
    def narrow(self) -> bool:
        """Whether only one request may be under way, to try the road."""
        return self._failures > 0 or self._refreshed or not self._proven

    def leave(self) -> Ticket:
        """A request leaves."""
        refresh, self._refresh_due = self._refresh_due, False
        return Ticket(self._round, self._failures, self._refreshed, refresh)

    def open(self, ticket: Ticket) -> bool:
        """The service took or judged a batch: nothing is wrong with the road.

        Gives whether that is news.
        """
        if ticket.round != self._round:
            return False
        news = self.state is not State.SENDING
        self._proven = True
        self._failures, self._refreshed, self._refresh_due = 0, False, False
        self.state, self.reason = State.SENDING, ""
        return news

    def close(
        self,
        ticket: Ticket,
        now: float,
        after: float,
        reason: str,
        *,
        held: bool = False,
        told: float = 0.0,
    ) -> bool:
        """Nothing leaves for ``after`` seconds; stale answers can only prolong that.

        ``told``: so many of them the service itself asked for. Gives whether the state is another than before.
        """
        self._closed_until = max(self._closed_until, now + after)
        self._told_until = max(self._told_until, now + told)
        if ticket.round != self._round:
            return False
        self._round += 1
        self._failures += 1
        self._refresh_due = held
        state = State.HELD if held else State.WAITING
        news = state is not self.state
        self.state, self.reason = state, reason
        return news

    def hurry(self) -> None:
        """There is no time to lose: wait only as long as the service asked for."""
        self._closed_until = self._told_until

    def renew(self, ticket: Ticket) -> bool:
        """The next request goes alone and fetches credentials first.

        Gives whether that is news.
        """
        if ticket.round != self._round:
            return False
        self._round += 1
        self._refreshed = self._refresh_due = True
        return True
