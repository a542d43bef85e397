"""What settings must agree on with each other, and what follows from one another.

A rule looks at all settings and answers with the key that breaks it and the fix; a new
rule is a row. Types and bounds of single settings are declared with them.
"""

import re
from collections.abc import Callable, Collection, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import attrs

from relay.cloudmonitor import contract
from relay.errors import ConfigError
from relay.settings.declaration import Settings
from relay.settings.values import is_loopback_url
from relay.sink.authorities import look_into

__all__ = ["adapted", "authorities_at", "broken_rule", "is_local", "sends_by_tls"]

Broken = tuple[str, str]
"""The key, and what is wrong with the fix."""

Rule = Callable[[Settings], Broken | None]

_REGION = re.compile(r"[a-z]{2,}(?:-[a-z0-9]+)+")


SPOOL_BYTES_ON_DISK = 256 * 2**20
"""Six hours, which is the age limit, of ten thousand series: an entry of a counter took 17
bytes there, one of a timer two to three times that."""


def is_local(settings: Settings) -> bool:
    """Whether no request leaves this machine."""
    if not settings.is_signed:
        return True
    return settings.endpoint is not None and is_loopback_url(settings.endpoint.url)


def sends_by_tls(settings: Settings) -> bool:
    """Whether it matters what TLS wants."""
    endpoint = settings.endpoint
    return settings.is_signed and (endpoint is None or _is_secure(endpoint.url))


def authorities_at(url: str, settings: Settings) -> Path | None:
    """Whose certificates are asked for at an endpoint; over plain http nobody's."""
    return settings.ca_file if _is_secure(url) else None


def _is_secure(url: str) -> bool:
    return not url.startswith("http:")


def broken_rule(
    settings: Settings,
    *,
    will_run: bool,
    will_send: bool = False,
    may_be_remote: Collection[str] = (),
) -> Broken | None:
    """The first rule that is broken; those of ``will_run`` hold for the daemon only,
    those of ``will_send`` for whatever sends.

    ``may_be_remote`` are keys whose addresses need no second switch: a statsd config.js
    names them in so many words.
    """
    remote: Rule = partial(_remote_admin, allowed=may_be_remote)
    running = _RUN_RULES if will_run else ()
    sending = _SENDING_RULES if will_send else ()
    for rule in (remote, *_RULES, *running, *sending):
        broken = rule(settings)
        if broken is not None:
            return broken
    return None


def adapted(
    settings: Settings, given: Collection[str], environment: Mapping[str, str]
) -> Settings:
    """Defaults that follow from other settings, where they were not ``given``."""
    own = dict(_LOCAL) if is_local(settings) else {}
    if settings.is_signed:
        own["state"] = _state_folder(environment)
    own = {key: value for key, value in own.items() if key not in given}
    in_memory = own.get("state", settings.state) is None
    if in_memory and "stop" not in given:
        own["stop"] = "send"
    if not in_memory and "spool_bytes" not in given:
        own["spool_bytes"] = SPOOL_BYTES_ON_DISK
    return attrs.evolve(settings, **own)


def _state_folder(environment: Mapping[str, str]) -> Path:
    """Where services, or people, keep state; where nobody says, where daemons do.

    Source: systemd.exec(5), StateDirectory=, a list with colons; XDG Base Directory
    Specification, which ignores paths that are not absolute.
    """
    given = environment.get("STATE_DIRECTORY", "").partition(":")[0]
    if given:
        return Path(given)
    home = environment.get("HOME", "")
    for base in (
        environment.get("XDG_STATE_HOME", ""),
        home and f"{home}/.local/state",
    ):
        if base.startswith("/"):
            return Path(base, "cms-relay")
    return Path("/var/lib/cms-relay")


_LOCAL: Mapping[str, Any] = {"send_spread": 0.0, "requests_per_second": 1000.0}
"""Where no request leaves the machine there is no account with limits to share."""


def _handover(settings: Settings) -> Broken | None:
    if settings.stop == "send" or settings.state is not None:
        return None
    return "stop", "handover wants a state folder as well: --state FOLDER; or use send"


def _busiest(settings: Settings) -> Broken | None:
    wants_stdout = settings.key_flush_interval and settings.key_flush_log is None
    if not wants_stdout or settings.sink != "stdout":
        return None
    return "key_flush_log", "wants a file where the sink has standard output"


def _listeners(settings: Settings) -> Broken | None:
    if settings.listeners == 1 or settings.engine != "python":
        return None
    return "listeners", (
        f"{settings.listeners} want the native engine, since with the one in Python the "
        "reactor reads all sockets: --engine auto, or --listeners 1"
    )


def _remote_admin(settings: Settings, allowed: Collection[str]) -> Broken | None:
    if settings.allow_remote_admin:
        return None
    for key in ("http", "console", "emulator"):
        address = None if key in allowed else getattr(settings, key)
        if address is not None and not address.is_loopback:
            return key, (
                f"{address} is not on loopback; wants 127.0.0.1 or [::1], or "
                "--allow-remote-admin as well"
            )
    return None


def _short_period(settings: Settings) -> Broken | None:
    if settings.period in contract.PERIODS or is_local(settings):
        return None
    return "period", (
        "other than 60 only with the sinks emulator, stdout and null, or an endpoint "
        "on loopback: CloudMonitor takes 60 and 300"
    )


def _region(settings: Settings) -> Broken | None:
    if settings.region is None or _REGION.fullmatch(settings.region):
        return None
    return "region", f"wants a region such as cn-hangzhou; got {settings.region!r}"


def _network(settings: Settings) -> Broken | None:
    if settings.network == "public" or settings.endpoint is not None:
        return None
    if settings.region not in contract.NO_VPC_REGIONS:
        return None
    return "network", f"{settings.region} has no vpc endpoint; wants public"


def _destination(settings: Settings) -> Broken | None:
    if not settings.is_signed or settings.endpoint or settings.region:
        return None
    return "region", (
        f"the sink {settings.sink} wants --region ID (such as cn-hangzhou) or "
        "--endpoint URL; to try without an account: --sink emulator"
    )


def _namespace(settings: Settings) -> Broken | None:
    if settings.sink != "hybrid" or settings.namespace:
        return None
    return "namespace", "the sink hybrid wants --namespace NAME, one that exists"


def _ca_file(settings: Settings) -> Broken | None:
    if settings.ca_file is None or not sends_by_tls(settings):
        return None
    try:
        look_into(settings.ca_file)
    except ConfigError as error:
        return "ca_file", error.problem
    return None


_RULES: tuple[Rule, ...] = (
    _handover,
    _busiest,
    _listeners,
    _region,
    _network,
)
_RUN_RULES: tuple[Rule, ...] = (
    _handover,
    _destination,
    _short_period,
    _namespace,
)
_SENDING_RULES: tuple[Rule, ...] = (_ca_file,)
