"""A door with few places: who stays, who goes, and what is said to those who go."""

import resource

import pytest
from twisted.internet.address import IPv4Address
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.testing import StringTransportWithDisconnection

from relay.service.crowd import PLACES, PLACES_MIN, Crowd, places

PEER = IPv4Address("TCP", "127.0.0.1", 1)


class Echo(Protocol):
    """Says what it hears."""

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 - named by Twisted
        assert self.transport is not None
        self.transport.write(data)


class Visitor:
    """Somebody who connects; ``shut`` when the door has closed on them."""

    def __init__(self, crowd: Crowd) -> None:
        self.transport = StringTransportWithDisconnection()  # type: ignore[no-untyped-call]
        self.protocol = crowd.buildProtocol(PEER)
        if self.protocol is not None:
            self.transport.protocol = self.protocol
            self.protocol.makeConnection(self.transport)  # type: ignore[no-untyped-call]

    def say(self, text: bytes) -> None:
        assert self.protocol is not None
        self.protocol.dataReceived(text)  # type: ignore[no-untyped-call]

    @property
    def heard(self) -> bytes:
        return bytes(self.transport.value())  # type: ignore[no-untyped-call]

    @property
    def shut(self) -> bool:
        return self.protocol is None or not self.transport.connected


@pytest.fixture
def crowd() -> Crowd:
    """A door at which three may stay."""
    return Crowd(Factory.forProtocol(Echo), 12)


def test_a_newcomer_takes_the_place_of_the_oldest_silent_one(crowd: Crowd) -> None:
    """Who was never answered goes first, and hears why."""
    visitors = [Visitor(crowd) for _ in range(3)]
    visitors[0].say(b"hello")
    fourth = Visitor(crowd)
    assert [one.shut for one in (*visitors, fourth)] == [False, True, False, False]
    assert visitors[1].heard.startswith(b"HTTP/1.1 503 ")
    assert crowd.refused == 1


def test_among_those_who_were_answered_the_one_longest_ago_goes(crowd: Crowd) -> None:
    """Without another word: it could be taken for part of an answer."""
    visitors = [Visitor(crowd) for _ in range(3)]
    for one in (visitors[2], visitors[0], visitors[1], visitors[2]):
        one.say(b"x")
    Visitor(crowd)
    assert [one.shut for one in visitors] == [True, False, False]
    assert visitors[0].heard == b"x"


def test_whoever_comes_is_served(crowd: Crowd) -> None:
    """However many came and said nothing."""
    for _ in range(1000):
        Visitor(crowd)
    late = Visitor(crowd)
    late.say(b"still there?")
    assert late.heard == b"still there?"
    assert crowd.refused == 998
    assert len(crowd.protocols) == 3


def test_there_is_an_end_to_those_that_linger(crowd: Crowd) -> None:
    """A socket that is being closed has its descriptor still."""
    crowd.protocols = dict.fromkeys((Lingering() for _ in range(12)), 1)
    assert Visitor(crowd).shut
    assert crowd.refused == 1


class Lingering:
    """A connection on its way out."""

    disconnecting = 1


def test_a_place_that_was_left_is_free(crowd: Crowd) -> None:
    """Nobody goes for somebody who left by himself."""
    visitors = [Visitor(crowd) for _ in range(3)]
    visitors[1].transport.loseConnection()  # type: ignore[no-untyped-call]
    Visitor(crowd)
    assert not visitors[0].shut
    assert crowd.refused == 0


@pytest.mark.parametrize(
    ("soft", "doors", "expected"),
    [
        (1024, 1, PLACES),
        (64, 1, 24),
        (64, 2, 12),
        (32, 1, PLACES_MIN),
        (resource.RLIM_INFINITY, 2, PLACES),
    ],
)
def test_places_follow_the_limit_on_descriptors(
    monkeypatch: pytest.MonkeyPatch, soft: int, doors: int, expected: int
) -> None:
    """What the data path needs is set aside first."""
    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, soft))
    assert places(doors) == expected
