"""The reactor's lag: the worst lateness of a short timer, forgotten after a while."""

from twisted.internet.task import Clock

from relay.service.lag import ReactorLag


def test_a_stall_shows_as_its_length() -> None:
    """A reactor that was away for a second is a second late, less the tick."""
    clock = Clock()
    lag = ReactorLag(clock)
    lag.start()
    clock.advance(0.1)
    clock.advance(1.1)
    assert abs(lag.worst - 1.0) < 1e-9


def test_a_stall_is_forgotten() -> None:
    """What happened more than 15 s ago is no longer the worst."""
    clock = Clock()
    lag = ReactorLag(clock)
    lag.start()
    clock.advance(1.1)
    clock.pump([0.1] * 200)
    assert lag.worst < 1e-9
    lag.stop()
    assert clock.getDelayedCalls() == []
