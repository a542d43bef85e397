"""How the values of a sample get into a slot, and which slot a kind has."""

from collections.abc import Callable, Mapping

from relay.rollup.slot import CounterSlot, GaugeSlot, SetSlot, Slot
from relay.rollup.timer import TimerSlot
from relay.statsd.sample import Kind, Sample

__all__ = ["add", "slot_makers"]


def slot_makers(
    exact_samples: int, exact_members: int
) -> Mapping[Kind, Callable[[], Slot]]:
    """What makes an empty slot of a kind."""

    def timer() -> TimerSlot:
        return TimerSlot(exact_samples)

    return {
        Kind.COUNTER: CounterSlot,
        Kind.GAUGE: GaugeSlot,
        Kind.TIMER: timer,
        Kind.HISTOGRAM: timer,
        Kind.DISTRIBUTION: timer,
        Kind.SET: lambda: SetSlot(exact_members),
    }


def add(sample: Sample, weight: float, slot: Slot, last: float) -> int:
    """Add the values of a sample; how many were taken. ``last`` is a gauge's memory."""
    if not (sample.relative and isinstance(slot, GaugeSlot)):
        return sum([slot.add(value, weight) for value in sample.values])
    taken = 0
    for delta in sample.values:
        base = slot.last if slot.count else last
        taken += slot.add(base + float(delta), weight)
    return taken
