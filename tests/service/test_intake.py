"""The UDP door: counting, the period it names, and draining at a stop."""

from collections.abc import Iterator

from twisted.internet.task import Clock

from relay.service.intake import DRAIN_SECONDS, Intake, drain


def test_feeds_each_datagram_under_the_open_period() -> None:
    """The engine gets the bytes untouched and the period of the moment of arrival."""
    fed: list[tuple[bytes, int]] = []
    intake = Intake(lambda d, p: fed.append((d, p)), int, lambda: 61.5)
    intake.datagramReceived(b"a:1|c\n", ("127.0.0.1", 9))
    assert fed == [(b"a:1|c\n", 61)]


def test_counts_datagrams_and_bytes_also_empty_ones() -> None:
    """An empty datagram is a datagram, as the reference counts it."""
    intake = Intake(lambda _d, _p: None, lambda _: 0, lambda: 0.0)
    for datagram in (b"", b"abc"):
        intake.datagramReceived(datagram, None)
    assert (intake.datagrams, intake.received_bytes) == (2, 3)


class Port:
    """A socket's queue that hands out at most two datagrams a read."""

    def __init__(self, intake: Intake, waiting: Iterator[bytes]) -> None:
        self.intake, self.waiting = intake, waiting

    def doRead(self) -> None:  # noqa: N802 - Twisted's name
        for _, datagram in zip(range(2), self.waiting, strict=False):
            self.intake.datagramReceived(datagram, None)


def drained(intake: Intake, waiting: Iterator[bytes], seconds: float) -> bool:
    """Whether a drain ended while ``seconds`` went by."""
    clock = Clock()
    ended: list[object] = []
    drain(Port(intake, waiting), intake, clock).addBoth(ended.append)
    clock.pump([0.01] * int(seconds / 0.01))
    return ended == [None]


def test_drain_reads_until_the_queue_is_empty() -> None:
    """Everything the kernel held is fed before the socket is closed."""
    intake = Intake(lambda _d, _p: None, lambda _: 0, lambda: 0.0)
    assert drained(intake, iter([b"x"] * 7), seconds=0.1)
    assert intake.datagrams == 7


def test_drain_ends_under_endless_traffic() -> None:
    """A sender that never pauses does not keep the relay from stopping."""
    intake = Intake(lambda _d, _p: None, lambda _: 0, lambda: 0.0)
    assert drained(intake, iter(lambda: b"x", b""), seconds=DRAIN_SECONDS + 0.1)


def test_the_reactor_has_its_turn_while_the_queue_is_drained() -> None:
    """One read a turn, so that signals and deadlines are seen meanwhile."""
    intake = Intake(lambda _d, _p: None, lambda _: 0, lambda: 0.0)
    assert not drained(intake, iter(lambda: b"x", b""), seconds=0.02)
    assert intake.datagrams <= 6
