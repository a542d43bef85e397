"""An entrance with few places: who waits outside, for how long, and who is refused."""

from collections.abc import Callable

import pytest
from twisted.internet.task import Clock

from relay.service.entrance import LEAVE_AT_LEAST, PATIENCE_SECONDS, Entrance


class House:
    """Has places; counts who came in and who was turned away."""

    def __init__(self, places: int) -> None:
        self.places, self.inside, self.refused = places, 0, 0
        self.on_leave: Callable[[], None] = lambda: None

    def free(self) -> int:
        return self.places - self.inside

    def come(self) -> None:
        if self.free() <= 0:
            self.refused += 1
        else:
            self.inside += 1

    def leave(self) -> None:
        self.inside -= 1
        self.on_leave()


class Port:
    """A port of Twisted's with a queue of those who have connected."""

    numberAccepts = 100  # noqa: N815 - named by Twisted

    def __init__(self, house: House, clock: Clock) -> None:
        self.factory, self.reactor = house, clock
        self.queue, self.reads, self.disconnecting = 0, False, False

    def startListening(self) -> None:  # noqa: N802 - likewise
        self.reads = True

    def startReading(self) -> None:  # noqa: N802 - likewise
        self.reads = True

    def stopReading(self) -> None:  # noqa: N802 - likewise
        self.reads = False

    def doRead(self) -> None:  # noqa: N802 - likewise
        for _ in range(min(self.numberAccepts, self.queue)):
            self.queue -= 1
            self.factory.come()

    def connectionLost(self, _reason: object) -> None:  # noqa: N802 - likewise
        self.disconnecting = True


class Door(Entrance, Port):
    """The two together."""

    def turn(self) -> None:
        """One of the reactor's."""
        if self.reads and self.queue:
            self.doRead()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def house() -> House:
    return House(3)


@pytest.fixture
def door(house: House, clock: Clock) -> Door:
    made = Door(house, clock)
    made.startListening()
    return made


def test_nobody_is_refused_while_others_leave(
    house: House, door: Door, clock: Clock
) -> None:
    """However many come at once, and however long the last of them stands outside."""
    door.queue = 100
    door.turn()
    assert house.inside == 3
    for _ in range(97):
        door.turn()
        clock.advance(PATIENCE_SECONDS / LEAVE_AT_LEAST / 2)
        house.leave()
        door.turn()
    assert (door.queue, house.inside, house.refused) == (0, 3, 0)


def test_nobody_stands_outside_for_long(house: House, door: Door, clock: Clock) -> None:
    """Where one leaves now and then the others are refused, and so counted."""
    door.queue = 100
    for _ in range(8):
        door.turn()
        clock.advance(PATIENCE_SECONDS / 4)
        door.turn()
        if house.inside:
            house.leave()
        door.turn()
    assert door.queue == 0
    assert house.refused > 80


def test_who_has_waited_is_refused(house: House, door: Door, clock: Clock) -> None:
    """All of them, and who comes then is not kept waiting, until somebody leaves."""
    door.queue = 5
    door.turn()
    door.turn()
    clock.advance(PATIENCE_SECONDS / 2)
    door.turn()
    assert (door.queue, house.refused) == (2, 0)
    clock.advance(PATIENCE_SECONDS / 2)
    door.turn()
    assert (door.queue, house.refused) == (0, 2)
    door.queue = 1
    door.turn()
    assert (door.queue, house.refused) == (0, 3)
    house.leave()
    door.queue = 2
    door.turn()
    door.turn()
    assert (door.queue, house.inside, house.refused) == (1, 3, 3)


def test_an_entrance_that_was_closed_is_not_opened_again(
    house: House, door: Door, clock: Clock
) -> None:
    """Neither by time nor by those who leave."""
    door.queue = 4
    door.turn()
    door.turn()
    door.disconnecting = True
    house.leave()
    assert not door.reads
    door.connectionLost(None)
    assert clock.getDelayedCalls() == []
    house.leave()
    assert not door.reads
