"""How signals end a command: which of them are one request to stop."""

import pytest
from twisted.internet.task import Clock

from relay.commands.ending import ONE_REQUEST_SECONDS, StopRequests


def heard(*after: float) -> list[str]:
    """What is called where signals come so long after each other."""
    clock, calls = Clock(), list[str]()
    requests = StopRequests(
        lambda: calls.append("first"), lambda: calls.append("again")
    )
    for seconds in after:
        clock.advance(seconds)
        requests.take(clock.seconds())
    return calls


@pytest.mark.parametrize(
    ("after", "calls"),
    [
        ((1,), ["first"]),
        ((1, 0), ["first"]),
        ((1, 0.001, 0.001), ["first"]),
        ((1, 1.5 * ONE_REQUEST_SECONDS), ["first", "again"]),
        ((1, 0.001, ONE_REQUEST_SECONDS), ["first", "again"]),
        ((1, 0.15, 0.15), ["first", "again"]),
        ((1, 5, 5), ["first", "again", "again"]),
    ],
)
def test_signals_that_come_together_are_one_request(
    after: tuple[float, ...], calls: list[str]
) -> None:
    """It is the time since the first that counts, so that a storm of them ends it."""
    assert heard(*after) == calls


def test_whether_there_was_one_is_known() -> None:
    requests = StopRequests(lambda: None, lambda: None)
    assert not requests.is_made
    requests.take(0.0)
    assert requests.is_made
