"""Copies go out as they came; a target that is dead or slow costs a counter."""

import socket
from typing import Any

import pytest
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import DNSLookupError
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock, StringTransport

from relay.service.repeater import (
    RESOLVE_SECONDS,
    Repeater,
    StreamTarget,
    UdpTarget,
)


class Names(Clock):
    """A clock that also resolves, to what ``addresses`` say."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: dict[str, str] = {}

    def resolve(self, host: str) -> "Deferred[str]":
        if host in self.addresses:
            return succeed(self.addresses[host])
        return fail(DNSLookupError(host))


class Peer:
    """A socket that copies arrive at."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(10)

    @property
    def port(self) -> int:
        return int(self.socket.getsockname()[1])

    def got(self) -> bytes:
        return self.socket.recv(100)


def test_every_packet_goes_to_every_target() -> None:
    """As it came, malformed and empty ones included."""
    peers = [Peer(), Peer()]
    names = Names()
    targets = [UdpTarget("u", "127.0.0.1", peer.port, names) for peer in peers]
    repeater = Repeater(targets)
    repeater.start()
    packets = [b"a:1|c\nb:2|g\n", b"\xff|", b""]
    for packet in packets:
        repeater.send(packet)
    for peer in peers:
        assert [peer.got() for _ in packets] == packets
        peer.socket.close()
    assert [(target.sent, target.lost) for target in targets] == [(3, 0)] * 2
    repeater.stop()
    assert names.getDelayedCalls() == []


def test_a_name_is_looked_up_again() -> None:
    """Until it is known packets are lost, and counted; the last address is kept."""
    peer, names = Peer(), Names()
    target = UdpTarget("u", "old.example", peer.port, names)
    target.start()
    target.send(b"a")
    names.addresses["old.example"] = "127.0.0.1"
    names.advance(RESOLVE_SECONDS)
    target.send(b"b")
    names.addresses.clear()
    names.advance(RESOLVE_SECONDS)
    target.send(b"c")
    assert [peer.got(), peer.got()] == [b"b", b"c"]
    assert (target.sent, target.lost) == (2, 1)
    target.stop()
    peer.socket.close()


def test_nobody_there_is_noticed_where_the_system_says_so() -> None:
    """The refusal comes back with the next packet."""
    peer = Peer()
    port = peer.port
    peer.socket.close()
    target = UdpTarget("u", "127.0.0.1", port, Names())
    target.start()
    for _ in range(10):
        target.send(b"a")
    assert target.lost >= 4
    assert target.sent + target.lost == 10
    target.stop()


def test_six_is_an_address_too() -> None:
    """Of IPv6, without any look-up."""
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as peer:
        try:
            peer.bind(("::1", 0))
        except OSError:
            pytest.skip("this machine has no IPv6")
        peer.settimeout(10)
        target = UdpTarget("u", "::1", peer.getsockname()[1], Names())
        target.start()
        target.send(b"a")
        assert peer.recv(10) == b"a"
        target.stop()


class Stream:
    """A target over TCP, in a reactor that is none."""

    def __init__(self) -> None:
        self.reactor: Any = MemoryReactorClock()  # type: ignore[no-untyped-call]
        self.target = StreamTarget("t", "127.0.0.1", 1, self.reactor)
        self.target.start()

    def connect(self) -> Any:
        """The transport of the last connection that was asked for."""
        _, _, factory, *_ = self.reactor.tcpClients[-1]
        protocol: Any = factory.buildProtocol(None)
        transport = StringTransport()  # type: ignore[no-untyped-call]
        protocol.makeConnection(transport)
        return transport


def test_a_stream_gets_packets_with_a_line_feed_each() -> None:
    """Those before it is connected are lost, and counted."""
    stream = Stream()
    stream.target.send(b"early")
    transport = stream.connect()
    stream.target.send(b"a:1|c\nb:1|c")
    stream.target.send(b"")
    assert transport.value() == b"a:1|c\nb:1|c\n\n"
    assert (stream.target.sent, stream.target.lost) == (2, 1)


def test_a_stream_that_reads_slowly_loses_packets_until_it_reads() -> None:
    """A megabyte may wait for it."""
    stream = Stream()
    transport = stream.connect()
    transport.producer.pauseProducing()
    stream.target.send(b"a")
    transport.producer.resumeProducing()
    stream.target.send(b"b")
    assert transport.value() == b"b\n"
    assert (stream.target.sent, stream.target.lost) == (1, 1)
