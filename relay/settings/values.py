"""The small values settings are made of: addresses, and how they are written.

Each is made from text by ``parse``, which raises ValueError with the rule that text
breaks, and gives that text back by ``str``. Nothing here opens a socket or resolves a
name.
"""

import ipaddress
from typing import NamedTuple, Self
from urllib.parse import SplitResult, urlsplit

__all__ = ["Address", "Listen", "is_loopback", "is_loopback_url"]

_NOT_YET = ("tcp", "unix", "unixgram")


def is_loopback_url(url: str) -> bool:
    """Whether a request to ``url`` stays on this machine."""
    return is_loopback(urlsplit(url).hostname or "")


def is_loopback(host: str) -> bool:
    """Whether nothing but this machine can reach ``host``."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Address(NamedTuple):
    """Where a socket is bound: an IP literal, so that nothing depends on resolving."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """``HOST:PORT``; HOST is an IP address (IPv6 in brackets) or ``localhost``."""
        if "/" in text or "@" in text or any(map(str.isspace, text)):
            raise ValueError("it is not HOST:PORT")
        return cls(*_bound(_split(f"//{text}")))

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can connect."""
        return is_loopback(self.host)

    def __str__(self) -> str:
        return f"{_bracketed(self.host)}:{self.port}"


class Listen(NamedTuple):
    """A door for StatsD."""

    scheme: str
    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """``udp://HOST:PORT``."""
        parts = _split(text)
        if parts.scheme in _NOT_YET:
            raise ValueError(
                f"{parts.scheme}:// is not yet in this version: udp:// only"
            )
        if parts.scheme != "udp" or parts.path or parts.query or parts.fragment:
            raise ValueError("it is not udp://HOST:PORT")
        return cls("udp", *_bound(parts))

    def __str__(self) -> str:
        return f"{self.scheme}://{_bracketed(self.host)}:{self.port}"


def _split(text: str) -> SplitResult:
    if any(character.isspace() for character in text):
        raise ValueError("there is a blank in it")
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 - asking is what checks it
    except ValueError as error:
        raise ValueError(f"{error}") from None
    return parts


def _bound(parts: SplitResult) -> tuple[str, int]:
    host = "127.0.0.1" if parts.hostname == "localhost" else parts.hostname
    if host is None or parts.username is not None:
        raise ValueError("the interface must be named, such as 127.0.0.1 or 0.0.0.0")
    if not _is_ip(host):
        raise ValueError(f"{host!r} is not an IP address (nor localhost)")
    if parts.port is None:
        raise ValueError("the port is missing")
    return host, parts.port


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
