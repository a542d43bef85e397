"""Laws of a spool of files and the courier together, with processes that end as they like.

The disk is a model that keeps or loses what was not synced, the sink answers as it
pleases, requests end in any order or never. Beside ``test_courier_laws``, which looks at
one process and memory, these laws hold across all the lives of a state folder:

- an entry whose batch was stored is delivered, put aside or dropped for a counted reason;
- none is sent again that was settled, but for what a power cut took from the disk, and
  for requests that were under way when a process ended;
- the ledger of each life is exact after every step.
"""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

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
from tests.spool.model import Disk, Luck, ModelFiles
from tests.spool.rig import on

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
LIFE_STEPS = 4
"""Of a process, before it may end: what a life of two steps does is seldom seen."""

AMPLE, EIGHT_HOURS = 10**7, 8 * 3600.0


class Lives(RuleBasedStateMachine):
    """One state folder, and process after process on it."""

    @initialize()
    def begin(self) -> None:
        self.disk, self.lives, self.periods = Disk(), 0, 0
        self.stored: set[str] = set()
        """Entries that are in the spool for sure."""
        self.settled: set[str] = set()
        """Taken by the service, and acknowledged."""
        self.aside: set[str] = set()
        self.forgiven: set[str] = set()
        """May be sent again: nobody knows, or the disk does not."""
        self.expired = 0
        self.now = 0.0
        self.start()

    def start(self) -> None:
        self.lives += 1
        self.files = ModelFiles(self.disk)
        spool = on(self.files, AMPLE, max_age_seconds=EIGHT_HOURS)
        self.http = HeldLane()
        self.will: Outcome = Accepted()
        self.rig = Rig(spool=spool, http=self.http, proven=False)
        self.rig.wall_is_ahead = self.now
        self.rig.sink.answer = self.answer
        self.closed = self.rig.ledger.snapshot().closed
        self.steps = 0

    def answer(self, batch: Batch) -> Outcome:
        again = self.settled.intersection(batch.items) - self.forgiven
        assert not again, "sent again after it was settled"
        if isinstance(self.will, FINAL):
            self.settled.update(batch.items)
            self.forgiven.difference_update(batch.items)
        return self.will

    @rule(batches=st.integers(1, 3), items=st.integers(1, 6))
    def a_period_ends(self, batches: int, items: int) -> None:
        self.steps += 1
        self.periods += 1
        names = [f"p{self.periods}.{n}:" for n in range(batches)]
        self.rig.close(*names, items=items)
        self.rig.run(0.0)
        self.closed += items * batches
        self.stored |= {f"{name}{n}" for name in names for n in range(items)}

    @rule(seconds=st.sampled_from([0.0, 0.3, 5.0, 61.0, 200.0]))
    def time_passes(self, seconds: float) -> None:
        self.rig.run(seconds, step=max(0.05, seconds / 20))

    @precondition(lambda self: self.http.held)
    @rule(will=OUTCOMES, which=st.integers(0, 3))
    def a_request_ends(self, will: Outcome, which: int) -> None:
        self.steps += 1
        self.will = will
        which %= len(self.http.held)
        self.http.held.insert(0, self.http.held.pop(which))
        self.http.release(1)
        self.rig.run(0.0)

    @precondition(lambda self: self.steps >= LIFE_STEPS)
    @rule(luck=st.sampled_from(Luck), taken=st.booleans())
    def killed(self, luck: Luck, taken: bool) -> None:
        """Or the power is cut; what was under way arrived, or did not."""
        flying = self.flying()
        if taken:
            self.settled |= flying
        self.forgiven |= flying
        if luck is not Luck.KEPT:  # marks are not synced one by one
            self.forgiven |= self.settled
        self.now += self.rig.clock.seconds()
        self.disk = self.files.disk.crashed(luck)
        self.start()

    @precondition(lambda self: self.steps >= LIFE_STEPS)
    @rule()
    def stopped(self) -> None:
        """In order, without a word from the service."""
        self.rig.stop(after=1.0)
        self.rig.run(1.1, step=0.1)
        assert self.rig.stopped
        self.forgiven |= self.flying()
        assert self.rig.spool.close() == 0
        self.now += self.rig.clock.seconds()
        self.disk = self.files.disk.crashed(Luck.KEPT)
        self.start()

    def flying(self) -> set[str]:
        """The entries of requests under way."""
        spool = self.rig.spool
        found = set[str]()
        for batch_id in spool._in_flight:
            part = spool._in_flight[batch_id].part  # type: ignore[union-attr]  # of files
            batch = spool._shelf.read(part)  # type: ignore[union-attr]  # likewise
            assert batch is not None
            found |= set(batch.items)
        return found

    @invariant()
    def the_ledger_is_exact(self) -> None:
        if not hasattr(self, "rig"):
            return
        counts = self.rig.ledger.snapshot()
        assert counts.balances
        assert counts.closed == self.closed
        dropped = sum(counts.dropped.values())
        assert dropped == 0

    @invariant()
    def nothing_is_astray(self) -> None:
        """What is stored and neither settled nor put aside still waits."""
        if not hasattr(self, "rig"):
            return
        self.aside |= {i for one in self.rig.spool.parked() for i in one.batch.items}
        waiting = self.rig.ledger.snapshot().waiting
        assert waiting >= len(self.stored - self.settled - self.aside)

    def teardown(self) -> None:
        """When the service is well at last, all that was stored is settled or aside."""
        if not hasattr(self, "rig"):
            return
        self.will = Accepted()
        for _ in range(400):
            self.http.release()
            self.rig.run(61.0, step=20.0)
            if self.rig.ledger.snapshot().waiting == 0:
                break
        self.nothing_is_astray()
        self.the_ledger_is_exact()
        assert self.rig.ledger.snapshot().waiting == 0
        assert self.stored <= self.settled | self.aside


TestLives = pytest.mark.bar("L2")(Lives.TestCase)
TestLives.settings = settings(stateful_step_count=40, max_examples=100)
