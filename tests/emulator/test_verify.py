"""Signatures: all recorded ones hold, nothing that was signed may be changed."""

import random
from calendar import timegm
from collections.abc import Iterator, Mapping
from dataclasses import replace
from time import strptime

import pytest

from relay.emulator.answers import Refusal
from relay.emulator.verify import (
    NONCES_MAX,
    Claim,
    Key,
    Nonces,
    Verifier,
    read_claim,
    scheme_of,
)
from relay.emulator.wire import Call, Pairs, read_call
from tests.emulator.door import (
    ENTRY,
    NOW,
    Door,
    http,
    http_call,
    put_parameters,
    signed,
)
from tests.emulator.vectors import Vector, vectors

VECTORS = tuple(vectors())
EVERY = pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v.name)
MUTANTS_A_VECTOR = 200


def seconds(vector: Vector) -> int:
    """When it was signed."""
    return timegm(strptime(vector.case["timestamp"], "%Y-%m-%dT%H:%M:%SZ"))


def verdict(call: Call, keys: Mapping[str, Key], now: float) -> Refusal | None:
    """None when the call verifies, with no nonce remembered."""
    claim = read_claim(call)
    if isinstance(claim, Refusal):
        return claim
    return Verifier(keys).check(claim, now)


def test_every_vector_is_here() -> None:
    """Fifty V1 and forty V3 requests are recorded; a lost file must not pass."""
    assert [scheme_of(v.call) for v in VECTORS] == ["V1"] * 50 + ["V3"] * 40


@EVERY
def test_recorded_request_verifies(vector: Vector) -> None:
    """What the vendor's SDK signed is accepted in the placement it chose, and the
    string to sign is the recorded one."""
    claim = read_claim(vector.call)
    assert isinstance(claim, Claim)
    assert claim.string_to_sign == vector.string_to_sign
    assert Verifier(vector.keys).check(claim, seconds(vector)) is None


# One character changed


def changed(text: str) -> Iterator[str]:
    """``text`` with one character changed, at every place."""
    for i, character in enumerate(text):
        yield text[:i] + chr(ord(character) ^ 1) + text[i + 1 :]


def changed_pairs(pairs: Pairs) -> Iterator[Pairs]:
    """Pairs with one character of one name or value changed, or one pair gone."""
    for i, (name, value) in enumerate(pairs):
        before, after = pairs[:i], pairs[i + 1 :]
        yield before + after
        yield from ((*before, (other, value), *after) for other in changed(name))
        yield from ((*before, (name, other), *after) for other in changed(value))


def changed_headers(call: Call, names: set[str]) -> Iterator[Mapping[str, str]]:
    """Headers with one character of one of ``names`` changed, or one of them gone."""
    for name in names:
        yield {k: v for k, v in call.headers.items() if k != name}
        for other in changed(call.headers[name]):
            yield {**call.headers, name: other}


def mutants_v1(call: Call) -> Iterator[Call]:
    """All that V1 signs: the method and every parameter, wherever it is."""
    yield replace(call, method="GET")
    yield from (replace(call, query=pairs) for pairs in changed_pairs(call.query))
    yield from (replace(call, form=pairs) for pairs in changed_pairs(call.form))


def mutants_v3(call: Call) -> Iterator[Call]:
    """All that V3 signs: method, query, signed headers and the bytes of the body."""
    signed_names = call.headers["authorization"].partition("SignedHeaders=")[2]
    names = {"authorization", *signed_names.partition(",")[0].split(";")}
    yield replace(call, method="GET")
    yield replace(call, path="/x")
    yield from (replace(call, query=pairs) for pairs in changed_pairs(call.query))
    yield from (replace(call, headers=h) for h in changed_headers(call, names))
    for i in range(len(call.body)):
        flipped = bytes([call.body[i] ^ 1])
        yield replace(call, body=call.body[:i] + flipped + call.body[i + 1 :])


@EVERY
def test_one_changed_character_spoils_it(vector: Vector) -> None:
    """No request verifies that differs from the signed one in one character of a name,
    a value, a signed header, the body or the signature."""
    call = vector.call
    mutants = list(mutants_v1(call) if scheme_of(call) == "V1" else mutants_v3(call))
    few = random.Random(vector.name).sample(  # noqa: S311 - which ones to try
        mutants, min(MUTANTS_A_VECTOR, len(mutants))
    )
    passed = [m for m in few if verdict(m, vector.keys, seconds(vector)) is None]
    assert passed == []


@pytest.mark.parametrize("name", ["v1-tea-body/simple", "v3-tea-body/simple"])
def test_every_changed_character_spoils_it(name: str) -> None:
    """The same for every single place of one request of each scheme."""
    vector = next(v for v in VECTORS if v.name == name)
    call = vector.call
    mutants = mutants_v1(call) if scheme_of(call) == "V1" else mutants_v3(call)
    verdicts = [verdict(m, vector.keys, seconds(vector)) for m in mutants]
    assert len(verdicts) > 450
    assert None not in verdicts


@EVERY
def test_the_encoding_on_the_wire_is_free(vector: Vector) -> None:
    """A query that decodes to the same text verifies, however it is escaped."""
    target = vector.target.replace("%20", "+").replace("%2F", "%2f").replace("%3A", ":")
    call = vector.call
    headers = [(k.encode(), v.encode()) for k, v in call.headers.items()]
    again = read_call(call.method.encode(), target.encode(), headers, call.body)
    assert verdict(again, vector.keys, seconds(vector)) is None


# What is checked beside the signature


def v1(**changed: str) -> Call:
    """A signed V1 call with parameters changed before signing."""
    raw = http_call(signed(put_parameters(ENTRY), **changed))
    head, _, body = raw.partition(b"\r\n\r\n")
    lines = [line.split(b": ", 1) for line in head.split(b"\r\n")[1:]]
    return read_call(b"POST", b"/", [(name, value) for name, value in lines], body)


def code(call: Call, *, secret: str = "secret", token: str | None = None) -> str:
    """The code of the refusal; empty where the call holds."""
    refusal = verdict(call, {"id": Key(secret, token)}, NOW)
    return refusal.code if refusal is not None else ""


@pytest.mark.parametrize("offset", [-900, 0, 900])
def test_clock_within_fifteen_minutes(offset: int) -> None:
    """A client's clock may be off by fifteen minutes either way."""
    assert verdict(v1(), {"id": Key("secret")}, NOW + offset) is None


@pytest.mark.parametrize("offset", [-901, 901])
def test_clock_beyond_fifteen_minutes(offset: int) -> None:
    """A second more is refused, whichever clock is wrong."""
    refusal = verdict(v1(), {"id": Key("secret")}, NOW + offset)
    assert refusal is not None
    assert (refusal.status, refusal.code) == (400, "InvalidTimeStamp.Expired")


@pytest.mark.parametrize(
    "date",
    [
        "2026-01-02T03:04:05",
        "2026-01-02 03:04:05Z",
        "2026-13-02T03:04:05Z",
        "1767323045",
        "2026-01-02T03:04:05+08:00",
        "\uff12026-01-02T03:04:05Z",
    ],
)
def test_malformed_date(date: str) -> None:
    """A time stamp is UTC in the one documented form."""
    assert code(v1(Timestamp=date)) == "InvalidTimeStamp.Format"


def test_unknown_key() -> None:
    """A key that is not configured is not found, with the status seen in the field."""
    refusal = verdict(v1(AccessKeyId="stranger"), {"id": Key("secret")}, NOW)
    assert refusal is not None
    assert (refusal.status, refusal.code) == (404, "InvalidAccessKeyId.NotFound")


def test_wrong_secret_shows_the_string_to_sign() -> None:
    """The message ends in the server's string to sign, for the client to compare."""
    refusal = verdict(v1(), {"id": Key("other")}, NOW)
    assert refusal is not None
    assert refusal.code == "SignatureDoesNotMatch"
    assert "server string to sign is:POST&%2F&AccessKeyId%3Did%26Action" in (
        refusal.message
    )


def test_wrong_v3_secret_shows_the_string_to_sign() -> None:
    """The V3 form of the same message, in brackets."""
    vector = next(v for v in VECTORS if v.name == "v3-minimal-body/simple")
    keys = dict.fromkeys(vector.keys, Key("other"))
    refusal = verdict(vector.call, keys, seconds(vector))
    assert refusal is not None
    assert refusal.message.endswith(f"server StringToSign is [{vector.string_to_sign}]")


def test_token_belongs_to_the_key() -> None:
    """The token of a temporary key has to be there and right, and no other key has one."""
    assert code(v1(SecurityToken="right"), token="right") == ""
    assert code(v1(), token="right") == "InvalidAccessKeyId.NotFound"
    mismatch = "InvalidSecurityToken.MismatchWithAccessKey"
    assert code(v1(SecurityToken="wrong"), token="right") == mismatch
    assert code(v1(SecurityToken="right")) == mismatch


@pytest.mark.parametrize(
    ("parameter", "value"), [("SignatureMethod", "HMAC-MD5"), ("SignatureVersion", "2")]
)
def test_other_ways_to_sign(parameter: str, value: str) -> None:
    """V1 is HMAC-SHA1, version 1.0, and nothing else."""
    assert code(v1(**{parameter: value})) == "IncompleteSignature"


@pytest.mark.parametrize(
    "authorization",
    [
        "ACS3-HMAC-SHA256",
        "ACS3-HMAC-SHA256 Credential=id,SignedHeaders=host",
        "ACS3-HMAC-SHA256 Credential=id, SignedHeaders=host, Signature=00",
        "ACS3-HMAC-SHA256 Credential=,SignedHeaders=host,Signature=00",
    ],
)
def test_malformed_authorization(authorization: str) -> None:
    """The header has three parts, in order, without blanks."""
    call = VECTORS[-1].call
    broken = {**call.headers, "authorization": authorization}
    assert code(replace(call, headers=broken)) == "IncompleteSignature"


@pytest.mark.parametrize("name", ["content-type", "x-acs-extra"])
def test_headers_that_must_be_signed(name: str) -> None:
    """A content type or another x-acs header that is sent unsigned is refused by name."""
    vector = next(v for v in VECTORS if v.name == "v3-minimal-query/simple")
    sent = replace(vector.call, headers={**vector.call.headers, name: "value"})
    refusal = verdict(sent, vector.keys, seconds(vector))
    assert refusal is not None
    assert refusal.code == "IncompleteSignature"
    assert name in refusal.message


@pytest.mark.parametrize(
    "name",
    [
        "x-acs-action",
        "x-acs-content-sha256",
        "x-acs-date",
        "x-acs-signature-nonce",
        "x-acs-version",
        "host",
    ],
)
def test_v3_headers_that_must_be_sent(name: str) -> None:
    """What V3 cannot do without is asked for by name."""
    call = VECTORS[-1].call
    rest = {k: v for k, v in call.headers.items() if k != name}
    refusal = verdict(replace(call, headers=rest), {}, NOW)
    assert refusal is not None
    assert (refusal.code, name in refusal.message) == ("MissingParameter", True)


def test_nonce_only_once() -> None:
    """The second use of a nonce is refused; a request that failed has not used it."""
    verifier = Verifier({"id": Key("secret")})
    claim = read_claim(v1(SignatureNonce="once"))
    assert isinstance(claim, Claim)
    forged = replace(claim, signature="forged")
    refusals = [verifier.check(c, NOW) for c in (forged, claim, claim)]
    codes = [refusal.code if refusal else "" for refusal in refusals]
    assert codes == ["SignatureDoesNotMatch", "", "SignatureNonceUsed"]


def test_nonces_are_remembered_as_long_as_a_date_is_good() -> None:
    """Half an hour: a date may be fifteen minutes ahead and then fifteen behind."""
    nonces = Nonces()
    assert nonces.first_use("id", "n", 0)
    assert not nonces.first_use("id", "n", 1799)
    assert nonces.first_use("other", "n", 1799)
    assert nonces.first_use("id", "n", 1801)


def test_memory_for_nonces_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A flood makes the oldest forgotten, not the memory grow."""
    monkeypatch.setattr("relay.emulator.verify.NONCES_MAX", 3)
    nonces = Nonces()
    assert all(nonces.first_use("id", f"n{i}", 0) for i in range(10))
    assert len(nonces._until) <= 3 < NONCES_MAX


def test_secrets_are_not_shown() -> None:
    """Neither keys nor claims carry a secret or a token in their repr."""
    claim = read_claim(v1(SecurityToken="canary"))
    assert "canary" not in repr(Key("canary", "canary"))
    assert "token=" not in repr(claim)


@EVERY
def test_recorded_request_over_http(vector: Vector) -> None:
    """As bytes through the whole site too; what the entries are worth is another matter
    (some break the naming rules on purpose)."""
    keys = {name: key.secret for name, key in vector.keys.items()}
    tokens = {name: key.token for name, key in vector.keys.items() if key.token}
    door = Door(keys=keys, tokens=tokens)
    door.clock.advance(seconds(vector) - NOW)
    reply = door.send(
        http(vector.request["method"], vector.target, vector.headers, vector.body)
    )
    assert (reply.status, reply.code) == (200, "200")
