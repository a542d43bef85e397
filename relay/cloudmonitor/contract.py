"""What CloudMonitor promises and refuses, as data: limits, words, codes, regions.

Nothing here acts. Whoever makes requests and whoever checks them (the emulator) read the
same promise from here and share nothing else. The word in brackets behind a fact is a
key of ``SOURCES``; ``ours`` marks a choice made where the vendor is silent.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from relay.delivery.outcome import (
    Accepted,
    AcceptedWithLoss,
    Outcome,
    Rejected,
    Throttled,
    Unauthorised,
    Unavailable,
    Uncertain,
)

__all__ = [
    "ACTION",
    "ALGORITHM_V1",
    "ALGORITHM_V3",
    "BODY_BYTES_DEFAULT",
    "BODY_BYTES_MAX",
    "CLOCK_TOLERANCE_SECONDS",
    "CONTENT_TYPE_FORM",
    "DIMENSIONS_MAX",
    "DIMENSION_KEY_SAFE",
    "DIMENSION_TEXT_MAX",
    "DIMENSION_VALUE_SAFE",
    "ENTRIES_DEFAULT",
    "ENTRIES_MAX",
    "EVENTS",
    "EVENTS_MAX",
    "EVENT_FIELDS",
    "EVENT_REQUESTS_PER_SECOND",
    "FIELDS",
    "GATEWAY_CODES",
    "HYBRID_ACTION",
    "HYBRID_BODY_BYTES_MAX",
    "HYBRID_ENTRIES_MAX",
    "HYBRID_KEY",
    "HYBRID_NAME",
    "HYBRID_PARTS",
    "METRICS",
    "NAME_BYTES_MAX",
    "NAME_SAFE",
    "NO_CODE",
    "NO_VPC_REGIONS",
    "PERCENTILES",
    "PERIODS",
    "REGIONS",
    "REQUESTS_PER_SECOND",
    "REQUESTS_PER_SECOND_DEFAULT",
    "RETRY_AFTER_CAP_SECONDS",
    "RETRY_AFTER_HEADER",
    "SERVICE_CODES",
    "SOURCES",
    "STATISTICS",
    "TYPE_AGGREGATED",
    "TYPE_RAW",
    "UNKNOWN_CODE",
    "VERSION",
    "Code",
    "Operation",
    "Status",
]

SOURCES: Mapping[str, str] = MappingProxyType(
    {
        "api": "PutCustomMetric, API reference: alibabacloud.com/help/doc-detail/115004.html",
        "event": "PutCustomEvent, API reference: alibabacloud.com/help/doc-detail/115012.html",
        "hybrid": "PutHybridMonitorMetricData, API reference: "
        "alibabacloud.com/help/doc-detail/383455.htm",
        "elimits": "custom events, limits: alibabacloud.com/help/doc-detail/60196.htm",
        "limits": "custom monitoring, limits: alibabacloud.com/help/doc-detail/63275.html",
        "http": "HTTP upload interface: github.com/AlibabaCloudDocs/cms",
        "list": "DescribeCustomMetricList, API reference",
        "java": "vendor's client: github.com/aliyun/aliyun-cms-java-sdk",
        "meta": "CLI metadata: github.com/aliyun/aliyun-openapi-meta",
        "sdk": "alibabacloud-cms20190101 4.0.10 and alibabacloud-tea-openapi 0.4.6",
        "cli": "github.com/aliyun/aliyun-cli: openapi/throttling_retry.go",
        "rpc": "RPC signature: help.aliyun.com/document_detail/25490.htm",
        "v3": "V3 signature: alibabacloud.com/help/en/sdk/product-overview/"
        "v3-request-structure-and-signature",
        "go": "github.com/aliyun/alibaba-cloud-sdk-go, issues 48 and 39",
        "node": "github.com/aliyun/openapi-core-nodejs-sdk, issue 55",
        "terraform": "github.com/aliyun/terraform-provider-alicloud, NeedRetry",
        "404": "honwen/aliyun-ddns-cli issue 24; aylei/aliyun-exporter issue 36",
        "token": "kubevela/terraform-controller issue 52",
        "clock": "overtrue/laravel-mail-aliyun issue 4; jeessy2/ddns-go issue 1291",
        "ours": "no source; the safer reading",
    }
)


class Operation(NamedTuple):
    """A call that puts things: what it is called, and the list they are numbered in.

    ``more`` is what else stands in its form, encoded; its name sorts after the list's.
    """

    action: str
    list_name: str
    more: str = ""


# The operation [api, meta]
ACTION = "PutCustomMetric"
VERSION = "2019-01-01"
CONTENT_TYPE_FORM = "application/x-www-form-urlencoded"
FIELDS = ("Dimensions", "GroupId", "MetricName", "Period", "Time", "Type", "Values")
"""Of an entry, sorted; each is sent as ``MetricList.<N>.<field>``, N from 1. [api]"""

METRICS = Operation(ACTION, "MetricList")  # [api]
EVENTS = Operation("PutCustomEvent", "EventInfo")  # [event]
EVENT_FIELDS = ("Content", "EventName", "GroupId", "Time")
"""Of an event, sorted; each is sent as ``EventInfo.<N>.<field>``, N from 1. [event]"""

HYBRID_ENTRIES_MAX = 100  # [hybrid]
HYBRID_BODY_BYTES_MAX = 1_000_000  # "1 MB" [hybrid]
HYBRID_NAME = r"[A-Za-z][A-Za-z0-9_]*"  # [hybrid]
HYBRID_KEY = r"[A-Za-z_][A-Za-z0-9_]*"  # [hybrid]
HYBRID_ACTION = "PutHybridMonitorMetricData"  # [hybrid]
HYBRID_PARTS = ("Labels", "Name", "TS", "Value")
"""Of an entry, sorted; ``Labels.<M>.Key`` and ``.Value`` come in pairs. [hybrid]"""


ALGORITHM_V1 = "HMAC-SHA1"  # [rpc]
ALGORITHM_V3 = "ACS3-HMAC-SHA256"  # [v3]
CLOCK_TOLERANCE_SECONDS = 900  # the strictest of the ages named [v3]

# How much in a request. The API page says 21 entries, the limits page 100; more than 21
# might be cut off in silence, hence the default. Whether 256 KB means 1000 or 1024 and
# is counted before or after encoding is unknown.
ENTRIES_MAX = 100  # [limits, java]
ENTRIES_DEFAULT = 20  # [api], one below its 21
BODY_BYTES_MAX = 256 * 1024  # [limits]
BODY_BYTES_DEFAULT = 200_000  # [ours]

# Events. The limits page says 100 in a request; the smaller of the two. Its 500 KB are
# more than a body of entries may have, so that one limit of bytes will do. How long name
# and content may be is said nowhere.
EVENTS_MAX = 50  # [event]
EVENT_REQUESTS_PER_SECOND = 20  # of a whole account [elimits]

# An entry
TYPE_RAW = 0  # Values is {"value": x}; refused in the free edition [api, http]
TYPE_AGGREGATED = 1  # Values is any non-empty subset of STATISTICS [api]
PERIODS = (60, 300)  # seconds [api]
NAME_BYTES_MAX = 64  # the rest is cut off without an error [limits]
DIMENSIONS_MAX = 10  # more is an error [http, list, java]
DIMENSION_TEXT_MAX = 64  # of a key and of a value, at least 1 [api, http, limits]

# The intersection of what the pages allow: nothing that matches is ever rewritten.
NAME_SAFE = r"[A-Za-z][A-Za-z0-9_]{0,63}"  # [limits, http]
DIMENSION_KEY_SAFE = r"[A-Za-z0-9_]{1,64}"  # [java]
DIMENSION_VALUE_SAFE = r"[A-Za-z0-9._/-]{1,64}"  # [api, http]

PERCENTILES = (
    10,
    20,
    30,
    40,
    50,
    60,
    70,
    75,
    80,
    90,
    95,
    98,
    99,
)  # [api, limits, java]
STATISTICS = (
    "Average",
    "Maximum",
    "Minimum",
    "Sum",
    "SampleCount",
    "SumPerSecond",
    "CountPerSecond",
    "LastValue",
    *(f"P{percentile}" for percentile in PERCENTILES),
)  # [api, limits, java]

# Of a whole account, by region [limits]
REQUESTS_PER_SECOND: Mapping[str, int] = MappingProxyType(
    {
        "cn-beijing": 200,
        "cn-shanghai": 200,
        "cn-hangzhou": 200,
        "cn-zhangjiakou": 100,
        "cn-shenzhen": 100,
    }
)
REQUESTS_PER_SECOND_DEFAULT = 50  # everywhere else [limits]

# fmt: off
REGIONS = (
    # China
    "cn-beijing", "cn-chengdu", "cn-fuzhou", "cn-guangzhou", "cn-hangzhou", "cn-heyuan",
    "cn-hongkong", "cn-huhehaote", "cn-nanjing", "cn-qingdao", "cn-shanghai",
    "cn-shenzhen", "cn-wuhan-lr", "cn-wulanchabu", "cn-zhangjiakou", "cn-zhengzhou-jva",
    "cn-zhongwei",
    # China, special
    "cn-beijing-finance-1", "cn-hangzhou-finance", "cn-heyuan-acdr-1",
    "cn-north-2-gov-1", "cn-shanghai-finance-1", "cn-shenzhen-finance-1",
    "cn-wulanchabu-gic-1",
    # Asia Pacific
    "ap-northeast-1", "ap-northeast-2", "ap-south-1", "ap-southeast-1",
    "ap-southeast-2", "ap-southeast-3", "ap-southeast-5", "ap-southeast-6",
    "ap-southeast-7", "ap-southeast-8",
    # Europe, Middle East
    "eu-central-1", "eu-west-1", "eu-west-2", "me-central-1", "me-east-1",
    # Americas
    "na-south-1", "us-east-1", "us-southeast-1", "us-west-1",
)  # [sdk]
NO_VPC_REGIONS = frozenset({
    "ap-southeast-8", "cn-north-2-gov-1", "cn-wulanchabu-gic-1", "cn-zhongwei",
    "eu-west-2",
})  # [meta]
# fmt: on

RETRY_AFTER_HEADER = "x-acs-retry-after"  # milliseconds [sdk]
RETRY_AFTER_CAP_SECONDS = 60.0  # [cli]


class Code(NamedTuple):
    """A row: what an answer means that carries this ``Code``. The first that fits wins.

    ``code`` may end in ``*`` for everything that begins so. ``contains`` is lower case
    and has to stand in the code or the message, in any case; empty always fits.
    ``statuses`` are the HTTP statuses seen with it, the usual one first; they do not
    decide. ``hint`` tells people what to do.
    """

    code: str
    contains: str
    statuses: tuple[int, ...]
    outcome: type[Outcome]
    meaning: str
    hint: str
    source: str


class Status(NamedTuple):
    """A row: what an answer means whose HTTP status is all there is to go by."""

    first: int
    last: int
    outcome: type[Outcome]
    meaning: str
    hint: str
    source: str


_UPGRADE = "or upgrade the edition of CloudMonitor"
_OUR_BUG = "please report it: the relay made a malformed entry or request"
_RETRIED = "nothing to do: it is tried again"
_SLOWER = "lower --requests-per-second: all senders of the account share its rate limit"
_WRONG_KEY = "compare the secret with that of the key; proxies must not alter requests"
_CLOCK = "set the clock of this machine: it is off by more than about 15 minutes"
_UNKNOWN_KEY = "check the key id, and that a temporary key comes with its token"
_ENABLE = "enable the access key, or use another"
_TOO_OLD = "the security token is too old: fetch new temporary credentials"
_MISMATCH = (
    "security token and access key do not belong together: take both from one source"
)
_POLICY = (
    f"attach a RAM policy to the user or role that allows cms:{ACTION}, for events "
    f"cms:{EVENTS.action}, for the sink hybrid cms:{HYBRID_ACTION}"
)
_ENDPOINT = "check --endpoint and --region: this host does not know the operation"
_PARKED = "look at the parked entry: the service refuses it for good"
_PROXY = "check the proxy between here and the service; redirects are never followed"

# Statuses as observed, the usual one first
_OK, _BAD, _DENIED, _ABSENT, _DOWN = (200,), (400,), (403,), (404,), (503,)
_BUSY = (400, 429, 503)


def _rows(
    outcome: type[Outcome],
    meaning: str,
    hint: str,
    source: str,
    *codes: tuple[str, str, tuple[int, ...]],
) -> tuple[Code, ...]:
    """Rows that differ in code, contained text and statuses only."""
    return tuple(
        Code(code, contains, statuses, outcome, meaning, hint, source)
        for code, contains, statuses in codes
    )


OVER_QUOTA = "new series beyond the quota were refused"

# fmt: off
SERVICE_CODES = (
    *_rows(Accepted, "all taken", "nothing to do", "api", ("200", "", _OK)),
    *_rows(AcceptedWithLoss, OVER_QUOTA,
           f"report fewer series, {_UPGRADE}", "http",
           ("206", "reach max time series num", _OK)),
    *_rows(AcceptedWithLoss, "Type 0 is refused in the free edition",
           f"report Type 1, {_UPGRADE}", "http",
           ("206", "not allowed original value", _OK)),
    *_rows(AcceptedWithLoss, "an entry with a wrong Type was refused", _OUR_BUG, "http",
           ("206", "type is invalid", _OK)),
    *_rows(AcceptedWithLoss, "part was taken", "see the service's message", "api",
           ("206", "", _OK)),
    *_rows(Rejected, "malformed request", _PARKED, "api", ("400", "", _OK)),
    *_rows(Throttled, "over the rate", _SLOWER, "java", ("403", "rate limit", _OK)),
    *_rows(Unauthorised, "not authorised", _POLICY, "api", ("403", "", _OK)),
    *_rows(Uncertain, "internal error", _RETRIED, "go", ("500", "", _OK)),
    *_rows(Rejected, "unknown refusal", _PARKED, "ours", ("4*", "", _OK)),
    *_rows(Uncertain, "unknown state", _RETRIED, "ours", ("*", "", _OK)),
)
"""Of the service itself: numbers, usually with HTTP status 200."""

GATEWAY_CODES = (
    *_rows(Throttled, "flow control", _SLOWER, "terraform",
           ("Throttling*", "", _BUSY), ("Rejected.Throttling", "", (400, 429))),
    *_rows(Unavailable, "the service is down", _RETRIED, "terraform",
           ("ServiceUnavailable*", "", _DOWN)),
    *_rows(Uncertain, "internal error", _RETRIED, "sdk", ("InternalError", "", (500,))),
    *_rows(Unauthorised, "wrong secret, or a request altered on its way", _WRONG_KEY,
           "rpc", ("SignatureDoesNotMatch", "", (400, 403))),
    *_rows(Unauthorised, "a signing parameter is malformed", _OUR_BUG, "rpc",
           ("IncompleteSignature", "", _BAD)),
    *_rows(Uncertain, "an earlier copy arrived",
           "if it stays: look for a proxy that repeats requests, or a copied machine",
           "go", ("SignatureNonceUsed", "", _BAD)),
    *_rows(Unauthorised, "the clocks differ", _CLOCK, "clock",
           ("InvalidTimeStamp.Expired", "", _BAD)),
    *_rows(Unauthorised, "the time stamp is malformed", _CLOCK, "clock",
           ("InvalidTimeStamp*", "", _BAD), ("IllegalTimestamp", "", _BAD)),
    *_rows(Unauthorised, "unknown key, or a temporary one without token", _UNKNOWN_KEY,
           "404", ("InvalidAccessKeyId.NotFound", "", (404, 400))),
    *_rows(Unauthorised, "the key is disabled", _ENABLE, "rpc",
           ("InvalidAccessKeyId*", "", (400, 403)),
           ("Forbidden.AccessKeyDisabled", "", (403, 400))),
    *_rows(Unauthorised, "the token is too old", _TOO_OLD, "token",
           ("InvalidSecurityToken.Expired", "", _BAD),
           ("InvalidParameter*", "securitytoken.expired", _BAD)),
    *_rows(Unauthorised, "the token does not belong to the key", _MISMATCH, "token",
           ("InvalidSecurityToken*", "", (400, 403)),
           ("MissingSecurityToken", "", (400, 403))),
    *_rows(Unauthorised, "RAM policy", _POLICY, "rpc",
           ("NoPermission", "", _DENIED), ("AccessForbidden", "", _DENIED),
           ("Forbidden", "", _DENIED), ("Forbidden.*", "", _DENIED)),
    *_rows(Unauthorised, "wrong host or version", _ENDPOINT, "rpc",
           ("InvalidAction.NotFound", "", _ABSENT), ("UnsupportedHTTPMethod", "", _BAD)),
    *_rows(Unauthorised, "HTTP where HTTPS is needed", "use https in --endpoint", "rpc",
           ("InvalidProtocol.NeedSsl", "", _BAD)),
    *_rows(Rejected, "a malformed or incomplete entry", _PARKED, "api",
           ("ParameterInvalid", "", _BAD), ("Invalid*", "", _BAD),
           ("Missing*", "", _BAD)),
    *_rows(Rejected, "presumably a group that does not exist", "check the group id",
           "ours", ("ResourceNotFound", "", _ABSENT)),
)
"""Of the gateway before the service: words, with HTTP status 400 or more."""

UNKNOWN_CODE = (
    Status(400, 499, Rejected, "unknown refusal", _PARKED, "ours"),
    Status(0, 999, Uncertain, "unknown state", _RETRIED, "ours"),
)
"""Where there is a word for a code and ``GATEWAY_CODES`` does not know it."""

NO_CODE = (
    Status(413, 414, Rejected, "too large", "lower the bytes per request", "node"),
    Status(429, 429, Throttled, "a proxy limits the rate", _SLOWER, "ours"),
    Status(407, 407, Unavailable, "a proxy wants a password", _PROXY, "ours"),
    Status(300, 399, Unavailable, "a proxy or captive portal answered", _PROXY, "ours"),
    Status(503, 503, Unavailable, "gateway or proxy", _RETRIED, "ours"),
    *UNKNOWN_CODE,
)
"""Where nothing in the body says a code: HTML of a proxy, or nothing at all."""
# fmt: on
