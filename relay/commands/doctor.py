"""``cms-relay doctor``: why a metric is not seen, and what mends it.

Looks at what the relay needs, in the order in which it needs it: this machine, a relay
that may be running, keys, endpoint, clock, permission.
"""

import argparse
import json
import secrets
import time
from collections.abc import Iterator

from relay.commands.findings import Finding, Mark, in_words
from relay.commands.host_findings import disk, drops, relay_status, running, sockets
from relay.commands.parsing import Commands, add_command
from relay.commands.service_findings import Service
from relay.destination import endpoint_of, provider_of
from relay.errors import ConfigError
from relay.settings import (
    Loaded,
    add_arguments,
    authorities_at,
    from_arguments,
    is_loopback_url,
)
from relay.sink.transport import Transport

__all__ = ["register"]

MORE = """\
  cms-relay doctor /etc/cms-relay.toml
  cms-relay doctor --region cn-hangzhou --write
  cms-relay doctor --sink emulator              a relay that runs with its emulator

It takes what run takes, so that it looks at what run would use. Nothing is written to
CloudMonitor without --write, which puts one value of the series cms_relay_doctor; that is
a series to be paid for; with --report-events it puts an event of that name as well. Status
1 if anything is marked fail.
"""


def register(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "doctor",
        "say why a metric is not seen, and what mends it",
        MORE,
        _doctor,
    )
    parser.add_argument(
        "config",
        metavar="CONFIG",
        nargs="?",
        help="a TOML file, or a config.js of statsd",
    )
    parser.add_argument(
        "--write", action="store_true", help="put one value, and look for it"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object")
    add_arguments(parser)


def _doctor(arguments: argparse.Namespace) -> int:
    loaded = from_arguments(arguments)
    findings = _findings(loaded, write=arguments.write)
    if arguments.json:
        found = list(findings)
        print(json.dumps({"findings": [one.as_object() for one in found]}))
        return int(any(one.mark is Mark.FAIL for one in found))
    failed = False
    for one in findings:  # each as it is found: some take seconds
        failed |= one.mark is Mark.FAIL
        for line in in_words([one]):
            print(line, flush=True)
    return int(failed)


def _findings(loaded: Loaded, *, write: bool) -> Iterator[Finding]:
    settings = loaded.settings
    yield Finding(Mark.OK, "configuration", "is good (cms-relay check shows all of it)")
    yield from sockets(settings)
    yield from drops(settings)
    yield from disk(settings)
    if settings.http is not None:
        url = f"http://{settings.http}"
        yield from running(relay_status(url), url)
    if settings.sink in ("null", "stdout"):
        yield Finding(Mark.SKIP, "service", f"the sink {settings.sink} asks no service")
        return
    try:
        provider = provider_of(loaded)
    except ConfigError as error:
        fix = "export ALIBABA_CLOUD_ACCESS_KEY_ID and _SECRET, or --key-file FILE"
        yield Finding(Mark.FAIL, "credentials", error.problem, fix)
        return
    endpoint = endpoint_of(settings, f"http://{settings.emulator}")
    if provider is None or endpoint is None:
        raise AssertionError("the settings' rules ask for both")
    transport = Transport(
        seconds=settings.request_timeout,
        trust_env=settings.use_proxy and not is_loopback_url(endpoint.url),
        ca_file=authorities_at(endpoint.url, settings),
    )
    service = Service(
        settings,
        provider,
        endpoint,
        send=transport.send,
        wall=time.time,
        nonce=lambda: secrets.token_hex(16),
        pause=time.sleep,
    )
    yield from service.findings(write=write)
    transport.close()
