"""The deadline of an attempt, as an object."""

import gc
import threading
import weakref

from relay.sink.leash import Leash
from relay.sink.names import Names


def test_an_attempt_leaves_no_garbage() -> None:
    """Neither it nor its timer waits for the collector, which a relay sends around once
    in an hour: at a request a second that was 2 KB a second."""
    gc.disable()
    try:
        before = set(threading.enumerate())
        leash = Leash(3600, Names())
        with leash:
            [timer] = set(threading.enumerate()) - before
        timer.join(60)
        ended: list[weakref.ref[object]] = [weakref.ref(leash), weakref.ref(timer)]
        del leash, timer
        assert [one() for one in ended] == [None, None]
    finally:
        gc.enable()
