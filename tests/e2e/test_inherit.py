"""Descriptors handed over, as the kernel has them: what is taken and what is refused."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from relay.errors import ConfigError
from relay.service import inherit as subject
from relay.service.inherit import Inherited, inherit

pytestmark = pytest.mark.e2e

PID = 4711


@contextmanager
def handed(monkeypatch: pytest.MonkeyPatch, fileno: int) -> Iterator[dict[str, str]]:
    """``fileno`` as the only socket, though it is not number 3."""
    monkeypatch.setattr(subject, "FIRST", fileno)
    yield {"LISTEN_PID": str(PID), "LISTEN_FDS": "1"}


@pytest.mark.parametrize(
    ("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")]
)
def test_a_socket_is_known_by_its_address(
    monkeypatch: pytest.MonkeyPatch, family: socket.AddressFamily, host: str
) -> None:
    """As the kernel has it; children do not get it as well."""
    with socket.socket(family, socket.SOCK_DGRAM) as bound:
        bound.bind((host, 0))
        os.set_inheritable(bound.fileno(), True)
        with handed(monkeypatch, bound.fileno()) as environment:
            [found] = inherit(environment, PID)
        assert not os.get_inheritable(bound.fileno())
        port = bound.getsockname()[1]
        assert found == Inherited(bound.fileno(), family, host, port)


@pytest.mark.parametrize("kind", [socket.AF_UNIX, socket.AF_INET])
def test_a_socket_that_is_not_of_udp_is_refused(
    monkeypatch: pytest.MonkeyPatch, kind: socket.AddressFamily
) -> None:
    """Better than a door at which nobody listens."""
    type_ = socket.SOCK_DGRAM if kind == socket.AF_UNIX else socket.SOCK_STREAM
    with (
        socket.socket(kind, type_) as bound,
        handed(monkeypatch, bound.fileno()) as environment,
        pytest.raises(ConfigError, match=r"LISTEN_FDS.*not of UDP"),
    ):
        inherit(environment, PID)


def test_a_descriptor_that_is_closed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """As is a file where a socket was meant."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        fileno = bound.fileno()
    with (
        handed(monkeypatch, fileno) as environment,
        pytest.raises(ConfigError, match=f"descriptor {fileno} .*no socket"),
    ):
        inherit(environment, PID)
