"""The sockets for StatsD: bound by us or handed over, opened, changed and closed.

What a datagram holds is not known here, nor where its samples go.
"""

from collections.abc import Callable, Generator, Sequence
from typing import Any, NamedTuple

from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.error import CannotListenError
from twisted.logger import Logger

from relay.errors import RelayError
from relay.report import Door
from relay.service.inherit import Inherited
from relay.service.intake import Intake, drain
from relay.service.kernel import KernelDrops, ReceiveBuffer, receive_buffer
from relay.settings import Listen

__all__ = ["Doors"]

LARGEST_DATAGRAM = 65_535
"""Twisted's own default cuts at 8,192 bytes without a sign."""

READ_BYTES = 32 * 1024
"""Read at a turn of the reactor. An answer over HTTP takes several turns: in a flood of
datagrams of one line it came within 32 ms, with Twisted's own 256 KiB within 230 ms, on
an idle machine. What is read a second is the same within 3 %."""


class _Bound(NamedTuple):
    """A port of Twisted's; ``listed`` is as it was asked for, None for a handed one."""

    listed: Listen | None
    door: Door
    port: Any


class Doors:
    """``intake`` makes the protocol of each socket; ``reactor`` binds them.

    What was ``inherited`` stays open as long as the relay: whoever holds it as well
    would go on to fill its queue.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        intake: Callable[[], Intake],
        inherited: Sequence[Inherited],
    ) -> None:
        self._reactor, self._intake, self._inherited = reactor, intake, inherited
        self._bound: list[_Bound] = []

    @property
    def doors(self) -> Sequence[Door]:
        """Those that are open."""
        return [one.door for one in self._bound]

    def open(self, listed: Sequence[Listen], buffer_bytes: int) -> None:
        """Take what was handed over, and bind what is ``listed`` and not among that.

        Raises RelayError where an address is taken.
        """
        for handed in self._inherited:
            self._bound.append(self._adopted(handed, buffer_bytes))
        for listen in listed:
            if not self._is_inherited(listen):
                self._bound.append(self._opened(listen, buffer_bytes))

    def change(self, listed: Sequence[Listen], buffer_bytes: int) -> Sequence[Door]:
        """Have ``listed`` open and no other but what was handed over; the new ones.

        Those that are listed before and after are not touched. Raises RelayError where
        an address is taken; then nothing has changed.
        """
        missing = [one for one in listed if not self._is_inherited(one)]
        kept, over = list[_Bound](), list[_Bound]()
        for bound in self._bound:
            stays = bound.listed is None or bound.listed in missing
            (kept if stays else over).append(bound)
            if bound.listed in missing:
                missing.remove(bound.listed)
        fresh = self._all_opened(missing, buffer_bytes)
        self._bound = [*(_resized(one, buffer_bytes) for one in kept), *fresh]
        for bound in over:
            self._closed(bound)
        return [bound.door for bound in fresh]

    def catch_up(self) -> None:
        """Have all that was read taken, however long that is."""
        for bound in self._bound:
            bound.door.intake.catch_up()

    @inlineCallbacks
    def close(self) -> Generator[Deferred[Any], Any, None]:
        """Read what the kernel still holds, then close."""
        for bound in self._bound:
            yield self._closed(bound)

    @inlineCallbacks
    def _closed(self, bound: _Bound) -> Generator[Deferred[Any], Any, None]:
        yield drain(bound.port, bound.door.intake, self._reactor)
        yield bound.port.stopListening()

    def _is_inherited(self, listen: Listen) -> bool:
        return any(one.is_at(listen.host, listen.port) for one in self._inherited)

    def _all_opened(
        self, listed: Sequence[Listen], buffer_bytes: int
    ) -> Sequence[_Bound]:
        opened: list[_Bound] = []
        try:
            for listen in listed:
                opened.append(self._opened(listen, buffer_bytes))  # noqa: PERF401 - what was opened has to be known when one fails
        except RelayError:
            for bound in opened:
                bound.port.stopListening()
            raise
        return opened

    def _opened(self, listen: Listen, buffer_bytes: int) -> _Bound:
        intake = self._intake()
        try:
            port = self._reactor.listenUDP(
                listen.port,
                intake,
                interface=listen.host,
                maxPacketSize=LARGEST_DATAGRAM,
            )
        except CannotListenError as error:
            raise RelayError(f"--listen {listen}: {error.socketError}") from None
        buffer = receive_buffer(port.socket, buffer_bytes)
        url = str(listen._replace(port=port.getHost().port))
        return self._introduced(listen, url, intake, port, buffer)

    def _adopted(self, handed: Inherited, buffer_bytes: int) -> _Bound:
        intake = self._intake()
        port = self._reactor.adoptDatagramPort(
            handed.fileno, handed.family, intake, maxPacketSize=LARGEST_DATAGRAM
        )
        handed.let_go()  # the port has a descriptor of its own
        buffer = receive_buffer(port.socket, buffer_bytes, lower=False)
        url = str(Listen("udp", handed.host, handed.port))
        return self._introduced(None, url, intake, port, buffer)

    def _introduced(
        self,
        listed: Listen | None,
        url: str,
        intake: Intake,
        port: Any,
        buffer: ReceiveBuffer,
    ) -> _Bound:
        port.maxThroughput = READ_BYTES
        if buffer.granted < buffer.asked:
            self._log.warn(
                "the kernel grants {granted} bytes of receive buffer where {asked} were "
                "asked for; raise net.core.rmem_max, or datagrams are lost in bursts",
                granted=buffer.granted,
                asked=buffer.asked,
            )
        door = Door(url, intake, KernelDrops(port.fileno()), buffer)
        return _Bound(listed, door, port)


def _resized(bound: _Bound, buffer_bytes: int) -> _Bound:
    """With the receive buffer that is asked for now."""
    if bound.door.buffer.asked == buffer_bytes:
        return bound
    lower = bound.listed is not None
    buffer = receive_buffer(bound.port.socket, buffer_bytes, lower=lower)
    return bound._replace(door=bound.door._replace(buffer=buffer))
