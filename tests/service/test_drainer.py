"""A socket that a thread drains: who reads it when, and what is counted where."""

import sys
from collections.abc import Callable, Iterator
from queue import Queue
from typing import Any

import pytest
from twisted.internet.task import Clock

from relay.service.drainer import Drainer
from relay.service.gather import (
    BUFFER_FOR_A_REST,
    BUFFER_FOR_THE_LONGEST,
    LONGEST_REST_SECONDS,
    REST_SECONDS,
)
from relay.service.intake import Intake


class Drain:
    """Returns, or raises, what it is told to; ``None`` ends ``run``."""

    def __init__(self) -> None:
        self.rest = self.longest_rest = -1.0
        self.datagrams, self.received_bytes, self.seen_at = 0, 0, 0.0
        self.told: Queue[Exception | None] = Queue()
        self.runs: Queue[int] = Queue()

    def run(self) -> None:
        self.runs.put(1)
        told = self.told.get(timeout=10)
        if told is not None:
            raise told

    def stop(self) -> None:
        self.told.put(None)


class Port:
    """A port of Twisted's, with whether the reactor reads it."""

    is_read = True

    def stopReading(self) -> None:  # noqa: N802 - Twisted's name
        self.is_read = False


class Reactor(Clock):
    """Remembers what threads want to have called."""

    def __init__(self) -> None:
        super().__init__()
        self.told: Queue[tuple[Any, ...]] = Queue()

    def callFromThread(self, *call: Any) -> None:  # noqa: N802 - Twisted's name
        self.told.put(call)


class Rig:
    """A drainer of one port that has not been started."""

    def __init__(self, buffer: int = BUFFER_FOR_A_REST) -> None:
        self.reactor, self.port, self.drain = Reactor(), Port(), Drain()
        self.buffer = buffer
        self.intake = Intake(lambda _data, _period: b"", int, lambda: 7.0, self.reactor)
        self.drainer = Drainer(
            self.port, self.drain, self.intake, self.reactor, buffer=lambda: self.buffer
        )


@pytest.fixture
def make_rig() -> Iterator[Callable[..., Rig]]:
    """Rigs; the interval at which threads take turns is put back."""
    interval = sys.getswitchinterval()
    yield Rig
    sys.setswitchinterval(interval)


def test_the_reactor_reads_the_port_no_more(make_rig: Callable[..., Rig]) -> None:
    """As long as the thread does."""
    rig = make_rig()
    rig.drainer.start()
    assert not rig.port.is_read
    assert rig.drain.runs.get(timeout=10)
    rig.drainer.stop()
    assert rig.drain.runs.empty()


@pytest.mark.parametrize(
    ("buffer", "rests"),
    [
        (BUFFER_FOR_THE_LONGEST, (REST_SECONDS, LONGEST_REST_SECONDS)),
        (BUFFER_FOR_THE_LONGEST - 1, (REST_SECONDS, REST_SECONDS)),
        (BUFFER_FOR_A_REST - 1, (0.0, 0.0)),
    ],
)
def test_an_empty_socket_is_left_alone_if_its_buffer_bridges_that(
    make_rig: Callable[..., Rig], buffer: int, rests: tuple[float, float]
) -> None:
    """Also where the buffer was changed since."""
    rig = make_rig(BUFFER_FOR_A_REST)
    rig.drainer.start()
    assert (rig.drain.rest, rig.drain.longest_rest) == (REST_SECONDS, REST_SECONDS)
    rig.buffer = buffer
    rig.drainer.look_at_buffer()
    assert (rig.drain.rest, rig.drain.longest_rest) == rests
    rig.drainer.stop()


def test_what_the_thread_took_counts_as_arrived(make_rig: Callable[..., Rig]) -> None:
    """Beside what comes by way of the reactor."""
    rig = make_rig()
    assert not rig.intake.seen_at
    rig.drain.datagrams, rig.drain.received_bytes, rig.drain.seen_at = 3, 40, 5.0
    assert (rig.intake.datagrams, rig.intake.received_bytes) == (3, 40)
    assert rig.intake.seen_at == 5.0
    rig.intake.take(b"a:1|c", None)
    assert (rig.intake.datagrams, rig.intake.received_bytes) == (4, 45)
    assert rig.intake.seen_at == 7.0


def test_several_sockets_of_a_door_are_one_figure(make_rig: Callable[..., Rig]) -> None:
    """Each has a drain of its own; the door's last datagram is that of any of them."""
    rig, other = make_rig(), Drain()
    rig.intake.drained.append(other)
    rig.drain.datagrams, rig.drain.received_bytes, rig.drain.seen_at = 3, 40, 5.0
    other.datagrams, other.received_bytes, other.seen_at = 2, 20, 4.0
    assert (rig.intake.datagrams, rig.intake.received_bytes) == (5, 60)
    assert rig.intake.seen_at == 5.0


def test_a_defect_is_told_and_the_socket_read_on(make_rig: Callable[..., Rig]) -> None:
    """It is the lines that brought it about that are lost, not the door."""
    rig = make_rig()
    rig.drainer.start()
    rig.drain.told.put(RuntimeError("a defect"))
    _, _, failure = rig.reactor.told.get(timeout=10)
    assert str(failure.value) == "a defect"
    assert [rig.drain.runs.get(timeout=10) for _ in range(2)] == [1, 1]
    rig.drainer.stop()


def test_a_socket_that_is_gone_is_told_once(make_rig: Callable[..., Rig]) -> None:
    """Nobody asks for it in a loop."""
    rig = make_rig()
    rig.drainer.start()
    rig.drain.told.put(OSError("no socket"))
    _, _, failure = rig.reactor.told.get(timeout=10)
    assert str(failure.value) == "no socket"
    rig.drainer.stop()
    assert rig.drain.runs.qsize() == 1
