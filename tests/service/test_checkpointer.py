"""What is open is written down by the clock, owners first, and again after any trouble."""

from collections.abc import Iterable

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from relay.service.checkpointer import Checkpointer
from relay.service.lanes import InlineLane


class Rig:
    """Engine, namer and folder in one, noting in one list what they are asked."""

    def __init__(self, *, lane: InlineLane | None = None) -> None:
        self.said: list[str] = []
        self.clock = Clock()
        self.claims = 0
        self.refuses: set[str] = set()
        self.last_failure = "No space left on device"
        self.breaks = False
        self.checkpointer = Checkpointer(
            subject=self,
            owners=self,
            folder=self,
            lane=lane or InlineLane(),
            clock=self.clock,
            wall=lambda: 1000.0 + self.clock.seconds(),
            interval=10.0,
        )

    def snapshot(self) -> Iterable[bytes]:
        if self.breaks:
            raise RuntimeError("a defect")
        self.said.append("snapshot")
        return ()

    def save(self) -> Iterable[bytes]:
        return ()

    def save_open(self, parts: Iterable[bytes], now: float) -> bool:
        self.said.append(f"open at {now:g}")
        return "open" not in self.refuses

    def save_owners(self, parts: Iterable[bytes], now: float) -> bool:
        self.said.append("owners")
        return "owners" not in self.refuses

    def said_after(self, seconds: float) -> list[str]:
        self.said.clear()
        self.clock.advance(seconds)
        return self.said


def test_it_is_saved_as_often_as_was_asked() -> None:
    """Owners only where somebody came first since they were saved."""
    rig = Rig()
    rig.checkpointer.start()
    assert rig.said_after(9.9) == []
    assert rig.said_after(0.1) == ["snapshot", "owners", "open at 1010"]
    assert rig.checkpointer.saved_at == 1010
    assert rig.said_after(10) == ["snapshot", "open at 1020"]
    rig.claims += 1
    assert rig.said_after(10) == ["snapshot", "owners", "open at 1030"]
    rig.checkpointer.stop()
    assert rig.said_after(60) == []


def test_owners_are_saved_before_a_period_is_closed() -> None:
    """Its entries are reported under names that a successor must know of."""
    rig = Rig()
    rig.claims = 1
    rig.checkpointer.save_owners()
    rig.checkpointer.save_owners()
    assert rig.said == ["owners"]


def test_without_its_owners_nothing_is_saved() -> None:
    """A series might get the name of another; and nobody believes it was."""
    rig = Rig()
    rig.refuses = {"owners"}
    results: list[bool] = []
    rig.checkpointer.save().addCallback(results.append)
    assert (rig.said, results) == (["snapshot", "owners"], [False])
    assert rig.checkpointer.saved_at is None


def test_a_disk_that_refuses_is_asked_again() -> None:
    """What was saved last stays what it is until then."""
    rig = Rig()
    rig.checkpointer.start()
    rig.clock.advance(10)
    rig.refuses = {"open"}
    assert rig.said_after(10) == ["snapshot", "open at 1020"]
    assert rig.checkpointer.saved_at == 1010
    rig.refuses.clear()
    assert rig.said_after(10) == ["snapshot", "open at 1030"]
    assert rig.checkpointer.saved_at == 1030


def test_a_defect_does_not_end_it() -> None:
    """The next time comes as if nothing had been."""
    rig = Rig()
    rig.checkpointer.start()
    rig.breaks = True
    assert rig.said_after(10) == []
    rig.breaks = False
    assert rig.said_after(10) == ["snapshot", "owners", "open at 1020"]


class SlowLane(InlineLane):
    """Does nothing until it is told to."""

    def __init__(self) -> None:
        self.waiting: list[Deferred[None]] = []

    def run(self, function, /, *args):  # type: ignore[no-untyped-def]
        ready: Deferred[None] = Deferred()
        self.waiting.append(ready)
        return ready.addCallback(lambda _: function(*args))


def test_one_is_written_at_a_time() -> None:
    """A later snapshot would spoil the one that is being written."""
    lane = SlowLane()
    rig = Rig(lane=lane)
    rig.checkpointer.start()
    assert rig.said_after(10) == ["snapshot"]
    assert rig.said_after(30) == []
    last = rig.checkpointer.save()
    assert rig.said == []
    lane.waiting.pop().callback(None)
    assert rig.said == ["owners", "open at 1010", "snapshot"]
    lane.waiting.pop().callback(None)
    assert last.called
