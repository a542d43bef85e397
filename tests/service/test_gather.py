"""Reading a UDP port in batches: what is fed, and when the port is left alone."""

from collections.abc import Iterable
from typing import Any

import pytest
from twisted.internet.task import Clock

from relay.service.gather import (
    BUFFER_FOR_A_REST,
    BUFFER_FOR_THE_LONGEST,
    LONGEST_REST_SECONDS,
    REST_SECONDS,
    Gatherer,
    Rests,
)
from relay.service.intake import Intake

READ_BYTES = 32


class Socket:
    """Its queue; empty, it says what the kernel says."""

    def __init__(self) -> None:
        self.queue: list[bytes | OSError] = []

    def recv(self, _: int) -> bytes:
        if not self.queue:
            raise BlockingIOError
        first = self.queue.pop(0)
        if isinstance(first, OSError):
            raise first
        return first


class Port:
    """A port of Twisted's, with whether the reactor reads it."""

    def __init__(self) -> None:
        self.socket, self.is_read = Socket(), True

    def startReading(self) -> None:  # noqa: N802 - Twisted's name
        self.is_read = True

    def stopReading(self) -> None:  # noqa: N802 - likewise
        self.is_read = False

    pauseProducing, resumeProducing = stopReading, startReading  # noqa: N815


class Rig:
    """A gatherer of one port, on a clock that is the wall's as well.

    A period has a second; the engine takes ``most`` bytes at a time.
    """

    def __init__(self, *, buffer: int = BUFFER_FOR_A_REST, most: int = 10**9) -> None:
        self.clock, self.port, self.most = Clock(), Port(), most
        self.fed: list[tuple[bytes, int]] = []
        self.copies: list[bytes] = []
        self.intake = Intake(
            self.take, int, self.clock.seconds, self.clock, copy=self.copies.append
        )
        port: Any = self.port
        self.gatherer = Gatherer(
            port,
            self.intake,
            self.clock,
            read_bytes=READ_BYTES,
            buffer=lambda: buffer,
        )

    def take(self, lines: bytes, period: int) -> bytes:
        taken, rest = lines[: self.most], lines[self.most :]
        self.fed.append((taken, period))
        return rest

    def arrive(self, datagrams: Iterable[bytes | OSError]) -> None:
        """And have the reactor read, where it would."""
        self.port.socket.queue += datagrams
        self.go_on()

    def go_on(self, seconds: float = 0.0) -> None:
        self.clock.advance(seconds)
        read: Any = self.port
        if self.port.is_read and self.port.socket.queue:
            read.doRead()


def test_what_was_read_together_is_fed_together() -> None:
    """One call for many datagrams; the end of each ends a line."""
    rig = Rig()
    rig.arrive([b"a:1|c", b"b:2|c\nc:3|c", b"d:4|c\n"])
    assert rig.fed == [(b"a:1|c\nb:2|c\nc:3|c\nd:4|c\n", 0)]
    assert (rig.intake.datagrams, rig.intake.received_bytes) == (3, 22)


def test_each_datagram_is_copied_as_it_came() -> None:
    """A repeater and a recording see datagrams, not what became of them here."""
    rig = Rig()
    rig.arrive([b"a:1|c", b"b:2|c"])
    assert rig.copies == [b"a:1|c", b"b:2|c"]


def test_a_drained_port_is_left_alone_for_a_rest() -> None:
    """What comes meanwhile waits in the kernel, and is read at once after it."""
    rig = Rig()
    rig.arrive([b"a"])
    rig.arrive([b"b", b"c"])
    assert [lines for lines, _ in rig.fed] == [b"a"]
    rig.go_on(REST_SECONDS)
    assert [lines for lines, _ in rig.fed] == [b"a", b"b\nc"]


def test_a_rest_that_gathers_little_makes_the_next_one_longer() -> None:
    """Up to four times as long; where one gathers much they are short again."""
    rig = Rig(buffer=BUFFER_FOR_THE_LONGEST)
    rests: list[float] = []
    for many in (1, 1, 1, 1, 15, 16, 20, 20, 20, 20):
        rig.arrive([b""] * many)
        [resting] = rig.clock.getDelayedCalls()
        rests.append(resting.getTime() - rig.clock.seconds())
        rig.go_on(rests[-1])
    short, long = REST_SECONDS, LONGEST_REST_SECONDS
    assert rests == pytest.approx([short, short * 2, *[long] * 8])
    assert Rests(short, long).next(long, 33) == long / 2
    assert Rests(short, long).next(short, 33) == short


def test_a_buffer_of_some_size_has_short_rests_only() -> None:
    """It would run over within a long one, were the traffic to rise."""
    rig = Rig(buffer=BUFFER_FOR_THE_LONGEST - 1)
    for _ in range(3):
        rig.arrive([b"a"])
        rig.go_on(REST_SECONDS)
        assert rig.port.is_read


def test_there_is_no_rest_where_more_is_waiting() -> None:
    """A read ends when enough was read; the rest of it is the reactor's next turn."""
    rig = Rig()
    rig.arrive([b"x" * 20] * 3)
    assert len(rig.port.socket.queue) == 1
    assert rig.port.is_read


def test_empty_datagrams_do_not_keep_the_reactor() -> None:
    """They hold no byte, and are read no longer than others."""
    rig = Rig()
    rig.arrive([b""] * 1000)
    assert len(rig.port.socket.queue) == 1000 - READ_BYTES


def test_a_small_buffer_has_no_rest() -> None:
    """It might run over within one."""
    rig = Rig(buffer=BUFFER_FOR_A_REST - 1)
    rig.arrive([b"a"])
    assert rig.port.is_read


@pytest.mark.parametrize(
    ("before", "rests"), [(0.001, False), (0.007, True), (0.1, True)]
)
def test_no_rest_reaches_into_another_period(before: float, *, rests: bool) -> None:
    """What arrives in a period is counted in it, or in none but the next by a moment."""
    rig = Rig(buffer=BUFFER_FOR_THE_LONGEST)
    rig.arrive([b"a"])
    rig.go_on(1 - before)
    rig.arrive([b"a"])
    assert rig.port.is_read is not rests


def test_an_error_of_a_datagram_ends_a_read_and_nothing_else() -> None:
    """A host that refused what we repeated to it is none of the port's affair."""
    rig = Rig()
    rig.arrive([b"a", ConnectionRefusedError(), b"b"])
    rig.go_on(REST_SECONDS)
    assert [lines for lines, _ in rig.fed] == [b"a", b"b"]


def test_a_port_that_is_ahead_of_the_engine_is_paused_and_not_at_rest() -> None:
    """It is read again as soon as all was taken, in the order in which it came."""
    rig = Rig(most=2)
    rig.arrive([b"ab", b"cd"])
    assert not rig.port.is_read
    assert [call.getTime() for call in rig.clock.getDelayedCalls()] == [0.0]
    rig.go_on()
    assert b"".join(lines for lines, _ in rig.fed) == b"ab\ncd"
    assert rig.port.is_read


def test_a_rest_ends_though_somebody_else_is_behind() -> None:
    """Who is paused by the intake is resumed by it; who rests is not paused."""
    rig = Rig(most=1)
    rig.arrive([b"a"])
    assert not rig.port.is_read
    rig.intake.take(b"b" * 9, None)
    rig.go_on(REST_SECONDS)
    assert rig.port.is_read


def test_after_a_stop_there_is_no_rest() -> None:
    """At the end of a relay somebody else reads until nothing is left."""
    rig = Rig()
    rig.arrive([b"a"])
    rig.gatherer.stop()
    assert rig.port.is_read
    rig.arrive([b"b"])
    assert rig.port.is_read
    assert not rig.clock.getDelayedCalls()


def test_a_batch_of_many_pieces_leaves_the_reactor_its_turn() -> None:
    """So many lines are fed at once and no more; the port waits for the others."""
    rig = Rig()
    lines = [b"%015d" % n for n in range(4096)]
    rig.intake.take_all(lines, 15 * len(lines), rig.port)
    assert not rig.port.is_read
    assert sum(len(fed) for fed, _ in rig.fed) < 15 * len(lines)
    while rig.intake.is_behind:
        rig.go_on()
    assert b"\n".join(fed for fed, _ in rig.fed).split(b"\n") == lines
