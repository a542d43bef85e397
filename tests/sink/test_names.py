"""Look-ups of names: asked in a thread, given up in time, never piled up."""

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from relay.sink import names
from relay.sink.names import Names, NoAnswerError

FOUND = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 443))]
ASK = socket.getaddrinfo


class Resolver:
    """In place of the system's: silent until it is let speak."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.speak = threading.Event()
        self.error: Exception | None = None

    def __call__(self, host: str, port: int, **more: Any) -> list[Any]:
        """As ``getaddrinfo``."""
        if more.get("flags"):
            return list(ASK(host, port, **more))
        self.asked.append(host)
        assert self.speak.wait(30)
        if self.error is not None:
            raise self.error
        return list(FOUND)


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Resolver]:
    """It lets go of its threads in the end."""
    one = Resolver()
    monkeypatch.setattr(socket, "getaddrinfo", one)
    yield one
    one.speak.set()


def test_gives_what_the_resolver_says(resolver: Resolver) -> None:
    """Asked anew each time: an answer may be another one a minute later."""
    resolver.speak.set()
    known = Names()
    assert [known.find("metrics.example", 443, 5.0) for _ in range(2)] == [FOUND] * 2
    assert resolver.asked == ["metrics.example"] * 2


def test_an_address_needs_no_thread(resolver: Resolver) -> None:
    """Nor a resolver."""
    (found,) = Names().find("127.0.0.1", 80, 5.0)
    assert found[4] == ("127.0.0.1", 80)
    assert resolver.asked == []


@pytest.mark.parametrize("error", [socket.gaierror(-2, "x"), UnicodeError("x")])
def test_what_cannot_be_resolved_is_said(resolver: Resolver, error: Exception) -> None:
    """In one kind of exception, also for a name that no host can have."""
    resolver.error = error
    resolver.speak.set()
    with pytest.raises(socket.gaierror):
        Names().find("nowhere.example", 443, 5.0)


def test_silence_is_left_in_time(resolver: Resolver) -> None:
    """And those who come meanwhile wait for the same question."""
    known = Names()
    for _ in range(5):
        with pytest.raises(NoAnswerError):
            known.find("metrics.example", 443, 0.01)
    assert resolver.asked == ["metrics.example"]


def test_an_old_question_is_asked_again(
    resolver: Resolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The network may be another one by now."""
    known = Names()
    with pytest.raises(NoAnswerError):
        known.find("metrics.example", 443, 0.01)
    monkeypatch.setattr(names, "FRESH_SECONDS", 0.0)
    with pytest.raises(NoAnswerError):
        known.find("metrics.example", 443, 0.01)
    assert len(resolver.asked) == 2
