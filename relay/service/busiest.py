"""Which series had the most samples, written from time to time: statsd's keyFlush.

Counted from closed periods, where nobody waits, and not from lines as they come: so that
the hot path costs the same. Thread: the disk lane.
"""

import sys
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path

from twisted.logger import Logger

from relay.rollup.engine import Rollup
from relay.rollup.looking import key_of
from relay.rollup.summary import SetSummary, Summary

__all__ = ["Busiest", "appending"]


class Busiest:
    """Every ``seconds`` the busiest ``percent`` of the keys go to ``write``, as lines.

    ``length`` is that of the periods that are counted; ``wall`` is in Unix seconds. A
    ``write`` that fails is logged, and what it was to have is gone.
    """

    _log = Logger()

    def __init__(
        self,
        *,
        seconds: float,
        percent: float,
        length: int,
        write: Callable[[str], object],
        wall: Callable[[], float],
    ) -> None:
        self._seconds, self._share, self._length = seconds, percent / 100, length
        self._write, self._wall = write, wall
        self._began = wall()
        self._counts: Counter[str] = Counter()

    def take(self, rollups: Iterable[Rollup]) -> None:
        """Count what was closed; write, if it is time."""
        for rollup in rollups:
            if rollup.length == self._length:
                for series, summary in rollup.rows:
                    if samples := _samples(summary):
                        self._counts[key_of(series)] += samples
        now = self._wall()
        if not 0 <= now - self._began < self._seconds:
            self._began = now
            self._tell(now)

    def _tell(self, now: float) -> None:
        counts, self._counts = self._counts, Counter()
        moment = datetime.fromtimestamp(now).astimezone()
        words = f"{moment:%a %b %d %Y %H:%M:%S GMT%z}"
        busiest = counts.most_common(_upwards(len(counts) * self._share))
        text = "".join(f"{words} count={count} key={key}\n" for key, count in busiest)
        try:
            self._write(text)
        except OSError as error:
            self._log.warn(
                "the busiest keys could not be written: {reason}", reason=error.strerror
            )


def appending(path: Path | None) -> Callable[[str], object]:
    """Writes to the end of a file, opened each time; without a path to standard output."""

    def write(text: str) -> None:
        if path is None:
            sys.stdout.write(text)
            sys.stdout.flush()
            return
        with path.open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)

    return write


def _samples(summary: Summary) -> int:
    """Of a set its members, since it does not know how often they came."""
    count = summary.distinct if isinstance(summary, SetSummary) else summary.count
    return round(min(count, sys.maxsize))


def _upwards(number: float) -> int:
    return -int(-number // 1)
