"""Every setting, declared once. Flags, environment, file and documents follow from it.

A field's name is the TOML key; ``--with-dashes`` is the flag and ``CMS_RELAY_…`` the
environment variable. To add a setting, add a field: nothing else needs to know. How
text becomes a value is ``forms``'s business, what must agree with what is ``rules``'s.
"""

import socket
from pathlib import Path
from typing import Literal

import attrs
from attrs import field

from relay.cloudmonitor import contract
from relay.cloudmonitor.exchange import Endpoint
from relay.settings.option import Unset, about
from relay.settings.values import Address, Listen, Target
from relay.statsd.grammar import DIALECTS
from relay.statsd.sample import Kind

__all__ = ["Settings"]


def _host_name() -> str:
    return socket.gethostname()


_IN, _ROLL, _NAME, _OUT = "intake", "roll-up", "naming", "delivery"
_SINK, _KEYS, _ADMIN = "sink", "credentials", "process"


@attrs.frozen(kw_only=True)
class Settings:
    """What a relay does, in typed values. It never holds a secret."""

    # intake
    listen: tuple[Listen, ...] = field(
        default=(Listen("udp", "127.0.0.1", 8125),),
        metadata=about(
            _IN,
            "Where StatsD is received",
            metavar="URL",
            sample="udp://127.0.0.1:8125",
        ),
    )
    receive_buffer: int = field(
        default=8 * 2**20,
        metadata=about(
            _IN,
            "Receive buffer asked of the kernel for each socket",
            unit="bytes",
            least=4096,
            most=2**30,
        ),
    )
    connections: int = field(
        default=1024,
        metadata=about(
            _IN,
            "Connections of each TCP or Unix listener at most",
            least=1,
            most=65_536,
        ),
    )
    connection_idle: float = field(
        default=60.0,
        metadata=about(
            _IN,
            "How long a connection may be silent; 0 for ever",
            unit="seconds",
            least=0,
            most=86_400,
        ),
    )
    repeat: tuple[Target, ...] = field(
        default=(),
        metadata=about(
            _IN,
            "Other daemons that get a copy of every packet, as it came",
            metavar="URL",
            sample="udp://127.0.0.1:18125",
        ),
    )
    dialect: tuple[str, ...] = field(
        default=("graphite",),
        metadata=about(
            _IN,
            "Ways to write tags in the name that are understood; graphite always is",
            choices=tuple(DIALECTS),
        ),
    )
    signed_gauge: Literal["delta", "value"] = field(
        default="delta",
        metadata=about(_IN, "What +n and -n gauges mean", choices=("delta", "value")),
    )
    report_client_telemetry: bool = field(
        default=False,
        metadata=about(_IN, "Report what Datadog's clients say about themselves"),
    )
    # roll-up
    engine: Literal["auto", "python", "native"] = field(
        default="auto",
        metadata=about(
            _ROLL,
            "Engine that parses and accumulates; native fails when absent",
            choices=("auto", "python", "native"),
        ),
    )
    period: int = field(
        default=60,
        metadata=about(
            _ROLL,
            "Length of the short period; other than 60 for trials and tests only",
            unit="seconds",
            least=1,
            most=86_400,
        ),
    )
    long_period: bool = field(
        default=True,
        metadata=about(_ROLL, "Report the long period, five short ones, as well"),
    )
    percentiles: tuple[int, ...] = field(
        default=(50, 75, 90, 95, 98, 99),
        metadata=about(
            _ROLL,
            "Percentiles of timers that are reported",
            choices=contract.PERCENTILES,
        ),
    )
    series_limit: int = field(
        default=100_000,
        metadata=about(
            _ROLL,
            "Series held at most; further ones are refused",
            least=1,
            most=10_000_000,
        ),
    )
    series_limit_per_name: int = field(
        default=0,
        metadata=about(
            _ROLL,
            "Series of one name held at most; 0 for as many as there are",
            least=0,
            most=10_000_000,
        ),
    )
    new_series_limit: int = field(
        default=20_000,
        metadata=about(
            _ROLL,
            "New series in five periods at most, or as many as were held before, but in "
            "the first period of all; 0 for no such limit",
            least=0,
            most=10_000_000,
        ),
    )
    idle_ttl: int = field(
        default=3600,
        metadata=about(
            _ROLL,
            "How long an idle series is still reported; 0 for ever",
            unit="seconds",
            least=0,
            most=366 * 86400,
        ),
    )
    delete_idle: tuple[Kind, ...] = field(
        default=(),
        metadata=about(
            _ROLL,
            "Kinds that fall silent in the first idle period",
            metavar="KIND",
            choices=tuple(Kind),
            sample="gauge",
        ),
    )
    # naming
    instance: str | None = field(
        factory=_host_name,
        metadata=about(
            _NAME,
            "Value of the dimension that tells relays apart; off leaves it out",
            unset=Unset.OFF,
            default_text="host name",
            sample="web-1",
        ),
    )
    instance_key: str = field(
        default="instance", metadata=about(_NAME, "Name of that dimension")
    )
    first_tags: tuple[str, ...] = field(
        default=(),
        metadata=about(
            _NAME,
            "Tags that go out first where a series has more than eight",
            metavar="TAG",
            sample="env",
        ),
    )
    group_id: int = field(
        default=0,
        metadata=about(
            _NAME,
            "Application group that the entries belong to",
            least=0,
            most=2**63 - 1,
        ),
    )
    # sink
    sink: Literal["cloudmonitor", "emulator", "stdout", "null"] = field(
        default="cloudmonitor",
        metadata=about(
            _SINK,
            "Where entries go",
            choices=("cloudmonitor", "emulator", "stdout", "null"),
        ),
    )
    region: str | None = field(
        default=None,
        metadata=about(
            _SINK, "Region whose endpoint is used", metavar="ID", sample="cn-hangzhou"
        ),
    )
    network: Literal["public", "vpc"] = field(
        default="public",
        metadata=about(
            _SINK, "Which of a region's endpoints", choices=("public", "vpc")
        ),
    )
    endpoint: Endpoint | None = field(
        default=None,
        metadata=about(
            _SINK,
            "CloudMonitor endpoint instead of a region's; plain http only on loopback",
            metavar="URL",
            sample="https://metrics.cn-hangzhou.aliyuncs.com",
        ),
    )
    emulator: Address = field(
        default=Address("127.0.0.1", 8128),
        metadata=about(_SINK, "Where the sink emulator puts the look-alike"),
    )
    signature: Literal["v3", "v1"] = field(
        default="v3",
        metadata=about(_SINK, "Signature of requests", choices=("v3", "v1")),
    )
    use_proxy: bool = field(
        default=True,
        metadata=about(_SINK, "Heed HTTPS_PROXY and its kin, except for loopback"),
    )
    ca_file: Path | None = field(
        default=None,
        metadata=_about(
            _SINK,
            "Certificates of the authorities that are trusted, in place of certifi's",
            metavar="FILE",
            default_text="REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE or SSL_CERT_FILE",
            sample="/etc/ssl/certs/ca-certificates.crt",
        ),
    )
    # credentials
    key_file: Path | None = field(
        default=None,
        metadata=about(
            _KEYS,
            "File with the AccessKey: credentials.ini or JSON",
            metavar="FILE",
            sample="/etc/cms-relay/credentials.ini",
        ),
    )
    key_file_shared: bool = field(
        default=False,
        metadata=about(_KEYS, "Take the key file though group or others may read it"),
    )
    credentials_profile: str = field(
        default="default",
        metadata=about(_KEYS, "Section of the key file", metavar="NAME"),
    )
    # delivery
    requests_per_second: float = field(
        default=10.0,
        metadata=about(
            _OUT,
            "This relay's share of the account's rate limit",
            unit="requests a second",
            least=0.01,
            most=1000,
            default_text="10, on loopback 1000",
        ),
    )
    requests_in_flight: int = field(
        default=4, metadata=about(_OUT, "Requests under way at once", least=1, most=64)
    )
    request_timeout: float = field(
        default=15.0,
        metadata=about(
            _OUT,
            "Limit of a request from connecting to the end of the answer",
            unit="seconds",
            least=0.1,
            most=300,
        ),
    )
    entries_per_request: int = field(
        default=contract.ENTRIES_DEFAULT,
        metadata=about(
            _OUT, "Entries in a request at most", least=1, most=contract.ENTRIES_MAX
        ),
    )
    request_bytes: int = field(
        default=contract.BODY_BYTES_DEFAULT,
        metadata=about(
            _OUT,
            "Size of a request's body at most",
            unit="bytes",
            least=8192,
            most=256_000,
        ),
    )
    send_spread: float = field(
        default=10.0,
        metadata=about(
            _OUT,
            "Requests of a period are spread over this long",
            unit="seconds",
            least=0,
            most=45,
            default_text="10, on loopback 0",
        ),
    )
    uncertain_retries: int = field(
        default=5,
        metadata=about(
            _OUT,
            "How often a batch is sent again whose answer never came",
            least=0,
            most=1000,
        ),
    )
    max_age: int = field(
        default=21_600,
        metadata=about(
            _OUT,
            "Entries older than this are dropped before sending",
            unit="seconds",
            least=0,
            most=604_800,
        ),
    )
    spool_bytes: int = field(
        default=64 * 2**20,
        metadata=about(
            _OUT,
            "Size of what may wait; beyond it the oldest is dropped",
            unit="bytes",
            least=2**20,
            most=2**40,
            default_text="268435456 in a state folder, 67108864 in memory",
        ),
    )
    state: Path | None = field(
        default=None,
        metadata=about(
            _OUT,
            "Folder in which closed periods wait and open ones are checkpointed; off "
            "keeps both in memory",
            metavar="FOLDER|off",
            unset=Unset.OFF,
            default_text="sink cloudmonitor: $STATE_DIRECTORY, else cms-relay in the XDG "
            "state folder; other sinks: off",
            sample="/var/lib/cms-relay",
        ),
    )
    checkpoint_interval: float = field(
        default=10.0,
        metadata=about(
            _OUT,
            "How often what is open is written to the state folder; a kill costs what "
            "came since",
            unit="seconds",
            least=0.1,
            most=3600,
        ),
    )
    stop: Literal["handover", "send"] = field(
        default="handover",
        metadata=about(
            _OUT,
            "What a stop does with the open period: leave it in the state folder for the "
            "next start, or report it as far as it has come",
            choices=("handover", "send"),
            default_text="handover, without a state folder send",
        ),
    )
    # process
    http: Address | None = field(
        default=Address("127.0.0.1", 8127),
        metadata=about(
            _ADMIN,
            "Metrics, health and status page",
            unset=Unset.OFF,
            sample="127.0.0.1:8127",
        ),
    )
    http_names: tuple[str, ...] = field(
        default=(),
        metadata=about(
            _ADMIN,
            "Host names under which those pages answer, besides localhost and addresses",
            metavar="NAME",
            sample="relay.example.com",
        ),
    )
    console: Address | None = field(
        default=None,
        metadata=about(_ADMIN, "Management console; today only off", unset=Unset.OFF),
    )
    allow_remote_admin: bool = field(
        default=False,
        metadata=about(
            _ADMIN, "Let http, console and emulator bind elsewhere than loopback"
        ),
    )
    stop_timeout: float = field(
        default=10.0,
        metadata=about(
            _ADMIN,
            "How long a stop delivers what is left",
            unit="seconds",
            least=0,
            most=300,
        ),
    )
    self_report: bool = field(
        default=False,
        metadata=about(
            _ADMIN, "Report the relay's own figures as metrics, some eight series"
        ),
    )
    self_report_prefix: str = field(
        default="statsd",
        metadata=about(_ADMIN, "What the names of these metrics begin with"),
    )
    log_level: Literal["debug", "info", "warning", "error"] = field(
        default="info",
        metadata=about(
            _ADMIN,
            "Least severe records that are logged",
            choices=("debug", "info", "warning", "error"),
        ),
    )

    @property
    def long_factor(self) -> int:
        """Short periods in a long one; 0 where the long one is switched off."""
        return 5 if self.long_period else 0
