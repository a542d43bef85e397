"""Sockets handed over: what the variables say."""

import socket

import pytest

from relay.errors import ConfigError
from relay.service.inherit import Handed, Inherited, handed_over

PID = 4711


def variables(**changed: str) -> dict[str, str]:
    return {"LISTEN_PID": str(PID), "LISTEN_FDS": "2", **changed}


def test_descriptors_count_from_three() -> None:
    """Whatever they are called."""
    assert handed_over(variables(), PID) == [
        Handed(3, "unknown"),
        Handed(4, "unknown"),
    ]
    named = variables(LISTEN_FDNAMES="statsd:statsd6")
    assert handed_over(named, PID) == [Handed(3, "statsd"), Handed(4, "statsd6")]


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"LISTEN_FDS": "1"},
        {"LISTEN_PID": str(PID)},
        variables(LISTEN_FDS="0"),
        variables(LISTEN_PID="4712"),
        variables(LISTEN_FDS="", LISTEN_PID=""),
    ],
)
def test_what_is_not_for_us_is_left_alone(environment: dict[str, str]) -> None:
    """A child inherits its parent's variables; the number tells whose they are."""
    assert list(handed_over(environment, PID)) == []


@pytest.mark.parametrize(
    ("changed", "variable"),
    [
        ({"LISTEN_FDS": "two"}, "LISTEN_FDS"),
        ({"LISTEN_FDS": "-1"}, "LISTEN_FDS"),
        ({"LISTEN_FDS": "1025"}, "LISTEN_FDS"),
        ({"LISTEN_FDS": "9" * 5000}, "LISTEN_FDS"),
        ({"LISTEN_PID": "me"}, "LISTEN_PID"),
        ({"LISTEN_FDNAMES": "one"}, "LISTEN_FDNAMES"),
        ({"LISTEN_FDNAMES": "a:b:c"}, "LISTEN_FDNAMES"),
    ],
)
def test_a_complaint_names_the_variable(changed: dict[str, str], variable: str) -> None:
    """And is the operator's to mend."""
    with pytest.raises(ConfigError, match=variable):
        handed_over(variables(**changed), PID)


def test_addresses_are_compared_and_not_their_spellings() -> None:
    """Of one IPv6 address there are many."""
    found = Inherited(3, socket.AF_INET6, "::1", 8125)
    assert found.is_at("0:0:0:0:0:0:0:1", 8125)
    assert not found.is_at("::1", 8126)
    assert not found.is_at("127.0.0.1", 8125)
