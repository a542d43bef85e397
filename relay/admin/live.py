"""What the page asks the relay for while it is open; the relay answers elsewhere."""

from collections.abc import Sequence
from typing import Protocol

from twisted.internet.defer import Deferred

from relay.admin.history import Columns
from relay.admin.periods import Period
from relay.admin.status import Status
from relay.admin.verdict import Verdict

__all__ = ["Hour", "Live"]


class Hour(Columns):
    """Samples and periods; ``every`` and ``period`` are seconds."""

    every: float
    period: int
    periods: Sequence[Period]


class Live(Protocol):
    """Answers from memory; changes nothing that is reported."""

    def hour(self, after: float) -> Hour:
        """Samples that are younger than ``after``, Unix seconds; all periods."""
        ...

    def verdict(self, status: Status, ready: bool) -> Verdict:
        """Whether metrics flow."""
        ...

    def find(self, query: str, limit: int) -> "Deferred[dict[str, object]]":
        """``found``: series as ``name``, ``kind``, ``metric``, ``dimensions``, ``rule``,
        ``values`` ``of`` a period, and the last ``answer``; whether there are ``more``,
        and how many were ``scanned``."""
        ...

    def explain(self, line: bytes) -> dict[str, object]:
        """``words``, lines as those of the command, and how many sections were
        ``accepted``, ``refused`` and ``ignored``."""
        ...
