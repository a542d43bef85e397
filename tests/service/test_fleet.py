"""A hundred relays that one hand restarted, before one service: bar K8, simulated.

Couriers on one clock, each with its own dice. The same with a hundred processes is a
soak, in tests/e2e.
"""

import random
from collections.abc import Callable, Sequence

import pytest
from twisted.internet.task import Clock

from relay.delivery.batch import Batch
from relay.delivery.outcome import Accepted, Outcome
from relay.spool.memory import MemorySpool
from tests.service.courier_rig import WALL_AT_START, Rig

RELAYS, REQUESTS, SPREAD, WINDOW = 100, 4, 45.0, 10.0


def worst(times: Sequence[float], window: float = WINDOW) -> int:
    """Requests in the fullest window."""
    times = sorted(times)
    first, most = 0, 0
    for last, at in enumerate(times):
        while times[first] <= at - window:
            first += 1
        most = max(most, last - first + 1)
    return most


@pytest.mark.bar("K8")
def test_a_fleet_leaves_spread(figure: Callable[[str], None]) -> None:
    """At the restart, with what waits in each folder, and at the minutes after it: no ten
    seconds hold more than 35 % of a minute's requests."""
    clock, arrived = Clock(), list[float]()

    def answer(_: Batch) -> Outcome:
        arrived.append(clock.seconds())
        return Accepted()

    rigs = []
    for n in range(RELAYS):
        spool = MemorySpool(limit_bytes=10**6, max_age_seconds=21_600)
        left = [Batch(f"{k}", int(WALL_AT_START) - 60, ("x",)) for k in range(REQUESTS)]
        spool.append(left)
        dice = random.Random(n)  # noqa: S311 - the same fleet each time
        rig = Rig(
            clock=clock, spool=spool, rate=10.0, jitter=dice.random, spread=SPREAD
        )
        rig.sink.answer = answer
        rigs.append(rig)
    shares = []
    for minute in range(3):
        since = len(arrived)
        if minute:
            for rig in rigs:
                rig.close(*(f"{minute}/{k}" for k in range(REQUESTS)))
        for _ in range(600):
            clock.advance(0.1)
        assert len(arrived) - since == RELAYS * REQUESTS
        shares.append(worst(arrived[since:]) / (RELAYS * REQUESTS))
    assert max(shares) <= 0.35
    figure(
        f"{RELAYS} couriers on one clock, spread {SPREAD:g} s: worst 10 s hold"
        f" {', '.join(f'{share:.0%}' for share in shares)} of a minute's requests"
    )
