"""Counts references around all that the native module can be asked to do.

``python -m tests.e2e.references`` does each thing many times and prints a line for what
has more or fewer references than before, or for memory that did not come back.
"""

import gc
import os
import socket
import tracemalloc
from collections.abc import Iterator

from relay.rollup.native import NativeEngine
from relay.statsd.sample import Kind
from tests.e2e.asked import Asked, Things
from tests.e2e.asked_all import calls
from tests.rollup.rig import Rig

ROUNDS, LIVES, TIMES = 200, 30, 3
ALLOWED = 0.2
"""References a round: caches may keep a few, one in each is a defect."""
ALLOWED_BYTES = 8


def life() -> None:
    """A day of an engine: all that can be sent, looked at, saved, closed, gone on with."""
    rig = Rig("native", exact_samples=4, exact_members=4, series_limit=30)
    for now in range(0, 480, 60):
        for n in range(12):
            rig.feed(*[f"c{each}:1|c" for each in range(12)], at=now)
            rig.feed(f"t:{n}|ms", f"t:{n}|ms|@0.5", f"s:{n}|s", f"g:+{n}|g", at=now)
            rig.feed(f"old{now}:1|c", "bad", "telemetry:1|c", "a:1|c|T9", at=now)
        list(rig.engine.peek(Kind.TIMER, now))
        rig.engine.forget(Kind.COUNTER, "c1", now)
        rig.engine.feed_as("value")(b"g:-1|g\nnew:1|c", now)
        list(rig.engine.snapshot())
        rig.rollups(now)
        rig.engine.tally()
    saved = list(rig.engine.snapshot()), list(rig.engine.carry())
    other = Rig("native", exact_samples=4, exact_members=4)
    other.engine.restore(*saved)
    other.feed("t:1|ms", "s:1|s", at=480)
    other.rollups(720)
    assert isinstance(rig.engine, NativeEngine)
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with near, far:
        drain = rig.engine.drain(near.fileno(), "delta")
        drain.stop()
        drain.run()


def watched(asked: Asked, things: Things, rounds: int) -> list[str]:
    """Complaints that come up each time: caches fill once, a defect repeats itself."""
    for _ in range(TIMES):
        complaints = list(_watched(asked, things, rounds))
        if not complaints:
            break
    return complaints


def _watched(asked: Asked, things: Things, rounds: int) -> Iterator[str]:
    for _ in range(rounds // 5):
        _do(asked)
    gc.collect()
    before, size, files = things.counted(), _traced_bytes(), _open_files()
    for _ in range(rounds):
        _do(asked)
    gc.collect()
    more = _traced_bytes() - size
    for what, count in things.counted().items():
        if abs(count - before[what]) > ALLOWED * rounds:
            yield f"{asked.name}: {count - before[what]:+} references to {what}"
    if more > ALLOWED_BYTES * rounds:
        yield f"{asked.name}: {more:+} bytes of memory"
    if _open_files() != files:
        yield f"{asked.name}: {_open_files() - files:+} open files"


def _do(asked: Asked) -> None:
    if asked.raises is None:
        asked.call()
        return
    try:
        asked.call()
    except asked.raises:
        return
    raise AssertionError(f"{asked.name} goes well")


def _traced_bytes() -> int:
    """With what C has of the allocator's raw domain."""
    return tracemalloc.get_traced_memory()[0]


def _open_files() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - names are not looked at


def main() -> None:
    things = Things()
    tracemalloc.start()
    for asked in calls(things):
        for complaint in watched(asked, things, ROUNDS):
            print(complaint)
    for complaint in watched(Asked("a life", life), things, LIVES):
        print(complaint)


if __name__ == "__main__":
    main()
