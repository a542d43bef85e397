"""Tells the log when the places of the quota of series run out. Decides nothing."""

from typing import Final

from twisted.logger import Logger

from relay.rollup.quota import NEARLY, Quota

__all__ = ["QuotaWatch"]

_ENOUGH: Final = 0.9
"""Of what was worth a warning: so few, and the next time is worth another."""

_FIX: Final = (
    "see cms-relay plan for what to leave out, and mapping rules for priority;"
    " or buy more and raise --series-quota"
)


class QuotaWatch:
    """Warns once when ``quota`` is nearly used, and again when that was over."""

    _log = Logger()

    def __init__(self, quota: Quota) -> None:
        self._quota = quota
        self._is_told = False

    def look(self, series: int) -> None:
        """So many are reported now."""
        if self._quota.is_nearly_used(series):
            if not self._is_told:
                self._log.warn(
                    "{series} series of the {quota} of --series-quota are in use: {fix}",
                    series=series,
                    quota=self._quota.limit,
                    fix=_FIX,
                )
            self._is_told = True
        elif series < _ENOUGH * NEARLY * self._quota.limit or not self._quota.limit:
            self._is_told = False
