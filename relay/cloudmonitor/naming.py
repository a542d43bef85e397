"""From a StatsD spelling to what CloudMonitor will call it: metric name and Dimensions.

Two series never end in one identity: the first comer keeps it, the next gets one more
dimension. Nothing here counts samples or knows periods; the engine asks once a spelling.
"""

import itertools
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from heapq import nsmallest
from typing import Final, NamedTuple

from relay.cloudmonitor.cleaning import clean_key, clean_name, clean_value, with_hash
from relay.cloudmonitor.contract import DIMENSIONS_MAX
from relay.cloudmonitor.owners import Claim, Owners
from relay.errors import ConfigError
from relay.rollup.reported import PythonReported, Reported
from relay.rollup.series import Dimensions, Series
from relay.statsd.sample import Kind, Reason, Tags, What

__all__ = ["SERIES_KEY", "Collision", "Namer"]

SERIES_KEY: Final = "statsd_series"
"""The dimension that tells twins apart."""

_ALONE: Final = ("source", "statsd")  # `{}` is doubtful, see contract.DIMENSIONS_MAX
_TAGS_OUT: Final = DIMENSIONS_MAX - 2  # two places are ours: instance, SERIES_KEY
_BARE: Final = "true"
_TELEMETRY: Final = ("datadog.dogstatsd.client.", "dd.internal.")
_LISTED: Final = 100


class Collision(NamedTuple):
    """Two series of one identity, as ``<kind>/<name>``, the first comer first."""

    metric: str
    first: str
    second: str


class Namer:
    """Names series; a ``Resolve``. Deterministic for the same questions in one order.

    ``instance`` is the value of the dimension ``instance_key``; None or empty leaves it
    out. ``first_tags`` go out before all others. Who came first is remembered for as long
    as the series is held: whoever lets one go says so to ``release``.

    Thread: one, the engine's.
    """

    def __init__(
        self,
        *,
        instance: str | None,
        instance_key: str = "instance",
        first_tags: Sequence[str] = (),
        report_client_telemetry: bool = False,
        reported: Callable[[], Reported] = PythonReported,
    ) -> None:
        key = clean_key(instance_key)
        if key == SERIES_KEY:
            raise ConfigError("instance_key", f"{SERIES_KEY} has another use")
        self._ours = ((key, clean_value(instance)),) if instance else ()
        self._plain: Dimensions = self._ours or (_ALONE,)  # shared: most have no others
        self._reserved = (*dict(self._ours), SERIES_KEY)
        self._first = dict.fromkeys(map(self._unreserved, map(clean_key, first_tags)))
        self._ignores_telemetry = not report_client_telemetry
        self._owners = Owners(reported())
        self.dropped_tags = 0
        self.collision_count = 0
        self._collisions: deque[Collision] = deque(maxlen=_LISTED)

    def __call__(self, kind: Kind, name: str, tags: Tags, /) -> Series | Reason | What:
        """The series, or ``CLIENT_TELEMETRY``; no name is so bad as to be refused."""
        if self._ignores_telemetry and name.startswith(_TELEMETRY):
            return What.CLIENT_TELEMETRY
        metric = clean_name(name)
        plain = self._plain
        if tags:
            plain = tuple(sorted((*self._ours, *self._tags_out(tags)))) or plain
        return self._claimed(
            Series(kind, name, tags, metric, dimensions)
            for dimensions in _candidates(plain, kind, name, tags)
        )

    @property
    def collisions(self) -> Sequence[Collision]:
        """The latest hundred; ``collision_count`` has them all."""
        return tuple(self._collisions)

    def release(self, series: Series) -> None:
        """Nobody holds ``series`` any more; its identity is free for the next comer."""
        self._owners.release(series)

    @property
    def claims(self) -> int:
        """How often somebody came first; where it has grown there is more to save."""
        return self._owners.claims

    def save(self) -> Iterable[bytes]:
        """Who came first, as it is now: parts to be iterated in any thread."""
        return self._owners.save()

    def restore(self, parts: Iterable[bytes]) -> str | None:
        """Go on with who came first; why the parts do not fit, if they do not.

        Before anything is named; ``settle`` is to follow.
        """
        return self._owners.restore(parts)

    def settle(self) -> None:
        """All that was held is named again; other restored names are free."""
        self._owners.settle()

    def _tags_out(self, tags: Tags) -> Sequence[tuple[str, str]]:
        """Eight at most, cleaned; the values of the others are not even looked at."""
        present = {key: value for key, value in tags if key and value != ""}
        by_key: dict[str, str] = {}
        for key in present:
            cleaned = clean_key(key)
            if cleaned == key or cleaned not in by_key:
                by_key[cleaned] = key
        for key in self._reserved:
            if key in by_key:
                spelling = by_key.pop(key)
                by_key[self._unreserved(key, by_key)] = spelling
        chosen = [key for key in self._first if key in by_key][:_TAGS_OUT]
        others = (key for key in by_key if key not in self._first)
        chosen += nsmallest(_TAGS_OUT - len(chosen), others)
        self.dropped_tags += len(present) - len(chosen)
        return [(key, clean_value(present[by_key[key]] or _BARE)) for key in chosen]

    def _unreserved(self, key: str, taken: Collection[str] = ()) -> str:
        """``exported_<key>`` where ``key`` is ours, again prefixed if that is taken.

        Source: Prometheus does so with labels of a scraped target.
        """
        while key in self._reserved or key in taken:
            key = clean_key(f"exported_{key}")
        return key

    def _claimed(self, candidates: Iterator[Series]) -> Series:
        """The first of the candidates whose identity is nobody else's."""
        series = next(candidates)
        claim = self._owners.claim(series)
        if claim is not Claim.TAKEN:
            return series
        first = self._owners.shown(series)
        while claim is Claim.TAKEN:
            series = next(candidates)
            claim = self._owners.claim(series)
        if claim is Claim.FRESH:
            self.collision_count += 1
            second = self._owners.shown(series)
            self._collisions.append(Collision(series.metric, first, second))
        return series


def _candidates(
    plain: Dimensions, kind: Kind, name: str, tags: Tags
) -> Iterator[Dimensions]:
    """The plain identity, then with ``<kind>/<name>``, then with hashes without end."""
    yield plain
    text = f"{kind.value}/{name}"
    yield _marked(plain, clean_value(text))
    spelling = f"{text}|#{','.join(_tag_spellings(tags))}"
    for attempt in itertools.count():
        yield _marked(plain, with_hash(clean_value(text), f"{spelling}{attempt or ''}"))


def _tag_spellings(tags: Tags) -> Iterator[str]:
    return (key if value is None else f"{key}:{value}" for key, value in tags)


def _marked(dimensions: Dimensions, series: str) -> Dimensions:
    return tuple(sorted((*dimensions, (SERIES_KEY, series))))
