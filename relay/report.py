"""What the running relay says of itself: the figures of /metrics, the words of /status.

Reads counts that other rooms keep and gives them the shape that ``telemetry`` and
``admin`` ask for. Counts nothing itself.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import NamedTuple, TypeVar

from twisted.logger import Logger

from relay.admin.status import (
    ClockStep,
    Collisions,
    Counted,
    Credentials,
    Entries,
    Ledger,
    Listener,
    Overflow,
    Quota,
    Refused,
    RuleMatches,
    Rules,
    Sink,
)
from relay.cloudmonitor.mapping import Mapper
from relay.cloudmonitor.naming import Namer
from relay.delivery.ledger import LedgerSnapshot, QueueTally
from relay.doors import Door
from relay.rollup.engine import Engine, Tally
from relay.rollup.overflow import Seen
from relay.rollup.quota import Quota as SeriesQuota
from relay.selfreport import Figures
from relay.service.courier import CourierStatus
from relay.service.repeater import Target
from relay.service.steps import Step
from relay.sink.cloudmonitor import CloudMonitorSink
from relay.telemetry import Counts

__all__ = [
    "Parts",
    "credentials_words",
    "delivery_counts",
    "engine_counts",
    "intake_counts",
    "own_figures",
    "quota_counts",
    "quota_words",
    "repeater_counts",
    "rule_words",
    "say_what_is_abandoned",
    "say_what_is_left",
    "sink_words",
    "spool_words",
    "status_parts",
    "step_words",
]

Word = TypeVar("Word", bound=Enum)

_LOG = Logger()
_LISTED = 100


def intake_counts(doors: Iterable[Door]) -> Counts:
    """Of each socket."""
    doors = list(doors)
    ended = Counter[str]()
    for door in doors:
        ended["stranger"] += door.port.intake.strangers
        ended.update(door.port.streams.ended if door.port.streams else {})
    return {
        "datagrams_total": {(d.url,): d.port.intake.datagrams for d in doors},
        "received_bytes_total": {(d.url,): d.port.intake.received_bytes for d in doors},
        "kernel_drops_total": {
            (d.url,): count for d in doors if (count := d.port.dropped) is not None
        },
        "connections": {
            (d.url,): len(d.port.streams.open) for d in doors if d.port.streams
        },
        "connections_ended_total": {(cause,): n for cause, n in ended.items()},
    }


def repeater_counts(targets: Iterable[Target]) -> Counts:
    """Of each daemon that gets copies."""
    return {
        "repeated_total": {
            (target.url, outcome): count
            for target in targets
            for outcome, count in (("sent", target.sent), ("lost", target.lost))
        }
    }


def engine_counts(tally: Tally, namer: Namer) -> Counts:
    """Of what was parsed and named."""
    return {
        "lines_total": {(): tally.lines},
        "sections_total": {(): tally.sections},
        "samples_total": _labelled(tally.samples),
        "refused_total": _labelled(tally.refused),
        "ignored_total": _labelled(tally.ignored),
        "duplicate_tags_total": {(): tally.duplicate_tags},
        "dropped_tags_total": {(): namer.dropped_tags},
        "collisions_total": {(): namer.collision_count},
        "series": {(): tally.series},
    }


def delivery_counts(
    ledger: LedgerSnapshot,
    tally: QueueTally,
    unreadable_events: int,
    last_success: float | None,
) -> Counts:
    """Of what was closed and sent, and of the files in which it waits."""
    return {
        "entries_closed_total": {(): ledger.closed},
        "entries_total": {
            ("acked",): ledger.acked,
            ("partial",): ledger.partial,
            ("dropped",): sum(ledger.dropped.values()),
            ("parked",): ledger.parked,
        },
        "entries_dropped_total": {(why,): n for why, n in ledger.dropped.items()},
        "requests_total": {(word,): n for word, n in ledger.requests.items()},
        "spool_entries": {(): ledger.waiting},
        "spool_bytes": {(): tally.bytes},
        "spool_unreadable_files": {(): tally.unreadable + unreadable_events},
        "last_success_timestamp_seconds": {(): last_success or 0},
    }


def sink_counts(sink: object) -> Counts:
    """Of the keys that sign."""
    words = credentials_words(sink)
    expires_at = words["expires_at"] if words else None
    return {"credentials_expire_timestamp_seconds": {(): expires_at or 0}}


def own_figures(
    tally: Tally, doors: Iterable[Door], ledger: LedgerSnapshot, closing_seconds: float
) -> Figures:
    """What the relay reports of itself."""
    return Figures(
        packets=sum(door.port.intake.datagrams for door in doors),
        lines=tally.lines,
        refused=sum(tally.refused.values()),
        series=tally.series,
        closing_seconds=closing_seconds,
        entries_lost=ledger.partial + ledger.parked + sum(ledger.dropped.values()),
    )


class Parts(NamedTuple):
    """See ``Status`` for each."""

    listeners: Sequence[Listener]
    ledger: Ledger
    series: int
    overflow: Overflow
    collisions: Collisions
    last_refusals: Sequence[Refused]


def status_parts(
    engine: Engine, namer: Namer, ledger: LedgerSnapshot, doors: Sequence[Door]
) -> Parts:
    """The parts of /status that are counts."""
    tally = engine.tally()
    return Parts(
        listeners=[_listener(door) for door in doors],
        ledger=_ledger(tally, ledger),
        series=tally.series,
        overflow=Overflow(
            prefixes=_counted(engine.overflow().prefixes),
            names=_counted(engine.overflow().names),
        ),
        collisions=Collisions(
            count=namer.collision_count,
            latest=[
                {"metric": one.metric, "first": one.first, "second": one.second}
                for one in namer.collisions
            ],
        ),
        last_refusals=[
            Refused(text=refusal.text, reason=refusal.reason.value)
            for refusal in engine.last_refusals()
        ],
    )


def quota_counts(quota: SeriesQuota) -> Counts:
    """Of what series may be reported; 0 is no limit."""
    return {"series_quota": {(): quota.limit}}


def quota_words(quota: SeriesQuota) -> Quota:
    """How many series may be reported, and whether the service wants no more."""
    return Quota(limit=quota.limit, refused_by_service=quota.is_refused)


def rule_words(mapper: Mapper | None) -> Rules | None:
    """Which mapping rules are of use; None where there are none."""
    if mapper is None:
        return None
    rows = [
        RuleMatches(number=number, match=rule.pattern.written, spellings=spellings)
        for number, (rule, spellings) in enumerate(
            zip(mapper.rules, mapper.matched, strict=True), 1
        )
    ]
    used = [row for row in rows if row["spellings"]]
    idle = [row for row in rows if not row["spellings"]]
    used.sort(key=lambda row: -row["spellings"])
    return Rules(
        count=len(rows),
        never_matched=len(idle),
        busiest=used[:_LISTED],
        idle=idle[:_LISTED],
    )


def say_what_is_left(tally: QueueTally, in_memory: int, folder: object) -> None:
    """At the end of a stop: what waits for the next start, and what is lost."""
    kept = tally.entries - in_memory
    if kept:
        _LOG.info(
            "{entries} closed entries wait in {folder} for the next start",
            entries=kept,
            folder=str(folder),
        )
    if in_memory:
        _LOG.error(
            "{entries} closed entries were not delivered before the stop limit and "
            "are lost: they were in memory only",
            entries=in_memory,
        )


def say_what_is_abandoned(spool: Mapping[str, object], folder: object) -> None:
    """Likewise of a stop that waits for nothing more; ``spool`` as on /status."""
    if not spool["entries"]:
        return
    if folder is None:
        _LOG.error(
            "stopped at once by a second signal: {entries} closed entries are lost: "
            "they were in memory only",
            entries=spool["entries"],
        )
        return
    but = ", but for those that are in memory only, which are lost"
    _LOG.warn(
        "stopped at once by a second signal: {entries} closed entries wait in {folder} "
        "for the next start{but}",
        entries=spool["entries"],
        folder=str(folder),
        but=but if spool["degraded"] else "",
    )


def step_words(step: Step | None) -> ClockStep | None:
    """The last time the wall clock was set."""
    return None if step is None else ClockStep(at=step.at, seconds=step.seconds)


def spool_words(tally: QueueTally, limit_bytes: int) -> Mapping[str, object]:
    """What waits, and where it may not be safe."""
    return {
        "batches": tally.batches,
        "entries": tally.entries,
        "bytes": tally.bytes,
        "limit_bytes": limit_bytes,
        "in_flight": tally.in_flight,
        "parked_kept": tally.parked_kept,
        "quarantined_files": tally.quarantined,
        "unreadable_files": tally.unreadable,
        "degraded": tally.degraded or None,
    }


def sink_words(name: str, sink: object, courier: CourierStatus) -> Sink:
    """How delivery is going."""
    signed = sink.status() if isinstance(sink, CloudMonitorSink) else None
    return Sink(
        name=name,
        endpoint=signed.endpoint if signed else None,
        clock_offset=signed.clock_offset if signed else 0.0,
        state=courier.state,
        reason=courier.reason or None,
        last_answer=courier.last_answer or None,
        last_success=courier.last_success_at,
    )


def credentials_words(sink: object) -> Credentials | None:
    """Whose keys sign; None before the first request, and where nothing is signed."""
    signed = sink.status() if isinstance(sink, CloudMonitorSink) else None
    if signed is None or not (signed.key_id or signed.credentials_warning):
        return None
    return Credentials(
        source=signed.credentials_source,
        key_id=signed.key_id,
        expires_at=signed.credentials_expire_at,
        warning=signed.credentials_warning or None,
    )


def _counted(seen: Seen) -> Counted:
    return Counted(known=seen.known, others=seen.others)


def _listener(door: Door) -> Listener:
    _, intake, _, buffer, streams, *_ = door.port
    return Listener(
        url=door.url,
        sockets=1 + len(door.port.beside),
        datagrams=intake.datagrams,
        received_bytes=intake.received_bytes,
        kernel_drops=door.port.dropped,
        receive_buffer=buffer and {"asked": buffer.asked, "granted": buffer.granted},
        connections=len(streams.open) if streams else None,
    )


def _ledger(tally: Tally, entries: LedgerSnapshot) -> Ledger:
    return Ledger(
        lines=tally.lines,
        sections=tally.sections,
        samples=_words(tally.samples),
        refused=_words(tally.refused),
        ignored=_words(tally.ignored),
        duplicate_tags=tally.duplicate_tags,
        entries=Entries(
            closed=entries.closed,
            acked=entries.acked,
            partial=entries.partial,
            dropped=dict(entries.dropped),
            parked=entries.parked,
            waiting=entries.waiting,
        ),
        requests=dict(entries.requests),
    )


def _words(counts: Mapping[Word, int]) -> dict[str, int]:
    return {word.value: count for word, count in counts.items()}


def _labelled(counts: Mapping[Word, int]) -> dict[tuple[str, ...], float]:
    return {(word.value,): count for word, count in counts.items()}
