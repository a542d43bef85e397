"""What is to be done with a series besides counting it, where a rule says so of it.

Rules are written for what is sent, series are what that counts as; so the latest rule
that a series was found by is the one that holds. Who sets a treatment is one thread,
the engine's; any thread may look at it.
"""

from collections.abc import Callable
from typing import NamedTuple, Protocol

from relay.rollup.quota import Quota
from relay.rollup.series import Series
from relay.statsd.sample import Kind, Reason, Tags

__all__ = ["Rewrite", "Rewritten", "Rules", "Treatment", "Treatments"]


class Treatment(NamedTuple):
    """None in each place is what holds for all series.

    ``group`` is what the entries belong to; ``percentiles`` are whole percentages,
    ascending; ``idle_ttl`` are the seconds for which it is reported while it is idle (0:
    for ever), ``is_silent`` says that it is not reported then at all. The higher
    ``priority``, the sooner a new one finds a place within a quota.
    """

    group: str | None = None
    percentiles: tuple[int, ...] | None = None
    idle_ttl: int | None = None
    is_silent: bool | None = None
    priority: int = 0


class Rewritten(NamedTuple):
    """What a series counts as: a name and tags of the same form, and its treatment."""

    name: str
    tags: Tags
    treatment: Treatment = Treatment()


class Rewrite(Protocol):
    """What the rules make of a series, or why it is not reported."""

    def __call__(self, kind: Kind, name: str, tags: Tags, /) -> Rewritten | Reason:
        """As ``Resolve``; asked before it, and with what was sent."""
        ...


class Treatments:
    """The treatment of each series that has one; ``are_any`` is whether any has."""

    def __init__(self) -> None:
        self._of: dict[Series, Treatment] = {}

    @property
    def are_any(self) -> bool:
        return bool(self._of)

    def of(self, series: Series) -> Treatment:
        """That of the series, or the usual one."""
        return self._of.get(series, USUAL) if self._of else USUAL

    def note(self, series: Series, treatment: Treatment) -> None:
        """From now on it is this one."""
        if treatment != USUAL:
            self._of[series] = treatment
        elif self._of:
            self._of.pop(series, None)

    def forget(self, series: Series) -> None:
        """Nobody holds ``series`` any more."""
        self._of.pop(series, None)

    def group_of(self, usual: str) -> Callable[[Series], str]:
        """Which group the entries of a series belong to, ``usual`` where nobody says."""
        treatments = self._of

        def group(series: Series) -> str:
            if not treatments:  # of most relays, and this is asked once an entry
                return usual
            return treatments.get(series, USUAL).group or usual

        return group


USUAL = Treatment()


class Rules:
    """What holds for series by rule: ``rewrite`` finds the rule of one, where there are
    any; ``treatments`` are those that were found, ``quota`` is for all of them."""

    def __init__(
        self, rewrite: Rewrite | None = None, quota: Quota | None = None
    ) -> None:
        self.rewrite = rewrite
        self.treatments = Treatments()
        self.quota = Quota() if quota is None else quota

    def forgetting(
        self, released: Callable[[Series], None]
    ) -> Callable[[Series], None]:
        """``released``, for a series that has no treatment any more either."""

        def both(series: Series) -> None:
            self.treatments.forget(series)
            released(series)

        return both
