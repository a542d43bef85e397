"""The small values settings are made of: addresses, and how they are written.

Each is made from text by ``parse``, which raises ValueError with the rule that text
breaks, and gives that text back by ``str``. Nothing here opens a socket or resolves a
name.
"""

import ipaddress
import os
import re
from collections.abc import Sequence
from typing import Any, NamedTuple, Self
from urllib.parse import SplitResult, parse_qsl, urlsplit

__all__ = ["DOOR_FORMS", "Address", "Listen", "Target", "is_loopback"]
__all__ += ["is_loopback_url"]

DOOR_FORMS = "udp://HOST:PORT, tcp://HOST:PORT, unixgram:///PATH or unix:///PATH"

_ON_DISK = ("unixgram", "unix")
_DOORS = ("udp", "tcp", *_ON_DISK)
_SIGNED = ("delta", "value")
_PATH_BYTES_MAX = 107
"""Source: unix(7), sun_path, with its end."""


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
    """A door for StatsD: an address, or the path of a Unix socket.

    ``signed_gauge`` is what +n and -n gauges mean there, None where the setting says.
    ``mode`` are the permissions of the socket's file; only senders of ``uids`` are heard,
    or all where there are none.
    """

    scheme: str
    host: str = ""
    port: int = 0
    path: str = ""
    signed_gauge: str | None = None
    mode: int | None = None
    uids: tuple[int, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """``udp://HOST:PORT``, ``tcp://HOST:PORT``, ``unixgram:///PATH``,
        ``unix:///PATH``; behind a ``?`` what else there is to say, joined by ``&``."""
        parts = _split(text)
        if parts.scheme not in _DOORS or parts.fragment:
            raise ValueError(f"it is not {DOOR_FORMS}")
        more = dict(_option(*pair) for pair in _pairs(parts.query))
        if parts.scheme in _ON_DISK:
            if parts.netloc or not parts.path.startswith("/") or parts.path[-1] == "/":
                raise ValueError(f"it is not {parts.scheme}:///PATH")
            if len(os.fsencode(parts.path)) > _PATH_BYTES_MAX:
                raise ValueError(f"a path has {_PATH_BYTES_MAX} bytes at most")
            return cls(parts.scheme, path=parts.path, **more)
        if parts.path or more.keys() & {"mode", "uids"}:
            raise ValueError(f"it is not {parts.scheme}://HOST:PORT")
        return cls(parts.scheme, *_bound(parts), **more)

    @property
    def is_stream(self) -> bool:
        """Whether there are connections."""
        return self.scheme in ("tcp", "unix")

    @property
    def url(self) -> str:
        """Where senders go; without what only the relay needs to know."""
        if self.path:
            return f"{self.scheme}://{self.path}"
        return f"{self.scheme}://{_bracketed(self.host)}:{self.port}"

    def __str__(self) -> str:
        more = [f"signed_gauge={self.signed_gauge}"] if self.signed_gauge else []
        more += [] if self.mode is None else [f"mode={self.mode:04o}"]
        more += [f"uid={uid}" for uid in self.uids]
        return f"{self.url}?{'&'.join(more)}" if more else self.url


class Target(NamedTuple):
    """A daemon that gets copies; ``host`` may be a name."""

    scheme: str
    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """``udp://HOST:PORT`` or ``tcp://HOST:PORT``."""
        parts = _split(text)
        if parts.scheme not in ("udp", "tcp") or parts.path or parts.query:
            raise ValueError("it is not udp://HOST:PORT or tcp://HOST:PORT")
        if not parts.hostname or parts.username is not None or not parts.port:
            raise ValueError("it wants a host and a port other than 0")
        return cls(parts.scheme, parts.hostname, parts.port)

    def __str__(self) -> str:
        return f"{self.scheme}://{_bracketed(self.host)}:{self.port}"


def _pairs(query: str) -> Sequence[tuple[str, str]]:
    """``uid`` may come more than once."""
    pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
    uids = [value for key, value in pairs if key == "uid"]
    once = [pair for pair in pairs if pair[0] != "uid"]
    if len({key for key, _ in once}) < len(once):
        raise ValueError("something is said twice behind the ?")
    return [*once, ("uid", ",".join(uids))] if uids else once


def _option(key: str, text: str) -> tuple[str, Any]:
    match key:
        case "signed_gauge" if text in _SIGNED:
            return key, text
        case "mode" if re.fullmatch("0?[0-7]{3}", text):
            return key, int(text, 8)
        case "uid" if re.fullmatch("[0-9]{1,9}(,[0-9]{1,9})*", text):
            return "uids", tuple(map(int, text.split(",")))
    raise ValueError(
        f"{key}={text} is none of signed_gauge=delta, signed_gauge=value, mode=0660, "
        "uid=1000"
    )


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
