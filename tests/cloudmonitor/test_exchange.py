"""Requests, byte for byte, and the endpoints they go to."""

from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

import pytest

from relay.cloudmonitor.credentials import Credentials, Secret
from relay.cloudmonitor.exchange import (
    Endpoint,
    Placement,
    Request,
    Signature,
    endpoint_at,
    endpoint_for,
    put_request,
    rpc_request,
)
from relay.cloudmonitor.signing import canonical_form, pe
from relay.errors import ConfigError
from tests.cloudmonitor.vectors import SignedCase, signatures

V3 = [v for v in signatures("v3")[0] if v.vector["id"].startswith("minimal-")]
V1 = [v for v in signatures("v1")[0] if v.vector["placement"] == "all-in-body"]
KEYS = Credentials("key", Secret("secret"), Secret("a token"))


def test_there_are_vectors() -> None:
    """Ten cases of the minimum in body and in URL, ten with everything in the body."""
    assert (len(V3), len(V1)) == (20, 10)


def put(signed: SignedCase, signature: str) -> Request:
    """Our request of a case; its entries as items, whatever fields they have."""
    case = signed.case
    token = case["security_token"]
    return put_request(
        [
            "&".join(f"{field}={pe(entry[field])}" for field in sorted(entry))
            for entry in case["metric_list"]
        ],
        endpoint=Endpoint(case["scheme"], case["endpoint"]),
        credentials=Credentials(
            case["access_key_id"],
            Secret(case["access_key_secret"]),
            Secret(token) if token else None,
        ),
        now=datetime.fromisoformat(case["timestamp"]).timestamp(),
        nonce=case["nonce"],
        signature="v1" if signature == "v1" else "v3",
        placement="query" if signed.vector["placement"] == "query" else "body",
    )


@pytest.mark.parametrize("signed", V3, ids=str)
def test_the_minimal_v3_request(signed: SignedCase) -> None:
    """URL, headers in order and body are those of the vector, plus ``accept``."""
    theirs = signed.vector["request"]
    ours = put(signed, "v3")
    assert ours.method == theirs["method"]
    assert ours.url == theirs["url"]
    accepting = ("accept", "application/json")  # unsigned, so the vector has none
    assert ours.headers == (*theirs["headers"].items(), accepting)
    assert ours.body == theirs["body"].encode()


@pytest.mark.parametrize("signed", V1, ids=str)
def test_the_v1_request_has_everything_in_the_body(signed: SignedCase) -> None:
    """The body decodes to what the vendor's Node client sends, Signature included."""
    theirs = signed.vector["request"]
    ours = put(signed, "v1")
    assert ours.url == theirs["url"]
    assert sorted(parse_qsl(ours.body.decode(), keep_blank_values=True)) == sorted(
        parse_qsl(theirs["body"], keep_blank_values=True)
    )


@pytest.mark.parametrize("signature", ["v1", "v3"])
def test_a_request_does_not_show_its_keys(signature: str) -> None:
    """Neither token nor key id nor signature is in the repr, not even out of a URL."""
    sts = next(v for v in V1 if v.case["security_token"])
    shown = repr([put(sts, signature), describe("query")])
    assert shown.count("Request(POST https://") == 2
    for secret in ("Signature", "Credential", "CAISfake", sts.case["access_key_id"]):
        assert secret not in shown


def test_a_v1_request_is_never_a_query() -> None:
    """It would put the token into the URL."""
    with pytest.raises(ValueError, match="body only"):
        rpc_request(
            "A",
            {},
            endpoint=Endpoint("http", "h"),
            credentials=KEYS,
            now=0,
            nonce="n",
            signature="v1",
            placement="query",
        )


def describe(placement: Placement) -> Request:
    return rpc_request(
        "DescribeMetricList",
        {"Namespace": "acs_customMetric_1"},
        endpoint=Endpoint("https", "h"),
        credentials=KEYS,
        now=1_767_323_045.9,
        nonce="n",
        placement=placement,
    )


def test_any_operation_can_be_asked() -> None:
    """The action is a header, the parameters are the form."""
    request = describe("body")
    assert dict(request.headers)["x-acs-action"] == "DescribeMetricList"
    assert dict(request.headers)["x-acs-date"] == "2026-01-02T03:04:05Z"
    assert request.body == b"Namespace=acs_customMetric_1"


@pytest.mark.parametrize("signature", ["v1", "v3"])
@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 100])
def test_entries_are_a_form_like_any_other(signature: Signature, count: int) -> None:
    """Numbering what is encoded gives what encoding what is numbered gives."""
    common: dict[str, Any] = {
        "endpoint": Endpoint("https", "h"),
        "credentials": Credentials("key", Secret("secret"), Secret("token")),
        "now": 0,
        "nonce": "n",
        "signature": signature,
    }
    entries = [
        {"Dimensions": f'{{"k":"v&=% é{n}"}}', "Time": str(n)} for n in range(count)
    ]
    items = [canonical_form(entry) for entry in entries]
    numbered = {
        f"MetricList.{n}.{field}": text
        for n, entry in enumerate(entries, 1)
        for field, text in entry.items()
    }
    assert put_request(items, **common) == rpc_request(
        "PutCustomMetric", numbered, **common
    )


def test_a_token_with_a_line_end_is_trimmed() -> None:
    """Read from a file it may have one; as a header it would be refused."""
    keys = Credentials("key", Secret("secret"), Secret("token\n"))
    request = put_request(
        [], endpoint=Endpoint("https", "h"), credentials=keys, now=0, nonce="n"
    )
    assert dict(request.headers)["x-acs-security-token"] == "token"


def test_an_address_with_a_password_is_not_quoted() -> None:
    """The message goes to logs."""
    with pytest.raises(ConfigError) as refused:
        endpoint_at("https://user:hunter2@h.example")
    assert "hunter2" not in str(refused.value)


def test_endpoints_by_region() -> None:
    """The public host and the one inside a VPC."""
    assert (
        endpoint_for("cn-hangzhou").url == "https://metrics.cn-hangzhou.aliyuncs.com/"
    )
    assert endpoint_for("eu-central-1", "vpc").host == (
        "metrics-vpc.eu-central-1.aliyuncs.com"
    )
    assert endpoint_for("xx-newer-9").host == "metrics.xx-newer-9.aliyuncs.com"


@pytest.mark.parametrize("region", ["", "evil.example/x", "cn hangzhou", "CN-HANGZHOU"])
def test_a_region_that_is_none(region: str) -> None:
    """It becomes part of a host name, so it is looked at."""
    with pytest.raises(ConfigError, match="region"):
        endpoint_for(region)


def test_a_region_without_a_vpc_endpoint() -> None:
    """Some have none."""
    with pytest.raises(ConfigError, match="VPC"):
        endpoint_for("eu-west-2", "vpc")


@pytest.mark.parametrize(
    ("url", "scheme", "host"),
    [
        ("https://h.example", "https", "h.example"),
        ("https://h.example:443/", "https", "h.example"),
        ("https://h.example:8443", "https", "h.example:8443"),
        ("http://127.0.0.1:8128/", "http", "127.0.0.1:8128"),
        ("http://localhost:80", "http", "localhost"),
        ("http://[::1]:8128", "http", "[::1]:8128"),
    ],
)
def test_endpoints_by_address(url: str, scheme: str, host: str) -> None:
    """The port is part of the host unless it is the scheme's own."""
    assert endpoint_at(url) == Endpoint(scheme, host)


@pytest.mark.parametrize(
    "url",
    [
        "http://metrics.cn-hangzhou.aliyuncs.com",
        "http://127.0.0.1.evil.example",
        "ftp://127.0.0.1",
        "metrics.cn-hangzhou.aliyuncs.com",
        "https://user:secret@h.example",
        "https://h.example/path",
        "https://h.example?x=1",
        "https://h.example:port",
        "https://[h",
        "https://",
    ],
)
def test_addresses_that_are_refused(url: str) -> None:
    """Plain http beyond loopback, other schemes, anything behind the port."""
    with pytest.raises(ConfigError, match="endpoint"):
        endpoint_at(url)
