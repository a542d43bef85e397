"""How the values of a sample get into a slot, and which slot a kind has.

And how many values of a line fare alike.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from relay.rollup.counter import CounterSlot
from relay.rollup.gauge import GaugeSlot
from relay.rollup.slot import (
    CounterBase,
    GaugeBase,
    SetBase,
    SetSlot,
    Slot,
)
from relay.rollup.timer import TimerBase, TimerSlot
from relay.statsd.sample import Item, Kind, Sample

__all__ = ["PYTHON_SLOTS", "SlotTypes", "add", "runs", "slot_makers"]


class SlotTypes(NamedTuple):
    """How an engine keeps each kind."""

    counter: type[CounterBase]
    gauge: type[GaugeBase]
    timer: type[TimerBase]
    set: type[SetBase]


PYTHON_SLOTS = SlotTypes(CounterSlot, GaugeSlot, TimerSlot, SetSlot)


def slot_makers(
    exact_samples: int, exact_members: int, types: SlotTypes = PYTHON_SLOTS
) -> Mapping[Kind, Callable[[], Slot]]:
    """What makes an empty slot of a kind."""

    def timer() -> TimerBase:
        return types.timer(exact_samples)

    return {
        Kind.COUNTER: types.counter,
        Kind.GAUGE: types.gauge,
        Kind.TIMER: timer,
        Kind.HISTOGRAM: timer,
        Kind.DISTRIBUTION: timer,
        Kind.SET: lambda: types.set(exact_members),
    }


def add(sample: Sample, weight: float, slot: Slot, last: float) -> int:
    """Add the values of a sample; how many were taken. ``last`` is a gauge's memory."""
    if not (sample.relative and isinstance(slot, GaugeBase)):
        return sum([slot.add(value, weight) for value in sample.values])
    return sum([slot.shift(float(delta), last) for delta in sample.values])


def runs(items: Sequence[Item]) -> Iterable[tuple[Item, int]]:
    """Values of a line that are refused alike are one object many times."""
    if len(items) == 1:
        return ((items[0], 1),)
    return ((item, len(tuple(run))) for item, run in groupby(items))
