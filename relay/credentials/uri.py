"""Temporary keys from an address: a small service beside the relay gives them as JSON.

It is asked without proxies, follows no redirect, and has a few seconds for a small
answer. Neither the address nor the answer is ever quoted: either may hold a secret.
"""

import http.client
import json
import time
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlsplit

from relay.cloudmonitor.credentials import Credentials, CredentialsUnavailable
from relay.credentials.texts import Fields, credentials_of
from relay.errors import ConfigError

__all__ = ["URI_VARIABLE", "KeysAtUri"]

URI_VARIABLE = "ALIBABA_CLOUD_CREDENTIALS_URI"
"""The vendor's name for the address."""

SOURCE = "credentials URI"
FIELDS = Fields("AccessKeyId", "AccessKeySecret", "SecurityToken", "Expiration")
"""As the vendor's metadata service calls them."""

SECONDS = 5.0
ANSWER_BYTES_MAX = 64 * 1024


class _Stays(urllib.request.HTTPRedirectHandler):
    """Keys come from where the operator said, and from nowhere else."""

    def redirect_request(self, *_: Any) -> None:
        """Never; what comes of that is an error of its status."""


class KeysAtUri:
    """Each ``fetch`` asks anew. Raises ConfigError for what is no http address."""

    def __init__(self, uri: str) -> None:
        try:
            parts = urlsplit(uri)
            good = parts.scheme in ("http", "https") and bool(parts.hostname)
        except ValueError:
            good = False
        if not good:
            raise ConfigError(
                URI_VARIABLE, "wants http://… or https://…", source="environment"
            )
        self._uri = uri
        handlers = urllib.request.ProxyHandler({}), _Stays()
        self._opener = urllib.request.build_opener(*handlers)

    def fetch(self) -> Credentials:
        """Raises CredentialsUnavailable, in words of ours."""
        try:
            answer = json.loads(self._answer())
        except urllib.error.HTTPError as error:
            raise CredentialsUnavailable(f"{SOURCE}: HTTP {error.code}") from None
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", error)
            kind = type(reason if isinstance(reason, OSError) else error).__name__
            raise CredentialsUnavailable(f"{SOURCE}: no answer ({kind})") from None
        except (ValueError, RecursionError):
            raise CredentialsUnavailable(f"{SOURCE}: its answer is no JSON") from None
        if not isinstance(answer, dict) or answer.get("Code", "Success") != "Success":
            raise CredentialsUnavailable(f"{SOURCE}: it does not give any")
        return credentials_of(answer, FIELDS, SOURCE)

    def _answer(self) -> bytes:
        """All of it, within the time. The timeout alone holds for each operation."""
        deadline = time.monotonic() + SECONDS
        body = b""
        with self._opener.open(self._uri, timeout=SECONDS) as response:
            while piece := response.read1(ANSWER_BYTES_MAX):
                body += piece
                if len(body) > ANSWER_BYTES_MAX or time.monotonic() > deadline:
                    raise TimeoutError
        return body
