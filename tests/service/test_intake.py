"""The UDP door: counting, the period it names, and draining at a stop."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import Clock
from twisted.logger import Logger, LogPublisher

from relay.service.intake import DRAIN_SECONDS, Datagrams, Intake, drain

TURN = 2**-10
IGNORED = LogPublisher()


class Turns(Clock):
    """What is due at once waits for the next turn, as it does in a reactor."""

    def callLater(  # noqa: N802 - Twisted's name
        self,
        delay: float,
        callable: Callable[..., object],  # noqa: A002 - likewise
        *args: object,
        **kw: object,
    ) -> IDelayedCall:
        return super().callLater(max(delay, TURN), callable, *args, **kw)


class Engine:
    """Takes ``most`` bytes at a time, and remembers them with their period."""

    def __init__(self, most: int = 100_000) -> None:
        self.most = most
        self.fed: list[tuple[bytes, int]] = []

    def feed_some(self, datagram: bytes, period: int) -> bytes:
        taken, rest = datagram[: self.most], datagram[self.most :]
        self.fed.append((taken, period))
        return rest

    @property
    def bytes(self) -> bytes:
        return b"".join(taken for taken, _ in self.fed)


class Socket:
    """Whether it is read from, as a port of Twisted's has it."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def pauseProducing(self) -> None:  # noqa: N802 - Twisted's name
        self.calls.append("stop")

    def resumeProducing(self) -> None:  # noqa: N802 - likewise
        self.calls.append("start")


class Rig:
    """An intake with an engine, a socket, and a clock that also is the wall's."""

    def __init__(self, most: int = 100_000) -> None:
        self.clock, self.engine, self.socket = Turns(), Engine(most), Socket()
        self.intake = Intake(
            self.engine.feed_some, int, self.clock.seconds, self.clock, piece_bytes=8
        )
        port: Any = self.socket
        self.door = Datagrams(self.intake)
        self.door.transport = port

    def receive(self, *datagrams: bytes) -> None:
        for datagram in datagrams:
            self.door.datagramReceived(datagram, None)

    def turns(self, many: int) -> None:
        for _ in range(many):
            self.clock.advance(TURN)


def test_feeds_each_datagram_under_the_open_period() -> None:
    """The engine gets the bytes untouched and the period of the moment of arrival."""
    rig = Rig()
    rig.clock.advance(61.5)
    rig.receive(b"a:1|c\n")
    assert rig.engine.fed == [(b"a:1|c\n", 61)]
    assert rig.socket.calls == []


def test_counts_datagrams_and_bytes_also_empty_ones() -> None:
    """An empty datagram is a datagram, as the reference counts it."""
    rig = Rig()
    rig.receive(b"", b"abc")
    assert (rig.intake.datagrams, rig.intake.received_bytes) == (2, 3)


@pytest.mark.parametrize(
    ("datagram", "pieces"),
    [
        (b"a\nb\nc\nd\ne", [b"a\nb\nc\nd", b"e"]),
        (b"aaaaaaaaaaaa\nb", [b"aaaaaaaaaaaa", b"b"]),
        (b"aaaaaaaa\nb", [b"aaaaaaaa", b"b"]),
        (b"aaaaaaaaaaaa", [b"aaaaaaaaaaaa"]),
        (b"\n" * 20, [b"\n" * 7, b"\n" * 7, b"\n" * 4]),
    ],
)
def test_a_large_datagram_is_fed_in_pieces(
    datagram: bytes, pieces: list[bytes]
) -> None:
    """Cut at ends of lines, one a turn, and no line is cut."""
    rig = Rig()
    rig.receive(datagram)
    for turn in range(len(pieces)):
        assert len(rig.engine.fed) == turn
        rig.turns(1)
    assert [piece for piece, _ in rig.engine.fed] == pieces


def test_what_takes_too_long_waits_for_the_next_turn() -> None:
    """Also of a datagram that is not large; the socket is not read meanwhile."""
    rig = Rig(most=3)
    rig.receive(b"abcdefg")
    assert (rig.engine.bytes, rig.socket.calls) == (b"abc", ["stop"])
    rig.turns(1)
    assert rig.engine.bytes == b"abcdef"
    rig.turns(2)
    assert (rig.engine.bytes, rig.socket.calls) == (b"abcdefg", ["stop", "start"])


def test_later_datagrams_wait_behind() -> None:
    """In order, each under the period in which it arrived."""
    rig = Rig(most=3)
    rig.receive(b"abcde", b"fg")
    rig.clock.rightNow = 1.0
    rig.receive(b"h")
    rig.turns(4)
    assert rig.engine.fed == [(b"abc", 0), (b"de", 0), (b"fg", 0), (b"h", 1)]
    assert not rig.intake.is_behind


def test_all_that_waits_can_be_fed_at_once() -> None:
    """Before a seal; the turns that were due find nothing to do but to read again."""
    rig = Rig(most=3)
    rig.receive(b"abcdefgh", b"i")
    rig.intake.catch_up()
    assert rig.engine.bytes == b"abcdefghi"
    rig.turns(2)
    assert (len(rig.engine.fed), rig.socket.calls) == (4, ["stop", "start"])


def test_two_that_are_behind_are_both_read_again() -> None:
    """Packets of several connections wait in one queue."""
    rig, other = Rig(most=3), Socket()
    rig.receive(b"abcde")
    rig.intake.take(b"fg", other)
    rig.intake.take(b"h", None)
    assert other.calls == ["stop"]
    rig.turns(4)
    assert rig.engine.bytes == b"abcdefgh"
    assert rig.socket.calls == other.calls == ["stop", "start"]


def test_a_turn_that_comes_late_is_not_doubled() -> None:
    """One piece a turn, also where all was fed at once before."""
    rig = Rig(most=1)
    rig.receive(b"ab")
    rig.intake.catch_up()
    rig.receive(b"cdef")
    rig.turns(1)
    assert rig.engine.bytes == b"abcd"


LINES = st.binary(max_size=12).map(lambda line: line.replace(b"\n", b""))


@given(st.lists(st.lists(LINES).map(b"\n".join), min_size=1), st.integers(1, 30))
def test_of_datagrams_read_together_every_line_is_fed_once(
    datagrams: list[bytes], most: int
) -> None:
    """In their order, wherever pieces are cut, be they empty or larger than a piece."""
    rig = Rig(most)
    rig.intake.take_all(datagrams, sum(map(len, datagrams)), rig.socket)
    rig.intake.catch_up()
    rig.turns(2)
    # The engine here cuts within a line: only the bytes of lines tell.
    fed = rig.engine.bytes.replace(b"\n", b"")
    assert fed == b"".join(datagrams).replace(b"\n", b"")
    assert rig.socket.calls in ([], ["stop", "start"])


def test_an_empty_piece_is_not_the_end() -> None:
    """Of datagrams that end in a line feed, with lines longer than a piece."""
    rig, long = Rig(), b"a" * 12
    lines = [b"x", *[long] * 6, *[b"y"] * 5]
    rig.intake.take_all([line + b"\n" for line in lines], 100, rig.socket)
    rig.turns(20)
    assert rig.engine.bytes.replace(b"\n", b"") == b"".join(lines)


class Broken(Engine):
    """Raises for a piece with an exclamation mark in it."""

    def feed_some(self, datagram: bytes, period: int) -> bytes:
        if b"!" in datagram:
            raise ValueError("a defect")
        return super().feed_some(datagram, period)


def broken(monkeypatch: pytest.MonkeyPatch) -> Rig:
    """A rig with such an engine; what is logged is not looked at."""
    monkeypatch.setattr(Intake, "_log", Logger(observer=IGNORED))
    rig = Rig()
    rig.engine = Broken()
    rig.intake = Intake(
        rig.engine.feed_some, int, rig.clock.seconds, rig.clock, piece_bytes=8
    )
    return rig


def test_a_defect_while_feeding_costs_what_was_fed_with_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is counted; who reads the socket does not hear of it."""
    rig = broken(monkeypatch)
    rig.intake.take(b"one!", rig.socket)
    rig.intake.take_all([b"two!"], 4, rig.socket)
    rig.intake.take(b"three", rig.socket)
    assert (rig.engine.bytes, rig.intake.defects) == (b"three", 2)
    assert (rig.socket.calls, rig.intake.datagrams) == ([], 3)


def test_a_defect_in_what_waits_holds_up_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The source is read again, and a drain ends."""
    rig = broken(monkeypatch)
    rig.intake.take(b"aaaaaaa\nbbbbbb!\nccccccc", rig.socket)
    rig.turns(4)
    assert rig.engine.bytes == b"aaaaaaaccccccc"
    assert rig.socket.calls == ["stop", "start"]
    assert (rig.intake.is_behind, rig.intake.defects) == (False, 1)


class Port:
    """A socket's queue that hands out at most two datagrams a read."""

    def __init__(self, door: Datagrams, waiting: Iterator[bytes]) -> None:
        self.door, self.waiting = door, waiting

    def doRead(self) -> None:  # noqa: N802 - Twisted's name
        for _, datagram in zip(range(2), self.waiting, strict=False):
            self.door.datagramReceived(datagram, None)


def drained(rig: Rig, waiting: Iterator[bytes], seconds: float) -> bool:
    """Whether a drain ended while ``seconds`` went by."""
    ended: list[object] = []
    drain(Port(rig.door, waiting), rig.intake, rig.clock).addBoth(ended.append)
    rig.clock.pump([0.01] * int(seconds / 0.01))
    return ended == [None]


def test_drain_reads_until_the_queue_is_empty() -> None:
    """Everything the kernel held is fed before the socket is closed."""
    rig = Rig()
    assert drained(rig, iter([b"x"] * 7), seconds=0.1)
    assert rig.engine.bytes == b"x" * 7


def test_drain_ends_under_endless_traffic() -> None:
    """A sender that never pauses does not keep the relay from stopping."""
    assert drained(Rig(), iter(lambda: b"x", b""), seconds=DRAIN_SECONDS + 0.1)


def test_the_reactor_has_its_turn_while_the_queue_is_drained() -> None:
    """One read a turn, so that signals and deadlines are seen meanwhile."""
    rig = Rig()
    assert not drained(rig, iter(lambda: b"x", b""), seconds=0.02)
    assert rig.intake.datagrams <= 6


def test_a_drain_waits_for_what_was_read() -> None:
    """However long that takes, as nobody else has it; nothing more is read meanwhile."""
    rig = Rig(most=1)
    assert not drained(rig, iter(lambda: b"x" * 40, b""), seconds=DRAIN_SECONDS)
    rig.clock.pump([0.01] * 100)
    assert len(rig.engine.bytes) == 40 * rig.intake.datagrams
