"""Connections: bounded, timed, counted by how they end; what they brought is fed."""

from typing import Any

from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from relay.service.intake import Intake
from relay.service.streams import Streams


class Transport(StringTransport):
    """Aborts as a socket does: the protocol hears of it at once."""

    protocol: Any

    def abortConnection(self) -> None:  # noqa: N802 - Twisted's name
        super().abortConnection()  # type: ignore[no-untyped-call]
        self.protocol.connectionLost(None)


class Rig:
    """Streams over an intake that remembers packets."""

    def __init__(
        self, *, most: int = 2, idle: float = 60.0, lengths: bool = False
    ) -> None:
        self.clock = Clock()
        self.fed: list[bytes] = []
        self.intake = Intake(self._feed, int, self.clock.seconds, self.clock)
        self.streams = Streams(
            self.intake, self.clock, most=most, idle_seconds=idle, lengths=lengths
        )

    def _feed(self, packet: bytes, _period: int) -> bytes:
        self.fed.append(packet)
        return b""

    def connect(self) -> Transport | None:
        """None where it was refused."""
        protocol = self.streams.buildProtocol(None)
        if protocol is None:
            return None
        transport = Transport()  # type: ignore[no-untyped-call]
        transport.protocol = protocol
        protocol.makeConnection(transport)  # type: ignore[no-untyped-call]
        return transport

    @property
    def ended(self) -> dict[str, int]:
        return {cause: n for cause, n in self.streams.ended.items() if n}


def connected(rig: Rig) -> Transport:
    transport = rig.connect()
    assert transport is not None
    return transport


def test_a_peer_that_closes_leaves_its_last_line() -> None:
    """Though it has no end."""
    rig = Rig()
    peer = connected(rig)
    peer.protocol.dataReceived(b"a:1|c\nb:1|c")
    peer.protocol.connectionLost(None)
    assert rig.fed == [b"a:1|c", b"b:1|c"]
    assert (rig.ended, len(rig.streams.open)) == ({"peer": 1}, 0)


def test_silence_ends_a_connection_and_data_puts_it_off() -> None:
    """Only bytes count, not whole lines: a client may be slow."""
    rig = Rig(idle=10)
    peer = connected(rig)
    rig.clock.advance(9)
    peer.protocol.dataReceived(b"a")
    rig.clock.advance(9)
    assert rig.ended == {}
    rig.clock.advance(1)
    assert rig.ended == {"idle": 1}
    assert rig.fed == [b"a"]


def test_without_a_limit_silence_is_fine() -> None:
    """A setting of 0."""
    rig = Rig(idle=0)
    connected(rig)
    rig.clock.advance(1e6)
    assert rig.ended == {}


def test_one_too_many_is_refused_until_another_goes() -> None:
    """And counted; those that are there are untouched."""
    rig = Rig(most=2)
    first, _ = connected(rig), connected(rig)
    assert rig.connect() is None
    first.protocol.connectionLost(None)
    assert rig.connect() is not None
    assert rig.ended == {"crowd": 1, "peer": 1}


def test_a_line_beyond_all_measure_ends_its_connection() -> None:
    """Nothing of it is fed."""
    rig = Rig()
    connected(rig).protocol.dataReceived(b"x" * 70_000)
    assert (rig.ended, rig.fed) == ({"too_long": 1}, [])


def test_a_frame_that_is_cut_is_counted() -> None:
    """Nobody knows what it held."""
    rig = Rig(lengths=True)
    peer = connected(rig)
    peer.protocol.dataReceived(b"\x05\0\0\0a:1")
    peer.protocol.connectionLost(None)
    assert (rig.ended, rig.fed) == ({"cut": 1}, [])


def test_a_stop_ends_all_with_what_they_brought() -> None:
    """The last line has no end yet."""
    rig = Rig()
    for _ in range(2):
        connected(rig).protocol.dataReceived(b"a:1|c")
    rig.streams.end()
    assert (rig.ended, rig.fed) == ({"stop": 2}, [b"a:1|c"] * 2)


def test_no_timer_is_left_of_a_connection() -> None:
    """Or ten thousand of them would be."""
    rig = Rig()
    peer = connected(rig)
    peer.protocol.connectionLost(None)
    assert rig.clock.getDelayedCalls() == []
