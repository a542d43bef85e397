"""The ledger: every closed entry is somewhere, at any moment."""

from relay.delivery.ledger import OUTCOMES, Ledger, QueueTally, word_of
from relay.delivery.outcome import Accepted, Rejected


def test_balances_through_a_batch_s_life() -> None:
    """Closed, delivered, partly delivered, parked, dropped: never one too many."""
    ledger = Ledger(QueueTally())
    ledger.closed(10, QueueTally(batches=2, entries=9), {"too_large": 1})
    assert ledger.snapshot().balances
    ledger.done(4, QueueTally(batches=1, entries=5), lost=0)
    ledger.done(2, QueueTally(batches=1, entries=3), lost=2)
    ledger.moved(QueueTally(entries=1, parked=1, dropped={"space": 1}))
    now = ledger.snapshot()
    assert now.balances
    assert (now.closed, now.acked, now.partial, now.parked, now.waiting) == (
        (10, 4, 2, 1, 1)
    )
    assert now.dropped == {"space": 1, "too_large": 1}


def test_what_waited_at_the_start_counts_as_closed() -> None:
    """A queue that survived a restart does not unbalance the books."""
    waiting = QueueTally(batches=1, entries=7)
    snapshot = Ledger(waiting).snapshot()
    assert snapshot.balances
    assert snapshot.closed == 7


def test_an_imbalance_shows() -> None:
    """An entry that is nowhere is noticed."""
    ledger = Ledger(QueueTally())
    ledger.closed(2, QueueTally(entries=1))
    assert not ledger.snapshot().balances


def test_requests_are_counted_by_word() -> None:
    """Every word is there from the start; bytes add up."""
    ledger = Ledger(QueueTally())
    assert set(ledger.snapshot().requests) == set(OUTCOMES)
    ledger.answered(Accepted(), 100)
    ledger.answered(Rejected("400"), 50)
    counts = ledger.snapshot()
    assert (counts.requests["accepted"], counts.requests["rejected"]) == (1, 1)
    assert counts.sent_bytes == 150


def test_a_snapshot_stays_as_it_was() -> None:
    """What a scrape reads does not change under it."""
    ledger = Ledger(QueueTally())
    before = ledger.snapshot()
    ledger.answered(Accepted(), 1)
    assert before.requests[word_of(Accepted())] == 0
