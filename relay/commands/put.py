"""``cms-relay put``: one PutCustomMetric call by hand, and the vendor's answer as it came.

Nothing is retried, rounded or renamed on the way: it is there to see what the service
says to exactly this.
"""

import argparse
import json
import secrets
import sys
import time
from collections.abc import Mapping

from relay.cloudmonitor import contract
from relay.cloudmonitor.answers import read
from relay.cloudmonitor.credentials import Credentials, CredentialsUnavailable
from relay.cloudmonitor.exchange import Endpoint, endpoint_for, rpc_request
from relay.commands.parsing import Commands, add_command
from relay.credentials.chain import open_provider
from relay.delivery.outcome import Accepted, Outcome
from relay.errors import ConfigError, RelayError
from relay.settings import (
    Loaded,
    Settings,
    add_arguments,
    from_arguments,
    is_loopback_url,
)
from relay.statsd.grammar import number

__all__ = ["parameters", "register"]

MORE = """\
  cms-relay put --region cn-hangzhou --metric hello --dimension host=web-1 --value 1
  cms-relay put --region cn-hangzhou --metric hello --dimension host=web-1 \\
      --statistic Sum=42 --statistic SampleCount=7 --period 60
  cms-relay put --endpoint http://127.0.0.1:8128 --MetricList.1.MetricName hello \\
      --MetricList.1.Dimensions '{"host":"web-1"}' --MetricList.1.GroupId 0 \\
      --MetricList.1.Type 0 --MetricList.1.Values '{"value":1}'

The second form takes the vendor's own flags, --MetricList.N.FIELD, and sends them as
they are. --value makes a raw value (Type 0), which the free edition refuses with 206;
--statistic an aggregated one (Type 1). Keys come from ALIBABA_CLOUD_ACCESS_KEY_ID and
_SECRET or --key-file. Status 0 only where the answer's Code is 200.
"""
SETTINGS = (
    *("group_id", "region", "network", "endpoint", "signature", "use_proxy"),
    *(
        "ca_file",
        "key_file",
        "key_file_shared",
        "credentials_profile",
        "request_timeout",
    ),
)
VENDOR = "MetricList."
BASE_PERIOD = contract.PERIODS[0]


def register(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "put",
        "make one PutCustomMetric call and print the answer",
        MORE,
        _put,
    )
    entry = parser.add_argument_group("entry")
    entry.add_argument("--metric", metavar="NAME")
    entry.add_argument("--dimension", metavar="KEY=VALUE", action="append", default=[])
    entry.add_argument("--value", metavar="NUMBER", help="a raw value: Type 0")
    entry.add_argument(
        "--statistic",
        metavar="NAME=NUMBER",
        action="append",
        default=[],
        help="Sum=1, Average=0.5, P99=12 and so on: Type 1",
    )
    entry.add_argument("--type", choices=("0", "1"), help="default: by what is given")
    entry.add_argument("--period", metavar="SECONDS", help="of Type 1 (default: 60)")
    entry.add_argument("--time", metavar="MS", help="Unix milliseconds (default: now)")
    for n in range(1, contract.ENTRIES_MAX + 1):
        for field in contract.FIELDS:
            name = f"{VENDOR}{n}.{field}"
            entry.add_argument(f"--{name}", dest=name, help=argparse.SUPPRESS)
    parser.add_argument("--config", metavar="CONFIG", help="a TOML file")
    add_arguments(parser, SETTINGS)


def _put(arguments: argparse.Namespace) -> int:
    loaded = from_arguments(arguments, will_run=False)
    entry = parameters(vars(arguments), loaded.settings.group_id, time.time())
    return _send(loaded, entry)


def parameters(
    given: Mapping[str, object], group_id: int, now: float
) -> Mapping[str, str]:
    """The call's parameters, out of the vendor's flags or of the short ones."""
    vendor = {
        name: str(value)
        for name, value in given.items()
        if name.startswith(VENDOR) and value is not None
    }
    short = given["metric"] is not None
    if short == bool(vendor):
        raise _wrong("--metric", "wants --metric NAME, or --MetricList.1.MetricName")
    if vendor:
        return vendor
    fields = _short(argparse.Namespace(**given), group_id, now)
    return {f"{VENDOR}1.{field}": text for field, text in fields.items()}


def _short(given: argparse.Namespace, group_id: int, now: float) -> dict[str, str]:
    statistics = dict(_pair("--statistic", text) for text in given.statistic)
    if bool(statistics) == (given.value is not None):
        raise _wrong("--value", "wants --value NUMBER, or --statistic NAME=NUMBER")
    kind = given.type or ("1" if statistics else "0")
    if (kind == "1") != bool(statistics):
        raise _wrong("--type", "wants 0 with --value, 1 with --statistic")
    fields = {
        "GroupId": str(group_id),
        "MetricName": given.metric,
        "Dimensions": _json(
            dict(sorted(_pair("--dimension", text) for text in given.dimension))
        ),
        "Type": kind,
    }
    if not statistics:
        moment = int(now * 1000)
        values = {"value": _number("--value", given.value)}
    else:
        seconds = int(_number("--period", given.period or str(BASE_PERIOD)))
        if seconds < 1:
            raise _wrong("--period", f"wants whole seconds; got {given.period!r}")
        fields["Period"] = str(seconds)
        moment = int(now // seconds) * seconds * 1000
        values = {
            name: _number("--statistic", text) for name, text in statistics.items()
        }
    return {**fields, "Time": given.time or str(moment), "Values": _json(values)}


def _send(loaded: Loaded, entry: Mapping[str, str]) -> int:
    """Sign it, send it once, print what came back."""
    from relay.sink.transport import Answer, Transport  # noqa: PLC0415 - see commands

    settings, endpoint = loaded.settings, _endpoint(loaded.settings)
    request = rpc_request(
        contract.ACTION,
        entry,
        endpoint=endpoint,
        credentials=_credentials(loaded),
        now=time.time(),
        nonce=secrets.token_hex(16),
        signature=settings.signature,
    )
    transport = Transport(
        seconds=settings.request_timeout,
        trust_env=settings.use_proxy and not is_loopback_url(endpoint.url),
        ca_file=settings.ca_file,
    )
    answer = transport.send(request)
    if not isinstance(answer, Answer):
        raise RelayError(f"{endpoint.url}: {answer.reason}")
    print(answer.body.decode(errors="replace"))
    outcome = read(answer.status, answer.headers, answer.body, cut=answer.cut)
    if isinstance(outcome, Accepted):
        return 0
    print(f"not accepted: {_explained(outcome)}", file=sys.stderr)
    return 1


def _explained(outcome: Outcome) -> str:
    told = " ".join(
        str(getattr(outcome, name, ""))
        for name in ("code", "message", "reason", "hint")
    )
    return told.strip()


def _endpoint(settings: Settings) -> Endpoint:
    if settings.endpoint is not None:
        return settings.endpoint
    if settings.region is None:
        raise _wrong("--region", "wants --region ID or --endpoint URL")
    return endpoint_for(settings.region, settings.network)


def _credentials(loaded: Loaded) -> Credentials:
    try:
        return open_provider(
            loaded.credentials_environment,
            key_file=loaded.settings.key_file,
            profile=loaded.settings.credentials_profile,
            shared=loaded.settings.key_file_shared,
            proxies=loaded.settings.use_proxy,
        ).get()
    except CredentialsUnavailable as error:
        raise RelayError(f"credentials: {error.reason}") from None


def _pair(flag: str, text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not (key and equals):
        raise _wrong(flag, f"wants KEY=VALUE; got {text!r}")
    return key, value


def _number(flag: str, text: str) -> float:
    value = number(text.encode(errors="replace"))
    if value is None:
        raise _wrong(flag, f"wants a finite decimal number; got {text!r}")
    return int(value) if value.is_integer() else value


def _wrong(flag: str, problem: str) -> ConfigError:
    return ConfigError(flag, problem, source="command line")


_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
