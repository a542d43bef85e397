"""STS and the metadata service, as far as their documents say: each request is verified.

Source: sections 7.5 and 7.6 of the vendor's facts, and its document of the RPC signature.
Nothing of the relay's own signing is used.
"""

import base64
import hashlib
import hmac
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

__all__ = ["EXPIRATION", "Metadata", "Sts", "serving"]

EXPIRATION = "2026-01-02T04:04:05Z"

_ARN = re.compile(r"acs:ram::\d+:role/[\w.-]+", re.ASCII)


def keys(name: str) -> dict[str, str]:
    """A pair with its token, as both services write them."""
    return {
        "AccessKeyId": f"STS.{name}",
        "AccessKeySecret": f"secret-{name}",
        "SecurityToken": f"token-{name}",
        "Expiration": EXPIRATION,
    }


class _Service:
    """Answers (status, object or text) to a method, a path, headers and a form."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.url = ""

    def answer(
        self, method: str, target: str, headers: Message, form: dict[str, str]
    ) -> tuple[int, Any]:
        raise NotImplementedError


class Metadata(_Service):
    """``role`` is the instance's, empty for none; ``old`` knows no tokens."""

    def __init__(self, role: str = "node", *, old: bool = False) -> None:
        super().__init__()
        self.role, self.old = role, old

    def answer(
        self, method: str, target: str, headers: Message, form: dict[str, str]
    ) -> tuple[int, Any]:
        if target == "/latest/api/token":
            life = headers.get("X-aliyun-ecs-metadata-token-ttl-seconds", "")
            if self.old or method != "PUT" or not 1 <= int(life or 0) <= 21600:
                return 404, ""
            return 200, "a-token\n"
        if not self.old and headers.get("X-aliyun-ecs-metadata-token") != "a-token":
            return 403, ""
        base = "/latest/meta-data/ram/security-credentials/"
        if method == "GET" and self.role and target == base:
            return 200, self.role
        if method == "GET" and self.role and target == base + self.role:
            return 200, {"Code": "Success", **keys(self.role)}
        return 404, "<html>"


class Sts(_Service):
    """Knows one OIDC token and one key pair; refuses what is not signed or not complete."""

    TOKEN = "a.cluster.token"
    PAIR = ("LTAIbase", "base-secret")
    TOLERANCE_SECONDS = 900

    def __init__(self) -> None:
        super().__init__()
        self.now = datetime.fromisoformat(EXPIRATION) - timedelta(hours=1)
        self._nonces: set[str] = set()

    def answer(
        self, method: str, target: str, headers: Message, form: dict[str, str]
    ) -> tuple[int, Any]:
        query = dict(parse_qsl(urlsplit(target).query))
        code = self._refusal(method, query, form)
        if code:
            return 400, {"Code": code, "Message": "secret-canary"}
        role = form["RoleArn"].rpartition("/")[2]
        return 200, {"RequestId": "r", "Credentials": keys(role)}

    def _refusal(self, method: str, query: dict[str, str], form: dict[str, str]) -> str:
        """The first check that fails, in the service's words; empty where none does."""
        asked = query | form
        action = asked.get("Action")
        common = {"RoleArn", "RoleSessionName", "DurationSeconds"}
        is_known = asked.get("Version"), asked.get("Format"), method
        checks: list[tuple[object, str]] = [
            (is_known == ("2015-04-01", "JSON", "POST"), "InvalidVersion"),
            ("OIDCToken" not in query, "TokenInAddress"),
            (self._is_recent(asked.get("Timestamp", "")), "InvalidTimeStamp.Expired"),
            (self._is_fresh(asked.get("SignatureNonce", "")), "SignatureNonceUsed"),
            (common <= form.keys(), "MissingParameter"),
            (_ARN.fullmatch(form.get("RoleArn", "")), "EntityNotExist.Role"),
            (_is_duration(form.get("DurationSeconds", "")), "InvalidParameter"),
            (action in ("AssumeRole", "AssumeRoleWithOIDC"), "InvalidAction"),
        ]
        if action == "AssumeRole":
            method_of = form.get("SignatureMethod"), form.get("SignatureVersion")
            is_v1 = method_of == ("HMAC-SHA1", "1.0")
            checks.append((is_v1, "InvalidParameter"))
            checks.append((self._is_signed(form), "SignatureDoesNotMatch"))
        else:
            is_ours = form.get("OIDCToken") == self.TOKEN
            checks.append((bool(form.get("OIDCProviderArn")), "MissingOIDCProviderArn"))
            checks.append((is_ours, "AuthenticationFail.OIDCToken.Invalid"))
        return next((code for holds, code in checks if not holds), "")

    def _is_recent(self, stamp: str) -> bool:
        """In UTC and in the form of the document, by the service's clock."""
        try:
            told = datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        except ValueError:
            return False
        return abs((told - self.now).total_seconds()) <= self.TOLERANCE_SECONDS

    def _is_fresh(self, nonce: str) -> bool:
        """Never seen, as each request has to be."""
        seen = nonce in self._nonces
        self._nonces.add(nonce)
        return bool(nonce) and not seen

    def _is_signed(self, form: dict[str, str]) -> bool:
        """Either by the pair, or by keys that this very service gave for a role."""
        key_id, secret = self.PAIR
        if form.get("AccessKeyId", "").startswith("STS."):
            key_id = form["AccessKeyId"]
            secret = f"secret-{key_id.removeprefix('STS.')}"
            if form.get("SecurityToken") != f"token-{key_id.removeprefix('STS.')}":
                return False
        signed = {k: v for k, v in form.items() if k != "Signature"}
        canonical = "&".join(
            f"{quote(k, safe='~')}={quote(v, safe='~')}"
            for k, v in sorted(signed.items())
        )
        text = f"POST&%2F&{quote(canonical, safe='~')}"
        digest = hmac.digest(f"{secret}&".encode(), text.encode(), hashlib.sha1)
        return (
            form.get("AccessKeyId") == key_id
            and form.get("Signature") == base64.b64encode(digest).decode()
        )


def _is_duration(text: str) -> bool:
    return text.isdecimal() and 900 <= int(text) <= 43_200


@contextmanager
def serving(service: _Service) -> Iterator[_Service]:
    """On loopback, with its ``url``, and what it was asked."""

    class Handler(BaseHTTPRequestHandler):
        def _handle(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            form = dict(parse_qsl(self.rfile.read(length).decode()))
            service.asked.append((self.command, self.path))
            status, told = service.answer(self.command, self.path, self.headers, form)
            body = (told if isinstance(told, str) else json.dumps(told)).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = _handle  # noqa: N815 - the library's names

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    service.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield service
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
