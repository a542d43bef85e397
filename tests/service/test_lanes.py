"""Lanes: work goes to threads of their own and its result comes back to the reactor."""

import gc
import os
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable
from queue import Queue

import pytest
from twisted.internet.defer import Deferred

from relay.service.lanes import InlineLane, ThreadLane


class Reactor:
    """As much of a reactor as a lane needs: calls from threads wait until ``turn``."""

    def __init__(self) -> None:
        self.calls: Queue[Callable[[], object]] = Queue()

    def callFromThread(  # noqa: N802 - Twisted's name
        self, function: Callable[..., object], *args: object
    ) -> None:
        self.calls.put(lambda: function(*args))

    def turn(self) -> None:
        """Make the next call; waits for it."""
        self.calls.get(timeout=10)()


class Kept:
    """Something that can be asked for whether it is still there."""


def lane(reactor: Reactor, threads: int = 1) -> ThreadLane:
    """A started one."""
    one = ThreadLane("test", threads, reactor)  # type: ignore[arg-type]  # a part of it
    one.start()
    return one


def ends(reactor: Reactor, stopped: "Deferred[None]") -> bool:
    """Whether the lane has ended."""
    reactor.turn()
    return bool(stopped.called)


def test_runs_in_a_thread_of_its_own() -> None:
    """The function elsewhere, its result here."""
    reactor, results = Reactor(), list[tuple[threading.Thread, int]]()
    one = lane(reactor)
    done = one.run(lambda n: (threading.current_thread(), n), 7)
    done.addCallback(results.append)
    reactor.turn()
    ((thread, number),) = results
    assert thread is not threading.current_thread()
    assert (number, thread.daemon) == (7, True)
    assert ends(reactor, one.stop())


def test_failures_come_back() -> None:
    """As a Failure, to whoever asked; the thread goes on."""
    reactor, kinds = Reactor(), list[object]()
    one = lane(reactor)
    for function, argument in ((int, "x"), (sys.exit, 1), (int, "y")):
        asked: Deferred[object] = one.run(function, argument)
        asked.addErrback(lambda failure: kinds.append(failure.type))
        reactor.turn()
    assert kinds == [ValueError, SystemExit, ValueError]
    assert ends(reactor, one.stop())


def test_a_call_leaves_nothing_behind() -> None:
    """Neither its result until the next one comes, nor a cycle that has to be found."""
    reactor = Reactor()
    one = lane(reactor)
    gc.collect()
    gc.disable()
    try:
        for _ in range(50):
            one.run(bytearray, 10)
            reactor.turn()
        found = gc.collect()
    finally:
        gc.enable()
    gone = threading.Event()
    one.run(Kept).addCallback(lambda kept: bool(weakref.finalize(kept, gone.set)))
    reactor.turn()
    assert gone.wait(10)
    assert ends(reactor, one.stop())
    assert found == 0


def test_a_stopped_lane_takes_no_more() -> None:
    """What it was given before that is done."""
    reactor, done = Reactor(), list[str]()
    one = lane(reactor)
    one.run(done.append, "before")
    stopped = one.stop()
    one.run(done.append, "after")
    reactor.turn()
    assert ends(reactor, stopped)
    assert done == ["before"]


def test_one_thread_keeps_the_order() -> None:
    """That is what makes the spool single-writer for free."""
    reactor, order = Reactor(), list[int]()
    one = lane(reactor)
    for n in range(50):
        one.run(order.append, n)
    for _ in range(50):
        reactor.turn()
    assert order == list(range(50))
    assert ends(reactor, one.stop())


def test_stop_does_not_block_on_what_hangs() -> None:
    """It returns at once, and fires when the thread is free."""
    reactor, gate = Reactor(), threading.Event()
    one = lane(reactor)
    one.run(gate.wait)
    stopped = one.stop()
    assert not stopped.called
    gate.set()
    reactor.turn()
    assert ends(reactor, stopped)


def test_inline_runs_at_once() -> None:
    """In the caller's thread; exceptions become failures all the same."""
    results: list[object] = []
    InlineLane().run(threading.current_thread).addCallback(results.append)
    InlineLane().run(int, "x").addErrback(lambda failure: results.append(failure.type))
    assert results == [threading.current_thread(), ValueError]


@pytest.mark.skipif(
    sys.platform != "linux", reason="threads are nice by themselves on Linux only"
)
def test_a_lane_may_step_back_behind_other_threads() -> None:
    """Its own threads do, the process does not."""
    reactor = Reactor()
    one = ThreadLane("test", 1, reactor, nice=3)  # type: ignore[arg-type]  # a part of it
    one.start()
    before = os.getpriority(os.PRIO_PROCESS, 0)
    found = one.run(lambda: os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
    reactor.turn()
    assert found.result == before + 3
    assert os.getpriority(os.PRIO_PROCESS, 0) == before
    assert ends(reactor, one.stop())


def test_a_lane_that_may_not_step_back_works(monkeypatch: pytest.MonkeyPatch) -> None:
    """A filter of system calls may have it that way."""

    def refused(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "setpriority", refused, raising=False)
    reactor = Reactor()
    one = ThreadLane("test", 1, reactor, nice=3)  # type: ignore[arg-type]  # a part of it
    one.start()
    done = one.run(int, "7")
    reactor.turn()
    assert done.result == 7
    assert ends(reactor, one.stop())


ALREADY_NICE = """
import os, threading
from tests.service.test_lanes import Reactor
from relay.service.lanes import ThreadLane
if os.getuid() == 0:
    os.setuid(65534)
os.nice(15)
reactor = Reactor()
one = ThreadLane("test", 1, reactor, nice=10)
one.start()
one.run(lambda: os.getpriority(os.PRIO_PROCESS, threading.get_native_id())).addBoth(print)
reactor.turn()
"""


@pytest.mark.skipif(
    sys.platform != "linux", reason="threads are nice by themselves on Linux only"
)
def test_a_process_that_is_nice_already_has_lanes_all_the_same() -> None:
    """Without the right to step forward, as under ``Nice=15`` of systemd."""
    done = subprocess.run(
        [sys.executable, "-c", ALREADY_NICE],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.stdout, done.stderr) == ("19\n", "")
