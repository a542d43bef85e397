"""The relay's own health as Prometheus metrics, asked for at each scrape.

Rooms count with plain ints where things happen and know nothing of Prometheus; this
module asks them. It is the only importer of prometheus_client, and it refuses to know
what the counts mean; what there is stands in ``declared``.
"""

import itertools
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from prometheus_client import CollectorRegistry, Metric, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from relay.telemetry.declared import METRICS, PREFIX, REQUEST_SECONDS, Own

__all__ = ["Counts", "Telemetry"]

Counts: TypeAlias = Mapping[str, Mapping[tuple[str, ...], float]]
"""Name without prefix -> values of its labels, in order -> the figure."""

_BY_NAME = {own.name: own for own in METRICS}


class Telemetry:
    """Renders all metrics; belongs to one thread, the reactor's."""

    def __init__(self, version: str, engine: str) -> None:
        self._sources = _Sources()
        self._sources.add(lambda: {"build_info": {(version, engine): 1}})
        self._attempts = [0] * (len(REQUEST_SECONDS) + 1)
        self._attempt_seconds = 0.0
        self._registry = CollectorRegistry()
        self._registry.register(_Pull(self._collect))
        ProcessCollector(registry=self._registry)

    def add_source(self, source: Callable[[], Counts]) -> None:
        """Ask ``source`` at every scrape. It may raise: then its last answer stands."""
        self._sources.add(source)

    def observe_request(self, seconds: float) -> None:
        """Count an attempt to deliver that took ``seconds``."""
        self._attempts[bisect_left(REQUEST_SECONDS, seconds)] += 1
        self._attempt_seconds += seconds

    def render(self, accept: str = "") -> tuple[str, bytes]:
        """The type and body of an answer: OpenMetrics where ``accept`` asks for it."""
        try:
            encode, content_type = choose_encoder(accept)
            return content_type, encode(self._registry)
        except Exception:  # noqa: BLE001 - the library trips over odd versions
            encode, content_type = choose_encoder("")
            return content_type, encode(self._registry)

    def _collect(self) -> Iterable[Metric]:
        answers = self._sources.ask()
        for own in METRICS:
            if own.type == "histogram":
                yield self._request_seconds(own)
            else:
                yield _family(own, own.zeros() | answers.get(own.name, {}))

    def _request_seconds(self, own: Own) -> Metric:
        bounds = (*map(str, REQUEST_SECONDS), "+Inf")
        buckets = list(zip(bounds, itertools.accumulate(self._attempts), strict=True))
        family = HistogramMetricFamily(PREFIX + own.name, own.documentation)
        family.add_metric((), buckets, self._attempt_seconds)
        return family


@dataclass(frozen=True, slots=True)
class _Pull(Collector):
    """What the registry wants: an object with ``collect``."""

    pull: Callable[[], Iterable[Metric]]

    def collect(self) -> Iterable[Metric]:
        return self.pull()

    def describe(self) -> Iterable[Metric]:
        """Nothing, so that registering asks no source."""
        return ()


class _Sources:
    """Asks every source, and remembers what each said last."""

    def __init__(self) -> None:
        self._sources: list[Callable[[], Counts]] = []
        self._last: list[Counts] = []
        self._failures = 0

    def add(self, source: Callable[[], Counts]) -> None:
        self._sources.append(source)
        self._last.append({})

    def ask(self) -> dict[str, dict[tuple[str, ...], float]]:
        """All answers in one, keys closed. Never raises.

        A source that fails keeps its last figures: a counter that fell to 0 would look
        like a restart.
        """
        merged: dict[str, dict[tuple[str, ...], float]] = {}
        for index, source in enumerate(self._sources):
            try:
                self._last[index] = _checked(source())
            except Exception:  # noqa: BLE001 - whatever it is, the scrape goes on
                self._failures += 1
            for name, figures in self._last[index].items():
                merged.setdefault(name, {}).update(figures)
        merged["scrape_failures_total"] = {(): self._failures}
        return merged


def _checked(counts: Counts) -> Counts:
    """``counts`` with closed keys; a name or a shape nobody declared is an error."""
    checked: dict[str, dict[tuple[str, ...], float]] = {}
    for name, figures in counts.items():
        own, sums = _BY_NAME[name], dict[tuple[str, ...], float]()
        for key, figure in figures.items():
            closed = own.closed(key)
            sums[closed] = sums.get(closed, 0) + float(figure)
        checked[name] = sums
    return checked


def _family(own: Own, figures: Mapping[tuple[str, ...], float]) -> Metric:
    """One family with all its series, in a fixed order."""
    name, text, labels = PREFIX + own.name, own.documentation, own.label_names
    if own.type == "info":
        info = InfoMetricFamily(name.removesuffix("_info"), text, labels=())
        for key in figures:
            info.add_metric((), dict(zip(labels, key, strict=True)))
        return info
    kind = CounterMetricFamily if own.type == "counter" else GaugeMetricFamily
    family = kind(name, text, labels=labels)
    for key, figure in figures.items():
        family.add_metric(key, figure)
    return family
