"""Settings of what is received and how it is read; the first part of ``declaration``."""

from typing import Literal

import attrs

from relay.settings.option import setting
from relay.settings.values import Listen, Target
from relay.statsd.grammar import DIALECTS

__all__ = ["IntakeSettings"]

_IN = "intake"


@attrs.frozen(kw_only=True)
class IntakeSettings:
    """Doors, dialects, and what is reported of that which is no metric."""

    listen: tuple[Listen, ...] = setting(
        _IN,
        "Where StatsD is received",
        default=(Listen("udp", "127.0.0.1", 8125),),
        metavar="URL",
        sample="udp://127.0.0.1:8125",
    )
    receive_buffer: int = setting(
        _IN,
        "Receive buffer asked of the kernel for each socket",
        default=8 * 2**20,
        unit="bytes",
        least=4096,
        most=2**30,
    )
    listeners: int = setting(
        _IN,
        "Sockets of each UDP address, each with a thread of its own: for machines with "
        "many cores, and senders that are many as well; wants the native engine",
        default=1,
        least=1,
        most=64,
    )
    connections: int = setting(
        _IN,
        "Connections of each TCP or Unix listener at most",
        default=1024,
        least=1,
        most=65_536,
    )
    connection_idle: float = setting(
        _IN,
        "How long a connection may be silent; 0 for ever",
        default=60.0,
        unit="seconds",
        least=0,
        most=86_400,
    )
    repeat: tuple[Target, ...] = setting(
        _IN,
        "Other daemons that get a copy of every packet, as it came",
        default=(),
        metavar="URL",
        sample="udp://127.0.0.1:18125",
    )
    dialect: tuple[str, ...] = setting(
        _IN,
        "Ways to write tags in the name that are understood; graphite always is",
        default=("graphite",),
        choices=tuple(DIALECTS),
    )
    signed_gauge: Literal["delta", "value"] = setting(
        _IN, "What +n and -n gauges mean", default="delta", choices=("delta", "value")
    )
    key_name_sanitize: bool = setting(
        _IN,
        "Clean names by statsd's key rule; without, CloudMonitor's rules alone clean them",
        default=True,
    )
    report_client_telemetry: bool = setting(
        _IN, "Report what Datadog's clients say about themselves", default=False
    )
    report_service_checks: bool = setting(
        _IN,
        "Report service checks as gauges of their status, 0 (OK) to 3 (unknown)",
        default=False,
    )
    report_events: bool = setting(
        _IN,
        "Report events as custom events, PutCustomEvent, which keys must allow as well",
        default=False,
    )
