"""What became of every section: exact counts, and the latest refusals as text.

Sections are samples, refused or ignored, and nothing else; who decides which is not
known here.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from relay.rollup.engine import Tally
from relay.statsd.sample import Ignored, Kind, Reason, Refusal, What

__all__ = ["KINDS", "Ledger"]

KINDS = tuple(Kind)
"""A kind's place here is its place in ``Ledger.taken``."""

_MOST_REFUSALS = 50
_LONGEST_TEXT = 200


class Ledger:
    """Counts since it was made; the hot path writes to ``taken`` and ``lines`` itself."""

    __slots__ = ("_latest", "duplicate_tags", "ignored", "lines", "refused", "taken")

    def __init__(self) -> None:
        self.lines = 0
        self.duplicate_tags = 0
        # A list, since hashing a member of an Enum is a call of Python's own.
        self.taken = [0] * len(KINDS)
        self.refused = dict.fromkeys(Reason, 0)
        self.ignored = dict.fromkeys(What, 0)
        self._latest: deque[Refusal] = deque(maxlen=_MOST_REFUSALS)

    def refuse(self, reason: Reason, text: str | bytes | None, times: int = 1) -> None:
        """Count it; ``text`` is what to show of it, None for nothing."""
        self.refused[reason] += times
        if text is None:
            return
        if isinstance(text, bytes):  # no more of a long line is decoded than is shown
            text = text[: 4 * _LONGEST_TEXT].decode("utf-8", "replace")
        refusal = Refusal(text[:_LONGEST_TEXT], reason)
        self._latest.extend([refusal] * min(times, _MOST_REFUSALS))

    def set_aside(self, item: Refusal | Ignored, times: int) -> None:
        """Count what the grammar made no sample of."""
        if isinstance(item, Ignored):
            self.ignored[item.what] += times
        else:
            self.refuse(item.reason, item.text, times)

    def turn_away(
        self, verdict: Reason | What, text: str | bytes | None, times: int
    ) -> dict[Any, int]:
        """Count it; gives where, for whoever counts more of the same."""
        if isinstance(verdict, What):
            self.ignored[verdict] += times
            return self.ignored
        self.refuse(verdict, text, times)
        return self.refused

    def latest(self) -> Sequence[Refusal]:
        """The last refusals, newest last."""
        return tuple(self._latest)

    def counts(self) -> Mapping[str, Any]:
        """All of them as words and numbers, for ``load``."""
        return {
            "lines": self.lines,
            "duplicate_tags": self.duplicate_tags,
            "samples": {
                kind.value: n for kind, n in zip(KINDS, self.taken, strict=True)
            },
            "refused": {reason.value: n for reason, n in self.refused.items()},
            "ignored": {what.value: n for what, n in self.ignored.items()},
        }

    @classmethod
    def load(cls, counts: Mapping[str, Any]) -> "Ledger":
        """Goes on from ``counts``; ValueError for a word that is none of ours."""
        ledger = cls()
        ledger.lines = int(counts["lines"])
        ledger.duplicate_tags = int(counts["duplicate_tags"])
        for word, n in counts["samples"].items():
            ledger.taken[KINDS.index(Kind(word))] = int(n)
        for word, n in counts["refused"].items():
            ledger.refused[Reason(word)] = int(n)
        for word, n in counts["ignored"].items():
            ledger.ignored[What(word)] = int(n)
        return ledger

    def tally(self, series: int) -> Tally:
        """All counts, with the number of ``series`` that somebody else counts."""
        refused, ignored = dict(self.refused), dict(self.ignored)
        return Tally(
            lines=self.lines,
            sections=sum((*self.taken, *refused.values(), *ignored.values())),
            samples=dict(zip(KINDS, self.taken, strict=True)),
            refused=refused,
            ignored=ignored,
            duplicate_tags=self.duplicate_tags,
            series=series,
        )
