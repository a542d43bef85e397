"""What people get to see of delivery: log lines with constant formats, and the status."""

from twisted.logger import capturedLogs, formatEvent

from relay.delivery.batch import Batch
from relay.delivery.gate import Gate
from relay.delivery.outcome import Accepted, AcceptedWithLoss, Unavailable
from relay.service.journal import Journal


def test_partial_acceptance_is_told_once_a_minute() -> None:
    """A quota that is reached is reached in every request."""
    now = [0.0]
    journal = Journal(lambda: now[0])
    with capturedLogs() as logs:
        for now[0] in (0.0, 1.0, 59.0, 60.0):
            journal.answered(AcceptedWithLoss("206", "reach Max", "r7", "buy more"), 9)
    assert [formatEvent(event) for event in logs] == [
        "the service kept only part of a request: partial 206 reach Max r7; buy more"
    ] * 2


def test_a_parked_batch_is_told_with_its_request() -> None:
    """Support asks for the request id."""
    with capturedLogs() as logs:
        Journal(lambda: 0.0).parked(Batch("60/1", 60, ("x", "y")), "400: syntax", "r1")
    (event,) = logs
    assert formatEvent(event) == (
        "2 entries of batch 60/1 are put aside: 400: syntax, request r1"
    )


def test_what_is_looked_at_anew_is_told() -> None:
    """A clock that was corrected still wants mending."""
    with capturedLogs() as logs:
        Journal(lambda: 0.0).renewing("this machine's clock is 1200 s behind")
    (event,) = logs
    assert formatEvent(event).endswith("anew: this machine's clock is 1200 s behind")


def test_turns_are_told_and_dated() -> None:
    """The status says since when, the log why."""
    now = [10.0]
    gate, journal = Gate(), Journal(lambda: now[0])
    gate.close(gate.leave(), 0.0, 60.0, "NoPermission", held=True)
    now[0] = 20.0
    with capturedLogs() as logs:
        journal.turned(gate)
        gate.open(gate.leave())
        journal.turned(gate)
    assert [formatEvent(event) for event in logs] == [
        "delivery is held: NoPermission",
        "delivery goes on",
    ]
    with capturedLogs() as logs:
        Journal(lambda: 0.0, "delivery of events").turned(gate)
    assert [formatEvent(event) for event in logs] == ["delivery of events goes on"]
    assert journal.status(gate, 3)[:4] == ("sending", "", 20.0, 3)


def test_before_the_first_answer() -> None:
    """There is none, and no success."""
    status = Journal(lambda: 5.0).status(Gate(), 0)
    assert (status.last_answer, status.last_answer_at) == ("", None)
    assert status.last_success_at is None


def test_success_and_failure_are_dated() -> None:
    """By the wall clock, each for itself; the size is that of the last request."""
    now = [5.0]
    journal = Journal(lambda: now[0])
    journal.answered(Accepted("r"), 100)
    status = journal.status(Gate(), 0)
    assert (status.last_success_at, status.last_failure_at) == (5.0, None)
    now[0] = 6.0
    journal.answered(Unavailable("it is away"), 70)
    status = journal.status(Gate(), 0)
    assert (status.last_success_at, status.last_failure_at) == (5.0, 6.0)
    assert status.last_bytes == 70
