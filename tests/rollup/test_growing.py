"""What is in C grows without keeping other threads from theirs."""

import sys
from collections.abc import Callable, Iterator
from threading import Thread
from time import sleep

import pytest

from relay.rollup._native import Roster, Table
from relay.rollup.native_slots import NATIVE_SLOTS
from relay.rollup.series import Series
from relay.statsd.sample import Kind

MANY = 200_000


@pytest.fixture
def _nobody_is_interrupted() -> Iterator[None]:
    """A thread goes on until it lets another have its turn."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(60.0)
    yield
    sys.setswitchinterval(before)


def fill_table() -> None:
    table, slot = (
        Table(MANY, 1, 1, lambda _series, _weight: None),
        NATIVE_SLOTS.counter(),
    )
    names = [b"%d" % n for n in range(MANY)]
    with table:
        for name in names:
            table.learn(name, b"c", 0, 0, 1.0, slot, slot, None)
    assert len(table) == MANY


def fill_roster() -> None:
    roster = Roster()
    every = [Series(Kind.SET, f"n{n}", (), f"n{n}", ()) for n in range(MANY)]
    for series in every:
        roster.add(series, 0)
    assert len(roster) == MANY


@pytest.mark.usefixtures("_nobody_is_interrupted")
@pytest.mark.parametrize("fill", [fill_table, fill_roster])
def test_others_have_their_turn_while_it_grows(fill: Callable[[], None]) -> None:
    """In one of some tries: a machine may be too busy to wake the other in time."""

    def turns() -> int:
        taken, is_over = [0], False

        def take() -> None:
            while not is_over:
                taken[0] += 1
                sleep(0)

        other = Thread(target=take)
        other.start()
        before = taken[0]
        fill()
        found, is_over = taken[0] - before, True
        other.join()
        return found

    assert any(turns() for _ in range(10))
