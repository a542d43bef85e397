"""``cms-relay put``: PutCustomMetric by hand, and the vendor's answer as it came.

Nothing is retried, rounded or renamed on the way: it is there to see what the service
says to exactly this.
"""

import argparse
import json
import secrets
import sys
import time
from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl

from relay.cloudmonitor import contract
from relay.cloudmonitor.answers import read
from relay.cloudmonitor.credentials import (
    Credentials,
    CredentialsUnavailable,
    Secret,
)
from relay.cloudmonitor.exchange import Endpoint, Request, endpoint_for, rpc_request
from relay.cloudmonitor.packing import pack
from relay.commands.calls import PREFIX, as_cli, items_in, shown
from relay.commands.files import reading
from relay.commands.parsing import Commands, add_command
from relay.credentials.chain import open_provider
from relay.delivery.outcome import Accepted, Outcome, Unavailable, Uncertain
from relay.delivery.pace import Pace
from relay.errors import ConfigError, RelayError
from relay.settings import (
    Loaded,
    Settings,
    add_arguments,
    authorities_at,
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
  cms-relay put --region cn-hangzhou --metric hello --value 1 --dry-run
  cms-relay replay --json traffic.jsonl | cms-relay put --region cn-hangzhou --file -

The vendor's form takes the vendor's own flags, --MetricList.N.FIELD, and sends them as
they are. --value makes a raw value (Type 0), which the free edition refuses with 206;
--statistic an aggregated one (Type 1). Keys come from ALIBABA_CLOUD_ACCESS_KEY_ID and
_SECRET or --key-file, or whatever else docs/credentials.rst lists. --file takes any number of entries,
in requests of --entries-per-request at the rate of --requests-per-second. --dry-run shows each
request and the aliyun command line for it, and sends nothing. Status 0 only where the Code
of every answer is 200.
"""
SETTINGS = (
    *("group_id", "region", "network", "endpoint", "signature", "use_proxy"),
    *("entries_per_request", "request_bytes", "requests_per_second"),
    *(
        "ca_file",
        "key_file",
        "key_file_shared",
        "credentials_profile",
        "request_timeout",
    ),
)
VENDOR = PREFIX
BASE_PERIOD = contract.PERIODS[0]


def register(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "put",
        "put metrics by hand and print the answer",
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
    entry.add_argument(
        "--file",
        metavar="FILE",
        help="entries in JSON Lines, as replay --json; - is stdin",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="show the requests, send nothing"
    )
    parser.add_argument(
        "--insecure",
        action="store_true",
        help="as the aliyun CLI: an --endpoint HOST[:PORT] is plain http (loopback only)",
    )
    parser.add_argument("--config", metavar="CONFIG", help="a TOML file")
    add_arguments(parser, SETTINGS)


def _put(arguments: argparse.Namespace) -> int:
    endpoint = arguments.endpoint
    if endpoint is not None and "//" not in endpoint:
        scheme = "http" if arguments.insecure else "https"
        arguments.endpoint = f"{scheme}://{endpoint}"
    loaded = from_arguments(arguments, will_run=False, will_send=True)
    if arguments.file is None:
        settings = loaded.settings
        entry = parameters(vars(arguments), settings.group_id, time.time())
        return _Caller(loaded, dry_run=arguments.dry_run).call(entry)
    if arguments.metric is not None or _vendors(vars(arguments)):
        raise _wrong("--file", "wants no other entry beside it")
    with reading(arguments.file) as file:
        return _put_all(loaded, file, arguments.file, dry_run=arguments.dry_run)


def _put_all(loaded: Loaded, file: Iterable[bytes], name: str, *, dry_run: bool) -> int:
    """Call by call; those that follow a refusal are made all the same."""
    settings = loaded.settings
    items = items_in(file, name, settings.group_id)
    packed = pack(
        items,
        prefix=name,
        closed_at=0,
        max_entries=settings.entries_per_request,
        max_bytes=settings.request_bytes,
    )
    caller, pace = _Caller(loaded, dry_run=dry_run), Pace(settings.requests_per_second)
    failed = entries = 0
    for batch in packed.batches:
        if not dry_run:
            time.sleep(pace.wait(time.monotonic()))
            pace.take(time.monotonic())
        fields = enumerate(batch.items, 1)
        failed += caller.call(
            {
                f"{VENDOR}{n}.{key}": value
                for n, item in fields
                for key, value in parse_qsl(item, keep_blank_values=True)
            }
        )
        entries += len(batch.items)
        print(f"{entries} entries", file=sys.stderr)
    for one in packed.refused:
        print(f"{name}: {one.sentence}", file=sys.stderr)
    return int(failed > 0 or bool(packed.refused))


def parameters(
    given: Mapping[str, object], group_id: int, now: float
) -> Mapping[str, str]:
    """The call's parameters, out of the vendor's flags or of the short ones."""
    vendor = _vendors(given)
    short = given["metric"] is not None
    if short == bool(vendor):
        raise _wrong("--metric", "wants --metric NAME, or --MetricList.1.MetricName")
    if vendor:
        return vendor
    fields = _short(argparse.Namespace(**given), group_id, now)
    return {f"{VENDOR}1.{field}": text for field, text in fields.items()}


def _vendors(given: Mapping[str, object]) -> dict[str, str]:
    return {
        name: str(value)
        for name, value in given.items()
        if name.startswith(VENDOR) and value is not None
    }


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


class _Caller:
    """Signs, sends once and prints what came back; or only shows what it would send."""

    def __init__(self, loaded: Loaded, *, dry_run: bool) -> None:
        from relay.sink import transport  # noqa: PLC0415 - see commands

        self._settings = settings = loaded.settings
        self._endpoint = _endpoint(settings)
        self._loaded, self._dry_run = loaded, dry_run
        self._credentials = _credentials(loaded, dry_run=dry_run)
        self._transport = transport.Transport(
            seconds=settings.request_timeout,
            trust_env=settings.use_proxy and not is_loopback_url(self._endpoint.url),
            ca_file=authorities_at(self._endpoint.url, settings),
        )

    def call(self, parameters: Mapping[str, str]) -> int:
        """The status of one; RelayError where there was no answer."""
        request = rpc_request(
            contract.ACTION,
            parameters,
            endpoint=self._endpoint,
            credentials=self._credentials,
            now=time.time(),
            nonce=secrets.token_hex(16),
            signature=self._settings.signature,
        )
        return self._show(request, parameters) if self._dry_run else self._send(request)

    def _show(self, request: Request, parameters: Mapping[str, str]) -> int:
        entries: dict[int, dict[str, object]] = {}
        for name, value in parameters.items():
            number, _, field = name.removeprefix(VENDOR).partition(".")
            entries.setdefault(int(number), {})[field] = value
        print("\n".join(shown(request, self._credentials)))
        given = self._settings.endpoint
        line = as_cli(
            [entries[number] for number in sorted(entries)],
            region=self._settings.region,
            endpoint=given.url if given else None,
        )
        print(f"\n{line}")
        return 0

    def _send(self, request: Request) -> int:
        answer = self._transport.send(request)
        if isinstance(answer, Unavailable | Uncertain):
            raise RelayError(f"{self._endpoint.url}: {answer.reason}")
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


def _credentials(loaded: Loaded, *, dry_run: bool) -> Credentials:
    """Those to sign with; a request that is only shown is signed by nobody if need be."""
    try:
        return open_provider(
            loaded.credentials_environment,
            key_file=loaded.settings.key_file,
            profile=loaded.settings.credentials_profile,
            shared=loaded.settings.key_file_shared,
            proxies=loaded.settings.use_proxy,
        ).get()
    except ConfigError:
        if not dry_run:
            raise
        return Credentials("nobody", Secret("nobody"))
    except CredentialsUnavailable as error:
        if dry_run:
            return Credentials("nobody", Secret("nobody"))
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
