"""What people get to see of delivery: the log lines, and the last of everything.

Constant formats, so that the log can sum up what repeats. Decides and moves nothing.
"""

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from twisted.logger import Logger
from twisted.python.failure import Failure

from relay.delivery.batch import Batch
from relay.delivery.gate import Gate, State
from relay.delivery.ledger import word_of
from relay.delivery.outcome import Accepted, AcceptedWithLoss, Outcome

__all__ = ["CourierStatus", "Journal"]

PARTIAL_WARNING_SECONDS = 60.0
"""A quota that is reached is reached in every request: once a minute says it."""


class CourierStatus(NamedTuple):
    """For people. ``since`` and the other moments are Unix seconds; None: not yet.

    ``state`` is ``sending``, ``waiting`` or ``held``; ``last_bytes`` are of the entries
    of the last request.
    """

    state: str
    reason: str
    since: float
    in_flight: int
    last_answer: str
    last_answer_at: float | None
    last_success_at: float | None
    last_failure_at: float | None
    last_bytes: int
    defects: int


class Journal:
    """Remembers the last answer, and tells the log what an operator has to know.

    ``road`` is what it calls the delivery it tells of.
    """

    _log = Logger()

    def __init__(self, wall: Callable[[], float], road: str = "delivery") -> None:
        self._wall, self._road = wall, road
        self._since = wall()
        self._answer = ""
        self._answer_at: float | None = None
        self._success_at: float | None = None
        self._failure_at: float | None = None
        self._bytes = 0
        self._partial_told_at = float("-inf")
        self._defects: Counter[str] = Counter()

    def answered(self, outcome: Outcome, size_bytes: int) -> None:
        """A request with so many bytes of entries ended."""
        now = self._wall()
        self._answer, self._answer_at = _in_words(outcome), now
        self._bytes = size_bytes
        if isinstance(outcome, Accepted | AcceptedWithLoss):
            self._success_at = now
        else:
            self._failure_at = now
        if (
            isinstance(outcome, AcceptedWithLoss)
            and abs(now - self._partial_told_at) >= PARTIAL_WARNING_SECONDS
        ):
            self._partial_told_at = now
            self._log.warn(
                "the service kept only part of a request: {answer}{hint}",
                answer=self._answer,
                hint=f"; {outcome.hint}" if outcome.hint else "",
            )

    def turned(self, gate: Gate) -> None:
        """Delivery goes on, waits, or is held."""
        self._since = self._wall()
        if gate.state is State.SENDING:
            self._log.info("{road} goes on", road=self._road)
        else:
            self._log.warn(
                "{road} is {state}: {reason}",
                road=self._road,
                state=gate.state.value,
                reason=gate.reason,
            )

    def renewing(self, reason: str) -> None:
        """Our keys or clock were refused; each is looked at anew, and tried once more."""
        self._log.warn(
            "{road} is refused, credentials and clock are looked at anew: {reason}",
            road=self._road,
            reason=reason,
        )

    def parked(self, batch: Batch, reason: str, request_id: str) -> None:
        """A batch was put aside for good."""
        self._log.warn(
            "{entries} entries of batch {batch} are put aside: {reason},"
            " request {request_id}",
            entries=len(batch.items),
            batch=batch.id,
            reason=reason,
            request_id=request_id or "without id",
        )

    def defect(self, failure: Failure) -> str:
        """Something that must not happen did; gives it in words. Told once a kind."""
        kind = type(failure.value).__name__
        self._defects[kind] += 1
        if self._defects[kind] == 1:
            self._log.failure("a defect in delivery, told once a kind", failure)
        return f"a defect of this program: {kind}"

    def status(self, gate: Gate, in_flight: int) -> CourierStatus:
        """How it is going."""
        return CourierStatus(
            state=gate.state.value,
            reason=gate.reason,
            since=self._since,
            in_flight=in_flight,
            last_answer=self._answer,
            last_answer_at=self._answer_at,
            last_success_at=self._success_at,
            last_failure_at=self._failure_at,
            last_bytes=self._bytes,
            defects=self._defects.total(),
        )


def _in_words(outcome: Outcome) -> str:
    """An outcome on one line: its word, then what the service said."""
    fields = ("code", "reason", "message", "request_id")
    said = [str(getattr(outcome, field, "")) for field in fields]
    return " ".join(filter(None, [word_of(outcome), *said]))
