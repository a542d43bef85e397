"""Is this request signed by a key we know? Signatures V1 and V3, from the wire alone.

Written against the vendor's description and the recorded requests, and never against
our own signer: a verifier that shares code with the signer verifies nothing.
"""

import base64
import hashlib
import hmac
import re
from calendar import timegm
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import strptime
from typing import Literal

from relay.cloudmonitor.contract import (
    ALGORITHM_V1,
    ALGORITHM_V3,
    CLOCK_TOLERANCE_SECONDS,
)
from relay.emulator.answers import Refusal, refuse
from relay.emulator.wire import Call, Pairs, percent_encode

__all__ = ["Claim", "Key", "Scheme", "Verifier", "read_claim", "scheme_of"]

Scheme = Literal["V1", "V3"]

NONCES_MAX = 200_000  # about 32 MB; the oldest are forgotten first


@dataclass(frozen=True, slots=True)
class Key:
    """What is known of an access key; ``token`` where it is a temporary one."""

    secret: str = field(repr=False)
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Claim:
    """What a request says of itself, and how its signature would have to be made."""

    scheme: Scheme
    action: str
    version: str
    key_id: str
    token: str | None = field(repr=False)
    date: str
    nonce: str
    signature: str
    string_to_sign: str
    sign: Callable[[str, str], str]


def scheme_of(call: Call) -> Scheme | None:
    """By which scheme a request is signed; None where it is not signed at all."""
    if call.headers.get("authorization", "").startswith(ALGORITHM_V3):
        return "V3"
    if any(name in {"Signature", "AccessKeyId"} for name, _ in call.parameters):
        return "V1"
    return None


def read_claim(call: Call) -> Claim | Refusal:
    """Collect what the signature covers; refuses requests that lack a part of it."""
    match scheme_of(call):
        case "V1":
            return _claim_v1(call)
        case "V3":
            return _claim_v3(call)
        case None:
            return refuse("MissingParameter", "The request is not signed: AccessKeyId.")


class Verifier:
    """Checks claims against the known keys; remembers the nonces of those it passed."""

    def __init__(self, keys: Mapping[str, Key]) -> None:
        self._keys = dict(keys)
        self._nonces = Nonces()

    def check(self, claim: Claim, now: float) -> Refusal | None:
        """None when the claim holds. The vendor does not document its order of checks."""
        key = self._keys.get(claim.key_id)
        if key is None or (key.token is not None and claim.token is None):
            return refuse("InvalidAccessKeyId.NotFound")
        return (
            _timely(claim.date, now)
            or _authentic(claim, key)
            or self._fresh(claim, now)
        )

    def _fresh(self, claim: Claim, now: float) -> Refusal | None:
        if self._nonces.first_use(claim.key_id, claim.nonce, now):
            return None
        return refuse("SignatureNonceUsed")


def _timely(date: str, now: float) -> Refusal | None:
    seconds = _seconds(date)
    if seconds is None:
        return refuse("InvalidTimeStamp.Format")
    if abs(now - seconds) > CLOCK_TOLERANCE_SECONDS:
        return refuse("InvalidTimeStamp.Expired")
    return None


def _authentic(claim: Claim, key: Key) -> Refusal | None:
    if claim.token is not None and not _same(claim.token, key.token or ""):
        return refuse("InvalidSecurityToken.MismatchWithAccessKey")
    if not _same(claim.sign(key.secret, claim.string_to_sign), claim.signature):
        return refuse("SignatureDoesNotMatch", _shown(claim))
    return None


class Nonces:
    """The nonces of the last half hour, as long as a time stamp can be good."""

    def __init__(self) -> None:
        self._until: dict[bytes, float] = {}

    def first_use(self, key_id: str, nonce: str, now: float) -> bool:
        """Whether this key never used this nonce within memory; remembers it."""
        self._forget(now)
        seen = hashlib.sha256(f"{key_id}\0{nonce}".encode("utf-8", "surrogateescape"))
        if seen.digest() in self._until:
            return False
        self._until[seen.digest()] = now + 2 * CLOCK_TOLERANCE_SECONDS
        return True

    def _forget(self, now: float) -> None:
        while self._until:
            oldest = next(iter(self._until))
            if self._until[oldest] > now and len(self._until) < NONCES_MAX:
                return
            del self._until[oldest]


# V1: everything is a parameter, in the URL, in a form body, or in both.

V1_MANDATORY = (
    "AccessKeyId",
    "Action",
    "Signature",
    "SignatureMethod",
    "SignatureNonce",
    "SignatureVersion",
    "Timestamp",
    "Version",
)


def _claim_v1(call: Call) -> Claim | Refusal:
    given = dict(call.parameters)
    for name in V1_MANDATORY:
        if not given.get(name):
            return refuse("MissingParameter", name)
    if (given["SignatureMethod"], given["SignatureVersion"]) != (ALGORITHM_V1, "1.0"):
        return refuse("IncompleteSignature", "SignatureMethod, SignatureVersion")
    signed = tuple(pair for pair in call.parameters if pair[0] != "Signature")
    return Claim(
        scheme="V1",
        action=given["Action"],
        version=given["Version"],
        key_id=given["AccessKeyId"],
        token=given.get("SecurityToken"),
        date=given["Timestamp"],
        nonce=given["SignatureNonce"],
        signature=given["Signature"],
        string_to_sign=f"{call.method}&%2F&{percent_encode(_canonical(signed))}",
        sign=_sign_v1,
    )


def _sign_v1(secret: str, text: str) -> str:
    mac = hmac.new(f"{secret}&".encode(), text.encode(), hashlib.sha1)
    return base64.b64encode(mac.digest()).decode()


# V3: headers and the hash of the body; nothing in the URL but the caller's parameters.

V3_MANDATORY = (
    "host",
    "x-acs-action",
    "x-acs-content-sha256",
    "x-acs-date",
    "x-acs-signature-nonce",
    "x-acs-version",
)
AUTHORIZATION = re.compile(
    rf"{ALGORITHM_V3} Credential=([^,]+),SignedHeaders=([^,]+),Signature=([^,]+)"
)


def _claim_v3(call: Call) -> Claim | Refusal:
    headers = call.headers
    parts = AUTHORIZATION.fullmatch(headers["authorization"])
    if parts is None:
        return refuse("IncompleteSignature", "Authorization")
    key_id, signed, signature = parts.groups()
    for name in V3_MANDATORY:
        if not headers.get(name):
            return refuse("MissingParameter", name)
    unsigned = _must_be_signed(headers) - set(signed.split(";"))
    if unsigned:
        return refuse(
            "IncompleteSignature", f"Not signed: {', '.join(sorted(unsigned))}"
        )
    return Claim(
        scheme="V3",
        action=headers["x-acs-action"],
        version=headers["x-acs-version"],
        key_id=key_id,
        token=headers.get("x-acs-security-token"),
        date=headers["x-acs-date"],
        nonce=headers["x-acs-signature-nonce"],
        signature=signature,
        string_to_sign=_string_to_sign_v3(call, signed),
        sign=_sign_v3,
    )


def _must_be_signed(headers: Mapping[str, str]) -> set[str]:
    """``host``, ``content-type`` and all of ``x-acs-*`` that were sent."""
    fixed = {"host", "content-type"} & set(headers)
    return fixed | {name for name in headers if name.startswith("x-acs-")}


def _string_to_sign_v3(call: Call, signed: str) -> str:
    """The body is hashed as it came; the header with its hash is only one of many."""
    names = sorted(signed.split(";"))
    request = "\n".join(
        (
            call.method,
            call.path,
            _canonical(call.query),
            "".join(f"{name}:{call.headers.get(name, '')}\n" for name in names),
            ";".join(names),
            hashlib.sha256(call.body).hexdigest(),
        )
    )
    digest = hashlib.sha256(request.encode("utf-8", "surrogateescape")).hexdigest()
    return f"{ALGORITHM_V3}\n{digest}"


def _sign_v3(secret: str, text: str) -> str:
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


# Both


def _canonical(pairs: Pairs) -> str:
    """Sorted by name as code points, encoded, joined."""
    return "&".join(
        f"{percent_encode(name)}={percent_encode(value)}"
        for name, value in sorted(pairs)
    )


def _shown(claim: Claim) -> str:
    """The server's string to sign, in the words by which clients look for it."""
    if claim.scheme == "V1":
        return f"server string to sign is:{claim.string_to_sign}"
    return f"server StringToSign is [{claim.string_to_sign}]"


def _seconds(date: str) -> int | None:
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", date, re.ASCII):
        return None
    try:
        return timegm(strptime(date, "%Y-%m-%dT%H:%M:%SZ"))
    except ValueError:
        return None


def _same(a: str, b: str) -> bool:
    return hmac.compare_digest(
        a.encode("utf-8", "surrogateescape"), b.encode("utf-8", "surrogateescape")
    )
