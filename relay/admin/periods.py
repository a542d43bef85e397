"""The latest closed periods, and what was lost while each was open.

A count that rose between two closings is put down to the period that was closed by the
second: what is lost of older entries is there too, under the moment it was noticed.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import TypedDict

__all__ = ["KEPT_PERIODS", "Period", "Periods"]

KEPT_PERIODS = 60


class Period(TypedDict):
    """``start`` in Unix seconds, ``length`` in seconds.

    ``lost`` has counts by why: ``kernel_drops`` are datagrams, ``defects`` periods or
    requests, ``gap_seconds`` what the relay before did not write down, the others
    entries. ``refused`` are sections by reason.
    """

    start: int
    length: int
    lines: int
    refused: dict[str, int]
    lost: dict[str, int]


class Periods:
    """``kept`` of them at most. ``gap_seconds`` were lost before the first."""

    def __init__(self, gap_seconds: float = 0.0, kept: int = KEPT_PERIODS) -> None:
        self._kept: deque[Period] = deque(maxlen=kept)
        self._before: dict[str, float] = {}
        self._gap = gap_seconds

    def begin(self, sample: Mapping[str, float | None]) -> None:
        """What was counted before the first period is no part of it."""
        self._before |= _known(sample)

    def close(
        self, start: int, length: int, sample: Mapping[str, float | None]
    ) -> None:
        """The period that began at ``start`` is over, ``sample`` is how counts stand."""
        risen = {
            name: int(figure - self._before.get(name, 0))
            for name, figure in _known(sample).items()
        }
        whole = {name: risen.get(name, 0) for name in ("kernel_drops", "defects")}
        gap, self._gap = self._gap, 0.0
        whole["gap_seconds"] = round(gap)
        self._before |= _known(sample)
        self._kept.append(
            Period(
                start=start,
                length=length,
                lines=risen.get("lines", 0),
                refused=_under("refused.", risen),
                lost={name: n for name, n in whole.items() if n > 0}
                | _under("lost.", risen),
            )
        )

    def all(self) -> Sequence[Period]:
        """Oldest first."""
        return list(self._kept)


def _known(sample: Mapping[str, float | None]) -> dict[str, float]:
    return {name: figure for name, figure in sample.items() if figure is not None}


def _under(prefix: str, risen: Mapping[str, int]) -> dict[str, int]:
    return {
        name.removeprefix(prefix): by
        for name, by in risen.items()
        if name.startswith(prefix) and by > 0
    }
