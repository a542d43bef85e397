"""The last hour in figures, one sample every few seconds: what the charts are drawn of.

Of a fixed size: columns of numbers, the oldest of which go. Knows no clock; what a column
means is only known where it is named.
"""

import math
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from typing import TypedDict

from relay.admin.status import Entries, Status

__all__ = ["EVERY_SECONDS", "KEPT", "Columns", "History", "figures", "lost"]

EVERY_SECONDS = 5.0
KEPT = 720
"""Samples of an hour."""


class Columns(TypedDict):
    """``t`` are Unix seconds, ascending; each column has a number for each of them.

    A column that is not there has been 0 all along, None is what was not known.
    """

    t: list[float]
    columns: dict[str, list[float | None]]


class History:
    """``kept`` samples at most."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._t = array("d")
        self._columns: dict[str, array[float]] = {}

    def add(self, at: float, sample: Mapping[str, float | None]) -> None:
        """Figures of the moment ``at``; where the clock was set back, later ones go."""
        later = bisect_left(self._t, at)
        self._cut(slice(later, None))
        if len(self._t) >= self._kept:
            self._cut(slice(0, len(self._t) - self._kept + 1))
        for name, figure in sample.items():
            if figure != 0 and name not in self._columns:
                self._columns[name] = array("d", bytes(8 * len(self._t)))
        self._t.append(at)
        for name, column in self._columns.items():
            figure = sample.get(name)
            column.append(math.nan if figure is None else figure)

    def after(self, at: float = float("-inf")) -> Columns:
        """All that is younger than ``at``."""
        first = bisect_right(self._t, at)
        return Columns(
            t=[round(t, 1) for t in self._t[first:]],
            columns={
                name: [_plain(figure) for figure in column[first:]]
                for name, column in self._columns.items()
            },
        )

    def increase(self, name: str, seconds: float) -> float:
        """By how much a count rose in the last ``seconds``, of what is known."""
        column = self._columns.get(name)
        if column is None or not self._t:
            return 0.0
        first = bisect_left(self._t, self._t[-1] - seconds)
        risen = column[-1] - column[first]
        return 0.0 if math.isnan(risen) else max(0.0, risen)

    def known(self, seconds: float) -> float:
        """Of how many of the last ``seconds`` there are samples."""
        return min(self._t[-1] - self._t[0], seconds) if self._t else 0.0

    def increases(self, prefix: str, seconds: float) -> dict[str, float]:
        """``increase`` of each column called ``prefix.…`` that rose, without it."""
        dotted = f"{prefix}."
        risen = {
            name.removeprefix(dotted): self.increase(name, seconds)
            for name in self._columns
            if name.startswith(dotted)
        }
        return {name: by for name, by in risen.items() if by}

    def _cut(self, some: slice) -> None:
        for column in (self._t, *self._columns.values()):
            del column[some]


def figures(status: Status, *, lag: float, defects: float) -> dict[str, float | None]:
    """A sample: counts since the start, and of ``series``, ``spool_…``, ``lag_seconds``
    and ``clock_offset_seconds`` what they are now."""
    ledger = status["ledger"]
    told = [listener["kernel_drops"] for listener in status["listeners"]]
    drops = [count for count in told if count is not None]
    spooled = status["spool"].get("bytes")
    return {
        "lines": ledger["lines"],
        "samples": sum(ledger["samples"].values()),
        "series": status["series"],
        "spool_entries": ledger["entries"]["waiting"],
        "spool_bytes": spooled if isinstance(spooled, int) else 0,
        "kernel_drops": sum(drops) if drops or not told else None,
        "acked": ledger["entries"]["acked"],
        "defects": defects,
        "lag_seconds": round(lag, 4),
        "clock_offset_seconds": round(status["sink"]["clock_offset"], 3),
        "clock_steps": status["clock_steps"],
        **{f"refused.{reason}": n for reason, n in ledger["refused"].items()},
        **{f"requests.{word}": n for word, n in ledger["requests"].items()},
        **{f"lost.{why}": n for why, n in lost(ledger["entries"]).items()},
    }


def lost(entries: Entries) -> dict[str, int]:
    """Entries that are gone, by why; of ``partial`` all of them may be."""
    return {
        "partial": entries["partial"],
        "parked": entries["parked"],
        **entries["dropped"],
    }


def _plain(figure: float) -> float | None:
    """As JSON has it: whole numbers without a point, and no number that is none."""
    if math.isnan(figure):
        return None
    return int(figure) if figure.is_integer() else figure
