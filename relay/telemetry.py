"""The relay's own health as Prometheus metrics: every name is declared here, once.

Rooms count with plain ints where things happen and know nothing of Prometheus; this
module asks them at each scrape. It is the only importer of prometheus_client, and it
refuses to know what the counts mean beyond the sentence that describes them.

Labels take their values from closed lists, so that no sender can make the number of
our own series grow; the exception is ``listener``, which the configuration bounds.
"""

import itertools
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from prometheus_client import CollectorRegistry, Metric, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from relay.delivery.ledger import OUTCOMES
from relay.statsd.sample import Kind, Reason, What

__all__ = ["LABELS", "METRICS", "PREFIX", "Counts", "Own", "Telemetry", "metrics_table"]

PREFIX = "cms_relay_"

Counts: TypeAlias = Mapping[str, Mapping[tuple[str, ...], float]]
"""Name without prefix -> values of its labels, in order -> the figure."""

LABELS: Mapping[str, tuple[str, ...]] = {
    "kind": tuple(kind.value for kind in Kind),
    "reason": tuple(reason.value for reason in Reason),
    "what": tuple(what.value for what in What),
    "outcome": ("acked", "partial", "dropped", "parked"),
    "cause": ("expired", "space", "too_large", "damaged"),
    "answer": tuple(OUTCOMES),
    "reload": ("applied", "refused"),
    "door": ("http", "emulator", "console"),
    "copy": ("sent", "lost"),
    "connection": ("peer", "idle", "too_long", "cut", "stop", "crowd", "stranger"),
}
"""The closed lists. A value outside of its list is shown as ``other``."""

OTHER = "other"

REQUEST_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0)
"""Upper bounds; an attempt ends after 15 s by our own clock."""


@dataclass(frozen=True, slots=True)
class Own:
    """One metric of ours.

    ``labels`` are pairs of the label's name and its list in ``LABELS``, or None where
    the configuration is the list; ``loss`` is true where a rise means that something
    was lost.
    """

    name: str
    type: Literal["counter", "gauge", "histogram", "info"]
    help: str
    labels: tuple[tuple[str, str | None], ...] = ()
    loss: bool = False

    @property
    def label_names(self) -> tuple[str, ...]:
        """In the order of the keys that sources give."""
        return tuple(name for name, _ in self.labels)

    @property
    def documentation(self) -> str:
        """The help text on the wire; loss is said first."""
        return f"DATALOSS: {self.help}" if self.loss else self.help

    def zeros(self) -> dict[tuple[str, ...], float]:
        """Every series that is known beforehand, so that a first rise is a rise."""
        lists = [LABELS[of] if of else () for _, of in self.labels]
        return dict.fromkeys(itertools.product(*lists), 0.0)

    def closed(self, key: tuple[str, ...]) -> tuple[str, ...]:
        """``key`` with every value that is on no list replaced."""
        return tuple(
            value if of is None or value in LABELS[of] else OTHER
            for value, (_, of) in zip(key, self.labels, strict=True)
        )


_LISTENER = (("listener", None),)

METRICS: tuple[Own, ...] = (
    Own(
        "build_info",
        "info",
        "Version and engine of this relay.",
        (("version", None), ("engine", None)),
    ),
    Own("datagrams_total", "counter", "Datagrams read from the socket.", _LISTENER),
    Own(
        "received_bytes_total",
        "counter",
        "Bytes of the datagrams that were read.",
        _LISTENER,
    ),
    Own(
        "kernel_drops_total",
        "counter",
        "Datagrams the kernel dropped because the socket's queue was full; "
        "absent where the system does not say.",
        _LISTENER,
        loss=True,
    ),
    Own("connections", "gauge", "Connections that are open now.", _LISTENER),
    Own(
        "connections_ended_total",
        "counter",
        "Connections by why they ended, all but peer and stop by the relay; with stranger "
        "datagrams too.",
        (("cause", "connection"),),
    ),
    Own(
        "repeated_total",
        "counter",
        "Packets copied to another daemon, and those that could not be.",
        (("target", None), ("outcome", "copy")),
    ),
    Own("lines_total", "counter", "Lines that were not empty."),
    Own(
        "sections_total",
        "counter",
        "Sections of lines, a packed value counting as one: samples, refused and "
        "ignored together.",
    ),
    Own(
        "samples_total",
        "counter",
        "Samples accepted into a period.",
        (("kind", "kind"),),
    ),
    Own(
        "refused_total",
        "counter",
        "Sections refused, so not reported.",
        (("reason", "reason"),),
        loss=True,
    ),
    Own(
        "ignored_total",
        "counter",
        "Well-formed lines that are not reported by choice.",
        (("what", "what"),),
    ),
    Own(
        "duplicate_tags_total",
        "counter",
        "Tags whose key came again on the same line; the last one won.",
    ),
    Own(
        "dropped_tags_total",
        "counter",
        "Tags of new series for which no Dimension was left.",
    ),
    Own(
        "collisions_total",
        "counter",
        "Series that got the dimension statsd_series because another one had their "
        "name and Dimensions first.",
    ),
    Own("series", "gauge", "Series held now."),
    Own("entries_closed_total", "counter", "Entries made of closed periods."),
    Own(
        "entries_total",
        "counter",
        "Closed entries by how they ended; lost unless acked, in part with partial.",
        (("outcome", "outcome"),),
        loss=True,
    ),
    Own(
        "entries_dropped_total",
        "counter",
        "Closed entries that were dropped unsent: past the age limit (expired), for "
        "want of room (space), larger than a request may be (too_large), or in a damaged "
        "file of the spool (damaged).",
        (("reason", "cause"),),
        loss=True,
    ),
    Own(
        "requests_total",
        "counter",
        "Attempts to deliver a batch, by how they ended.",
        (("outcome", "answer"),),
    ),
    Own("request_seconds", "histogram", "Duration of an attempt to deliver."),
    Own("spool_entries", "gauge", "Closed entries that wait to be delivered."),
    Own("spool_bytes", "gauge", "Size of the entries that wait."),
    Own(
        "last_success_timestamp_seconds",
        "gauge",
        "Unix time of the last accepted request; 0 before the first.",
    ),
    Own(
        "reactor_lag_seconds",
        "gauge",
        "The worst lateness of a 100 ms timer over the last 15 s.",
    ),
    Own(
        "unclean_start_gap_seconds",
        "gauge",
        "Time before this start of which nothing is known, because the relay before was "
        "killed; 0 where it was not.",
        loss=True,
    ),
    Own(
        "checkpoint_timestamp_seconds",
        "gauge",
        "Unix time of the last checkpoint of what is open; 0 before the first, or where "
        "there is no state folder.",
    ),
    Own(
        "checkpoint_failures_total",
        "counter",
        "Times the disk refused what belongs to a checkpoint; a kill then costs more.",
    ),
    Own(
        "checkpoints_damaged_total",
        "counter",
        "Files of the last checkpoint that were of no use at the start.",
        loss=True,
    ),
    Own(
        "reloads_total",
        "counter",
        "Times a new configuration was asked for, by whether it came into force.",
        (("outcome", "reload"),),
    ),
    Own(
        "clock_steps_total",
        "counter",
        "Times the wall clock was set, by a quarter of a second or more.",
    ),
    Own(
        "log_records_dropped_total",
        "counter",
        "Log records that could not be written without waiting.",
    ),
    Own(
        "connections_refused_total",
        "counter",
        "TCP connections that went, idle ones first, since others wanted to come in.",
        labels=(("door", "door"),),
    ),
    Own(
        "series_forgotten_total",
        "counter",
        "Series that an operator deleted by the management console.",
        labels=(("kind", "kind"),),
    ),
    Own(
        "defects_total",
        "counter",
        "Times the relay's own code failed where it must not; the log says where.",
        loss=True,
    ),
    Own(
        "scrape_failures_total",
        "counter",
        "Times a part of the relay could not give its figures; the ones before were "
        "shown again.",
    ),
)

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


def metrics_table() -> str:
    """The metrics and the values of their labels, as two tables in reStructuredText."""
    metrics = [
        (
            f"``{PREFIX}{own.name}``",
            own.type,
            ", ".join(own.label_names),
            f"**DATALOSS** {own.help}" if own.loss else own.help,
        )
        for own in METRICS
    ]
    values = [
        (f"``{own.name}``", f"``{label}``", ", ".join(LABELS[of]))
        for own in METRICS
        for label, of in own.labels
        if of
    ]
    return "\n".join(
        (
            *_list_table(("metric", "type", "labels", "meaning"), metrics),
            "",
            *_list_table(("metric", "label", "values"), values),
        )
    )


def _list_table(
    head: tuple[str, ...], rows: Iterable[tuple[str, ...]]
) -> Iterable[str]:
    yield from (".. list-table::", "   :header-rows: 1", "   :widths: auto", "")
    for row in (head, *rows):
        for number, cell in enumerate(row):
            yield f"   {'*' if number == 0 else ' '} - {cell}".rstrip()
