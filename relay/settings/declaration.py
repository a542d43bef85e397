"""Every setting, declared once. Flags, environment, file and documents follow from it.

A field's name is the TOML key; ``--with-dashes`` is the flag and ``CMS_RELAY_…`` the
environment variable. To add a setting, add a field: nothing else needs to know. Those of
what is received stand in ``declaration_intake``. How
text becomes a value is ``forms``'s business, what must agree with what is ``rules``'s.
"""

import socket
from pathlib import Path
from typing import Literal

import attrs

from relay.cloudmonitor import contract
from relay.cloudmonitor.exchange import Endpoint
from relay.settings.declaration_intake import IntakeSettings
from relay.settings.option import Unset, setting
from relay.settings.rule_file import RuleFile
from relay.settings.values import Address
from relay.statsd.sample import Kind

__all__ = ["Settings"]


def _host_name() -> str | None:
    return socket.gethostname() or None


_ROLL, _NAME, _OUT = "roll-up", "naming", "delivery"
_SINK, _KEYS, _ADMIN = "sink", "credentials", "process"


@attrs.frozen(kw_only=True)
class Settings(IntakeSettings):
    """What a relay does, in typed values. It never holds a secret."""

    # roll-up
    engine: Literal["auto", "python", "native"] = setting(
        _ROLL,
        "Engine that counts lines; auto is native where that was built, else python",
        default="auto",
        choices=("auto", "python", "native"),
    )
    period: int = setting(
        _ROLL,
        "Length of the short period; other than 60 for trials and tests only",
        default=60,
        unit="seconds",
        least=1,
        most=86_400,
    )
    long_period: bool = setting(
        _ROLL, "Report the long period, five short ones, as well", default=True
    )
    percentiles: tuple[int, ...] = setting(
        _ROLL,
        "Percentiles of timers that are reported",
        default=(50, 75, 90, 95, 98, 99),
        choices=contract.PERCENTILES,
    )
    series_limit: int = setting(
        _ROLL,
        "Series held at most; further ones are refused",
        default=100_000,
        least=1,
        most=10_000_000,
    )
    series_limit_per_name: int = setting(
        _ROLL,
        "Series of one name held at most; 0 for as many as there are",
        default=0,
        least=0,
        most=10_000_000,
    )
    new_series_limit: int = setting(
        _ROLL,
        "New series in five periods at most, or as many as were held before; not in "
        "the first period of all; 0 for no such limit",
        default=10_000,
        least=0,
        most=10_000_000,
    )
    series_quota: int = setting(
        _ROLL,
        "Series reported at most, as many as are paid for; 0 for no such limit",
        default=0,
        least=0,
        most=10_000_000,
    )
    idle_ttl: int = setting(
        _ROLL,
        "How long an idle series is still reported; 0 for ever",
        default=3600,
        unit="seconds",
        least=0,
        most=366 * 86400,
    )
    delete_idle: tuple[Kind, ...] = setting(
        _ROLL,
        "Kinds that fall silent in the first idle period",
        default=(),
        metavar="KIND",
        choices=tuple(Kind),
        sample="gauge",
    )
    gauge_ttl: int = setting(
        _ROLL,
        "How many periods a gauge is reported and remembered for, with that of its last "
        "value; 0 for no such limit",
        default=0,
        unit="periods",
        least=0,
        most=1_000_000,
    )
    key_flush_interval: float = setting(
        _ROLL,
        "How often the busiest keys are written, by their samples; 0: never",
        default=0.0,
        unit="seconds",
        most=366 * 86400,
    )
    key_flush_percent: float = setting(
        _ROLL,
        "How many of the keys are written then, the busiest first",
        default=100.0,
        unit="percent",
        least=0.001,
        most=100,
    )
    key_flush_log: Path | None = setting(
        _ROLL,
        "File they are appended to",
        default=None,
        metavar="FILE",
        default_text="standard output",
        sample="/var/log/cms-relay/keys.log",
    )
    # naming
    instance: str | None = setting(
        _NAME,
        "Value of the dimension that tells relays apart; off leaves it out",
        factory=_host_name,
        unset=Unset.OFF,
        default_text="host name",
        sample="web-1",
    )
    instance_key: str = setting(_NAME, "Name of that dimension", default="instance")
    first_tags: tuple[str, ...] = setting(
        _NAME,
        "Tags that go out first where a series has more than eight",
        default=(),
        metavar="TAG",
        sample="env",
    )
    mapping: RuleFile | None = setting(
        _NAME,
        "Mapping rules: what series are called instead, which tags they keep, which go",
        default=None,
        metavar="FILE",
        sample="/etc/cms-relay/rules.toml",
    )
    group_id: int = setting(
        _NAME,
        "Application group that the entries belong to",
        default=0,
        least=0,
        most=2**63 - 1,
    )
    series_price: float = setting(
        _NAME,
        "Price of a reported series and month, for plan; 0 where it is not known",
        default=0.0,
        least=0,
        most=1e6,
    )
    series_included: int = setting(
        _NAME,
        "Series that cost nothing, for plan",
        default=10,
        least=0,
        most=10_000_000,
    )
    # sink
    sink: Literal["cloudmonitor", "hybrid", "emulator", "stdout", "null"] = setting(
        _SINK,
        "Where entries go",
        default="cloudmonitor",
        choices=("cloudmonitor", "hybrid", "emulator", "stdout", "null"),
    )
    namespace: str | None = setting(
        _SINK,
        "Namespace of Hybrid CloudMonitor that the sink hybrid puts into; has to exist",
        default=None,
        metavar="NAME",
        sample="statsd",
    )
    region: str | None = setting(
        _SINK,
        "Region whose endpoint is used",
        default=None,
        metavar="ID",
        sample="cn-hangzhou",
    )
    network: Literal["public", "vpc"] = setting(
        _SINK,
        "Which of a region's endpoints",
        default="public",
        choices=("public", "vpc"),
    )
    endpoint: Endpoint | None = setting(
        _SINK,
        "CloudMonitor endpoint instead of a region's; plain http only on loopback",
        default=None,
        metavar="URL",
        sample="https://metrics.cn-hangzhou.aliyuncs.com",
    )
    emulator: Address = setting(
        _SINK,
        "Where the sink emulator puts the look-alike",
        default=Address("127.0.0.1", 8128),
    )
    signature: Literal["v3", "v1"] = setting(
        _SINK, "Signature of requests", default="v3", choices=("v3", "v1")
    )
    use_proxy: bool = setting(
        _SINK, "Heed HTTPS_PROXY and its kin, except for loopback", default=True
    )
    ca_file: Path | None = setting(
        _SINK,
        "Certificates of the authorities that are trusted, in place of certifi's",
        default=None,
        metavar="FILE",
        default_text="REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE or SSL_CERT_FILE",
        sample="/etc/ssl/certs/ca-certificates.crt",
    )
    # credentials
    key_file: Path | None = setting(
        _KEYS,
        "File with the AccessKey: credentials.ini or JSON",
        default=None,
        metavar="FILE",
        sample="/etc/cms-relay/credentials.ini",
    )
    key_file_shared: bool = setting(
        _KEYS, "Take the key file though group or others may read it", default=False
    )
    credentials_profile: str = setting(
        _KEYS, "Section of the key file", default="default", metavar="NAME"
    )
    # delivery
    requests_per_second: float = setting(
        _OUT,
        "This relay's share of the account's rate limit",
        default=10.0,
        unit="requests a second",
        least=0.01,
        most=1000,
        default_text="10, on loopback 1000",
    )
    requests_in_flight: int = setting(
        _OUT, "Requests under way at once", default=4, least=1, most=64
    )
    request_timeout: float = setting(
        _OUT,
        "Limit of a request from connecting to the end of the answer",
        default=15.0,
        unit="seconds",
        least=0.1,
        most=300,
    )
    entries_per_request: int = setting(
        _OUT,
        "Entries in a request at most",
        default=contract.ENTRIES_DEFAULT,
        least=1,
        most=contract.ENTRIES_MAX,
    )
    request_bytes: int = setting(
        _OUT,
        "Size of a request's body at most",
        default=contract.BODY_BYTES_DEFAULT,
        unit="bytes",
        least=8192,
        most=256_000,
    )
    send_spread: float = setting(
        _OUT,
        "Requests of a period are spread over this long",
        default=10.0,
        unit="seconds",
        least=0,
        most=45,
        default_text="10, on loopback 0",
    )
    uncertain_retries: int = setting(
        _OUT,
        "How often a batch is sent again whose answer never came",
        default=5,
        least=0,
        most=1000,
    )
    max_age: int = setting(
        _OUT,
        "Entries older than this are dropped before sending",
        default=21_600,
        unit="seconds",
        least=0,
        most=604_800,
    )
    spool_bytes: int = setting(
        _OUT,
        "Size of what may wait; beyond it the oldest is dropped",
        default=64 * 2**20,
        unit="bytes",
        least=2**20,
        most=2**40,
        default_text="268435456 in a state folder, 67108864 in memory",
    )
    state: Path | None = setting(
        _OUT,
        "Folder in which closed periods wait and open ones are checkpointed; off "
        "keeps both in memory",
        default=None,
        metavar="FOLDER|off",
        unset=Unset.OFF,
        default_text="sink cloudmonitor: $STATE_DIRECTORY, else cms-relay in the XDG "
        "state folder; other sinks: off",
        sample="/var/lib/cms-relay",
    )
    event_requests_per_second: float = setting(
        _OUT,
        "Requests with events; an account may send 20",
        default=2.0,
        unit="requests a second",
        least=0.01,
        most=contract.EVENT_REQUESTS_PER_SECOND,
    )
    event_queue_bytes: int = setting(
        _OUT,
        "Size of the events that may wait; beyond it the oldest are dropped",
        default=4 * 2**20,
        unit="bytes",
        least=2**20,
        most=2**32,
    )
    checkpoint_interval: float = setting(
        _OUT,
        "How often what is open is written to the state folder; a kill costs what "
        "came since",
        default=10.0,
        unit="seconds",
        least=0.1,
        most=3600,
    )
    stop: Literal["handover", "send"] = setting(
        _OUT,
        "What a stop does with the open period: leave it in the state folder for the "
        "next start, or report it as far as it has come",
        default="handover",
        choices=("handover", "send"),
        default_text="handover, without a state folder send",
    )
    # process
    http: Address | None = setting(
        _ADMIN,
        "Metrics, health and status page",
        default=Address("127.0.0.1", 8127),
        unset=Unset.OFF,
        sample="127.0.0.1:8127",
    )
    http_names: tuple[str, ...] = setting(
        _ADMIN,
        "Host names under which those pages answer, besides localhost and addresses",
        default=(),
        metavar="NAME",
        sample="relay.example.com",
    )
    console: Address | None = setting(
        _ADMIN,
        "Management console, as statsd has it on port 8126",
        default=None,
        unset=Unset.OFF,
        sample="127.0.0.1:8126",
    )
    health_status: Literal["up", "down"] = setting(
        _ADMIN,
        "What the console answers to health until it is told otherwise",
        default="up",
        choices=("up", "down"),
    )
    allow_remote_admin: bool = setting(
        _ADMIN,
        "Let http, console and emulator bind elsewhere than loopback",
        default=False,
    )
    stop_timeout: float = setting(
        _ADMIN,
        "How long a stop delivers what is left",
        default=10.0,
        unit="seconds",
        least=0,
        most=300,
    )
    self_report: bool = setting(
        _ADMIN,
        "Report the relay's own figures as metrics, some eight series",
        default=False,
    )
    self_report_prefix: str = setting(
        _ADMIN, "What the names of these metrics begin with", default="statsd"
    )
    log_level: Literal["debug", "info", "warning", "error"] = setting(
        _ADMIN,
        "Least severe records that are logged",
        default="info",
        choices=("debug", "info", "warning", "error"),
    )

    @property
    def long_factor(self) -> int:
        """Short periods in a long one; 0 where there is none: it is switched off, or the
        sink knows no periods, so that it would take one for the other."""
        return 5 if self.long_period and self.sink != "hybrid" else 0

    @property
    def is_signed(self) -> bool:
        """Whether entries go to CloudMonitor, in one form or the other."""
        return self.sink in ("cloudmonitor", "hybrid")
