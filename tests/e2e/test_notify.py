"""What the service manager is told, over a socket of its own in a folder of the test."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from twisted.internet.task import Clock

from relay.service.notify import Notifier

pytestmark = pytest.mark.e2e

PID = 4711


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    """The manager's end."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        end.bind(str(tmp_path / "notify"))
        end.setblocking(False)
        yield end


def heard(manager: socket.socket) -> list[str]:
    """Every message that is there."""
    messages = []
    try:
        while True:
            messages.append(manager.recv(4096).decode())
    except BlockingIOError:
        return messages


Make = Callable[..., tuple[Notifier, Clock]]


@pytest.fixture
def notifier(manager: socket.socket) -> Iterator[Make]:
    """Makes notifiers with a clock each, and closes them."""
    made: list[Notifier] = []

    def make(**more: str) -> tuple[Notifier, Clock]:
        clock = Clock()
        variables = {"NOTIFY_SOCKET": manager.getsockname(), **more}
        made.append(Notifier(variables, PID, clock))
        return made[-1], clock

    yield make
    for one in made:
        one.close()


def test_ready_and_a_status_of_one_line(manager: socket.socket, notifier: Make) -> None:
    """A line break in the status would be another assignment."""
    subject, _ = notifier()
    subject.ready("listening\nSTOPPING=1")
    assert heard(manager) == ["READY=1\nSTATUS=listening STOPPING=1"]


def test_a_reload_says_when_it_began(manager: socket.socket, notifier: Make) -> None:
    """In microseconds of the monotonic clock."""
    subject, clock = notifier()
    clock.advance(12.5)
    subject.reloading()
    subject.ready("")
    assert heard(manager) == [
        "RELOADING=1\nMONOTONIC_USEC=12500000",
        "READY=1\nSTATUS=",
    ]


def test_stopping_is_said(manager: socket.socket, notifier: Make) -> None:
    """So that the manager waits for the end."""
    subject, _ = notifier()
    subject.stopping()
    assert heard(manager) == ["STOPPING=1\nSTATUS=stopping"]


@pytest.mark.parametrize("whom", [{}, {"WATCHDOG_PID": str(PID)}])
def test_the_watchdog_is_fed_twice_in_its_time(
    manager: socket.socket, notifier: Make, whom: dict[str, str]
) -> None:
    """From ready on, by the reactor's own timer."""
    subject, clock = notifier(WATCHDOG_USEC="3000000", **whom)
    clock.advance(10)
    assert heard(manager) == []
    subject.ready("")
    clock.pump([1.5, 1.5])
    assert heard(manager)[1:] == ["WATCHDOG=1"] * 3
    subject.close()
    assert clock.getDelayedCalls() == []


@pytest.mark.parametrize(
    "variables",
    [
        {"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "1"},
        {"WATCHDOG_USEC": "0"},
        {"WATCHDOG_USEC": "-5"},
        {"WATCHDOG_USEC": "x"},
        {"WATCHDOG_USEC": "9" * 5000},
        {},
    ],
)
def test_no_watchdog_where_none_is_meant(
    manager: socket.socket, notifier: Make, variables: dict[str, str]
) -> None:
    """Another process's, a wrong figure, or none at all."""
    subject, clock = notifier(**variables)
    subject.ready("")
    assert clock.getDelayedCalls() == []
    assert len(heard(manager)) == 1


@pytest.mark.parametrize("where", ["", "@", "relative", "vsock:2:9", "/no/such/socket"])
def test_a_manager_that_is_not_there_is_no_matter(where: str) -> None:
    """Nothing raises."""
    subject = Notifier({"NOTIFY_SOCKET": where}, PID, Clock())
    subject.ready("")
    subject.stopping()
    subject.close()


def test_a_manager_that_does_not_read_keeps_nobody_waiting(
    manager: socket.socket,
    notifier: Make,
) -> None:
    """Its queue full, messages are lost and the relay goes on."""
    subject, _ = notifier()
    for _ in range(100_000):
        subject.stopping()
    assert 0 < len(heard(manager)) < 100_000


def test_a_name_in_the_abstract_space_is_one() -> None:
    """``@`` stands for the NUL that it begins with."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        end.bind("")  # the kernel chooses an abstract name, unix(7)
        name = end.getsockname()
        end.setblocking(False)
        address = "@" + name[1:].decode()
        subject = Notifier({"NOTIFY_SOCKET": address}, PID, Clock())
        subject.stopping()
        subject.close()
        assert len(heard(end)) == 1
