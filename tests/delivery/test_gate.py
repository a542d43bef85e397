"""The gate: one state for all batches, tried by one request at a time."""

from relay.delivery.gate import Gate, State


def test_is_tried_by_one_request_at_first() -> None:
    """Nothing speaks against sending before anything was sent, and nothing for it."""
    gate = Gate()
    assert (gate.wait(0.0), gate.narrow, gate.state) == (0.0, True, State.SENDING)
    assert not gate.open(gate.leave())  # no news: it was thought to be open
    assert not gate.narrow


def test_closed_until_the_moment_told() -> None:
    """Nothing leaves before, and one request alone then."""
    gate = Gate()
    gate.close(gate.leave(), 100.0, 7.0, "T")
    assert [gate.wait(t) for t in (100.0, 106.0, 107.0)] == [7.0, 1.0, 0.0]
    assert gate.narrow
    assert (gate.state, gate.reason) == (State.WAITING, "T")


def test_an_answer_about_a_batch_opens_it() -> None:
    """After the trying request is answered all slots may be used again."""
    gate = Gate()
    gate.close(gate.leave(), 0.0, 1.0, "T")
    assert gate.open(gate.leave())
    assert (gate.narrow, gate.state, gate.reason) == (False, State.SENDING, "")
    assert gate.leave().attempts == 0


def test_failures_in_a_row_are_counted_by_round() -> None:
    """Four requests that fail together are one failed round; a fifth is the second."""
    gate = Gate()
    together = [gate.leave() for _ in range(4)]
    for ticket in together:
        gate.close(ticket, 0.0, 1.0, "T")
    assert gate.leave().attempts == 1
    gate.close(gate.leave(), 1.0, 2.0, "T")
    assert gate.leave().attempts == 2


def test_a_stale_success_does_not_open_it() -> None:
    """A request that left before the throttling does not end it."""
    gate = Gate()
    first, second = gate.leave(), gate.leave()
    gate.close(first, 0.0, 30.0, "Throttling")
    assert not gate.open(second)
    assert gate.wait(1.0) == 29.0


def test_a_stale_failure_prolongs_only() -> None:
    """The longer of two waits holds, in either order."""
    gate = Gate()
    first, second, third = gate.leave(), gate.leave(), gate.leave()
    gate.close(first, 0.0, 10.0, "T")
    gate.close(second, 0.0, 30.0, "T")
    gate.close(third, 0.0, 5.0, "T")
    assert gate.wait(0.0) == 30.0


def test_renewal_is_asked_for_once() -> None:
    """Of four requests refused together one renewal follows, by the next alone."""
    gate = Gate()
    together = [gate.leave() for _ in range(4)]
    assert not any(ticket.refreshed for ticket in together)
    assert [gate.renew(ticket) for ticket in together] == [True, False, False, False]
    assert gate.narrow
    ticket = gate.leave()
    assert (ticket.refresh, ticket.refreshed) == (True, True)
    assert not gate.leave().refresh


def test_while_held_every_probe_renews() -> None:
    """Credentials may have been mended: each probe fetches them first."""
    gate = Gate()
    gate.renew(gate.leave())
    for now in (0.0, 60.0):
        gate.close(gate.leave(), now, 60.0, "NoPermission", held=True)
        assert gate.state is State.HELD
    assert gate.leave().refresh


def test_tells_news_from_repetition() -> None:
    """Only a change of state is worth a line in the log."""
    gate = Gate()
    assert not gate.open(gate.leave())
    assert gate.close(gate.leave(), 0.0, 1.0, "T")
    assert not gate.close(gate.leave(), 1.0, 1.0, "T")
    assert gate.close(gate.leave(), 2.0, 1.0, "N", held=True)
    assert gate.open(gate.leave())
