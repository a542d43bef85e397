"""From one relay to the next: what is open goes on by way of the state folder.

Ties engine and namer to the files of a checkpoint, and says what was found of the
predecessor. Without a folder there is nothing to go on from and nothing is left.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from relay.admin.status import Checkpoints, Predecessor
from relay.cloudmonitor.naming import Namer
from relay.rollup.engine import Engine
from relay.service.checkpointer import Checkpointer
from relay.service.lanes import Lane
from relay.spool.checkpoint import CARRY, OPEN, OWNERS, Checkpoint, Start
from relay.telemetry import Counts

__all__ = ["Continuity"]


class Continuity:
    """``folder`` is the state folder, which the caller has locked, or None.

    Raises ConfigError where the folder is of no use.
    """

    _log = Logger()

    def __init__(
        self,
        folder: Path | None,
        *,
        engine: Engine,
        namer: Namer,
        lane: Lane,
        clock: IReactorTime,
        wall: Callable[[], float],
        interval: float,
    ) -> None:
        self._engine, self._namer = engine, namer
        self._lane, self._wall = lane, wall
        self._predecessor: Predecessor | None = None
        self._damaged: dict[str, str] = {}
        self._checkpoint: Checkpoint | None = None
        if folder is None:
            return
        self._checkpoint = Checkpoint.open(folder)
        self._checkpointer = Checkpointer(
            subject=engine,
            owners=namer,
            folder=self._checkpoint,
            lane=lane,
            clock=clock,
            wall=wall,
            interval=interval,
        )

    # From the one before.

    def go_on(self, present: int) -> Sequence[int]:
        """Take over what the predecessor left; the starts of the periods that are open.

        ``present`` is the period of the wall clock. Where the predecessor's was further,
        because somebody set the clock back since, what it left open goes on as present.
        Before anything is fed or closed.
        """
        if self._checkpoint is None:
            return ()
        now = self._wall()
        found = self._checkpoint.load()
        unfit_owners = self._namer.restore(found.owners)
        restored = self._engine.restore(found.snapshot, found.carry)
        self._namer.settle()
        self._damaged = dict(found.damaged)
        for name, why in (
            (OPEN, restored.unfit_snapshot),
            (CARRY, restored.unfit_carry),
            (OWNERS, unfit_owners),
        ):
            if why is not None:
                self._checkpoint.reject(name, why)
                self._damaged[name] = why
        self._checkpoint.begin(now)
        self._tell(found, now)
        latest = max(restored.periods, default=present)
        if latest > present and self._engine.step(latest, present):
            return [present]
        return restored.periods

    # While it runs.

    def start(self) -> None:
        """Write down what is open from now on."""
        if self._checkpoint is not None:
            self._checkpointer.start()

    def before_closing(self) -> None:
        """A period is about to be closed: its series keep their names from now on."""
        if self._checkpoint is not None:
            self._checkpointer.save_owners()

    def commit(self) -> None:
        """A period is in the spool and is not to be reported again. In the disk lane."""
        if self._checkpoint is not None:
            self._checkpoint.commit(self._engine.carry(), self._wall())

    # To the next.

    def stop(self) -> None:
        """Write down nothing by the clock any more."""
        if self._checkpoint is not None:
            self._checkpointer.stop()

    def hand_over(self) -> "Deferred[bool]":
        """Leave it to the successor; fires with whether all of it is durable."""
        if self._checkpoint is None:
            return succeed(False)
        return self._checkpointer.save().addCallback(self._end)

    def close(self) -> None:
        """Let go of the folder. In the disk lane."""
        if self._checkpoint is not None:
            self._checkpoint.close()

    def _end(self, is_saved: bool) -> "Deferred[bool]":
        if self._checkpoint is None or not is_saved:
            return succeed(False)
        return self._lane.run(self._checkpoint.end)

    # What there is to say.

    @property
    def predecessor(self) -> Predecessor | None:
        """None where there was none."""
        return self._predecessor

    @property
    def checkpoints(self) -> Checkpoints | None:
        """How writing down goes; None where it is not done."""
        if self._checkpoint is None:
            return None
        return Checkpoints(
            at=self._checkpointer.saved_at,
            failures=self._checkpoint.failures,
            last_failure=self._checkpoint.last_failure or None,
            set_aside=self._damaged,
        )

    def counts(self) -> Counts:
        """For /metrics."""
        gap = self._predecessor["gap_seconds"] if self._predecessor else 0.0
        of = self.checkpoints
        return {
            "unclean_start_gap_seconds": {(): gap},
            "checkpoint_failures_total": {(): of["failures"] if of else 0},
            "checkpoint_timestamp_seconds": {(): (of and of["at"]) or 0.0},
            "checkpoints_damaged_total": {(): len(self._damaged)},
        }

    def _tell(self, found: Start, now: float) -> None:
        """In the log and for /status."""
        since = found.silent_since
        gap = now - since if found.is_unclean and since is not None else 0.0
        if since is not None or found.is_unclean:
            self._predecessor = Predecessor(
                clean=not found.is_unclean,
                last_checkpoint=since,
                gap_seconds=max(0.0, gap),
            )
        if found.is_unclean:
            self._log.warn(
                "the relay before this one was killed; of what arrived in the"
                " {gap:.1f} s before this start nothing is known",
                gap=max(0.0, gap),
            )
        for name, why in self._damaged.items():
            self._log.error(
                "{name} of the last checkpoint is of no use and is set aside: {why}",
                name=name,
                why=why,
            )
