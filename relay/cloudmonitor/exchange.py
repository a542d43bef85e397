"""From entries to the bytes of a signed request. Nothing here sends them.

Time and nonce are arguments; both have to be fresh for every attempt, because the
service refuses a nonce that it has seen.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

from relay.cloudmonitor.contract import (
    ALGORITHM_V1,
    ALGORITHM_V3,
    CONTENT_TYPE_FORM,
    METRICS,
    NO_VPC_REGIONS,
    VERSION,
    Operation,
)
from relay.cloudmonitor.credentials import Credentials
from relay.cloudmonitor.signing import (
    canonical_form,
    pe,
    sha256_hex,
    sign_v1,
    sign_v3,
)
from relay.errors import ConfigError

__all__ = [
    "Endpoint",
    "Network",
    "Placement",
    "Request",
    "Signature",
    "endpoint_at",
    "endpoint_for",
    "put_request",
    "rpc_request",
]

Signature = Literal["v3", "v1"]
Placement = Literal["body", "query"]
Network = Literal["public", "vpc"]

_DEFAULT_PORTS = {"https": 443, "http": 80}
_LOOPBACK = re.compile(r"localhost|127(\.\d{1,3}){3}|::1")
_REGION = re.compile(r"[a-z0-9]+(-[a-z0-9]+)+")


class Endpoint(NamedTuple):
    """Where requests go; ``host`` carries the port unless it is the scheme's own."""

    scheme: str
    host: str

    @property
    def url(self) -> str:
        """With the one path there is."""
        return f"{self.scheme}://{self.host}/"


class Request(NamedTuple):
    """What goes on the wire, byte for byte; no header may be added that is signed.

    Its repr shows neither headers nor body nor query: keys and tokens stand there.
    """

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def __repr__(self) -> str:
        url = self.url.partition("?")[0]
        return f"Request({self.method} {url}, {len(self.body)} bytes)"


def endpoint_for(region: str, network: Network = "public") -> Endpoint:
    """The vendor's host for a region, also for one that is newer than our list."""
    if not _REGION.fullmatch(region):
        raise ConfigError(
            "region", f"{region!r} is no region; wanted as in cn-hangzhou"
        )
    if network == "vpc" and region in NO_VPC_REGIONS:
        problem = f"there is no VPC endpoint in {region}; set the endpoint itself"
        raise ConfigError("network", problem)
    label = "metrics-vpc" if network == "vpc" else "metrics"
    return Endpoint("https", f"{label}.{region}.aliyuncs.com")


def endpoint_at(url: str) -> Endpoint:
    """An endpoint by its address, ``https://HOST[:PORT]``; http on loopback only."""
    if "@" in url:  # not quoted in the message: it may hold a password
        raise ConfigError("endpoint", "there is an @ in it; wanted https://HOST[:PORT]")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ConfigError("endpoint", f"{url!r}: {error}") from None
    host = parts.hostname or ""
    if parts.scheme not in _DEFAULT_PORTS or not host:
        raise ConfigError("endpoint", f"{url!r} is not of the form https://HOST[:PORT]")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ConfigError("endpoint", f"{url!r} has more behind the host than a port")
    if parts.scheme == "http" and not _LOOPBACK.fullmatch(host):
        raise ConfigError("endpoint", f"{url!r}: plain http is for loopback; use https")
    shown = f"[{host}]" if ":" in host else host
    own_port = port in (None, _DEFAULT_PORTS[parts.scheme])
    return Endpoint(parts.scheme, shown if own_port else f"{shown}:{port}")


def put_request(
    items: Iterable[str],
    *,
    endpoint: Endpoint,
    credentials: Credentials,
    now: float,
    nonce: str,
    signature: Signature = "v3",
    placement: Placement = "body",
    operation: Operation = METRICS,
) -> Request:
    """A put of encoded entries, or events; arguments as of ``rpc_request``."""
    common = (operation.action, VERSION, _stamp(now), nonce)
    form = _numbered(items, operation.list_name)
    if operation.more:
        form += f"&{operation.more}"
    return _signed(
        form,
        endpoint,
        credentials,
        common,
        signature=signature,
        placement=placement,
    )


def rpc_request(
    action: str,
    parameters: Mapping[str, str],
    *,
    endpoint: Endpoint,
    credentials: Credentials,
    now: float,
    nonce: str,
    signature: Signature = "v3",
    placement: Placement = "body",
    version: str = VERSION,
) -> Request:
    """A signed POST of any operation; ``parameters`` are plain text.

    ``now`` is in Unix seconds by the service's clock. V1 goes into the body only: as a
    query it would put key and token where proxies log them.
    """
    common = (action, version, _stamp(now), nonce)
    form = canonical_form(parameters)
    return _signed(
        form,
        endpoint,
        credentials,
        common,
        signature=signature,
        placement=placement,
    )


_Common = tuple[str, str, str, str]  # action, version, time stamp, nonce


def _signed(
    form: str,
    endpoint: Endpoint,
    credentials: Credentials,
    common: _Common,
    *,
    signature: Signature,
    placement: Placement,
) -> Request:
    """Of parameters in canonical form."""
    if signature == "v3":
        return _v3(form, endpoint, credentials, common, placement)
    if placement != "body":
        raise ValueError("a V1 request is sent in the body only")
    return _v1(form, endpoint, credentials, common)


def _v3(
    form: str,
    endpoint: Endpoint,
    credentials: Credentials,
    common: _Common,
    placement: Placement,
) -> Request:
    in_body = placement == "body"
    body = form.encode() if in_body else b""
    action, version, stamp, nonce = common
    headers = {
        "host": endpoint.host,
        "x-acs-action": action,
        "x-acs-version": version,
        "x-acs-date": stamp,
        "x-acs-signature-nonce": nonce,
        **({"content-type": CONTENT_TYPE_FORM} if in_body else {}),
        "x-acs-content-sha256": sha256_hex(body),
    }
    if credentials.token:
        headers["x-acs-security-token"] = credentials.token.reveal().strip()
    signed = sign_v3(
        credentials.secret,
        headers=headers,
        body_hash=headers["x-acs-content-sha256"],
        query="" if in_body else form,
    )
    authorization = (
        f"{ALGORITHM_V3} Credential={credentials.key_id}"
        f",SignedHeaders={signed.signed_headers},Signature={signed.signature}"
    )
    url = endpoint.url if in_body else f"{endpoint.url}?{form}"
    return _request(url, {**headers, "Authorization": authorization}, body)


def _v1(
    form: str, endpoint: Endpoint, credentials: Credentials, common: _Common
) -> Request:
    action, version, stamp, nonce = common
    others = {
        "AccessKeyId": credentials.key_id,
        "Action": action,
        "Format": "JSON",
        "SignatureMethod": ALGORITHM_V1,
        "SignatureNonce": nonce,
        "SignatureVersion": "1.0",
        "Timestamp": stamp,
        "Version": version,
    }
    if credentials.token:
        others["SecurityToken"] = credentials.token.reveal().strip()
    fields = sorted([*form.split("&"), *canonical_form(others).split("&")], key=_key)
    signed = sign_v1("&".join(filter(None, fields)), credentials.secret)
    body = f"{signed.canonical}&Signature={pe(signed.signature)}"
    headers = {"host": endpoint.host, "content-type": CONTENT_TYPE_FORM}
    return _request(endpoint.url, headers, body.encode())


def _request(url: str, headers: Mapping[str, str], body: bytes) -> Request:
    # Not signed, since proxies may alter it; without it the answer may be XML.
    accepting = {**headers, "accept": "application/json"}
    return Request("POST", url, tuple(accepting.items()), body)


def _numbered(items: Iterable[str], list_name: str) -> str:
    """``MetricList.1.Dimensions`` and so on, in canonical form.

    Items are encoded and their fields sorted already, so that only the numbers are to
    be sorted: as text, with the full stop behind them, 1 before 10 before 2.
    """
    numbered = sorted((f"{n}.", item) for n, item in enumerate(items, 1))
    return "&".join(
        f"{list_name}.{n}{item.replace('&', f'&{list_name}.{n}')}"
        for n, item in numbered
    )


def _key(field: str) -> str:
    return field.partition("=")[0]


def _stamp(now: float) -> str:
    return datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
