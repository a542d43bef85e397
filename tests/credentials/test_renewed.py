"""Keys that run out: when they are asked for anew, and what serves meanwhile."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.cloudmonitor.credentials import (
    Credentials,
    CredentialsUnavailable,
    Secret,
)
from relay.credentials.renewed import Renewed

HOUR = 3600.0


class Source:
    """Gives keys for ``lasting`` seconds, unless it is ``away``; notes when it was asked."""

    def __init__(self, lasting: float | None = HOUR) -> None:
        self.now, self.lasting, self.away = 1000.0, lasting, False
        self.asked: list[float] = []
        self.jitter = 0.5
        self.keys = Renewed(self.fetch, lambda: self.now, lambda: self.jitter)

    def fetch(self) -> Credentials:
        """One more pair."""
        self.asked.append(self.now)
        if self.away:
            raise CredentialsUnavailable("the source is away")
        ends = None if self.lasting is None else self.now + self.lasting
        return Credentials(f"key-{len(self.asked)}", Secret("s"), expires_at=ends)

    def at(self, now: float) -> str:
        """The key that serves then."""
        self.now = now
        return self.keys.get().key_id


def test_the_same_keys_until_shortly_before_their_end() -> None:
    """Six minutes and half of the jitter here."""
    source = Source()
    assert source.at(1000) == source.at(1000 + HOUR - 481) == "key-1"
    assert source.at(1000 + HOUR - 479) == "key-2"


@pytest.mark.bar("K10")
@given(st.floats(0, 1, exclude_max=True), st.floats(700, 100_000))
def test_never_later_than_six_minutes_before(jitter: float, lasting: float) -> None:
    """Nor earlier than ten, whatever the jitter; five are left to who asks once a minute."""
    source = Source(lasting)
    source.jitter = jitter
    source.at(0)
    assert source.at(lasting - 601) == "key-1"
    assert source.at(lasting - 360) == "key-2"


def test_old_keys_serve_while_the_source_is_away() -> None:
    """To their very end, with a warning; the source is asked every 20 s."""
    source = Source()
    source.at(1000)
    source.away = True
    for second in range(600):
        assert source.at(1000 + HOUR - 600 + second) == "key-1"
    assert source.keys.warning == "the source is away"
    assert len(source.asked) - 1 == pytest.approx(480 / 20, abs=1)
    with pytest.raises(CredentialsUnavailable, match="away"):
        source.at(1000 + HOUR)
    source.away = False
    assert source.at(1001 + HOUR).startswith("key-")
    assert source.keys.warning == ""


def test_a_source_that_never_answered_is_asked_each_time() -> None:
    """Who waits for keys is not told to wait for a schedule."""
    source = Source()
    source.away = True
    for now in (1.0, 1.1):
        with pytest.raises(CredentialsUnavailable):
            source.at(now)
    assert len(source.asked) == 2


def test_a_refusal_of_the_service_asks_anew() -> None:
    """The keys may have been revoked; if there are no others they stay."""
    source = Source()
    source.at(1000)
    source.keys.refresh()
    assert source.at(1001) == "key-2"
    source.away = True
    source.keys.refresh()
    assert source.at(1002) == "key-2"


def test_keys_without_an_end_are_asked_for_once() -> None:
    """Until the service refuses them."""
    source = Source(lasting=None)
    assert source.at(0) == source.at(1e9) == "key-1"


def test_keys_that_never_last_are_not_asked_for_without_a_pause() -> None:
    """A source whose keys have two minutes is asked every 20 s, not every request."""
    source = Source(lasting=120)
    for second in range(60):
        source.at(1000 + second)
    assert len(source.asked) == 3


def test_keys_that_came_expired_are_none() -> None:
    """A source that repeats itself, or a clock that is ahead."""
    source = Source(lasting=-1)
    with pytest.raises(CredentialsUnavailable, match="expired"):
        source.at(1000)


def test_others_do_not_wait_for_the_one_that_asks() -> None:
    """A slow source holds up one thread; the old keys serve in the others."""
    source = Source()
    source.at(1000)
    inside, go_on = threading.Event(), threading.Event()

    def slowly() -> Credentials:
        inside.set()
        assert go_on.wait(30)
        return Credentials("slow", Secret("s"), expires_at=source.now + HOUR)

    source.keys._fetch = slowly
    source.now = 1000 + HOUR - 60
    one = threading.Thread(target=source.keys.get)
    one.start()
    assert inside.wait(30)
    assert source.keys.get().key_id == "key-1"
    go_on.set()
    one.join()
    assert source.keys.get().key_id == "slow"


def test_a_source_with_a_pause_is_left_alone_for_that_long() -> None:
    """Others wait behind it in a chain; refresh asks it at once all the same."""
    source = Source()
    source.keys = Renewed(source.fetch, lambda: source.now, pause=20.0)
    source.away = True
    for now in (1.0, 1.1, 20.9, 21.1):
        with pytest.raises(CredentialsUnavailable, match="the source is away"):
            source.at(now)
    assert source.asked == [1.0, 21.1]
    source.keys.refresh()
    source.away = False
    assert source.at(21.2) == "key-3"
    assert Source().at(0.0) == "key-1"


def test_a_clock_that_is_set_back_makes_no_pause_longer() -> None:
    """A pause is measured from when it was asked, either way."""
    source = Source()
    source.keys = Renewed(source.fetch, lambda: source.now, pause=20.0)
    source.away = True
    for now in (5000.0, 10.0):
        with pytest.raises(CredentialsUnavailable):
            source.at(now)
    assert source.asked == [5000.0, 10.0]
