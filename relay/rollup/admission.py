"""Which series a sample belongs to: one that is held, a new one, or none and why.

Whoever names series is asked only where there is room: who is asked for has a name from
then on. What nobody wants is remembered, so that it is asked about once, and so is what
a spelling counts as where rules say that: a tag that they take away costs no place.
"""

from relay.rollup.held import Held, HeldSeries, Identity
from relay.rollup.overflow import Overflow, OverflowSample
from relay.rollup.series import Resolve, Rewrite, Series
from relay.statsd.sample import Reason, Sample, What

__all__ = ["UNSHOWN", "UNWANTED", "Admission"]

UNSHOWN = (Reason.SERIES_LIMIT, Reason.NAME_LIMIT, Reason.DROPPED_BY_RULE)
"""So many may come, and as they were told to, that they would hide all other refusals."""

UNWANTED = frozenset({*What, Reason.DROPPED_BY_RULE})
"""Of a spelling that is unwanted all samples are, until the relay is started again."""

_MOST_VERDICTS = 8192
_MOST_REWRITTEN = 65_536
_LONG = 512


class Admission:
    """Asks ``resolve`` for new series of ``held``; ``namings`` is how often it did."""

    def __init__(
        self, resolve: Resolve, held: HeldSeries, rewrite: Rewrite | None = None
    ) -> None:
        self._resolve, self._held, self._rewrite = resolve, held, rewrite
        self._rewritten: dict[Identity, Identity | Reason] = {}
        self._verdicts: dict[Identity, Reason | What] = {}
        self._overflow = OverflowSample()
        self.namings = 0

    def series(self, sample: Sample, period: int, now: int) -> Held | Reason | What:
        """For a sample of ``period`` while ``now`` is the one that is open."""
        identity = (sample.kind.value, sample.name, sample.tags)
        if self._rewrite is not None:
            counts_as = self._counts_as(self._rewrite, sample, identity)
            if isinstance(counts_as, Reason):
                return counts_as
            identity = counts_as
        held = self._held.get(identity)
        if held is not None:
            return self._held.see(held, period)
        known = self._verdicts.get(identity)
        if known is not None:
            return known
        full = self._held.no_room(identity, now)
        if full is not None:
            self._overflow.add(full, identity[1], len(sample.values), now)
            return full
        self.namings += 1
        verdict = self._resolve(sample.kind, *identity[1:])
        if isinstance(verdict, Series):
            return self._held.admit(identity, verdict, period)
        if len(self._verdicts) >= _MOST_VERDICTS:
            self._verdicts.clear()
        self._verdicts[identity] = verdict
        return verdict

    def _counts_as(
        self, rewrite: Rewrite, sample: Sample, sent: Identity
    ) -> Identity | Reason:
        known = self._rewritten.get(sent)
        if known is not None:
            return known
        if len(self._rewritten) >= _MOST_REWRITTEN:
            self._rewritten.clear()
        found = rewrite(sample.kind, *sent[1:])
        counts_as = found if isinstance(found, Reason) else (sent[0], *found)
        if (
            len(sample.name) + sum(len(k) + len(v or "") for k, v in sample.tags)
            < _LONG
        ):
            # Most are what they were: one object rather than two.
            self._rewritten[sent] = sent if counts_as == sent else counts_as
        return counts_as

    def overflow(self) -> Overflow:
        """What was refused of late for want of room."""
        return self._overflow.sample()
