"""The two signatures of Alibaba Cloud's RPC interfaces, as computations on text.

Each intermediate text is in the result, because a refused signature can only be mended
by comparing it with the server's. What is put into a request, and where, is not decided
here. Sources: contract.SOURCES, rpc and v3.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from typing import NamedTuple
from urllib.parse import quote

from relay.cloudmonitor.contract import ALGORITHM_V3
from relay.cloudmonitor.credentials import Secret

__all__ = ["Signed", "canonical_form", "pe", "sha256_hex", "sign_v1", "sign_v3"]


class Signed(NamedTuple):
    """``canonical`` is the canonical request (V3) or the canonical parameters (V1).

    ``signed_headers`` is empty for V1, which signs none.
    """

    canonical: str
    signed_headers: str
    string_to_sign: str
    signature: str


def sign_v1(canonical: str, secret: Secret, method: str = "POST") -> Signed:
    """HMAC-SHA1 over all parameters, wherever they stand; ``Signature`` is not one.

    ``canonical`` is their ``canonical_form``.
    """
    string_to_sign = f"{method}&%2F&{pe(canonical)}"
    key = f"{secret.reveal()}&".encode()  # the ampersand belongs to it
    digest = hmac.digest(key, string_to_sign.encode(), "sha1")
    return Signed(canonical, "", string_to_sign, base64.b64encode(digest).decode())


def sign_v3(
    secret: Secret,
    *,
    headers: Mapping[str, str],
    body_hash: str,
    query: str = "",
    signed_headers: Iterable[str] | None = None,
    method: str = "POST",
) -> Signed:
    """ACS3-HMAC-SHA256; ``signed_headers`` are all of ``headers`` unless given.

    ``query`` is the ``canonical_form`` of what stands there.
    Header names in any case; each signed one has to be in ``headers``.
    """
    values = {name.lower(): value.strip() for name, value in headers.items()}
    names = sorted(values if signed_headers is None else map(str.lower, signed_headers))
    canonical = "\n".join(
        (
            method,
            "/",
            query,
            *(f"{name}:{values[name]}" for name in names),
            "",
            ";".join(names),
            body_hash,
        )
    )
    string_to_sign = f"{ALGORITHM_V3}\n{sha256_hex(canonical.encode())}"
    digest = hmac.digest(secret.reveal().encode(), string_to_sign.encode(), "sha256")
    return Signed(canonical, ";".join(names), string_to_sign, digest.hex())


def canonical_form(parameters: Mapping[str, str]) -> str:
    """``k=v&k=v``, percent-encoded, sorted by key as text: 10 before 2."""
    return "&".join(f"{pe(key)}={pe(parameters[key])}" for key in sorted(parameters))


def pe(text: str) -> str:
    """Percent-encode as RFC 3986 has it: a space is ``%20``, ``*`` is not spared."""
    return quote(text, safe="~")


def sha256_hex(data: bytes) -> str:
    """Lower-case hexadecimal, as V3 wants it of body and canonical request."""
    return hashlib.sha256(data).hexdigest()
