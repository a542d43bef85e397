"""Doors that a change of the configuration closes are ours until they are closed."""

from types import SimpleNamespace
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import Logger, LogPublisher

from relay.doors import Door, Doors

IGNORED = LogPublisher()


class Port:
    """Is closed when it is told so; notes when it is caught up."""

    path = ""

    def __init__(self) -> None:
        self.ended: Deferred[None] = Deferred()
        self.caught_up = 0
        self.intake = SimpleNamespace(defects=3, catch_up=self._catch_up)

    def _catch_up(self) -> None:
        self.caught_up += 1

    def close(self, _: object) -> "Deferred[None]":
        return self.ended


def closed_by_a_change() -> tuple[Doors, Port]:
    """Doors of which the only one is listed no longer, and its port."""
    nothing: Any = SimpleNamespace(path="")
    port: Any = Port()
    doors = Doors(None, nothing, ())
    doors.doors = [Door(nothing, "udp://nowhere", port)]
    doors.change([], nothing)
    return doors, port


def test_a_seal_takes_what_a_closing_door_has_read() -> None:
    """Else it would be in the period after its own."""
    doors, port = closed_by_a_change()
    doors.catch_up()
    port.ended.callback(None)
    doors.catch_up()
    assert (list(doors.doors), port.caught_up) == ([], 1)


def test_a_stop_waits_for_a_closing_door() -> None:
    """What it feeds behind the last seal would be reported by nobody."""
    doors, port = closed_by_a_change()
    ended = doors.close()
    assert not ended.called
    port.ended.callback(None)
    assert ended.called


def test_a_door_that_cannot_be_closed_holds_up_nothing() -> None:
    doors, port = closed_by_a_change()
    doors._log = Logger(observer=IGNORED)
    ended = doors.close()
    port.ended.errback(ValueError("a defect"))
    assert ended.called


def test_defects_of_a_door_that_is_gone_stay_counted() -> None:
    doors, port = closed_by_a_change()
    assert doors.defects == 3
    port.ended.callback(None)
    assert doors.defects == 3
