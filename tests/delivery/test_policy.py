"""The policy: its table row by row, its waits by law, its halving by counting."""

from collections.abc import Iterator
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.delivery.batch import Batch, halve
from relay.delivery.outcome import (
    Accepted,
    AcceptedWithLoss,
    Outcome,
    Rejected,
    Throttled,
    Unauthorised,
    Unavailable,
    Uncertain,
)
from relay.delivery.policy import (
    Ack,
    Halve,
    History,
    Hold,
    Park,
    Policy,
    Refresh,
    Retry,
    Verdict,
)

JITTERS = st.floats(0, 1, exclude_max=True)

TABLE: list[tuple[Outcome, History, Verdict]] = [
    (Accepted("r"), History(), Ack()),
    (AcceptedWithLoss("206", "quota"), History(items=20), Ack(partial=True)),
    (AcceptedWithLoss("206", "type is invalid"), History(), Ack(partial=True)),
    (Throttled("Throttling.User"), History(), Retry(0.5, "Throttling.User")),
    (Throttled("Throttling", 7.0), History(), Retry(7.0, "Throttling")),
    (Throttled("Throttling", 7.0), History(attempts=5), Retry(17.0, "Throttling")),
    (Throttled("Throttling", 3600.0), History(), Retry(60.0, "Throttling")),
    (Unavailable("refused"), History(), Retry(0.5, "refused")),
    (Unavailable("refused"), History(attempts=3), Retry(4.0, "refused")),
    (Unavailable("no trust", lasting=True), History(), Hold(60.0, "no trust")),
    (Uncertain("timeout"), History(uncertain=1), Retry(0.5, "timeout", behind=True)),
    (Uncertain("timeout"), History(uncertain=5), Retry(8.0, "timeout", behind=True)),
    (Uncertain("timeout"), History(uncertain=6), Park("timeout")),
    (Unauthorised("NoPermission", "m"), History(), Refresh("NoPermission: m")),
    (
        Unauthorised("NoPermission", "m"),
        History(refreshed=True),
        Hold(60.0, "NoPermission: m"),
    ),
    (Rejected("400", "syntax"), History(items=2), Halve()),
    (Rejected("400", "syntax"), History(items=1), Park("400: syntax")),
    (Rejected("Odd.Code"), History(items=1), Park("Odd.Code")),
]


@pytest.mark.parametrize(("outcome", "history", "verdict"), TABLE)
def test_table(outcome: Outcome, history: History, verdict: Verdict) -> None:
    """Each outcome, with what led to it, has its one verdict (jitter one half)."""
    assert Policy().decide(outcome, history, 0.5) == verdict


def test_no_retries_of_the_uncertain() -> None:
    """With a limit of 0 an uncertain batch is never sent twice."""
    policy = Policy(uncertain_limit=0)
    assert policy.decide(Uncertain("x"), History(uncertain=1), 0.5) == Park("x")


@given(st.integers(0, 10_000), JITTERS)
def test_waits_stay_under_the_cap(attempts: int, jitter: float) -> None:
    """However long an outage lasts, a wait is between nothing and a minute."""
    assert 0 <= Policy().backoff(attempts, jitter) <= 60


@given(st.integers(6, 10_000), JITTERS)
def test_waits_grow_to_half_a_minute(attempts: int, jitter: float) -> None:
    """From the seventh attempt on a wait is 30 to 60 s."""
    assert 30 <= Policy().backoff(attempts, jitter) <= 60


@given(st.integers(0, 4))
def test_early_waits_are_fully_jittered(attempts: int) -> None:
    """At first anything between 0 and the ceiling, which doubles."""
    policy = Policy()
    assert policy.backoff(attempts, 0.0) == 0
    assert policy.backoff(attempts, 0.999) == pytest.approx(0.999 * 2**attempts)


@given(st.floats(0, 1e6), st.integers(0, 100), JITTERS)
def test_throttled_never_comes_early(
    asked: float, attempts: int, jitter: float
) -> None:
    """Not before the time told, which is believed up to a minute."""
    verdict = Policy().decide(Throttled("T", asked), History(attempts), jitter)
    assert isinstance(verdict, Retry)
    assert min(asked, 60) <= verdict.after <= 60


def requests_for(poison: set[str], batch: Batch) -> Iterator[tuple[Batch, Verdict]]:
    """Every request it takes until each item is delivered or parked."""
    bad = poison.intersection(batch.items)
    outcome: Outcome = Rejected("400") if bad else Accepted()
    verdict = Policy().decide(outcome, History(items=len(batch.items)), 0.5)
    yield batch, verdict
    if isinstance(verdict, Halve):
        for half in halve(batch):
            yield from requests_for(poison, half)


@pytest.mark.parametrize(("poisoned", "most"), [(1, 11), (3, 25)])
def test_poisoned_entries_are_found_cheaply(poisoned: int, most: int) -> None:
    """Of 20 entries exactly the poisoned ones are parked, within 11 or 25 requests,
    wherever they stand."""
    batch = Batch("b", 0, tuple(f"i{n:02}" for n in range(20)))
    for bad in combinations(batch.items, poisoned):
        sent = list(requests_for(set(bad), batch))
        assert len(sent) <= most
        parked = [b.items for b, verdict in sent if isinstance(verdict, Park)]
        assert parked == [(item,) for item in bad]
        acked = [i for b, v in sent if isinstance(v, Ack) for i in b.items]
        assert sorted([*acked, *bad]) == sorted(batch.items)
        assert len({b.items for b, _ in sent}) == len(sent)
