"""Where entries go: from the settings to a sink that is ready to deliver.

A sink is a row of ``SINKS``. Which credentials it signs with, over which connection and
to which endpoint, is put together here and known nowhere else.
"""

import os
import sys
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol

from twisted.logger import Logger

from relay.cloudmonitor.contract import EVENTS, HYBRID_ACTION, METRICS, Operation
from relay.cloudmonitor.credentials import Credentials, Provider, Secret
from relay.cloudmonitor.events import decode_event
from relay.cloudmonitor.exchange import Endpoint, endpoint_at, endpoint_for
from relay.cloudmonitor.hybrid import compose_hybrid, hybrid_operation, is_hybrid
from relay.cloudmonitor.packing import Packed, compose
from relay.credentials.chain import Chain, open_provider
from relay.credentials.static import Static
from relay.delivery.batch import Batch
from relay.delivery.ledger import QueueTally
from relay.delivery.outcome import Outcome
from relay.delivery.policy import Policy
from relay.rollup.engine import Rollup, Sealed
from relay.rollup.grace import SEAL_GRACE_SECONDS
from relay.rollup.treatment import Rules
from relay.service import ends
from relay.service.busiest import Busiest, appending
from relay.settings import Loaded, Settings, authorities_at, is_loopback_url
from relay.sink.cloudmonitor import CloudMonitorSink
from relay.sink.null import NullSink
from relay.sink.stdout import StdoutSink
from relay.sink.transport import Transport
from relay.spool.file import FileSpool
from relay.spool.memory import LIVE_SECONDS, MemorySpool
from relay.spool.store import FOLDERS

__all__ = [
    "EMULATOR_KEYS",
    "SINKS",
    "Sink",
    "Spool",
    "Whispered",
    "answers_at_once",
    "counting",
    "delivery_of",
    "endpoint_of",
    "in_flight",
    "open_files",
    "open_sink",
    "open_sinks",
    "open_spool",
    "paced",
    "provider_of",
]

_LOG = Logger()
_NAMED = 3

EMULATOR_KEYS = {"emulator": "emulator"}
"""The key pair that the embedded emulator accepts; it opens nothing else."""


class Sink(Protocol):
    """What the relay asks of a sink; see ``ends`` for what each call promises."""

    @property
    def compose(self) -> Callable[[Rollup], Packed]:
        """A closed period as batches."""
        ...

    def deliver(self, batch: Batch) -> Outcome:
        """One attempt."""
        ...

    def refresh(self) -> None:
        """Fetch anew what a refusal of our keys or clock may be due to."""
        ...

    def close(self) -> None:
        """Cut what is under way."""
        ...


class _Plan(NamedTuple):
    """What a row of ``SINKS`` may need."""

    settings: Settings
    compose: Callable[[Rollup], Packed]
    provider: Provider | None
    endpoint: Endpoint | None
    wall: Callable[[], float]
    operation: Operation


class Whispered:
    """A chain that tells ``hush`` each secret it gives, before anybody can log it, and
    the log whose keys they are, and what is wrong with a source: each time that changes.
    """

    _log = Logger()

    def __init__(self, chain: Chain, hush: Callable[[str], None]) -> None:
        self.origin = chain.origin
        self._chain, self._hush = chain, hush
        self._told: Credentials | None = None
        self._complaint = ""

    @property
    def warning(self) -> str:
        """What the chain complains of."""
        return self._chain.warning

    def get(self) -> Credentials:
        """As the chain."""
        found, before = self._chain.get(), self._told
        if found != before:
            for secret in filter(None, (found.secret, found.token)):
                self._hush(secret.reveal())
        self._told = found
        if before is None or found.source != before.source:
            self._log.info(
                "signing with the key {key_id} from {source}",
                key_id=found.masked_key_id,
                source=found.source,
            )
        self._complain(self._chain.warning)
        return found

    def refresh(self) -> None:
        """As the chain."""
        self._chain.refresh()

    def _complain(self, complaint: str) -> None:
        before, self._complaint = self._complaint, complaint
        if complaint and complaint != before:
            self._log.warn("a source of keys fails: {complaint}", complaint=complaint)


def provider_of(
    loaded: Loaded,
    hush: Callable[[str], None] = lambda _: None,
    before: Provider | None = None,
) -> Provider | None:
    """Whose keys sign; None where nothing is signed. ``hush`` hears each secret.

    It is ``before``, told to ask anew, where that has the same sources: the temporary
    keys it holds, and the last good version of a file, are not to be had again while a
    source is away. Raises ConfigError where CloudMonitor is the sink and no source is
    configured.
    """
    settings = loaded.settings
    if settings.sink == "emulator":
        ((key_id, secret),) = EMULATOR_KEYS.items()
        return Static(Credentials(key_id, Secret(secret), source="emulator"))
    if not settings.is_signed:
        return None
    found = open_provider(
        loaded.credentials_environment,
        key_file=settings.key_file,
        profile=settings.credentials_profile,
        shared=settings.key_file_shared,
        proxies=settings.use_proxy,
    )
    if isinstance(before, Whispered) and before.origin == found.origin:
        before.refresh()
        return before
    return Whispered(found, hush)


class Spool(ends.Spool, Protocol):
    """What the relay asks of a spool besides what the courier does."""

    max_age_seconds: float

    def tally(self) -> QueueTally:
        """The counts as of the last operation."""
        ...

    def waiting(self, closed_at: Collection[int], /) -> Sequence[str]:
        """The entries that a former process stored of periods that ended then; OSError
        where there is nothing to read them with for the moment."""
        ...

    def close(self) -> int:
        """Let go of it; gives how many entries were in memory only."""
        ...


IN_FLIGHT_AT_ONCE = 64
"""Where an answer takes no time, as many as one visit to the spool may bring: with fewer the
visits cost more than all the rest."""

UNLIMITED = 1e6
"""Requests a second where there are none: nobody limits a stream or a void."""


def delivery_of(settings: Settings) -> tuple[Policy, float, float]:
    """What answers lead to, requests a second, and the seconds they are spread over."""
    policy = Policy(uncertain_limit=settings.uncertain_retries)
    rate = paced(settings, settings.requests_per_second)
    return policy, rate, settings.send_spread


def answers_at_once(settings: Settings) -> bool:
    """Whether its sink needs no thread to wait in."""
    return settings.sink == "null"


def in_flight(settings: Settings) -> int:
    """Batches that may be under way; what answers at once costs a visit to the spool."""
    if answers_at_once(settings):
        return IN_FLIGHT_AT_ONCE
    return 1 if settings.sink == "stdout" else settings.requests_in_flight


def paced(settings: Settings, asked: float) -> float:
    """``asked`` requests a second, where the sink has a limit."""
    limited = settings.is_signed or settings.sink == "emulator"
    return asked if limited else UNLIMITED


def counting(
    close: Callable[[Sealed], Sequence[Rollup]],
    settings: Settings,
    wall: Callable[[], float],
) -> Callable[[Sealed], Sequence[Rollup]]:
    """``close``, with the busiest keys written where somebody asked for that."""
    if not settings.key_flush_interval:
        return close
    busiest = Busiest(
        seconds=settings.key_flush_interval,
        percent=settings.key_flush_percent,
        length=settings.period,
        write=appending(settings.key_flush_log),
        wall=wall,
    )

    def close_and_count(sealed: Sealed) -> Sequence[Rollup]:
        rollups = close(sealed)
        busiest.take(rollups)
        return rollups

    return close_and_count


def open_spool(settings: Settings) -> Spool:
    """Files in the state folder, or memory where there is none.

    Raises RelayError where another process has the folder, ConfigError where it cannot
    be made or opened.
    """
    size, age = settings.spool_bytes, settings.max_age
    live = 2 * settings.period + SEAL_GRACE_SECONDS
    if settings.state is None:
        return MemorySpool(limit_bytes=size, max_age_seconds=age, live_seconds=live)
    return open_files(settings.state, size, age, live)


def open_files(
    folder: Path, limit_bytes: int, max_age: float, live: float = LIVE_SECONDS
) -> FileSpool:
    """A spool in ``folder``; which of its files cannot be read is in the log."""
    spool = FileSpool.open(
        folder, limit_bytes=limit_bytes, max_age_seconds=max_age, live_seconds=live
    )
    _say_what_cannot_be_read(spool.unreadable, folder / FOLDERS[0])
    return spool


def _say_what_cannot_be_read(unreadable: Mapping[str, str], folder: Path) -> None:
    """At a start: which files of a spool wait for an owner, and how they get one."""
    names = sorted(unreadable)
    if names:
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        _LOG.error(
            "what waits in {folder} cannot be read and stays there: {names}{more}"
            " ({reason}); make it this user's (chown -R {user} {folder}) and start again:"
            " it is delivered then",
            names=", ".join(names[:_NAMED]),
            more=more,
            folder=str(folder),
            reason=unreadable[names[0]],
            user=os.geteuid(),
        )


def open_sink(
    settings: Settings,
    *,
    provider: Provider | None,
    emulator: str | None,
    wall: Callable[[], float],
    rules: Rules,
    operation: Operation = METRICS,
) -> Sink:
    """The sink that is set, for entries or events; ``emulator`` is the URL of the
    embedded one."""
    packed = partial(
        compose,
        group_of=rules.treatments.group_of(str(settings.group_id)),
        max_entries=settings.entries_per_request,
        max_bytes=settings.request_bytes,
    )
    endpoint = endpoint_of(settings, emulator)
    plan = _Plan(settings, packed, provider, endpoint, wall, operation)
    return SINKS[settings.sink](plan)


def open_sinks(
    settings: Settings,
    *,
    provider: Provider | None,
    emulator: str | None,
    wall: Callable[[], float],
    rules: Rules,
) -> tuple[Sink, Sink]:
    """The sink for entries, and the one for events; arguments as of ``open_sink``."""
    opened = partial(
        open_sink,
        settings,
        provider=provider,
        emulator=emulator,
        wall=wall,
        rules=rules,
    )
    return opened(), opened(operation=EVENTS)


def endpoint_of(settings: Settings, emulator: str | None) -> Endpoint | None:
    """Where requests go; ``emulator`` is the URL of the embedded one, if it is the sink."""
    if emulator is not None and settings.sink == "emulator":
        return endpoint_at(emulator)
    if settings.endpoint is not None:
        return settings.endpoint
    if settings.region is not None:
        return endpoint_for(settings.region, settings.network)
    return None


def _cloudmonitor(plan: _Plan) -> Sink:
    if plan.provider is None or plan.endpoint is None:
        raise AssertionError("the settings' rules ask for both")
    return CloudMonitorSink(
        endpoint=plan.endpoint,
        compose=plan.compose,
        provider=plan.provider,
        transport=Transport(
            seconds=plan.settings.request_timeout,
            trust_env=plan.settings.use_proxy
            and not is_loopback_url(plan.endpoint.url),
            ca_file=authorities_at(plan.endpoint.url, plan.settings),
        ),
        wall=plan.wall,
        nonce=lambda: uuid.uuid4().hex,
        signature=plan.settings.signature,
        operation=plan.operation,
        fits=_fitting(plan.operation),
    )


def _fitting(operation: Operation) -> Callable[[str], bool]:
    """Which items may be sent so: a spool may hold those of another sink."""
    wants_hybrid = operation.action == HYBRID_ACTION
    return lambda item: is_hybrid(item) is wants_hybrid


def _hybrid(plan: _Plan) -> Sink:
    if plan.operation == EVENTS:
        return _cloudmonitor(plan)
    settings, namespace = plan.settings, plan.settings.namespace or ""
    packed = partial(
        compose_hybrid,
        namespace=namespace,
        max_entries=settings.entries_per_request,
        max_bytes=settings.request_bytes,
    )
    return _cloudmonitor(
        plan._replace(compose=packed, operation=hybrid_operation(namespace))
    )


def _stdout(plan: _Plan) -> Sink:
    if plan.operation == EVENTS:
        return StdoutSink(plan.compose, sys.stdout, decode_event)
    return StdoutSink(plan.compose, sys.stdout)


SINKS: Mapping[str, Callable[[_Plan], Sink]] = {
    "cloudmonitor": _cloudmonitor,
    "hybrid": _hybrid,
    "emulator": _cloudmonitor,
    "stdout": _stdout,
    "null": lambda plan: NullSink(plan.compose),
}
