"""``cms-relay emulator``: the CloudMonitor look-alike alone, in a process of its own."""

import argparse
import math
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from relay.commands.parsing import Commands, add_command
from relay.errors import ConfigError, RelayError
from relay.settings import Address

if TYPE_CHECKING:
    from relay.emulator.limits import Limits

__all__ = ["register"]

MORE = """\
  cms-relay emulator
  cms-relay emulator --listen 127.0.0.1:0 --key me=secret --edition free
  curl -s http://127.0.0.1:8128/_emulator/entries

A browser at http://127.0.0.1:8128/ sees the stored series. Faults are posted to
/_emulator/faults as a JSON list: {"code", "status", "retry_after_ms"}, {"body_code",
"message"}, {"hang": seconds}, {"cut": "accept" or "headers" or "body"}, {"status"},
{"status", "body"}, {"clock_offset": seconds}, each with an optional "times".
Ctrl-C and SIGTERM end it with status 0.
"""
DEFAULT_KEYS = ("emulator=emulator",)
LONG_PERIODS = 5
"""How many short periods a long one has, as in the relay."""


def register(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(
        commands, "emulator", "run a look-alike of CloudMonitor", MORE, main
    )
    add = parser.add_argument
    add(
        "--listen",
        metavar="HOST:PORT",
        default="127.0.0.1:8128",
        help="where to listen; port 0 takes a free one (default: %(default)s)",
    )
    add(
        "--key",
        metavar="ID=SECRET[:TOKEN]",
        action="append",
        help="an access key, repeatable (default: emulator=emulator)",
    )
    add("--entries-per-request", metavar="N", help="default: 100")
    add("--series-quota", metavar="N", help="series that can be stored")
    add("--edition", choices=("free", "paid"), help="free refuses Type 0")
    add(
        "--duplicates",
        choices=("replace", "merge", "ignore"),
        help="what a second report of a point does (default: replace)",
    )
    add("--late-window", metavar="SECONDS", help="refuse older entries (default: none)")
    add("--period", metavar="SECONDS", help="take Period N and 5 N (default: 60)")
    add(
        "--allow-remote-admin",
        action="store_true",
        help="let it be reached from other machines",
    )


def main(arguments: argparse.Namespace) -> int:
    """Listen until a signal ends it."""
    address = _address(arguments)
    secrets, tokens = _keys(arguments.key or DEFAULT_KEYS)
    limits = _limits(arguments)

    from twisted.internet import reactor as installed  # noqa: PLC0415 - installs it
    from twisted.internet.error import CannotListenError  # noqa: PLC0415 - slow

    from relay.emulator.site import make_site  # noqa: PLC0415 - brings Twisted
    from relay.service.crowd import Crowd, listen, places  # noqa: PLC0415 - likewise

    reactor: Any = installed
    reactor.seconds = time.monotonic  # timers must not follow a stepped wall clock
    site = make_site(
        keys=secrets,
        tokens=tokens,
        now=time.time,
        clock=reactor,
        limits=limits,
        any_host=arguments.allow_remote_admin,
    )
    crowd = Crowd(site, places(1))
    try:
        port = listen(reactor, address.host, address.port, crowd)
    except CannotListenError as error:
        raise RelayError(f"cannot listen on {address}: {error.socketError}") from None
    host: Any = port.getHost()  # type: ignore[no-untyped-call]
    real = address._replace(port=host.port)
    reactor.callWhenRunning(_announce, f"http://{real}")
    reactor.run()
    return 0


def _announce(url: str) -> None:
    print(f"emulator {url}", "ready", sep="\n", file=sys.stderr, flush=True)


def _address(arguments: argparse.Namespace) -> Address:
    try:
        address = Address.parse(arguments.listen)
    except ValueError as error:
        raise ConfigError(
            "--listen", f"{error}; wanted: HOST:PORT, such as 127.0.0.1:8128"
        ) from None
    if not (address.is_loopback or arguments.allow_remote_admin):
        raise ConfigError(
            "--listen",
            f"{address} can be reached from other machines: give "
            "--allow-remote-admin as well, or listen on 127.0.0.1",
        )
    return address


def _keys(pairs: Sequence[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Secrets and tokens by key id."""
    secrets: dict[str, str] = {}
    tokens: dict[str, str] = {}
    for pair in pairs:
        key_id, _, rest = pair.partition("=")
        secret, _, token = rest.partition(":")
        if not key_id or not secret:
            raise ConfigError("--key", "wanted: ID=SECRET or ID=SECRET:TOKEN")
        secrets[key_id] = secret
        if token:
            tokens[key_id] = token
    return secrets, tokens


def _limits(arguments: argparse.Namespace) -> "Limits":
    """The limits with what the flags change in them."""
    from relay.emulator.limits import Limits  # noqa: PLC0415 - as the site, when run

    given = {
        "entries_per_request": _whole(arguments, "entries_per_request"),
        "series_quota": _whole(arguments, "series_quota"),
        "edition": arguments.edition,
        "duplicates": arguments.duplicates,
        "late_window_seconds": _seconds(arguments, "late_window"),
        "periods": _periods(arguments),
    }
    return Limits(**{name: value for name, value in given.items() if value is not None})


def _periods(arguments: argparse.Namespace) -> tuple[int, int] | None:
    period = _whole(arguments, "period")
    return None if period is None else (period, LONG_PERIODS * period)


def _whole(arguments: argparse.Namespace, name: str) -> int | None:
    text = getattr(arguments, name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 10**9):
        raise ConfigError(_flag(name), f"{text!r} is not a whole number from 1")
    return int(text)


def _seconds(arguments: argparse.Namespace, name: str) -> float | None:
    text = getattr(arguments, name)
    try:
        value = None if text is None else float(text)
    except ValueError:
        value = -1.0
    if value is not None and not (math.isfinite(value) and value >= 0):
        raise ConfigError(_flag(name), f"{text!r} is not a number of seconds")
    return value


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")
