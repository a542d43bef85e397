"""When periods are sealed: aligned to the wall clock, after the grace, once each."""

from twisted.internet.task import Clock

from relay.service.clockwork import Clockwork


class Wall:
    """A wall clock that follows a monotonic one, and can be stepped away from it."""

    def __init__(self, clock: Clock, start: float) -> None:
        self.clock, self.offset = clock, start

    def __call__(self) -> float:
        return self.clock.seconds() + self.offset


def make(start: float, period: int = 60) -> tuple[Clock, Wall, list[int]]:
    """A clockwork at ``start`` whose periods are named by their sealing boundary."""
    clock, sealed = Clock(), list[int]()
    wall = Wall(clock, start)
    Clockwork(
        seal=lambda before, seen: [before] if seen else [-before],
        sealed=sealed.append,
        period_seconds=period,
        clock=clock,
        wall=wall,
    ).start()
    return clock, wall, sealed


def run(clock: Clock, seconds: float, step: float = 0.25) -> None:
    """Let time pass in small steps, as a reactor does."""
    clock.pump([step] * int(seconds / step))


def test_seals_two_seconds_after_the_minute() -> None:
    """A minute stays open for late stamps until two seconds after its end."""
    clock, _, sealed = make(1_000_007.0 - 1_000_007.0 % 60 + 7)
    start = 1_000_007 // 60 * 60
    run(clock, 54.75)
    assert sealed == []
    run(clock, 0.5)
    assert sealed == [start + 60]


def test_boundaries_do_not_drift() -> None:
    """Ten minutes give ten boundaries, each a minute after the last."""
    clock, _, sealed = make(600.5)
    run(clock, 602)
    assert sealed == [660 + 60 * i for i in range(10)]


def test_minutes_that_nobody_saw_are_not_said_to_be_idle() -> None:
    """The process was stopped for 130 s: the one that was open is sealed as any other."""
    clock, _, sealed = make(600.5)
    run(clock, 20)
    clock.advance(130)
    assert sealed == [660, -720]
    run(clock, 60)
    assert sealed == [660, -720, 780]


def test_short_periods_have_the_same_grace() -> None:
    """Periods of two seconds are sealed two seconds after their end, one after another."""
    clock, _, sealed = make(600.5, period=2)
    run(clock, 7.75)
    assert sealed == [602, 604, 606]


def test_a_step_back_seals_nothing_twice() -> None:
    """After the wall clock is set back no boundary is announced again."""
    clock, wall, sealed = make(600.0)
    run(clock, 65)
    wall.offset -= 90
    run(clock, 120)
    assert sealed == [660]
    run(clock, 60)
    assert sealed == [660, 720]


def test_a_step_ahead_is_noticed_within_a_second() -> None:
    """A clock set ahead by an hour seals what was open at once."""
    clock, wall, sealed = make(610.0)
    run(clock, 5)
    wall.offset += 3600
    run(clock, 1.25)
    assert sealed == [660, -4200]


def test_stop_cancels_the_timer() -> None:
    """A stopped hand leaves nothing in the reactor."""
    clock = Clock()
    hand: Clockwork[int] = Clockwork(
        seal=lambda before, seen: [before] if seen else [-before],
        sealed=lambda _: None,
        period_seconds=60,
        clock=clock,
        wall=clock.seconds,
    )
    hand.start()
    hand.stop()
    assert clock.getDelayedCalls() == []
