"""What the look-alike says: the vendor's codes, messages and bodies.

Decides nothing; a ``Refusal`` is made elsewhere, from the codes listed here. The forms
were seen in the field or are in the vendor's documents; ``ours`` marks the others.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from types import MappingProxyType

__all__ = [
    "Answer",
    "Refusal",
    "gateway_answer",
    "html_answer",
    "refuse",
    "service_answer",
]

JSON_TYPE = "application/json;charset=utf-8"
HTML_TYPE = "text/html;charset=utf-8"
HOST_ID = "metrics.emulator.invalid"
RECOMMEND = "https://api.aliyun.com/troubleshoot?q="

_GATEWAY: Mapping[str, tuple[int, str]] = MappingProxyType(
    {
        "IncompleteSignature": (
            400,
            "The request signature does not conform to Alibaba Cloud standards.",
        ),
        "InvalidAccessKeyId.NotFound": (404, "Specified access key is not found."),
        "InvalidAction.NotFound": (
            404,
            "Specified api is not found, please check your url and method.",
        ),
        "InvalidParameter": (400, "The specified parameter is not valid."),
        "InvalidSecurityToken.MismatchWithAccessKey": (
            400,
            "Specified SecurityToken mismatch with the AccessKey.",
        ),
        "InvalidTimeStamp.Expired": (
            400,
            "Specified time stamp or date value is expired.",
        ),
        "InvalidTimeStamp.Format": (
            400,
            "Specified time stamp or date value is not well formatted.",
        ),
        "InvalidVersion": (400, "Specified parameter Version is not valid."),
        "MissingParameter": (
            400,
            "An input parameter that is mandatory for this request is not supplied.",
        ),
        "SignatureDoesNotMatch": (
            400,
            "Specified signature is not matched with our calculation.",
        ),
        "SignatureNonceUsed": (400, "Specified signature nonce was used already."),
        "UnsupportedHTTPMethod": (400, "This http method is not supported."),
    }
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """The gateway's no: HTTP status, code and message."""

    status: int
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole HTTP answer; ``code`` is the vendor's, None where the body has none."""

    status: int
    body: bytes
    code: str | None = None
    content_type: str = JSON_TYPE
    headers: Mapping[str, str] = field(default_factory=dict)


def refuse(code: str, detail: str = "") -> Refusal:
    """A refusal with the documented status and message, and what exactly was wrong."""
    status, message = _GATEWAY[code]
    return Refusal(status, code, f"{message} {detail}" if detail else message)


def gateway_answer(
    refusal: Refusal, request_id: str, retry_after_ms: int | None = None
) -> Answer:
    """An error of the gateway. All values are text: the Go SDK fails on others."""
    body = {
        "RequestId": request_id,
        "HostId": HOST_ID,
        "Code": refusal.code,
        "Message": refusal.message,
        "Recommend": f"{RECOMMEND}{refusal.code}",
    }
    headers = {"x-acs-request-id": request_id}
    if retry_after_ms is not None:
        headers["x-acs-retry-after"] = str(retry_after_ms)
    return Answer(refusal.status, _json(body), refusal.code, headers=headers)


def service_answer(
    request_id: str,
    code: str,
    message: str,
    more: Mapping[str, object] | None = None,
    status: int = 200,
) -> Answer:
    """An answer of the service itself: its refusals come with HTTP 200 as well."""
    body = {"Message": message, "RequestId": request_id, "Code": code, **(more or {})}
    return Answer(status, _json(body), code, headers={"x-acs-request-id": request_id})


def html_answer(status: int, body: str | None = None) -> Answer:
    """What a proxy or an overloaded gateway says: a page, or whatever is given."""
    if body is None:
        title = f"{status} {reason(status)}"
        body = (
            f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n"
            f"<center><h1>{title}</h1></center>\r\n</body>\r\n</html>\r\n"
        )
    return Answer(status, body.encode(), content_type=HTML_TYPE)


def reason(status: int) -> str:
    """The standard phrase of a status."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def _json(body: Mapping[str, object]) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()
