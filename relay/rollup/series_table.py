"""Series by number, so that each is written once, and named anew when it is read.

Only what StatsD tells series apart by is written, and the treatment it has. How a series
is called is asked of ``Resolve`` again, since that may have changed meanwhile.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from relay.rollup.roster import Identity, identity_of
from relay.rollup.series import Resolve, Series
from relay.rollup.treatment import Treatment, Treatments
from relay.statsd.sample import Kind

__all__ = ["Names", "SeriesReader", "SeriesWriter"]

_KINDS: Mapping[str, Kind] = {kind.value: kind for kind in Kind}
_TEXTS = {str, type(None)}


class SeriesWriter:
    """Numbers series by their objects, which have to stay alive meanwhile."""

    def __init__(self, treatments: Treatments) -> None:
        self._treatments = treatments
        self._numbers: dict[int, int] = {}
        self._new: list[object] = []

    def number(self, series: Series) -> int:
        number = self._numbers.get(id(series))
        if number is None:
            number = self._numbers[id(series)] = len(self._numbers)
            plain = identity_of(series)
            treatment = self._treatments.of(series)
            own = () if treatment == Treatment() else (treatment,)
            self._new.append((*plain, *own))
        return number

    def fresh(self) -> list[object]:
        """Those that were numbered since the last call."""
        fresh, self._new = self._new, []
        return fresh


class Names:
    """Asks once a series, however often it comes."""

    def __init__(self, resolve: Resolve, treatments: Treatments) -> None:
        self._resolve, self._treatments = resolve, treatments
        self._named: dict[Identity, Series | None] = {}

    def __call__(self, identity: Identity) -> Series | None:
        """The series; None if it is not reported any more."""
        if identity not in self._named:
            word, name, tags = identity
            series = self._resolve(_KINDS[word], name, tags)
            self._named[identity] = series if isinstance(series, Series) else None
        return self._named[identity]

    def treat(self, series: Series, treatment: Treatment) -> None:
        """It had this one."""
        self._treatments.note(series, treatment)

    def all(self) -> Iterator[Series]:
        """Everyone that is reported."""
        return (named for named in self._named.values() if named is not None)


class SeriesReader:
    """Series by the numbers they were written with."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._known: list[tuple[str, Series | None]] = []

    def extend(self, fresh: Sequence[Any]) -> None:
        """Take what ``SeriesWriter.fresh`` gave; ValueError or TypeError if it did not."""
        for word, name, tags, *own in fresh:
            pairs = tuple([(key, value) for key, value in tags])
            texts = {type(name), *(type(text) for pair in pairs for text in pair)}
            if word not in _KINDS or not texts <= _TEXTS:
                raise ValueError(f"not a series: {word!r} {name!r}")
            named = self._names((word, name, pairs))
            if own and named is not None:
                self._names.treat(named, _treatment(*own))
            self._known.append((word, named))

    def at(self, number: int) -> tuple[str, Series | None]:
        """The word of its kind, and the series, None if it is not reported any more."""
        if number < 0:
            raise ValueError("a negative number of a series")
        return self._known[number]


def _treatment(written: Sequence[Any]) -> Treatment:
    """ValueError or TypeError where it is none."""
    group, percentiles, idle_ttl, is_silent, priority = written
    return Treatment(
        None if group is None else str(group),
        None if percentiles is None else tuple(int(one) for one in percentiles),
        None if idle_ttl is None else int(idle_ttl),
        None if is_silent is None else bool(is_silent),
        int(priority),
    )
