"""Keys from an address: what is taken, what is refused, and that nothing is quoted."""

import http.client
import io
import json
import urllib.error
import urllib.request
from email.message import Message
from typing import Any

import pytest

from relay.cloudmonitor.credentials import CredentialsUnavailable, Secret
from relay.credentials.asking import SECONDS
from relay.credentials.uri import KeysAtUri
from relay.errors import ConfigError

ADDRESS = "http://keys.example/canary?token=Canary"
GOOD = {
    "Code": "Success",
    "AccessKeyId": "LTAItemporary",
    "AccessKeySecret": "s3cretCanary",
    "SecurityToken": "t0kenCanary",
    "Expiration": "2026-01-02T03:04:05Z",
}


def answered(monkeypatch: pytest.MonkeyPatch, answer: object) -> KeysAtUri:
    """One whose address says that, or raises it."""
    keys = KeysAtUri(ADDRESS)

    def open_(request: urllib.request.Request, *, timeout: float) -> Any:
        assert (request.full_url, timeout) == (ADDRESS, SECONDS)
        if isinstance(answer, Exception):
            raise answer
        told = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        return io.BytesIO(told)

    monkeypatch.setattr(keys._asker._opener, "open", open_)
    return keys


def test_takes_keys_with_their_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the metadata service writes them."""
    found = answered(monkeypatch, GOOD).fetch()
    assert (found.key_id, found.secret) == ("LTAItemporary", Secret("s3cretCanary"))
    assert found.token == Secret("t0kenCanary")
    assert found.expires_at == 1_767_323_045
    assert found.source == "credentials URI"


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (urllib.error.URLError(ConnectionRefusedError("Canary")), "ConnectionRefused"),
        (TimeoutError("Canary"), "TimeoutError"),
        (http.client.BadStatusLine("Canary"), "BadStatusLine"),
        (urllib.error.HTTPError(ADDRESS, 302, "Canary", Message(), None), "HTTP 302"),
        (b"<html>Canary", "no JSON"),
        (b"[" * 60_000, "no JSON"),
        (b" " * 70_000, "TimeoutError"),
        ([], "does not give any"),
        (GOOD | {"Code": "Canary"}, "does not give any"),
        (GOOD | {"AccessKeySecret": ""}, "AccessKeySecret is missing"),
        (GOOD | {"Expiration": "Canary"}, "no time"),
    ],
)
def test_what_is_refused(
    monkeypatch: pytest.MonkeyPatch, answer: object, why: str
) -> None:
    """In our own words: either side of it may hold a secret."""
    with pytest.raises(CredentialsUnavailable) as caught:
        answered(monkeypatch, answer).fetch()
    assert why in caught.value.reason
    assert "Canary" not in caught.value.reason


@pytest.mark.parametrize(
    "address", ["keys.example", "file:///keys", "http://[", "ftp://x"]
)
def test_what_is_no_address_is_a_wrong_setting(address: str) -> None:
    """It will not heal while the process lives."""
    with pytest.raises(ConfigError, match="ALIBABA_CLOUD_CREDENTIALS_URI"):
        KeysAtUri(address)
