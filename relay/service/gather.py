"""Reads a UDP port in batches: many datagrams at one wake-up, and a rest after each.

To wake a program for a datagram costs more than to count what is in it. A drained socket
is therefore left alone for some milliseconds, which its receive buffer bridges, so that
the next wake-up finds many; what was read together is fed together.
"""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from relay.service.intake import Intake

__all__ = [
    "BUFFER_FOR_A_REST",
    "BUFFER_FOR_THE_LONGEST",
    "LONGEST_REST_SECONDS",
    "REST_SECONDS",
    "Gatherer",
    "Rests",
]

LARGEST_DATAGRAM: Final = 65_535

REST_SECONDS: Final = 0.005
"""A period does not care; at 20,000 datagrams a second it saves 99 of 100 wake-ups."""

LONGEST_REST_SECONDS: Final = 4 * REST_SECONDS
"""At 40,000 lines a second in full datagrams a wake-up still finds no more than 26."""

BUFFER_FOR_A_REST: Final = 2**20
"""With a smaller receive buffer there is no rest: it may not last for one."""

BUFFER_FOR_THE_LONGEST: Final = 4 * BUFFER_FOR_A_REST

FEW, MANY = 16, 32


class Rests(NamedTuple):
    """How long a drained socket is left alone, in seconds."""

    shortest: float
    longest: float

    @classmethod
    def of(cls, buffer: int) -> "Rests":
        """What a receive buffer of so many bytes bridges, whatever arrives."""
        if buffer < BUFFER_FOR_A_REST:
            return cls(0.0, 0.0)
        is_large = buffer >= BUFFER_FOR_THE_LONGEST
        return cls(REST_SECONDS, LONGEST_REST_SECONDS if is_large else REST_SECONDS)

    def next(self, rest: float, gathered: int) -> float:
        """Behind one in which so many datagrams came: twice as long where those were few,
        half as long where they were many."""
        if gathered < FEW:
            rest *= 2
        elif gathered > MANY:
            rest /= 2
        return max(self.shortest, min(rest, self.longest))


class Gatherer:
    """Reads ``port`` in the place of its own ``doRead``, ``read_bytes`` or little more at a
    time; ``buffer`` gives the bytes that the kernel holds for it.

    No rest follows where there was more than that to be read, where what was read has to
    wait for its turn, and where a period would end within it.
    """

    def __init__(
        self,
        port: Any,
        intake: Intake,
        clock: IReactorTime,
        *,
        read_bytes: int,
        buffer: Callable[[], int],
    ) -> None:
        self._port, self._intake, self._clock = port, intake, clock
        self._read_bytes, self._buffer = read_bytes, buffer
        self._receive = port.socket.recv
        self._resting: IDelayedCall | None = None
        self._rest = 0.0  # the last one
        self._rests = True
        port.doRead = self.read

    def read(self) -> None:
        """Until the socket is empty or enough has been read; errors of one datagram, such
        as one that a sender's host refused, are none of ours."""
        receive, most = self._receive, self._read_bytes
        batch: list[bytes] = []
        read = empty = 0
        is_drained = False
        while read + empty < most:
            try:
                datagram = receive(LARGEST_DATAGRAM)
            except OSError:
                is_drained = True
                break
            batch.append(datagram)
            read += len(datagram)
            if not datagram:
                empty += 1
        if batch:
            self._intake.take_all(batch, read, self._port)
        if is_drained and self._may_rest():
            self._rest_for(len(batch))

    def stop(self) -> None:
        """No rest any more: from now on somebody else says when to read."""
        self._rests = False
        if self._resting is not None:
            self._resting.cancel()
            self._go_on()

    def _may_rest(self) -> bool:
        return self._rests and self._resting is None and not self._intake.is_behind

    def _rest_for(self, gathered: int) -> None:
        rests = Rests.of(self._buffer())
        self._rest = rest = rests.next(self._rest, gathered)
        if self._intake.ends_within(rest):
            rest = rests.shortest
        if rest and not self._intake.ends_within(rest):
            self._port.stopReading()
            self._resting = self._clock.callLater(rest, self._go_on)

    def _go_on(self) -> None:
        self._resting = None
        self._port.startReading()
