"""What to do about an outcome: the table of the project's judgement, as a function.

It says what, never how; it has no clock and no dice, waits are seconds and the jitter is
handed in. Sources: the vendor's codes and field reports behind each outcome, and the
figures a relay has to keep (waits that grow to 30-60 s, one probe a minute).
"""

from dataclasses import dataclass
from typing import NamedTuple, assert_never

from relay.delivery.outcome import (
    Accepted,
    AcceptedWithLoss,
    Outcome,
    Rejected,
    Throttled,
    Unauthorised,
    Unavailable,
    Uncertain,
)

__all__ = [
    "Ack",
    "Halve",
    "History",
    "Hold",
    "Park",
    "Policy",
    "Refresh",
    "Retry",
    "Verdict",
]


@dataclass(frozen=True, slots=True)
class Ack:
    """Forget the batch; ``partial`` where the service kept only some of it, and has
    ``refused`` so many of its entries, if that is known."""

    partial: bool = False
    refused: int | None = None


@dataclass(frozen=True, slots=True)
class Retry:
    """Send nothing for ``after`` seconds, then this batch again.

    ``behind``: the others go first, since it may be this batch that the service chokes
    on; and in an outage no batch uses up its retries while others have all of theirs.
    """

    after: float
    reason: str
    behind: bool = False


@dataclass(frozen=True, slots=True)
class Refresh:
    """Fetch credentials and the clock's offset anew, then try once more, at once."""

    reason: str


@dataclass(frozen=True, slots=True)
class Halve:
    """One of these entries is wrong: send each half by itself."""


@dataclass(frozen=True, slots=True)
class Park:
    """Put the batch aside for good."""

    reason: str


@dataclass(frozen=True, slots=True)
class Hold:
    """Keep everything, say so, and probe with one batch every ``after`` seconds."""

    after: float
    reason: str


Verdict = Ack | Retry | Refresh | Halve | Park | Hold


class History(NamedTuple):
    """What led to an outcome.

    ``attempts``: rounds in a row that came to nothing, this one not counted;
    ``uncertain``: how often this batch ended uncertain, this time included;
    ``refreshed``: credentials were fetched anew since the service last took something;
    ``items``: in the batch.
    """

    attempts: int = 0
    uncertain: int = 0
    refreshed: bool = False
    items: int = 1


@dataclass(frozen=True, slots=True)
class Policy:
    """The settings of the judgement; all waits in seconds.

    ``base`` is the ceiling of the first wait, ``cap`` that of the longest;
    ``uncertain_limit`` how often an uncertain batch is sent again; ``probe`` the pause
    between probes while on hold.
    """

    base: float = 1.0
    cap: float = 60.0
    uncertain_limit: int = 5
    probe: float = 60.0

    def decide(  # noqa: PLR0911 - a row of the table each
        self, outcome: Outcome, history: History, jitter: float
    ) -> Verdict:
        """``jitter`` is drawn from [0, 1), anew for each call."""
        match outcome:
            case Accepted():
                return Ack()
            case AcceptedWithLoss(refused=refused):
                return Ack(partial=True, refused=refused)
            case Throttled(code=code, after=asked):
                pause = self.backoff(history.attempts, jitter)
                return Retry(max(pause, min(asked, self.cap)), code)
            case Unavailable(reason=reason, lasting=True):
                return Hold(self.probe, reason)
            case Unavailable(reason=reason):
                return Retry(self.backoff(history.attempts, jitter), reason)
            case Uncertain(reason=reason):
                return self._repeat(reason, history, jitter)
            case Unauthorised():
                reason = _words(outcome.code, outcome.message)
                return (
                    Hold(self.probe, reason) if history.refreshed else Refresh(reason)
                )
            case Rejected():
                reason = _words(outcome.code, outcome.message)
                return Halve() if history.items > 1 else Park(reason)
        assert_never(outcome)

    def backoff(self, attempts: int, jitter: float) -> float:
        """Full jitter under a ceiling that doubles: 0-1 s, 0-2 s, … and 30-60 s at last.

        A floor of half the cap below the ceiling keeps the last waits long: a service
        that has been away for minutes is not asked every second by bad luck.
        """
        ceiling = min(self.cap, self.base * 2.0 ** min(attempts, 60))
        floor = max(0.0, ceiling - self.cap / 2)
        return floor + (ceiling - floor) * jitter

    def _repeat(self, reason: str, history: History, jitter: float) -> Verdict:
        if history.uncertain > self.uncertain_limit:
            return Park(reason)
        attempts = max(history.attempts, history.uncertain - 1)
        return Retry(self.backoff(attempts, jitter), reason, behind=True)


def _words(code: str, message: str) -> str:
    return f"{code}: {message}" if message else code
