"""Hands each packet and its period to the engine, and nothing else.

A packet is a datagram, or some whole lines of a stream. It does not look into one, but
for the ends of lines, and knows neither series nor sinks. What one packet costs depends
on its sender, so that none is taken in longer than some milliseconds at a time: the rest
waits in a short queue, later packets behind it, while the reactor has its turn and
nothing more is read from where it came.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Protocol

from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import DatagramProtocol
from twisted.internet.task import deferLater
from twisted.logger import Logger

__all__ = [
    "DRAIN_SECONDS",
    "PIECE_BYTES",
    "Datagrams",
    "Drainable",
    "Intake",
    "drain",
    "drain_streams",
]

DRAIN_SECONDS = 0.5
TURN_SECONDS = 0.001
QUIET_SECONDS = 0.02

PIECE_BYTES = 4096
"""Known lines, at 5 bytes the shortest, take some 0.5 ms in so many."""

PIECES_AT_ONCE = 8
"""Of datagrams that were read together; the reactor has its turn after that."""


class Source(Protocol):
    """Where packets come from: a port, or a connection."""

    def pauseProducing(self) -> None:
        """Bring no more."""
        ...

    def resumeProducing(self) -> None:
        """Bring more."""
        ...


class Arrivals(Protocol):
    """What arrived at the same door without coming this way."""

    @property
    def datagrams(self) -> int: ...
    @property
    def received_bytes(self) -> int: ...
    @property
    def seen_at(self) -> float:
        """Unix seconds, 0 where nothing did."""
        ...


class Intake:
    """Counts what arrives and feeds it to the engine under the period it arrived in.

    ``feed_some`` gives what it had no time for. ``clock`` brings the next turn. A packet
    of more than ``piece_bytes`` is fed in pieces. ``copy`` gets each packet, as it came.
    ``drain`` makes what drains the socket of a descriptor, where the engine can do that.

    A defect while lines are fed costs those that were fed with them: it is logged and
    counted in ``defects``. Whoever reads a socket never hears of it, and reads on.
    """

    _log = Logger()

    def __init__(
        self,
        feed_some: Callable[[bytes, int], bytes],
        period_at: Callable[[float], int],
        wall: Callable[[], float],
        clock: IReactorTime,
        *,
        piece_bytes: int = PIECE_BYTES,
        copy: Callable[[bytes], object] | None = None,
        drain: Callable[[int], Any] | None = None,
    ) -> None:
        self.drain = drain
        self._engine_feeds, self._period_at, self._wall = feed_some, period_at, wall
        self._clock, self._piece_bytes = clock, piece_bytes
        self._waiting: deque[tuple[bytes, int]] = deque()
        self._copy = copy
        self._is_due = False
        self._paused: set[Source] = set()
        self._datagrams = self._received_bytes = 0
        self._seen_at = 0.0
        self.defects = 0
        self.strangers = 0  # datagrams of senders that are not heard
        self.drained: list[Arrivals] = []

    @property
    def datagrams(self) -> int:
        """How many arrived, also of those that do not come this way."""
        return self._datagrams + sum([one.datagrams for one in self.drained])

    @property
    def received_bytes(self) -> int:
        """What was in them."""
        drained = sum([one.received_bytes for one in self.drained])
        return self._received_bytes + drained

    @property
    def seen_at(self) -> float | None:
        """When the last packet came, in Unix seconds."""
        return max([self._seen_at, *(one.seen_at for one in self.drained)]) or None

    def take(self, packet: bytes, source: Any) -> None:
        """Feed a packet, or as much of it as there is time for.

        ``source`` is a Source, to be paused meanwhile, or None if it brings no more.
        """
        period = self._arrived((packet,), len(packet))
        if not self._waiting:
            if len(packet) <= self._piece_bytes:
                packet = self._feed_some(packet, period)
                if not packet:
                    return
            self._go_on_next_turn()
        self._put_off(self._pieces(packet), period, source)

    def take_all(self, datagrams: Sequence[bytes], size: int, source: Any) -> None:
        """As ``take``, for datagrams of ``size`` bytes together that arrived in one.

        Their lines are fed together, in their order: a datagram ends a line.
        """
        period = self._arrived(datagrams, size)
        pieces = self._pieces(b"\n".join(datagrams))
        if not self._waiting:
            for piece in islice(pieces, PIECES_AT_ONCE):
                rest = self._feed_some(piece, period)
                if rest:
                    self._waiting.append((rest, period))
                    break
            else:
                following = next(pieces, None)
                if following is None:
                    return
                self._waiting.append((following, period))
            self._go_on_next_turn()
        self._put_off(pieces, period, source)

    def ends_within(self, seconds: float) -> bool:
        """Whether another period begins before ``seconds`` have passed."""
        now = self._wall()
        return self._period_at(now) != self._period_at(now + seconds)

    @property
    def is_behind(self) -> bool:
        """Whether something waits."""
        return bool(self._waiting)

    def catch_up(self) -> None:
        """Feed all that waits, however long it takes; before a seal, so that nothing
        is late for its period."""
        while self._waiting:
            self._feed_next()

    def _arrived(self, packets: Sequence[bytes], size: int) -> int:
        """Count packets of ``size`` bytes together; the period they belong to."""
        self._datagrams += len(packets)
        self._received_bytes += size
        if self._copy is not None:
            for packet in packets:
                self._copy(packet)
        self._seen_at = now = self._wall()
        return self._period_at(now)

    def _put_off(self, pieces: Iterable[bytes], period: int, source: Any) -> None:
        """Have pieces wait, and their source with them."""
        if source is not None and source not in self._paused:
            self._paused.add(source)
            source.pauseProducing()
        self._waiting.extend((piece, period) for piece in pieces)

    def _go_on_next_turn(self) -> None:
        if not self._is_due:
            self._is_due = True
            self._clock.callLater(0, self._go_on)

    def _go_on(self) -> None:
        self._is_due = False
        if self._waiting:
            self._feed_next()
        if self._waiting:
            self._go_on_next_turn()
            return
        paused, self._paused = self._paused, set()
        for source in paused:
            source.resumeProducing()

    def _feed_some(self, piece: bytes, period: int) -> bytes:
        try:
            return self._engine_feeds(piece, period)
        except Exception:  # noqa: BLE001 - see the class
            self.defects += 1
            self._log.failure("a defect while lines are fed: {n} bytes", n=len(piece))
            return b""

    def _feed_next(self) -> None:
        piece, period = self._waiting.popleft()
        rest = self._feed_some(piece, period)
        if rest:
            self._waiting.appendleft((rest, period))

    def _pieces(self, datagram: bytes) -> Iterator[bytes]:
        """Whole lines, so many that they are short; a longer line by itself."""
        at, most = 0, self._piece_bytes
        while len(datagram) - at > most:
            end = datagram.rfind(b"\n", at, at + most)
            if end < 0:
                end = datagram.find(b"\n", at + most)
            if end < 0:
                break
            yield datagram[at:end]
            at = end + 1
        yield datagram[at:]


class Datagrams(DatagramProtocol):
    """Each datagram is a packet."""

    noisy = False

    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    def datagramReceived(self, datagram: bytes, addr: object) -> None:
        self._intake.take(datagram, self.transport)


class Drainable(Protocol):
    """A bound UDP port that can be read outside the reactor's turn."""

    def doRead(self) -> None:
        """Read until the socket is empty or a bounded amount has been read."""
        ...


@inlineCallbacks
def drain(
    port: Drainable, intake: Intake, clock: IReactorTime
) -> Generator[Deferred[None], None, None]:
    """Read what the kernel still holds, for ``DRAIN_SECONDS`` at most.

    Closing a socket throws its queue away; at a stop that queue is somebody's data. A
    sender that never pauses must not keep us from stopping, hence the bound; and
    between reads the reactor has its turn, so that a second signal is heard. What was
    read is fed in any case.
    """
    deadline = clock.seconds() + DRAIN_SECONDS
    while intake.is_behind or clock.seconds() < deadline:
        before = intake.datagrams
        if not intake.is_behind:
            port.doRead()
            if intake.datagrams == before:
                return
        yield deferLater(clock, TURN_SECONDS, lambda: None)


@inlineCallbacks
def drain_streams(
    intake: Intake, clock: IReactorTime
) -> Generator[Deferred[None], None, None]:
    """Let connections bring what they have sent, likewise.

    Nobody knows what is on its way; a silence of ``QUIET_SECONDS`` is taken for the end.
    """
    deadline = clock.seconds() + DRAIN_SECONDS
    while intake.is_behind or clock.seconds() < deadline:
        before = intake.datagrams
        yield deferLater(clock, QUIET_SECONDS, lambda: None)
        if intake.datagrams == before and not intake.is_behind:
            return
