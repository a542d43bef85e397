"""What mends a source of keys that refuses or is silent, by what it answers.

Source: the vendor's document of RRSA, its table of errors, for what STS says of tokens
and roles; section 7.5 of the vendor's facts for the metadata service. For other words
those of the gateway before every RPC service (section 3.3).
"""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Final

from relay.cloudmonitor.answers import hint_for

__all__ = ["Fix", "metadata_fix", "sts_fix", "uri_fix", "with_fix"]

Fix = Callable[[int, str], str]
"""For an HTTP status and the code in the answer; status 0 is no answer at all."""

_OIDC: Final = "AuthenticationFail.OIDCToken"
_RRSA: Final = "enable RRSA on the cluster, then make the pods anew"

_STS: Final[Mapping[str, str]] = MappingProxyType(
    {
        f"{_OIDC}.Expired": "let ALIBABA_CLOUD_OIDC_TOKEN_FILE be a file that the cluster"
        " writes anew, a projected volume",
        f"{_OIDC}.AudienceNotMatch": "give the token the audience sts.aliyuncs.com",
        f"{_OIDC}.Issuer": _RRSA,
        _OIDC: "compare the token file with the OIDC provider that RAM knows",
        "AuthenticationFail.NoPermission": f"{_RRSA}; have the role's trust policy name"
        " the cluster's OIDC provider and this service account",
        "EntityNotExist.Role": "make that RAM role, or correct its ARN",
        "NoPermission": "allow sts:AssumeRole to whose keys these are, and have the role's"
        " trust policy name them",
        "Throttling": "none is needed unless it stays: the account asks STS too often",
    }
)
"""By how a code begins; the first row that fits."""

_AS_THE_GATEWAY: Final = (
    *("SignatureDoesNotMatch", "InvalidAccessKeyId", "InvalidSecurityToken"),
    *("InvalidTimeStamp", "IllegalTimestamp"),
)

_STS_SILENT: Final = (
    "open port 443 to STS; within a VPC set ALIBABA_CLOUD_STS_REGION and"
    " ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED=true"
)
_NO_INSTANCE: Final = (
    "; elsewhere than on ECS set ALIBABA_CLOUD_ECS_METADATA_DISABLED=true"
)


def sts_fix(status: int, code: str) -> str:
    """For what STS answers."""
    if not status:
        return _STS_SILENT
    for start, fix in _STS.items():
        if code.startswith(start):
            return fix
    return hint_for(code) if code.startswith(_AS_THE_GATEWAY) else ""


def metadata_fix(status: int, _code: str) -> str:
    """For what the metadata service answers."""
    if not status:
        return f"let the relay reach 100.100.100.200{_NO_INSTANCE}"
    if status == HTTPStatus.NOT_FOUND:
        return f"bind a RAM role to the instance{_NO_INSTANCE}"
    return ""


def uri_fix(status: int, _code: str) -> str:
    """For what a service beside us answers, of which we know nothing but its address."""
    return "" if status else "start what gives keys at that address, or correct it"


def with_fix(reason: str, fix: str) -> str:
    """One text of both."""
    return f"{reason} (fix: {fix})" if fix else reason
