"""What the relay says of itself on its own road, so that CloudMonitor alone can alarm.

Lines like any sender's, once a period, under the names of the reference daemon. What
the figures count is other rooms' business.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

__all__ = ["Figures", "SelfReport"]


class Figures(NamedTuple):
    """Totals since the start, and ``series`` held now; ``closing_seconds`` is what the
    last period took to close."""

    packets: int
    lines: int
    refused: int
    series: int
    closing_seconds: float
    entries_lost: int


class SelfReport:
    """``feed`` takes lines as of some period; ``figures`` gives what there is to say;
    ``clock`` is in seconds, monotonic. Names begin with ``prefix``.

    Source of the names: the reference's own metrics. ``heartbeat`` and ``entries_lost``
    are ours.
    """

    def __init__(
        self,
        *,
        prefix: str,
        period_seconds: int,
        feed: Callable[[bytes, int], None],
        figures: Callable[[], Figures],
        clock: Callable[[], float],
    ) -> None:
        self._prefix, self._length = prefix, period_seconds
        self._feed, self._figures, self._clock = feed, figures, clock
        self._told = figures()
        self._told_at: float | None = None
        self._own_lines = 0

    def tell(self, period: int, present: int) -> None:
        """Say what became of ``period``, which is about to be sealed, in a line each.

        They are stamped, and fed while ``present`` is open.
        """
        now, at = self._figures(), self._clock()
        lines = [
            f"{self._prefix}.{line}|T{period}".encode() for line in self._lines(now, at)
        ]
        self._told, self._told_at, self._own_lines = now, at, len(lines)
        self._feed(b"\n".join(lines), present)

    def _lines(self, now: Figures, at: float) -> Iterator[str]:
        before = self._told
        yield f"packets_received:{now.packets - before.packets}|c"
        yield f"metrics_received:{now.lines - before.lines - self._own_lines}|c"
        yield f"bad_lines_seen:{now.refused - before.refused}|c"
        yield f"entries_lost:{now.entries_lost - before.entries_lost}|c"
        yield f"numStats:{now.series}|g"
        yield f"processing_time:{now.closing_seconds * 1000:.3f}|g"
        yield "heartbeat:1|c"
        if self._told_at is not None:
            yield f"timestamp_lag:{at - self._told_at - self._length:.3f}|g"
