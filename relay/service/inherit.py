"""Sockets that a service manager opened before us and hands over: LISTEN_FDS.

A socket that the manager holds outlives the relay: what arrives while nobody reads waits
in its queue, and the next process goes on with it. The variables come as a mapping; what
is listened to instead is not known here.

Source: sd_listen_fds(3), systemd.socket(5). The first descriptor is number 3;
LISTEN_FDNAMES is there for messages only, since a socket is known by its address.
"""

import ipaddress
import os
import socket
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from relay.errors import ConfigError

__all__ = ["VARIABLES", "Handed", "Inherited", "handed_over", "inherit"]

VARIABLES = ("LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES")

FIRST = 3
"""SD_LISTEN_FDS_START."""

MOST = 1024
"""More is a mistake, and each is looked at."""


class Handed(NamedTuple):
    """A descriptor and what the manager calls it."""

    fileno: int
    name: str


class Inherited(NamedTuple):
    """A bound datagram socket; ``host`` is an address, in the usual spelling."""

    fileno: int
    family: socket.AddressFamily
    host: str
    port: int

    def is_at(self, host: str, port: int) -> bool:
        """Whether it is bound there."""
        return port == self.port and ipaddress.ip_address(host) == (
            ipaddress.ip_address(self.host)
        )

    def let_go(self) -> None:
        """Close this descriptor; the socket lives on in others."""
        os.close(self.fileno)


def handed_over(environment: Mapping[str, str], pid: int) -> Sequence[Handed]:
    """What the variables say is ours; nothing where they are about another process.

    Raises ConfigError that names the variable.
    """
    if not environment.get("LISTEN_FDS") or not environment.get("LISTEN_PID"):
        return ()
    if _number(environment, "LISTEN_PID") != pid:
        return ()
    count = _number(environment, "LISTEN_FDS")
    if count > MOST:
        raise _refusal("LISTEN_FDS", f"wants {MOST} sockets at most; got {count}")
    names = environment.get("LISTEN_FDNAMES", "")
    named = names.split(":") if names else ["unknown"] * count
    if len(named) != count:
        raise _refusal(
            "LISTEN_FDNAMES",
            f"has {len(named)} names for {count} sockets of LISTEN_FDS",
        )
    return [Handed(FIRST + nth, name) for nth, name in enumerate(named)]


def inherit(environment: Mapping[str, str], pid: int) -> Sequence[Inherited]:
    """The sockets that are ours, as the kernel describes them.

    They do not block any more, nor go on to children of ours. Raises ConfigError, as above, and
    for a socket that is none of UDP.
    """
    return [_described(one) for one in handed_over(environment, pid)]


def _described(handed: Handed) -> Inherited:
    what = f"descriptor {handed.fileno} ({handed.name})"
    try:
        os.set_inheritable(handed.fileno, False)
        os.set_blocking(handed.fileno, False)
        with socket.socket(fileno=os.dup(handed.fileno)) as bound:
            family, kind, name = bound.family, bound.type, bound.getsockname()
    except OSError as error:
        problem = f"{what} is no socket that is open: {error.strerror}"
        raise _refusal("LISTEN_FDS", problem) from None
    if kind != socket.SOCK_DGRAM or family not in (socket.AF_INET, socket.AF_INET6):
        problem = f"{what} is not of UDP; wants ListenDatagram=ADDRESS:PORT"
        raise _refusal("LISTEN_FDS", problem)
    return Inherited(handed.fileno, family, name[0], name[1])


def _number(environment: Mapping[str, str], variable: str) -> int:
    text = environment[variable]
    if not (text.isascii() and text.isdigit() and len(text) < 10):  # noqa: PLR2004 - fits an int
        raise _refusal(variable, f"wants a whole number; got {text[:80]!r}")
    return int(text)


def _refusal(variable: str, problem: str) -> ConfigError:
    return ConfigError(variable, problem, source="environment")
