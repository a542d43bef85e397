"""Threads for blocking work, named after what runs on them: disk, http.

Not the reactor's own pool: Twisted resolves names there, and a slow service must not stop
that. Nor another ``ThreadPool`` of Twisted's: each of its calls leaves a cycle, of 0.5 KB,
and those that wait while the heap is set aside would stay for good (heap.py). A lane knows
nothing of what runs on it.
"""

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread, get_native_id
from typing import Any, Protocol, TypeVar

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.interfaces import IReactorFromThreads, IReactorTime
from twisted.python.failure import Failure

__all__ = ["InlineLane", "Lane", "ThreadLane", "at_most"]

R = TypeVar("R")

_Call = tuple[Deferred[Any], Callable[..., Any], tuple[object, ...]]
"""Who waits for it, a function and its arguments."""


class Lane(Protocol):
    """Somewhere to run what blocks."""

    def run(self, function: Callable[..., R], /, *args: object) -> "Deferred[R]":
        """Call it there; the Deferred fires here. Results come in the order of ending."""
        ...


class InlineLane:
    """Runs at once, in the caller's thread: for tests and tools without a reactor."""

    def run(self, function: Callable[..., R], /, *args: object) -> "Deferred[R]":
        """Call it now; the Deferred has fired already."""
        return maybeDeferred(function, *args)


class ThreadLane:
    """``threads`` threads of its own. One thread keeps the order of the calls.

    ``nice`` is how much they step back behind the other threads of the process, where
    the machine has not the time for all (nice(2), on Linux a matter of each thread).
    Beyond the last place there is, they are in it.

    They are daemons: one that hangs in the resolver or on a dead disk must not keep the
    process from ending.
    """

    def __init__(
        self, name: str, threads: int, reactor: IReactorFromThreads, *, nice: int = 0
    ) -> None:
        self._reactor = reactor
        self._name = name
        self._calls: SimpleQueue[_Call | None] = SimpleQueue()
        self._threads = [
            _daemon(target=self._work, name=f"{name}-{number}", nice=nice)
            for number in range(threads)
        ]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def run(self, function: Callable[..., R], /, *args: object) -> "Deferred[R]":
        """Call it in one of the threads, or later when all are busy."""
        done: Deferred[R] = Deferred()
        self._calls.put((done, function, args))
        return done

    def stop(self) -> Deferred[None]:
        """Take no more; fires when the threads have ended what they were given.

        It may never fire: bound the wait for it.
        """
        ended: Deferred[None] = Deferred()
        for _ in self._threads:
            self._calls.put(None)  # each ends with one, whatever comes behind

        def join() -> None:
            for thread in self._threads:
                if thread.ident is not None:
                    thread.join()
            self._reactor.callFromThread(ended.callback, None)

        try:
            _daemon(target=join, name=f"{self._name}-end").start()
        except RuntimeError:  # no thread to be had, and those that run are daemons
            ended.callback(None)
        return ended

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            done, function, args = call
            try:
                result = function(*args)
            except BaseException:  # noqa: BLE001 - a lane outlives whatever it is given
                result = Failure()
            self._reactor.callFromThread(done.callback, result)
            del call, done, function, args, result  # nothing is kept until the next


def _daemon(*, target: Callable[[], object], name: str, nice: int = 0) -> Thread:
    def run() -> None:
        if nice and sys.platform == "linux":
            thread = os.PRIO_PROCESS, get_native_id()
            # From where the process is: nobody but root may go nearer to the front. A
            # system that allows neither call has a thread like the others.
            with suppress(OSError):
                os.setpriority(*thread, os.getpriority(*thread) + nice)
        target()

    return Thread(target=run, name=name, daemon=True)


def at_most(
    waited_for: "Deferred[None]", seconds: float, clock: IReactorTime
) -> "Deferred[None]":
    """Fires with ``waited_for``, or after ``seconds``, whichever is first."""
    done: Deferred[None] = Deferred()
    timer = clock.callLater(seconds, done.callback, None)

    def ended(_: object) -> None:
        if timer.active():
            timer.cancel()
            done.callback(None)

    waited_for.addBoth(ended)
    return done
