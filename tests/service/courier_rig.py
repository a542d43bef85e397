"""A courier whose threads are inline, whose clock is a toy and whose sink is a script."""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from twisted.internet.defer import Deferred, fail
from twisted.internet.task import Clock

from relay.delivery.batch import Batch
from relay.delivery.ledger import Ledger
from relay.delivery.outcome import Accepted, Outcome
from relay.delivery.pace import Pace
from relay.delivery.policy import Policy
from relay.service.courier import Courier
from relay.service.ends import Sink
from relay.service.lanes import InlineLane
from relay.spool.file import FileSpool
from relay.spool.memory import MemorySpool

R = TypeVar("R")

WALL_AT_START = 1_000_000.0


class ScriptedSink:
    """Answers by a script, then with yes; records every call in one list."""

    def __init__(self, script: Iterable[Outcome | Exception] = ()) -> None:
        self.script = list(script)
        self.calls: list[str] = []
        self.taken: list[str] = []
        self.answer: Callable[[Batch], Outcome | Exception] = lambda _: Accepted()

    def deliver(self, batch: Batch) -> Outcome:
        """The next outcome of the script."""
        self.calls.append(batch.id)
        outcome = self.script.pop(0) if self.script else self.answer(batch)
        if isinstance(outcome, Exception):
            raise outcome
        if isinstance(outcome, Accepted):
            self.taken += batch.items
        return outcome

    def refresh(self) -> None:
        """Recorded in its place among the attempts."""
        self.calls.append("refresh")


class HeldLane:
    """Keeps each call until it is let go, as slow threads would."""

    def __init__(self) -> None:
        self.held: list[Callable[[], object]] = []

    def run(self, function: Callable[..., R], /, *args: object) -> "Deferred[R]":
        """Later."""
        result: Deferred[R] = Deferred()

        def go() -> None:
            InlineLane().run(function, *args).addBoth(result.callback)

        self.held.append(go)
        return result

    def release(self, count: int | None = None) -> None:
        """End the oldest ``count`` calls, or all."""
        now, self.held = self.held[:count], self.held[len(self.held[:count]) :]
        for go in now:
            go()


class CountingLane(InlineLane):
    """Runs calls at once, and counts them."""

    calls = 0

    def run(self, function: Callable[..., R], /, *args: object) -> "Deferred[R]":
        """One more."""
        self.calls += 1
        return super().run(function, *args)


class FailingLane(InlineLane):
    """Has no thread for any call; to be asked over and over ends the test."""

    calls = 0

    def run(self, function: Callable[..., R], /, *args: object) -> "Deferred[R]":
        """Never."""
        self.calls += 1
        assert self.calls < 100
        return fail(RuntimeError("can't start new thread"))


class SlowLane:
    """Runs calls at once, and lets their results come ``seconds()`` later."""

    def __init__(self, clock: Clock, seconds: Callable[[], float]) -> None:
        self._clock, self._seconds = clock, seconds

    def run(self, function: Callable[..., R], /, *args: object) -> "Deferred[R]":
        """As a request that takes its time."""
        result: Deferred[R] = Deferred()
        ran = InlineLane().run(function, *args)
        self._clock.callLater(self._seconds(), ran.addBoth, result.callback)
        return result


class Rig:
    """Everything a courier needs, and what it did."""

    def __init__(
        self,
        script: Iterable[Outcome | Exception] = (),
        *,
        http: HeldLane | SlowLane | None = None,
        disk: HeldLane | CountingLane | FailingLane | None = None,
        rate: float = 1000.0,
        jitter: float | Callable[[], float] = 0.5,
        spread: float = 0.0,
        slots: int = 4,
        limit_bytes: int = 1_000_000,
        spool: FileSpool | MemorySpool | None = None,
        sink: Sink | None = None,
        clock: Clock | None = None,
        proven: bool = True,
    ) -> None:
        """``proven``: a request was taken before, so the road is known to be open."""
        self.clock = clock or Clock()
        self.wall_is_ahead = 0.0
        self.sink = ScriptedSink(script)
        self.spool = spool or MemorySpool(
            limit_bytes=limit_bytes, max_age_seconds=21_600
        )
        self.ledger = Ledger(self.spool.tally())
        self.took: list[float] = []
        self.stopped: list[float] = []
        self.courier = Courier(
            spool=self.spool,
            sink=sink or self.sink,
            ledger=self.ledger,
            policy=Policy(),
            pace=Pace(rate),
            disk=disk or InlineLane(),
            http=http or InlineLane(),
            clock=self.clock,
            wall=self.wall,
            jitter=jitter if callable(jitter) else lambda: jitter,
            slots=slots,
            spread=spread,
            took=self.took.append,
        )
        if proven:
            self.courier._gate.open(self.courier._gate.leave())
        self.courier.start()
        self.run(0.0)

    def wall(self) -> float:
        """Unix seconds."""
        return WALL_AT_START + self.wall_is_ahead + self.clock.seconds()

    def close(self, *names: str, items: int = 1) -> None:
        """A period ended: one batch of ``items`` entries for each name."""
        batches: Sequence[Batch] = [
            Batch(name, int(self.wall()), tuple(f"{name}{n}" for n in range(items)))
            for name in names
        ]
        self.ledger.closed(items * len(names), self.spool.append(batches))
        self.courier.wake()

    def run(self, seconds: float, step: float = 0.05) -> None:
        """Let time pass in small steps, as a reactor does."""
        for _ in range(max(1, round(seconds / step))):
            self.clock.advance(step if seconds else 0)
            while any(
                call.getTime() <= self.clock.seconds()
                for call in self.clock.getDelayedCalls()
            ):
                self.clock.advance(0)

    def stop(self, after: float) -> None:
        """Ask for a stop; notes when it is done."""
        done = self.courier.stop(self.clock.seconds() + after)
        done.addCallback(lambda _: self.stopped.append(self.clock.seconds()))
        self.run(0.0)
