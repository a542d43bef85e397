"""Laws of spool and courier together, whatever the sink answers and whenever.

Nothing is lost, nothing is delivered after it was acknowledged, no two requests carry one
entry at a time, the ledger balances after every step.
"""

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from relay.delivery.batch import Batch
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
from tests.service.courier_rig import HeldLane, Rig

OUTCOMES = st.sampled_from(
    [
        Accepted("r"),
        AcceptedWithLoss("206", "quota"),
        Throttled("Throttling", 3.0),
        Unavailable("refused"),
        Unavailable("not trusted", lasting=True),
        Uncertain("HTTP 500"),
        Unauthorised("NoPermission"),
        Rejected("400", "syntax"),
    ]
)
FINAL = (Accepted, AcceptedWithLoss)


class Delivery(RuleBasedStateMachine):
    """A sink that answers as it pleases, over threads that end as they please."""

    def __init__(self) -> None:
        super().__init__()
        self.http = HeldLane()
        self.rig = Rig(http=self.http, limit_bytes=300, proven=False)
        self.rig.sink.answer = self.answer
        self.will: Outcome = Accepted()
        self.closed: list[str] = []
        self.settled: set[str] = set()
        self.periods = 0

    def answer(self, batch: Batch) -> Outcome:
        assert not self.settled.intersection(batch.items), "sent after it was settled"
        if isinstance(self.will, FINAL):
            self.settled.update(batch.items)
        return self.will

    @rule(batches=st.integers(1, 3), items=st.integers(1, 8))
    def a_period_ends(self, batches: int, items: int) -> None:
        self.periods += 1
        names = [f"p{self.periods}.{n}:" for n in range(batches)]
        self.rig.close(*names, items=items)
        self.closed += [f"{name}{n}" for name in names for n in range(items)]

    @rule(seconds=st.sampled_from([0.0, 0.3, 5.0, 61.0, 8000.0]))
    def time_passes(self, seconds: float) -> None:
        self.rig.run(seconds, step=max(0.05, seconds / 20))

    @precondition(lambda self: self.http.held)
    @rule(will=OUTCOMES, which=st.integers(0, 3))
    def a_request_ends(self, will: Outcome, which: int) -> None:
        self.will = will
        which %= len(self.http.held)
        self.http.held.insert(0, self.http.held.pop(which))
        self.http.release(1)

    @invariant()
    def the_ledger_balances(self) -> None:
        counts = self.rig.ledger.snapshot()
        assert counts.balances
        assert counts.closed == len(self.closed)
        assert counts.acked + counts.partial == len(self.settled)

    @invariant()
    def requests_stay_within_the_slots(self) -> None:
        assert len(self.http.held) <= 4

    def let_all_end(self) -> None:
        self.http.release()

    def teardown(self) -> None:
        """When the sink is well at last, everything that was not lost for a counted
        reason is delivered."""
        self.will = Accepted()
        for _ in range(400):
            self.let_all_end()
            self.rig.run(61.0, step=1.0)
            if self.rig.ledger.snapshot().waiting == 0:
                break
        counts = self.rig.ledger.snapshot()
        assert counts.waiting == 0
        assert counts.acked + counts.partial == len(self.settled)
        gone = counts.parked + sum(counts.dropped.values())
        assert len(self.settled) == len(self.closed) - gone


class SlowDelivery(Delivery):
    """The same over a slow disk: what the spool is told and gives comes late as well."""

    def __init__(self) -> None:
        super().__init__()
        self.disk = HeldLane()
        self.rig.courier._disk = self.disk

    @precondition(lambda self: self.disk.held)
    @rule(many=st.integers(1, 3))
    def the_disk_answers(self, many: int) -> None:
        self.disk.release(many)

    @invariant()
    def the_ledger_balances(self) -> None:
        """What was delivered and is not acknowledged yet still waits."""
        counts = self.rig.ledger.snapshot()
        assert counts.balances
        assert counts.closed == len(self.closed)
        assert counts.acked + counts.partial <= len(self.settled)

    def let_all_end(self) -> None:
        self.disk.release()
        super().let_all_end()


TestSlowDelivery = pytest.mark.bar("L2")(SlowDelivery.TestCase)
TestDelivery = pytest.mark.bar("L2")(Delivery.TestCase)
