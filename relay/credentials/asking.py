"""One small question to whoever gives temporary keys, and an answer in JSON or text.

No redirect is followed; there are a few seconds for a small answer. Neither the address
nor the answer is ever quoted: either may hold a secret. Only an error's code is told.
"""

import http.client
import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from relay.cloudmonitor.credentials import CredentialsUnavailable
from relay.credentials.fixes import Fix, with_fix

__all__ = ["ANSWER_BYTES_MAX", "SECONDS", "Asker"]

SECONDS = 5.0
ANSWER_BYTES_MAX = 64 * 1024

_CODE = re.compile(r"[A-Za-z][A-Za-z0-9.]{1,79}")


class _Stays(urllib.request.HTTPRedirectHandler):
    """Keys come from where the operator said, and from nowhere else."""

    def redirect_request(self, *_: Any) -> None:
        """Never; what comes of that is an error of its status."""


class Asker:
    """``source`` is what people know the one by who is asked, ``fix`` what mends a refusal
    of it; ``proxies``: whether those of the environment are used, which for an address
    nearby would be a mistake."""

    def __init__(
        self,
        source: str,
        fix: Fix,
        *,
        seconds: float = SECONDS,
        proxies: bool = False,
    ) -> None:
        self.source, self._fix, self._seconds = source, fix, seconds
        handlers: list[urllib.request.BaseHandler] = [_Stays()]
        if not proxies:
            handlers.append(urllib.request.ProxyHandler({}))
        self._opener = urllib.request.build_opener(*handlers)

    def text(
        self,
        url: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> str:
        """Raises CredentialsUnavailable, in words of ours."""
        request = urllib.request.Request(  # noqa: S310 - of a scheme that was looked at
            url, body, dict(headers or {}), method=method
        )
        try:
            return self._answer(request).decode("utf-8-sig", "replace")
        except urllib.error.HTTPError as error:
            code = _code_in(error)
            why = f"HTTP {error.code}, {code}" if code else f"HTTP {error.code}"
            raise self.unavailable(why, self._fix(error.code, code)) from None
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", error)
            kind = type(reason if isinstance(reason, OSError) else error).__name__
            raise self.unavailable(f"no answer ({kind})", self._fix(0, "")) from None

    def fields(
        self,
        url: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Mapping[str, Any]:
        """The answer as a JSON object. Raises CredentialsUnavailable."""
        try:
            found = json.loads(
                self.text(url, method=method, headers=headers, body=body)
            )
        except (ValueError, RecursionError):
            raise self.unavailable("its answer is no JSON") from None
        if not isinstance(found, dict) or found.get("Code", "Success") != "Success":
            raise self.unavailable("it does not give any")
        return found

    def unavailable(self, why: str, fix: str = "") -> CredentialsUnavailable:
        """To be raised."""
        return CredentialsUnavailable(with_fix(f"{self.source}: {why}", fix))

    def _answer(self, request: urllib.request.Request) -> bytes:
        """All of it, within the time. The timeout alone holds for each operation."""
        deadline = time.monotonic() + self._seconds
        body = b""
        with self._opener.open(request, timeout=self._seconds) as response:
            while piece := response.read1(ANSWER_BYTES_MAX):
                body += piece
                if len(body) > ANSWER_BYTES_MAX or time.monotonic() > deadline:
                    raise TimeoutError
        return body


def _code_in(error: urllib.error.HTTPError) -> str:
    """Of the vendor's answer, if there is one: a word out of its lists."""
    try:
        found = json.loads(error.read(ANSWER_BYTES_MAX))
        code = found.get("Code", "")
    except (OSError, ValueError, AttributeError, RecursionError, KeyError):
        return ""
    is_word = isinstance(code, str) and _CODE.fullmatch(code)
    return code if is_word else ""
