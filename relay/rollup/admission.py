"""Which series a sample belongs to: one that is held, a new one, or none and why.

Whoever names series is asked only where there is room: who is asked for has a name from
then on. What nobody wants is remembered, so that it is asked about once.
"""

from relay.rollup.held import Held, HeldSeries, Identity
from relay.rollup.overflow import Overflow, OverflowSample
from relay.rollup.series import Resolve, Series
from relay.statsd.sample import Reason, Sample, What

__all__ = ["NO_ROOM", "Admission"]

NO_ROOM = (Reason.SERIES_LIMIT, Reason.NAME_LIMIT)

_MOST_VERDICTS = 8192


class Admission:
    """Asks ``resolve`` for new series of ``held``; ``namings`` is how often it did."""

    def __init__(self, resolve: Resolve, held: HeldSeries) -> None:
        self._resolve, self._held = resolve, held
        self._verdicts: dict[Identity, Reason | What] = {}
        self._overflow = OverflowSample()
        self.namings = 0

    def series(self, sample: Sample, period: int, now: int) -> Held | Reason | What:
        """For a sample of ``period`` while ``now`` is the one that is open."""
        identity = (sample.kind.value, sample.name, sample.tags)
        held = self._held.get(identity)
        if held is not None:
            return self._held.see(held, period)
        known = self._verdicts.get(identity)
        if known is not None:
            return known
        full = self._held.no_room(identity, now)
        if full is not None:
            self._overflow.add(full, sample.name, len(sample.values), now)
            return full
        self.namings += 1
        verdict = self._resolve(sample.kind, *identity[1:])
        if isinstance(verdict, Series):
            return self._held.admit(identity, verdict, period)
        if len(self._verdicts) >= _MOST_VERDICTS:
            self._verdicts.clear()
        self._verdicts[identity] = verdict
        return verdict

    def overflow(self) -> Overflow:
        """What was refused of late for want of room."""
        return self._overflow.sample()
