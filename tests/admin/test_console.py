"""Connections of the management console: lines, pauses, limits, slow peers."""

from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.protocol import Protocol
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from relay.admin.console import CONNECTIONS, IDLE_SECONDS, LINE_BYTES, ConsoleFactory
from relay.admin.conversation import Console, Conversation

HERE = IPv4Address("TCP", "127.0.0.1", 1)


class Peer:
    """A client in memory; it takes a reply only where it is told to."""

    def __init__(self, rows: int = 2) -> None:
        self.clock = Clock()
        dumps = {"counters": lambda: ((f"a.{n}", n) for n in range(rows))}
        console = Console(list, dumps, {}, list, lambda _: [], list)
        self.factory = ConsoleFactory(Conversation(console), self.clock)
        self.transport: Any = StringTransport()  # type: ignore[no-untyped-call]
        protocol = self.factory.buildProtocol(HERE)
        assert isinstance(protocol, Protocol)
        self.protocol = protocol
        self.protocol.makeConnection(self.transport)  # type: ignore[no-untyped-call]

    def send(self, *chunks: bytes) -> bytes:
        for chunk in chunks:
            self.protocol.dataReceived(chunk)
        return self.take()

    def take(self) -> bytes:
        while self.transport.producer is not None:
            self.transport.producer.resumeProducing()
        said: bytes = self.transport.value()
        self.transport.clear()
        return said


def test_a_command_is_cut_at_every_offset() -> None:
    """Two of them in any two segments are the same two answers."""
    whole = b"health down\r\nhealth\n"
    for cut in range(len(whole) + 1):
        assert Peer().send(whole[:cut], whole[cut:]) == b"health: down\n" * 2


def test_no_line_feed_is_waited_for_a_moment() -> None:
    """Some checks send none."""
    peer = Peer()
    assert peer.send(b"hea", b"lth") == b""
    peer.clock.advance(0.3)
    assert peer.take() == b"health: up\n"


def test_quit_hangs_up() -> None:
    """What came behind it is not answered."""
    peer = Peer()
    assert peer.send(b"quit\nhealth\n") == b""
    assert peer.transport.disconnecting


def test_a_line_that_is_too_long_ends_the_connection() -> None:
    """Counted; with or without its end."""
    peer = Peer()
    assert peer.send(b"x" * (LINE_BYTES + 1)) == b"ERROR\n"
    assert peer.transport.disconnecting
    assert peer.factory.too_long == 1


def test_a_slow_peer_is_given_a_slice_at_a_time() -> None:
    """A dump waits in no buffer of ours, and nothing more is read meanwhile."""
    peer = Peer(rows=1000)
    peer.protocol.dataReceived(b"counters\nhealth\n")
    assert peer.transport.producer is not None
    peer.transport.producer.resumeProducing()
    assert peer.transport.value().count(b"\n") == 256
    assert peer.transport.producerState == "paused"
    assert peer.take().endswith(b"a.999: 999\n\nEND\n\nhealth: up\n")
    assert peer.transport.producerState == "producing"


def test_an_idle_peer_is_hung_up_on() -> None:
    """Counted; a peer that asks now and then stays."""
    peer = Peer()
    peer.clock.advance(IDLE_SECONDS - 1)
    peer.send(b"health\n")
    peer.clock.advance(IDLE_SECONDS - 1)
    assert not peer.transport.disconnecting
    peer.clock.advance(1)
    assert (peer.transport.disconnecting, peer.factory.idle) == (True, 1)


def test_there_are_so_many_connections_and_no_more() -> None:
    """Counted; one that ends makes room, and leaves no timer behind."""
    peer = Peer()
    for _ in range(CONNECTIONS - 1):
        assert peer.factory.buildProtocol(HERE) is not None
    assert peer.factory.buildProtocol(HERE) is None
    assert peer.factory.too_many == 1
    peer.protocol.dataReceived(b"hea")
    peer.protocol.connectionLost()
    assert peer.factory.buildProtocol(HERE) is not None
    assert not peer.clock.getDelayedCalls()
