"""What slots, and what is in them, can be asked: where it goes well and where it does not."""

import sys
from collections.abc import Iterator
from typing import Any

from relay.rollup._native import Bins, Counter, Gauge, Lane, Members, Set, Timer
from relay.rollup.native_slots import NATIVE_SLOTS, NativeBins, NativeTimer
from tests.e2e.asked import Asked, Things

__all__ = ["OF_SLOTS"]


def _of_slots(the: Things) -> Iterator[Asked]:
    wrong: Any = "no number"
    yield Asked("Counter made", Counter)
    yield Asked("Counter made with", lambda: Counter(the.number, the.number))  # type: ignore[call-arg]
    yield Asked("Counter made wrong", lambda: Counter(wrong), TypeError)  # type: ignore[call-arg]
    yield Asked("Counter derived", NATIVE_SLOTS.counter)
    yield Asked("Counter set", lambda: setattr(the.counter, "total", the.number))
    yield Asked("Counter read", lambda: the.counter.total)
    yield Asked("Gauge made", Gauge)
    yield Asked("Gauge made wrong", lambda: Gauge(wrong), TypeError)  # type: ignore[call-arg]
    yield Asked("Gauge derived", NATIVE_SLOTS.gauge)
    yield Asked("Gauge.take", lambda: the.gauge.take(the.number))
    yield Asked("Gauge.take wrong", lambda: the.gauge.take(wrong), TypeError)
    yield Asked("Gauge.add", lambda: the.gauge.add(the.number, 1.0))
    yield Asked("Gauge.add wrong", lambda: the.gauge.add(wrong, 1.0), TypeError)
    yield Asked("Gauge.shift", lambda: the.gauge.shift(the.number, 1.0))
    yield Asked("Gauge.shift wrong", lambda: the.gauge.shift(1.0, wrong), TypeError)
    yield Asked("Gauge.copy", the.gauge.copy)
    yield Asked("Gauge.absorb", lambda: the.gauge.copy().absorb(the.gauge))
    yield Asked("Gauge.absorb no", lambda: the.gauge.absorb(wrong), TypeError)
    yield Asked("Counter.copy", the.counter.copy)
    yield Asked("Counter.absorb", lambda: the.counter.copy().absorb(the.counter))
    yield Asked("Counter.absorb no", lambda: the.counter.absorb(wrong), TypeError)
    yield Asked("Timer.put_lane", lambda: Timer().put_lane(the.number, the.lane))
    yield Asked("Timer.put_lane no", lambda: Timer().put_lane(1.0, wrong), TypeError)
    yield Asked("Timer.lane_of", lambda: the.timer.lane_of(the.number))
    yield Asked("Timer.lane_of none", lambda: the.timer.lane_of(7.0))
    yield Asked("Timer.lane_of wrong", lambda: the.timer.lane_of(wrong), TypeError)
    yield Asked("Timer.figures", the.timer.figures)
    yield Asked("Timer.absorb_lanes", lambda: NativeTimer(9).absorb_lanes(the.timer))
    yield Asked("Timer.absorb_lanes no", lambda: Timer().absorb_lanes(the.timer))
    yield Asked("Timer.absorb_lanes", lambda: Timer().absorb_lanes(wrong), TypeError)
    yield Asked("Timer.lanes", lambda: the.timer.lanes)
    yield Asked("Timer bins", lambda: setattr(Timer(), "bins", the.bins))
    yield Asked("Set registers", lambda: setattr(Set(), "registers", the.registers))
    yield Asked("Set again", lambda: setattr(the.set, "registers", the.registers))


def _of_bins(the: Things) -> Iterator[Asked]:
    wrong: Any = "no number"

    def put_many() -> None:
        for index in range(99):
            the.bins.put(False, index * 64, 1.0)

    yield Asked("Bins made", NativeBins)
    yield Asked("Bins.add", lambda: NativeBins().add([the.number, -1.0, 0.0], 1.0))
    yield Asked("Bins.add lane", lambda: the.bins.add(the.lane, the.number))
    yield Asked("Bins.add wrong", lambda: the.bins.add([wrong], 1.0), TypeError)
    yield Asked("Bins.put", lambda: Bins().put(True, 7, the.number))
    yield Asked("Bins.put many", put_many)
    yield Asked("Bins.put wrong", lambda: the.bins.put(True, wrong, 1.0), TypeError)
    yield Asked("Bins.rows", the.bins.rows)
    yield Asked("Bins.set_floors", lambda: Bins().set_floors(1, 2))
    yield Asked("Bins.set_floors no", lambda: Bins().set_floors(wrong, 2), TypeError)
    yield Asked("Bins.__sizeof__", lambda: sys.getsizeof(the.bins))


def _of_lanes(the: Things) -> Iterator[Asked]:
    wrong: Any = "no number"
    yield Asked("Lane made", lambda: Lane([the.number]))
    yield Asked("Lane made of another", lambda: Lane(the.lane))
    yield Asked("Lane made wrong", lambda: Lane([1.0, wrong]), TypeError)
    yield Asked("Lane.append", lambda: Lane().append(the.number))
    yield Asked("Lane.append wrong", lambda: the.lane.append(wrong), TypeError)
    yield Asked("Lane.clear", lambda: Lane([1.0]).clear())
    yield Asked("Lane.sorted", the.lane.sorted)
    yield Asked("Lane.__sizeof__", lambda: sys.getsizeof(the.lane))
    yield Asked("Lane.__iadd__", lambda: Lane().__iadd__([the.number]))
    yield Asked("Lane.__iadd__ lane", lambda: Lane().__iadd__(the.lane))
    yield Asked("Lane.__iadd__ wrong", lambda: Lane().__iadd__([wrong]), TypeError)
    yield Asked("Lane.__getitem__", lambda: list(the.lane))
    yield Asked("Lane.__getitem__ beyond", lambda: the.lane[99], IndexError)
    yield Asked("Lane.__len__", lambda: len(the.lane))


def _of_members(the: Things) -> Iterator[Asked]:
    wrong: Any = "no bytes"
    yield Asked("Members made", Members)
    yield Asked("Members made wrong", lambda: Members(wrong), TypeError)
    yield Asked("Members.add", lambda: Members().add(the.member))
    yield Asked("Members.add again", lambda: the.members.add(the.member))
    yield Asked("Members.add long", lambda: Members().add(the.member * 9), ValueError)
    yield Asked("Members.add wrong", lambda: the.members.add(wrong), TypeError)
    yield Asked("Members.update", lambda: Members().update([the.member] * 9))
    yield Asked("Members.update wrong", lambda: Members().update([wrong]), TypeError)
    yield Asked("Members.update none", lambda: Members().update(7), TypeError)  # type: ignore[arg-type]
    yield Asked("Members.clear", lambda: Members().clear())
    yield Asked("Members.copy", the.members.copy)
    yield Asked("Members.update of members", lambda: the.members.update(the.members))
    yield Asked("Members.__iter__", lambda: list(the.members))
    yield Asked("Members.__len__", lambda: len(the.members))
    yield Asked("Members.__sizeof__", lambda: sys.getsizeof(the.members))


OF_SLOTS = _of_slots, _of_bins, _of_lanes, _of_members
