"""Events on their way into the queue: gathered, bounded, and each accounted for."""

from collections.abc import Iterable, Mapping

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.logger import capturedLogs

from relay.cloudmonitor.events import TakenEvent, compose_events, decode_event
from relay.cloudmonitor.packing import Packed
from relay.delivery.batch import Batch
from relay.delivery.ledger import QueueTally
from relay.service.event_desk import (
    DEFECT,
    FULL,
    GATHER_SECONDS,
    STOPPED,
    EventDesk,
)
from relay.service.lanes import InlineLane, Lane
from relay.statsd.sample import Event
from tests.service.courier_rig import HeldLane

NOW = 1_000_000.0


class Rig:
    """A desk, and what it stored."""

    def __init__(self, lane: Lane | None = None, *, limit: int = 10) -> None:
        self.clock = Clock()
        self.batches: list[Batch] = []
        self.stored = 0
        self.refused = 0
        self.broken = False
        self.desk = EventDesk(
            lane=lane or InlineLane(),
            compose=self._compose,
            append=self._append,
            stored=self._stored,
            clock=self.clock,
            wall=lambda: NOW + self.clock.seconds(),
            handful=3,
            limit=limit,
        )

    def take(self, *titles: str) -> None:
        """Events of these titles."""
        for title in titles:
            self.desk.take(Event(title, ""))

    @property
    def titles(self) -> list[object]:
        """Of all that was stored, in order."""
        items = [item for batch in self.batches for item in batch.items]
        return [decode_event(item)["EventName"] for item in items]

    def _compose(
        self, taken: Iterable[TakenEvent], *, prefix: str, closed_at: int
    ) -> Packed:
        if self.broken:
            raise ValueError("a defect")
        return compose_events(taken, prefix=prefix, closed_at=closed_at, max_bytes=900)

    def _append(self, batches: Iterable[Batch]) -> QueueTally:
        self.batches += batches
        return QueueTally(batches=len(self.batches))

    def _stored(
        self, count: int, tally: QueueTally, refused: Mapping[str, int]
    ) -> None:
        assert tally.batches == len(self.batches)
        self.stored += count
        self.refused += refused.get("too_large", 0)


def test_a_few_wait_for_company() -> None:
    """They are one batch, a moment after the first."""
    rig = Rig()
    rig.take("a")
    rig.clock.advance(GATHER_SECONDS / 2)
    rig.take("b")
    assert (rig.titles, rig.desk.held) == ([], 2)
    rig.clock.advance(GATHER_SECONDS / 2)
    assert (rig.titles, rig.desk.held, rig.stored) == (["a", "b"], 0, 2)
    assert len(rig.batches) == 1


def test_a_handful_goes_at_once() -> None:
    """The next one waits for company of its own, and batches have names of their own."""
    rig = Rig()
    rig.take(*"abcd")
    assert rig.titles == ["a", "b", "c"]
    rig.clock.advance(GATHER_SECONDS)
    assert rig.titles == ["a", "b", "c", "d"]
    assert len({batch.id for batch in rig.batches}) == 2
    assert not rig.clock.getDelayedCalls()


def test_an_event_has_the_time_of_its_arrival() -> None:
    """Not that of its storing."""
    rig = Rig()
    rig.clock.advance(5)
    rig.take("a")
    rig.clock.advance(GATHER_SECONDS)
    (item,) = rig.batches[0].items
    assert decode_event(item)["Time"] == int((NOW + 5) * 1000)
    assert rig.batches[0].closed_at == NOW + 5


def test_what_comes_while_the_queue_is_behind_is_counted() -> None:
    """No more than the limit is held; once there is room, events are taken again."""
    lane = HeldLane()
    rig = Rig(lane, limit=4)
    rig.take(*"abcdef")
    assert rig.desk.held == 4
    assert rig.desk.dropped == {FULL: 2}
    lane.release()
    rig.take("g")
    rig.clock.advance(GATHER_SECONDS)
    lane.release()
    assert rig.titles == ["a", "b", "c", "d", "g"]


def test_a_stop_stores_what_was_gathered_and_takes_no_more() -> None:
    """It is over when that is stored."""
    lane = HeldLane()
    rig = Rig(lane)
    rig.take(*"abcd")
    done: list[None] = []
    rig.desk.finish().addCallback(done.append)
    rig.take("e")
    assert not done
    lane.release()
    assert done == [None]
    assert rig.titles == ["a", "b", "c", "d"]
    assert rig.desk.dropped == {STOPPED: 1}
    assert not rig.clock.getDelayedCalls()


def test_a_stop_with_nothing_to_do() -> None:
    """Is over at once."""
    done: list[None] = []
    Rig().desk.finish().addCallback(done.append)
    assert done == [None]


def test_a_defect_costs_one_handful() -> None:
    """It is counted and logged, and the next is stored."""
    rig = Rig()
    rig.broken = True
    with capturedLogs() as logged:
        rig.take(*"abc")
    assert len(logged) == 1
    assert (rig.desk.dropped, rig.desk.held) == ({DEFECT: 3}, 0)
    rig.broken = False
    rig.take(*"def")
    assert rig.titles == ["d", "e", "f"]


def test_one_that_no_request_can_carry_is_counted() -> None:
    """Its neighbours are stored."""
    rig = Rig()
    rig.desk.take(Event("long", "x" * 1000))
    rig.take("a", "b")
    assert (rig.titles, rig.stored, rig.refused) == (["a", "b"], 3, 1)


deeds = st.lists(st.sampled_from(["take", "take", "take", "wait", "release"]))


@given(deeds, st.booleans())
def test_every_event_is_stored_or_counted(done: list[str], stops: bool) -> None:
    """At any moment: taken is stored, held and dropped together."""
    lane = HeldLane()
    rig = Rig(lane, limit=5)
    for deed in [*done, *(["stop", "take", "release"] if stops else [])]:
        match deed:
            case "take":
                rig.take("a")
            case "wait":
                rig.clock.advance(GATHER_SECONDS)
            case "release":
                lane.release()
            case _:
                rig.desk.finish()
        desk = rig.desk
        dropped = desk.dropped.total()
        assert desk.taken == rig.stored + desk.held + dropped
        assert desk.held <= 5
        assert len(rig.titles) == rig.stored or lane.held
    assert not stops or rig.desk.held == 0
