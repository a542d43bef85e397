"""The deadline of an attempt, as an object."""

import gc
import threading
import weakref

import requests

from relay.sink.leash import Leash, LeashedAdapter
from relay.sink.names import Names


def test_an_attempt_leaves_no_garbage() -> None:
    """Neither it nor its timer waits for the collector, which a relay sends around
    seldom: at a request a second that was 2 KB a second."""
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


def test_a_session_that_is_gone_leaves_nothing_to_be_collected() -> None:
    """One is made anew after each failure; what refers to itself would gather."""

    def used() -> None:
        adapter = LeashedAdapter()
        session = requests.Session()
        session.mount("http://", adapter)
        adapter.get_connection_with_tls_context(
            requests.Request("GET", "http://127.0.0.1:9/").prepare(), verify=True
        )
        session.close()

    used()  # what is imported at its first use is there now
    gc.collect()
    gc.disable()
    try:
        used()
        assert gc.collect() == 0
    finally:
        gc.enable()
