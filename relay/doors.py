"""The sockets for StatsD: bound by us or handed over, opened, changed and closed.

What a packet holds is not known here, nor where its samples go.
"""

from collections.abc import Callable, Generator, Sequence
from functools import partial
from typing import Any, NamedTuple

from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.logger import Logger

from relay.errors import RelayError
from relay.service import ports
from relay.service.crowd import spare
from relay.service.inherit import Inherited
from relay.service.intake import Intake
from relay.service.ports import Port
from relay.service.repeater import Repeater, StreamTarget, Target, UdpTarget
from relay.service.streams import Streams
from relay.settings import Listen, Settings
from relay.settings import Target as Wanted
from relay.sites import TCP_DOORS

__all__ = ["Copy", "Door", "Doors"]

Copy = Callable[[bytes], object]
"""Takes a copy of a packet."""


class Door(NamedTuple):
    """A bound socket with its URL; ``listed`` is as it was asked for, None for a handed
    one."""

    listed: Listen | None
    url: str
    port: Port


class Doors:
    """``intake`` makes what feeds the packets of a socket, given what +n and -n gauges
    mean there and who gets copies; ``reactor`` binds them.

    What was ``inherited`` stays open as long as the relay: whoever holds it as well
    would go on to fill its queue.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        intake: Callable[[str | None, Copy | None], Intake],
        inherited: Sequence[Inherited],
    ) -> None:
        self._reactor, self._intake, self._inherited = reactor, intake, inherited
        self.doors: Sequence[Door] = ()
        self.targets: Sequence[Target] = ()
        self._repeater = Repeater(())
        self._closing: dict[Port, Deferred[Any]] = {}
        self._defects_before = 0

    @property
    def defects(self) -> int:
        """How often a defect cost lines that were fed, since the start."""
        there = [*(door.port for door in self.doors), *self._closing]
        return self._defects_before + sum([port.intake.defects for port in there])

    def open(self, listed: Sequence[Listen], settings: Settings) -> None:
        """Take what was handed over, and bind what is ``listed`` and not among that.

        Raises RelayError where an address is taken.
        """
        self.targets = [_target(one, self._reactor) for one in settings.repeat]
        self._repeater = Repeater(self.targets)
        self._repeater.start()
        adopted = [self._adopted(one, settings) for one in self._inherited]
        missing = [one for one in listed if not self._is_inherited(one)]
        self.doors = [*adopted, *self._all_opened(missing, settings)]

    def change(self, listed: Sequence[Listen], settings: Settings) -> Sequence[Door]:
        """Have ``listed`` open and no other but what was handed over; the new ones.

        Those that are listed before and after are not touched. Raises RelayError where
        an address is taken; then nothing has changed.
        """
        missing = [one for one in listed if not self._is_inherited(one)]
        kept, over = list[Door](), list[Door]()
        for door in self.doors:
            stays = door.listed is None or door.listed in missing
            (kept if stays else over).append(door)
            if door.listed in missing:
                missing.remove(door.listed)
        for listen in missing:
            if listen.path and any(listen.path == door.port.path for door in over):
                raise RelayError(
                    f"--listen {listen}: is open with other options; to change them,"
                    " restart"
                )
        fresh = self._all_opened(missing, settings)
        self.doors = [*(_resized(one, settings) for one in kept), *fresh]
        for door in over:
            self._close(door.port)
        return fresh

    def catch_up(self) -> None:
        """Have all that was read taken, however long that is."""
        for port in (*(door.port for door in self.doors), *self._closing):
            port.intake.catch_up()

    @inlineCallbacks
    def close(self) -> Generator[Deferred[Any], Any, None]:
        """Read what the kernel still holds, then close; also what is being closed."""
        yield from tuple(self._closing.values())
        for door in self.doors:
            yield door.port.close(self._reactor)
        self._repeater.stop()

    def _close(self, port: Port) -> None:
        """Read and close one; until that is done it counts as one of ours."""
        closing = port.close(self._reactor)
        closing.addErrback(partial(self._log.failure, "a defect while a door closes"))
        self._closing[port] = closing
        closing.addCallback(self._closed, port)

    def _closed(self, _: object, port: Port) -> None:
        del self._closing[port]
        self._defects_before += port.intake.defects

    def _feeding(self, signed_gauge: str | None) -> Intake:
        copy = self._repeater.send if self.targets else None
        return self._intake(signed_gauge, copy)

    def _is_inherited(self, listen: Listen) -> bool:
        return listen.scheme == "udp" and any(
            one.is_at(listen.host, listen.port) for one in self._inherited
        )

    def _all_opened(
        self, listed: Sequence[Listen], settings: Settings
    ) -> Sequence[Door]:
        opened: list[Door] = []
        try:
            for listen in listed:
                opened.append(self._opened(listen, settings))  # noqa: PERF401 - what was opened has to be known when one fails
        except RelayError:
            for door in opened:
                self._close(door.port)
            raise
        return opened

    def _opened(self, listen: Listen, settings: Settings) -> Door:
        try:
            port = self._port(listen, settings)
        except RelayError as error:
            raise RelayError(f"--listen {listen}: {error}") from None
        if not listen.path:
            listen_at = listen._replace(port=port.bound.getHost().port)
        else:
            listen_at = listen
        return self._told(Door(listen, listen_at.url, port))

    def _port(self, listen: Listen, settings: Settings) -> Port:
        reactor, intake = self._reactor, self._feeding(listen.signed_gauge)
        match listen.scheme:
            case "udp":
                host, port = listen.host, listen.port
                # Sockets that the reactor reads gain nothing by being several.
                listeners = settings.listeners if intake.drain else 1
                to = host, port, intake, settings.receive_buffer
                return ports.udp(reactor, *to, listeners=listeners)
            case "unixgram":
                path, mode = listen.path, listen.mode
                return ports.unixgram(reactor, path, mode, listen.uids, intake)
        streams = sum(one.is_stream for one in settings.listen)
        connections = Streams(
            intake,
            reactor,
            most=min(settings.connections, spare(streams, TCP_DOORS)),
            idle_seconds=settings.connection_idle,
            lengths=bool(listen.path),
            uids=listen.uids,
        )
        if listen.path:
            return ports.unix(reactor, listen.path, listen.mode, connections)
        return ports.tcp(reactor, listen.host, listen.port, connections)

    def _adopted(self, handed: Inherited, settings: Settings) -> Door:
        intake = self._feeding(None)
        port = ports.adopt(self._reactor, handed, intake, settings.receive_buffer)
        url = Listen("udp", handed.host, handed.port).url
        return self._told(Door(None, url, port))

    def _told(self, door: Door) -> Door:
        buffer = door.port.buffer
        if buffer is not None and buffer.granted < buffer.asked:
            self._log.warn(
                "the kernel grants {granted} bytes of receive buffer where {asked} were "
                "asked for; raise net.core.rmem_max, or datagrams are lost in bursts",
                granted=buffer.granted,
                asked=buffer.asked,
            )
        return door


def _resized(door: Door, settings: Settings) -> Door:
    lower = door.listed is not None
    return door._replace(port=door.port.resized(settings.receive_buffer, lower=lower))


def _target(wanted: Wanted, reactor: Any) -> Target:
    make = UdpTarget if wanted.scheme == "udp" else StreamTarget
    return make(str(wanted), wanted.host, wanted.port, reactor)
