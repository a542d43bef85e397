"""Signatures, against requests that the vendor's own clients signed."""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.cloudmonitor.credentials import Secret
from relay.cloudmonitor.signing import (
    canonical_form,
    pe,
    sha256_hex,
    sign_v1,
    sign_v3,
)
from tests.cloudmonitor.vectors import SignedCase, decoded_query, signatures

V1, (RPC_EXAMPLE, METRICHUB_EXAMPLE) = signatures("v1")
V3, (V3_EXAMPLE,) = signatures("v3")


def test_all_ninety_are_here() -> None:
    """Fifty requests of V1 and forty of V3."""
    assert (len(V1), len(V3)) == (50, 40)


@pytest.mark.parametrize("signed", V1, ids=str)
def test_v1_equals_the_vendors_clients(signed: SignedCase) -> None:
    """The same parameters give the same string to sign and the same signature."""
    vector, case = signed
    ours = sign_v1(
        canonical_form(vector["parameters"]),
        Secret(case["access_key_secret"]),
        case["http_method"],
    )
    assert ours.string_to_sign == vector["string_to_sign"]
    assert ours.signature == vector["signature"]


@pytest.mark.parametrize("signed", V3, ids=str)
def test_v3_equals_the_vendors_clients(signed: SignedCase) -> None:
    """Any set of signed headers, in URL and body, gives each of their texts."""
    vector, case = signed
    request = vector["request"]
    ours = sign_v3(
        Secret(case["access_key_secret"]),
        headers={k: v for k, v in request["headers"].items() if k != "Authorization"},
        query=canonical_form(decoded_query(request["url"])),
        body_hash=sha256_hex(request["body"].encode()),
        signed_headers=vector["signed_headers"],
    )
    assert ours.canonical == vector["canonical_request"]
    assert sha256_hex(ours.canonical.encode()) == vector["hashed_canonical_request"]
    assert ours.string_to_sign == vector["string_to_sign"]
    assert ours.signature == vector["signature"]


def test_the_published_rpc_example() -> None:
    """DescribeRegions, signed for GET, as the documentation prints it."""
    example: Mapping[str, Any] = RPC_EXAMPLE
    ours = sign_v1(
        canonical_form(example["parameters"]),
        Secret(example["access_key_secret"]),
        example["http_method"],
    )
    assert ours.string_to_sign == example["string_to_sign"]
    assert ours.signature == "OLeaidS1JvxuMvnyHOwuJ+uX5qY="


def test_the_published_v3_example() -> None:
    """RunInstances, with its parameters in the URL."""
    ours = sign_v3(
        Secret(V3_EXAMPLE["access_key_secret"]),
        headers=V3_EXAMPLE["headers"],
        query=canonical_form(decoded_query(V3_EXAMPLE["url"])),
        body_hash=sha256_hex(b""),
    )
    assert sha256_hex(ours.canonical.encode()) == V3_EXAMPLE["hashed_canonical_request"]
    assert ours.signature == V3_EXAMPLE["signature"]


def test_the_published_metrichub_example() -> None:
    """The older upload signs with the bare secret and writes upper-case hexadecimal."""
    secret = Secret(METRICHUB_EXAMPLE["access_key_secret"])
    text = METRICHUB_EXAMPLE["string_to_sign"]
    digest = hmac.digest(secret.reveal().encode(), text.encode(), hashlib.sha1)
    assert digest.hex().upper() == METRICHUB_EXAMPLE["signature"]


def test_header_names_in_any_case_and_values_trimmed() -> None:
    """What differs only in case of a name and blanks around a value signs the same."""
    one = sign_v3(Secret("s"), headers={"Host": " a "}, body_hash="")
    other = sign_v3(Secret("s"), headers={"host": "a"}, body_hash="")
    assert one == other


@pytest.mark.parametrize(
    ("text", "encoded"),
    [
        (" ", "%20"),
        ("*", "%2A"),
        ("~", "~"),
        ("/", "%2F"),
        ("+", "%2B"),
        ("é", "%C3%A9"),
    ],
)
def test_percent_encoding(text: str, encoded: str) -> None:
    """The characters that form encoding treats otherwise."""
    assert pe(text) == encoded


@given(
    st.dictionaries(st.text(min_size=1), st.text(), min_size=1),
    st.integers(0),
    st.data(),
)
def test_one_changed_value_changes_the_signature(
    parameters: dict[str, str], which: int, data: st.DataObject
) -> None:
    """No two parameter sets that differ in one value are signed alike."""
    key = sorted(parameters)[which % len(parameters)]
    other = data.draw(st.text().filter(lambda text: text != parameters[key]))
    one, changed = (
        sign_v1(canonical_form(each), Secret("s"))
        for each in (parameters, {**parameters, key: other})
    )
    assert one.signature != changed.signature
