"""Every metric of the relay, declared once: its name, its labels, its sentence.

Labels take their values from closed lists, so that no sender can make the number of
our own series grow; the exception is ``listener``, which the configuration bounds.
"""

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from relay.delivery.ledger import OUTCOMES
from relay.statsd.sample import Kind, Reason, What

__all__ = ["LABELS", "METRICS", "PREFIX", "REQUEST_SECONDS", "Own", "metrics_table"]

PREFIX = "cms_relay_"

LABELS: Mapping[str, tuple[str, ...]] = {
    "kind": tuple(kind.value for kind in Kind),
    "reason": tuple(reason.value for reason in Reason),
    "what": tuple(what.value for what in What),
    "outcome": ("acked", "partial", "dropped", "parked"),
    "cause": ("expired", "space", "too_large", "damaged"),
    "event": ("expired", "space", "too_large", "damaged", "full", "stopped", "defect"),
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
    Own("series_quota", "gauge", "Series that may be reported at most; 0: no limit."),
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
        "spool_unreadable_files",
        "gauge",
        "Files with entries or events that wait and that this user may not read, as of "
        "the start; the next start that may read them delivers them.",
    ),
    Own(
        "last_success_timestamp_seconds",
        "gauge",
        "Unix time of the last accepted request; 0 before the first.",
    ),
    Own(
        "credentials_expire_timestamp_seconds",
        "gauge",
        "Unix time at which the keys that sign expire; 0: they do not, or nobody knows.",
    ),
    Own("events_taken_total", "counter", "Events that were read, to be reported."),
    Own(
        "events_total",
        "counter",
        "Events by how they ended; lost unless acked, in part with partial.",
        (("outcome", "outcome"),),
        loss=True,
    ),
    Own(
        "events_dropped_total",
        "counter",
        "Events that were dropped unsent: past the age limit (expired), for want of room "
        "(space), larger than a request may be (too_large), in a damaged file of the queue "
        "(damaged), while too many were on their way to it (full), during a stop (stopped) "
        "or by a defect.",
        (("reason", "event"),),
        loss=True,
    ),
    Own("events_waiting", "gauge", "Events that wait to be delivered."),
    Own(
        "event_requests_total",
        "counter",
        "Attempts to deliver events, by how they ended.",
        (("outcome", "answer"),),
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
