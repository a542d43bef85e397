"""Which series a sample belongs to: one that is held, a new one, or none and why.

Whoever names series is asked only where there is room: who is asked for has a name from
then on. What nobody wants is remembered, so that it is asked about once, and so is what
a spelling counts as where rules say that: a tag that they take away costs no place.
"""

from relay.rollup.held import HeldSeries
from relay.rollup.overflow import Overflow, OverflowSample
from relay.rollup.roster import Held, Identity
from relay.rollup.series import Resolve, Series
from relay.rollup.treatment import Rewrite, Rules, Treatment
from relay.statsd.sample import Reason, Sample, What

__all__ = ["UNSHOWN", "UNWANTED", "Admission"]

UNSHOWN = frozenset(
    {
        *(Reason.SERIES_LIMIT, Reason.NAME_LIMIT, Reason.SERIES_QUOTA),
        Reason.DROPPED_BY_RULE,
    }
)
"""So many may come, and as they were told to, that they would hide all other refusals."""

UNWANTED = frozenset({*What, Reason.DROPPED_BY_RULE})
"""Of a spelling that is unwanted all samples are, until the relay is started again."""

_CountsAs = tuple[Identity, Treatment]

_MOST_VERDICTS = 8192
_MOST_REWRITTEN = 65_536
_LONG = 512


class Admission:
    """Asks ``resolve`` for new series of ``held``; ``namings`` is how often it did.

    What ``rules`` say of a series besides its name goes into their treatments.
    """

    def __init__(self, resolve: Resolve, held: HeldSeries, rules: Rules) -> None:
        self._resolve, self._held = resolve, held
        self._rewrite, self._treatments = rules.rewrite, rules.treatments
        self._rewritten: dict[Identity, _CountsAs | Reason] = {}
        self._verdicts: dict[Identity, Reason | What] = {}
        self._overflow = OverflowSample()
        self.namings = 0

    def series(self, sample: Sample, period: int, now: int) -> Held | Reason | What:
        """For a sample of ``period`` while ``now`` is the one that is open."""
        sent = (sample.kind.value, sample.name, sample.tags)
        if self._rewrite is None:
            return self._admitted(sample, sent, 0, period, now)
        counts_as = self._counts_as(self._rewrite, sample, sent)
        if isinstance(counts_as, Reason):
            return counts_as
        identity, treatment = counts_as
        held = self._admitted(sample, identity, treatment.priority, period, now)
        if not isinstance(held, Reason | What):
            self._treatments.note(held.series, treatment)
        return held

    def _admitted(
        self, sample: Sample, identity: Identity, priority: int, period: int, now: int
    ) -> Held | Reason | What:
        held = self._held.get(sample.kind, *identity[1:])
        if held is not None:
            return self._held.see(held, period)
        known = self._verdicts.get(identity)
        if known is not None:
            return known
        full = self._held.no_room(identity, now, priority)
        if full is not None:
            self._overflow.add(full, identity[1], len(sample.values), now)
            return full
        self.namings += 1
        verdict = self._resolve(sample.kind, *identity[1:])
        if isinstance(verdict, Series):
            return self._held.admit(verdict, period)
        if len(self._verdicts) >= _MOST_VERDICTS:
            self._verdicts.clear()
        self._verdicts[identity] = verdict
        return verdict

    def _counts_as(
        self, rewrite: Rewrite, sample: Sample, sent: Identity
    ) -> "_CountsAs | Reason":
        known = self._rewritten.get(sent)
        if known is not None:
            return known
        if len(self._rewritten) >= _MOST_REWRITTEN:
            self._rewritten.clear()
        found = rewrite(sample.kind, *sent[1:])
        counts_as: _CountsAs | Reason
        if isinstance(found, Reason):
            counts_as = found
        else:
            identity = (sent[0], found.name, found.tags)
            # Most are what they were: one object rather than two.
            same = sent if identity == sent else identity
            counts_as = (same, found.treatment)
        characters = sum(len(k) + len(v or "") for k, v in sample.tags)
        if len(sample.name) + characters < _LONG:
            self._rewritten[sent] = counts_as
        return counts_as

    def overflow(self) -> Overflow:
        """What was refused of late for want of room."""
        return self._overflow.sample()
