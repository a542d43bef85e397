"""Which names of periods were given away, and which are free.

A period is named by where it starts, in Unix seconds, at a multiple of its length. A
wall clock that is set back comes to names a second time; what was reported under one
must not be reported under it again. No clock is read here.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence

from relay.rollup.grace import aligned

__all__ = ["Span", "Taken"]

Span = tuple[int, int]
"""Where the first of a run of periods starts, and where the last of them ends."""

SPANS_MAX = 64
"""A run ends where the clock jumped; so many jumps are told apart, then the two runs
that are nearest to each other count as one. That can delay a period, never repeat one."""


class Taken:
    """Names that are given away, of periods of ``length`` seconds."""

    def __init__(self, length: int, spans: Iterable[Span] = ()) -> None:
        self._length = length
        self._spans: list[Span] = []
        for span in sorted(spans):  # those that touch or overlap are one
            if self._spans and span[0] <= self._spans[-1][1]:
                first, end = self._spans[-1]
                self._spans[-1] = (first, max(end, span[1]))
            else:
                self._spans.append(span)

    @property
    def spans(self) -> Sequence[Span]:
        """Everything it knows, in order; to be given to the next one."""
        return tuple(self._spans)

    def __contains__(self, start: int) -> bool:
        return self._around(start) is not None

    def add(self, start: int) -> None:
        """The name is given away from now on."""
        if start in self:
            return
        spans = self._spans
        at = bisect_right(spans, (start, start))
        spans.insert(at, (start, start + self._length))
        for left in (at, at - 1):  # the right neighbour first, so that `at` stays true
            if 0 <= left < len(spans) - 1 and spans[left][1] == spans[left + 1][0]:
                self._join(left)
        if len(spans) > SPANS_MAX:
            gaps = range(len(spans) - 1)
            self._join(min(gaps, key=lambda gap: spans[gap + 1][0] - spans[gap][1]))

    def first_free(self, start: int) -> int:
        """The name itself if it is free, else the next one that is."""
        span = self._around(start)
        return start if span is None else span[1]

    def last_free(self, moment: int) -> int:
        """The latest free name at or before a moment."""
        start = aligned(moment, self._length)
        span = self._around(start)
        return start if span is None else span[0] - self._length

    def _around(self, start: int) -> Span | None:
        at = bisect_right(self._spans, start, key=_first) - 1
        if at >= 0 and start < self._spans[at][1]:
            return self._spans[at]
        return None

    def _join(self, left: int) -> None:
        self._spans[left : left + 2] = [
            (self._spans[left][0], self._spans[left + 1][1])
        ]


def _first(span: Span) -> int:
    return span[0]
