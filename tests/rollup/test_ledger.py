"""relay.rollup.ledger: counts that balance, and the latest refusals."""

from relay.rollup.ledger import KINDS, Ledger
from relay.statsd.sample import Kind, Reason, What


def test_sections_are_all_that_was_counted() -> None:
    """Samples, refused and ignored ones."""
    ledger = Ledger()
    ledger.taken[KINDS.index(Kind.SET)] += 2
    ledger.refuse(Reason.LATE, "a:1:1:1|c|T1", 3)
    ledger.ignored[What.EVENT] += 4
    tally = ledger.tally(series=7)
    assert (tally.sections, tally.series) == (9, 7)
    assert (tally.samples[Kind.SET], tally.refused[Reason.LATE]) == (2, 3)


def test_a_tally_does_not_change_afterwards() -> None:
    """It is what was counted when it was asked for."""
    ledger = Ledger()
    before = ledger.tally(series=0)
    ledger.refuse(Reason.LATE, "")
    assert before.refused[Reason.LATE] == 0


def test_one_line_may_fill_the_list_of_refusals() -> None:
    """But never more than it."""
    ledger = Ledger()
    ledger.refuse(Reason.BAD_VALUE, "first")
    ledger.refuse(Reason.LATE, "x" * 300, 10_000)
    assert {(len(r.text), r.reason) for r in ledger.latest()} == {(200, Reason.LATE)}
    assert len(ledger.latest()) == 50
