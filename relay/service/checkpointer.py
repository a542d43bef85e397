"""Has what is open written down every few seconds, and at a stop.

A snapshot is taken on the reactor, where samples come in; its parts are made and written
in the disk lane, behind the closing of whatever was sealed before it was taken. What the
parts hold, and what becomes of a file, is other rooms' business.
"""

from collections.abc import Callable, Iterable
from typing import Protocol

from twisted.internet.defer import Deferred, DeferredLock
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from relay.service.lanes import Lane

__all__ = ["Checkpointer", "Folder", "Owners", "Subject"]

Parts = Iterable[bytes]


class Subject(Protocol):
    """What has something open; of the reactor's thread."""

    def snapshot(self) -> Parts:
        """All of it as it is now; the parts may be made in the disk lane."""
        ...


class Owners(Protocol):
    """Who came first to a name; of the reactor's thread."""

    @property
    def claims(self) -> int:
        """Grows with everybody who did."""
        ...

    def save(self) -> Parts:
        """All of them as they are now, likewise."""
        ...


class Folder(Protocol):
    """Where it is written; of the disk lane. Each says whether it is durable now."""

    last_failure: str

    def save_open(self, parts: Parts, now: float) -> bool:
        """What is open as of ``now``, Unix seconds."""
        ...

    def save_owners(self, parts: Parts, now: float) -> bool:
        """Who came first."""
        ...


class Checkpointer:
    """``interval`` is in seconds on ``clock``; ``wall`` gives Unix seconds.

    ``saved_at`` is of the last checkpoint that is durable, None before the first.
    """

    _log = Logger()

    def __init__(
        self,
        *,
        subject: Subject,
        owners: Owners,
        folder: Folder,
        lane: Lane,
        clock: IReactorTime,
        wall: Callable[[], float],
        interval: float,
    ) -> None:
        self._subject, self._owners = subject, owners
        self._folder, self._lane, self._wall = folder, lane, wall
        self._interval = interval
        self._one_at_a_time = DeferredLock()
        self._saved_claims = -1
        self._is_failing = False
        self.saved_at: float | None = None
        self._loop = LoopingCall(self.save)
        self._loop.clock = clock

    def start(self) -> None:
        """Save every ``interval`` seconds, or as often as the disk manages."""
        self._loop.start(self._interval, now=False)

    def stop(self) -> None:
        """Save no more unless told to."""
        if self._loop.running:
            self._loop.stop()

    def save_owners(self) -> None:
        """Before a period is closed whose series were named since the last time."""
        self._lane.run(self._write_owners, *self._new_owners()).addErrback(self._defect)

    def save(self) -> "Deferred[bool]":
        """Fires when it is written, with whether it is durable."""
        return self._one_at_a_time.run(self._save).addErrback(self._defect)

    def _save(self) -> "Deferred[bool]":
        now, owners = self._wall(), self._new_owners()
        snapshot = self._subject.snapshot()
        saved = self._lane.run(self._write, owners, snapshot, now)
        return saved.addCallback(self._tell, now)

    def _new_owners(self) -> tuple[int, Parts | None]:
        """How many claims there are, and the owners unless these are saved."""
        claims = self._owners.claims
        return claims, None if claims == self._saved_claims else self._owners.save()

    def _write(
        self, owners: tuple[int, Parts | None], snapshot: Parts, now: float
    ) -> bool:
        """In the disk lane. Without its owners a series might get another's name."""
        return self._write_owners(*owners) and self._folder.save_open(snapshot, now)

    def _write_owners(self, claims: int, parts: Parts | None) -> bool:
        if parts is None or self._folder.save_owners(parts, self._wall()):
            self._saved_claims = max(claims, self._saved_claims)
            return True
        return False

    def _tell(self, is_durable: bool, now: float) -> bool:
        if is_durable:
            self.saved_at = now
        if self._is_failing is is_durable:
            self._is_failing = not is_durable
            if is_durable:
                self._log.info("what is open can be written down again")
            else:
                self._log.error(
                    "what is open cannot be written down: {reason}; a kill would lose it",
                    reason=self._folder.last_failure,
                )
        return is_durable

    def _defect(self, failure: Failure) -> bool:
        self._log.failure("a defect: what is open was not written down", failure)
        return False
