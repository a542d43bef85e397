"""The courier: what is sent when, and what becomes of each batch."""

import pytest
from twisted.logger import capturedLogs

from relay.delivery.batch import Batch
from relay.delivery.ledger import QueueTally
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
from relay.delivery.policy import Policy
from relay.spool.memory import MemorySpool
from tests.service.courier_rig import (
    WALL_AT_START,
    CountingLane,
    FailingLane,
    HeldLane,
    Rig,
)


def test_delivers_what_is_appended() -> None:
    """In order, each once; the ledger knows."""
    rig = Rig()
    rig.close("a", "b", items=3)
    rig.run(1)
    assert rig.sink.calls == ["a", "b"]
    counts = rig.ledger.snapshot()
    assert (counts.acked, counts.waiting, counts.balances) == (6, 0, True)
    assert (counts.requests["accepted"], len(rig.took)) == (2, 2)


def test_rests_when_nothing_waits() -> None:
    """No timer turns in an idle courier."""
    rig = Rig()
    rig.close("a")
    rig.run(1)
    assert rig.clock.getDelayedCalls() == []


def test_keeps_its_rate() -> None:
    """Ten batches at two a second take five seconds."""
    rig = Rig(rate=2)
    rig.close(*"abcdefghij")
    rig.run(0.0)
    assert len(rig.sink.calls) == 1
    rig.run(2.3)
    assert len(rig.sink.calls) == 5
    rig.run(2.5)
    assert len(rig.sink.calls) == 10


def test_uses_no_more_slots_than_it_has() -> None:
    """A fifth batch waits until one of four has landed."""
    http = HeldLane()
    rig = Rig(http=http)
    rig.close(*"abcdef")
    rig.run(1)
    assert (len(http.held), rig.courier.status().in_flight) == (4, 4)
    http.release(1)
    rig.run(1)
    assert (rig.sink.calls, len(http.held)) == (["a"], 4)


def test_one_request_tries_the_road_first() -> None:
    """Whether anybody is there, and takes our keys, is not asked four times at once."""
    http = HeldLane()
    rig = Rig(http=http, proven=False)
    rig.close(*"abcdef")
    rig.run(1)
    assert len(http.held) == 1
    http.release(1)
    rig.run(1)
    assert (rig.sink.calls, len(http.held)) == (["a"], 4)


def test_requests_leave_spread_after_a_pause() -> None:
    """Each in its share of the spread, by the jitter; not while there is work anyway."""
    rig = Rig(spread=10, jitter=0.5)
    rig.close("a")
    rig.run(4.9)
    assert rig.sink.calls == []
    rig.run(0.2)
    assert rig.sink.calls == ["a"]


def test_many_requests_leave_evenly() -> None:
    """Ten over ten seconds: about one a second, the last one before the spread ends."""
    rig = Rig(spread=10, jitter=0.5)
    rig.close(*"abcdefghij")
    counts = []
    for _ in range(10):
        rig.run(1)
        counts.append(len(rig.sink.calls))
    assert counts[-1] == 10
    assert all(abs(count - n) <= 1 for n, count in enumerate(counts, 1))


def test_a_second_append_does_not_end_the_spread() -> None:
    """The first request of the minute leaves when it was told to, all within it."""
    rig = Rig(spread=10, jitter=0.5)
    rig.close("a")
    rig.run(1)
    rig.close("b")
    rig.run(3.8)
    assert rig.sink.calls == []
    rig.run(0.3)
    assert rig.sink.calls == ["a"]
    rig.run(4.9)
    assert rig.sink.calls == ["a", "b"]


def test_what_waits_at_the_start_leaves_spread() -> None:
    """An account's relays may have been restarted by one hand."""
    spool = MemorySpool(limit_bytes=10_000, max_age_seconds=21_600)
    spool.append([Batch("a", int(WALL_AT_START), ("x",))])
    rig = Rig(spool=spool, spread=10, jitter=0.5)
    rig.run(4.9)
    assert rig.sink.calls == []
    rig.run(0.2)
    assert rig.sink.calls == ["a"]


def test_throttling_stops_all_batches() -> None:
    """Not one request before the time told, then one alone, then the rest."""
    rig = Rig([Throttled("Throttling.User", 7.0)], slots=1)
    rig.close("a", "b", "c")
    rig.run(6.9)
    assert rig.sink.calls == ["a"]
    status = rig.courier.status()
    assert (status.state, status.reason) == ("waiting", "Throttling.User")
    rig.run(0.2)
    assert rig.sink.calls == ["a", "a", "b", "c"]
    assert rig.courier.status().state == "sending"


def test_a_request_that_was_on_its_way_does_not_end_the_throttling() -> None:
    """Success of a neighbour that left earlier says nothing."""
    http = HeldLane()
    rig = Rig([Throttled("T", 7.0), Accepted()], http=http)
    rig.close("a", "b", "c", "d", "e")
    rig.run(0.5)
    http.release()
    rig.run(6)
    assert http.held == []
    rig.run(1.5)
    assert len(http.held) == 1


def test_a_batch_in_hand_when_the_road_closes_goes_back() -> None:
    """A slow disk brings it after a neighbour was throttled: it is not sent."""
    http, disk = HeldLane(), HeldLane()
    rig = Rig([Throttled("T", 7.0)], http=http, disk=disk, rate=20)
    rig.close("a", "b")
    rig.run(0.1)
    disk.release()
    rig.run(0.1)
    http.release()  # throttled, while the second take is still under way
    disk.release()
    disk.release()
    rig.run(6.5)
    assert (rig.sink.calls, http.held) == (["a"], [])
    assert rig.ledger.tally.in_flight == 0


def test_what_was_taken_with_others_goes_back_in_order() -> None:
    """The road closes after the first of four: the rest waits in the order it had."""
    rig = Rig(slots=4)
    rig.sink.answer = lambda _: Throttled("T", 7.0)
    rig.close(*"abcd")
    rig.run(1)
    assert rig.sink.calls == ["a"]
    assert rig.ledger.tally.in_flight == 0
    rig.sink.answer = lambda _: Accepted()
    rig.run(10)
    assert rig.sink.calls == ["a", "b", "c", "d", "a"]


def test_a_visit_to_the_spool_serves_several_batches() -> None:
    """As many as may be under way are taken at once, with word of those delivered."""
    visits = CountingLane()
    rig = Rig(disk=visits, slots=4, rate=1e6)
    rig.close(*(f"{n}" for n in range(40)))
    rig.run(1)
    assert len(rig.sink.calls) == 40
    assert rig.ledger.snapshot().acked == 40
    assert visits.calls == 11


def test_outage_waits_grow_and_end() -> None:
    """Ten minutes away: waits of 30 s and more at last, one batch tries, and once it is
    well everything leaves within a minute."""
    rig = Rig(jitter=0.9, slots=1)
    rig.sink.answer = lambda _: Unavailable("connection refused")
    rig.close("a", "b", "c")
    rig.run(600)
    assert set(rig.sink.calls) == {"a"}
    assert 10 <= len(rig.sink.calls) <= 20
    rig.sink.answer = lambda _: Accepted()
    rig.run(60)
    assert rig.ledger.snapshot().acked == 3


def test_an_uncertain_batch_lets_the_others_by() -> None:
    """It is sent again, a bounded number of times, and parked in the end."""
    rig = Rig()

    def answer(batch: Batch) -> Outcome:
        return Uncertain("HTTP 500") if batch.id == "bad" else Accepted()

    rig.sink.answer = answer
    rig.close("bad", "a", "b")
    rig.run(1)
    assert rig.sink.calls[:4] == ["bad", "a", "b", "bad"]
    rig.run(120)
    assert rig.sink.calls.count("bad") == 6
    counts = rig.ledger.snapshot()
    assert (counts.acked, counts.parked, counts.balances) == (2, 1, True)


def test_an_uncertain_outage_parks_nothing_while_others_wait() -> None:
    """Minutes of 502 are shared out: no batch uses up its retries."""
    rig = Rig(jitter=0.9)
    rig.sink.answer = lambda _: Uncertain("HTTP 502")
    rig.close(*"abcdefghijkl")
    rig.run(600)
    assert rig.ledger.snapshot().parked == 0
    rig.sink.answer = lambda _: Accepted()
    rig.run(70)
    assert rig.ledger.snapshot().acked == 12


def test_refusal_of_keys_refreshes_once_then_holds() -> None:
    """One more try at once; then one probe a minute, each with credentials anew."""
    rig = Rig(slots=1)
    rig.sink.answer = lambda _: Unauthorised("NoPermission", "ask for cms:Put")
    rig.close("a", "b")
    rig.run(1)
    assert rig.sink.calls == ["a", "refresh", "a"]
    assert rig.courier.status().state == "held"
    rig.run(58)
    assert len(rig.sink.calls) == 3
    rig.run(122)
    assert rig.sink.calls[3:] == ["refresh", "a"] * 3
    assert rig.ledger.snapshot().parked == 0


def test_hold_ends_within_a_minute() -> None:
    """The probe that is taken lets everything go on."""
    rig = Rig([Unauthorised("NoPermission")] * 2)
    rig.close("a", "b")
    rig.run(59)
    assert rig.ledger.snapshot().acked == 0
    rig.run(1.1)
    assert rig.ledger.snapshot().acked == 2
    assert rig.courier.status().state == "sending"


def test_four_refused_together_refresh_once() -> None:
    """A token that ran out under four requests is fetched anew once, nothing is held."""
    http = HeldLane()
    rig = Rig([Unauthorised("InvalidSecurityToken.Expired")] * 4, http=http)
    rig.close(*"abcd")
    rig.run(0.5)
    http.release()
    rig.run(0.5)
    assert len(http.held) == 1
    http.release()
    rig.run(0.5)
    http.release()
    rig.run(1)
    assert rig.sink.calls.count("refresh") == 1
    assert rig.ledger.snapshot().acked == 4


def test_what_will_not_heal_is_tried_once_a_minute() -> None:
    """A certificate that is not trusted holds, with the reason in the status."""
    rig = Rig(slots=1)
    rig.sink.answer = lambda _: Unavailable("not trusted", lasting=True)
    rig.close("a", "b")
    rig.run(1)
    assert rig.courier.status().state == "held"
    assert rig.courier.status().reason == "not trusted"
    rig.run(121)
    assert rig.sink.calls.count("a") == 3


def test_a_poisoned_entry_is_parked_alone() -> None:
    """19 of 20 arrive, within 11 requests."""
    rig = Rig()

    def answer(batch: Batch) -> Outcome:
        return Rejected("400", "syntax") if "x7" in batch.items else Accepted()

    rig.sink.answer = answer
    rig.close("x", items=20)
    rig.run(5)
    counts = rig.ledger.snapshot()
    assert (counts.acked, counts.parked, counts.balances) == (19, 1, True)
    assert len(rig.sink.calls) <= 11
    assert [(p.batch.items, p.reason) for p in rig.spool.parked()] == [
        (("x7",), "400: syntax")
    ]


def test_partial_acceptance_is_never_repeated() -> None:
    """Counted as partial, since nobody says how many were kept."""
    rig = Rig([AcceptedWithLoss("206", "reach Max time series num")])
    rig.close("a", items=5)
    rig.run(300)
    assert rig.sink.calls == ["a"]
    assert rig.ledger.snapshot().partial == 5


def test_only_what_was_refused_by_name_is_lost() -> None:
    """Where the service says which; never more than there was."""
    rig = Rig(
        [
            AcceptedWithLoss("200", "entry 1: x", refused=2),
            AcceptedWithLoss("200", "entry 1: x", refused=99),
        ]
    )
    rig.close("a", items=5)
    rig.run(1)
    counts = rig.ledger.snapshot()
    assert (counts.acked, counts.partial) == (3, 2)
    rig.close("b", items=5)
    rig.run(300)
    counts = rig.ledger.snapshot()
    assert (counts.acked, counts.partial, counts.balances) == (3, 7, True)


def test_a_quota_that_is_reached_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever admits new series hears of it; of other partial answers not."""
    told: list[str] = []
    answers = (
        AcceptedWithLoss("206", "type is invalid"),
        AcceptedWithLoss("206", "reach Max time series num", too_many_series=True),
    )
    rig = Rig(list(answers))
    monkeypatch.setattr(rig.courier, "_too_many_series", lambda: told.append("full"))
    rig.close("a")
    rig.run(1)
    assert told == []
    rig.close("b")
    rig.run(300)
    assert told == ["full"]


def test_what_is_too_old_is_not_sent() -> None:
    """Held for longer than the age limit, a batch is dropped and counted."""
    rig = Rig([Unavailable("x")])
    rig.close("a")
    rig.run(0.0)
    rig.clock.advance(30_000)
    rig.run(1)
    counts = rig.ledger.snapshot()
    assert rig.sink.calls == ["a"]
    assert (counts.dropped["expired"], counts.waiting) == (1, 0)


def test_status_tells_the_last_answer() -> None:
    """With code, message and request id, and when it was."""
    rig = Rig([Accepted("r1"), Rejected("400", "syntax", "r2")])
    rig.close("a", "b")
    rig.run(0.0)
    status = rig.courier.status()
    assert status.last_answer == "rejected 400 syntax r2"
    assert status.last_answer_at == WALL_AT_START
    assert status.last_success_at == WALL_AT_START


@pytest.mark.parametrize("error", [ValueError("s3cret"), MemoryError()])
def test_a_defect_of_the_sink_stops_nothing(error: Exception) -> None:
    """It is counted, told once, the batch waits its turn, the others go on."""
    rig = Rig([error, error])
    with capturedLogs() as logs:
        rig.close("a", "b", "c")
        rig.run(10)
    told = [event for event in logs if "log_failure" in event]
    assert rig.ledger.snapshot().acked == 3
    assert (rig.courier.status().defects, len(told)) == (2, 1)


def test_a_defect_amid_a_visit_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was taken before the spool failed leaves; the rest follows when it is well."""
    rig = Rig()
    take, left = rig.spool.take, iter([True, True, False])

    def fails_third(now: float) -> tuple[Batch | None, QueueTally]:
        return take(now) if next(left, True) else 1 / 0  # type: ignore[return-value]

    monkeypatch.setattr(rig.courier._spool, "take", fails_third)
    rig.close(*"abcd")
    rig.run(0.1)
    assert (rig.sink.calls, rig.ledger.snapshot().acked) == (["a", "b"], 2)
    rig.run(5)
    assert rig.ledger.snapshot().acked == 4
    assert rig.courier.status().defects == 1


@pytest.mark.parametrize("stops", [False, True])
def test_the_only_one_that_cannot_be_acknowledged_is_sent_again(
    stops: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing else comes that could wake the courier; a stop waits for it as well."""
    disk = HeldLane()
    rig = Rig(disk=disk)
    acknowledge, bad = rig.spool.acknowledge, iter(["a"])

    def fails_once(batch_id: str) -> QueueTally:
        if next(bad, None):
            raise ZeroDivisionError
        return acknowledge(batch_id)

    monkeypatch.setattr(rig.courier._spool, "acknowledge", fails_once)
    rig.close("a")
    if stops:
        rig.stop(20)
    for _ in range(190):
        rig.run(0.1)
        disk.release()
    assert (rig.sink.calls, rig.ledger.snapshot().acked) == (["a", "a"], 1)


def test_a_slower_rate_that_comes_during_a_visit_loses_no_time() -> None:
    """What was taken for the rate of before goes back, and leaves when it may."""
    disk = HeldLane()
    rig = Rig(disk=disk)
    rig.close("a", "b", "c")
    rig.run(0.05)
    rig.courier.change(Policy(), 0.5, 0.0)
    for _ in range(200):
        disk.release()
        rig.run(0.05)
    assert rig.sink.calls == ["a", "b", "c"]


def test_what_was_delivered_is_acknowledged_after_the_deadline() -> None:
    """An answer during the last visit to the spool counts, though nothing leaves then."""
    http, disk = HeldLane(), HeldLane()
    rig = Rig(http=http, disk=disk, slots=2)
    rig.close("a", "b")
    rig.run(0.05)
    disk.release()
    rig.run(0.05)
    http.release()  # of a, which has the spool told, and of b meanwhile
    rig.stop(1.0)
    rig.run(2.0)
    assert rig.stopped
    for _ in range(3):
        disk.release()
        rig.run(0.05)
    assert (rig.ledger.snapshot().acked, rig.ledger.tally.batches) == (2, 0)


def test_what_comes_from_the_spool_after_the_deadline_goes_back() -> None:
    """Nobody would hear the answer."""
    disk = HeldLane()
    rig = Rig(disk=disk)
    rig.close("a", "b")
    rig.run(0.05)
    rig.stop(1.0)
    rig.run(2.0)
    assert rig.stopped
    for _ in range(3):
        disk.release()
        rig.run(0.05)
    assert rig.sink.calls == []
    assert (rig.ledger.tally.batches, rig.ledger.tally.in_flight) == (2, 0)


def test_a_lane_that_fails_is_not_asked_over_and_over() -> None:
    """No thread to be had, say: it is tried again after a while, and told once."""
    rig = Rig(disk=FailingLane())
    rig.close("a")
    rig.run(10, step=0.5)
    assert 1 <= rig.courier.status().defects <= 12


def test_one_that_cannot_be_acknowledged_hides_none_of_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is sent again, as its delivery is known to nobody; the ledger balances."""
    rig = Rig()
    acknowledge, bad = rig.spool.acknowledge, iter(["b"])

    def fails_once(batch_id: str) -> QueueTally:
        if batch_id == "b" and next(bad, None):
            raise ZeroDivisionError
        return acknowledge(batch_id)

    monkeypatch.setattr(rig.courier._spool, "acknowledge", fails_once)
    rig.close(*"abcd")
    rig.run(30)
    counts = rig.ledger.snapshot()
    assert (counts.acked, counts.waiting, counts.balances) == (4, 0, True)
    assert sorted(rig.sink.calls) == ["a", "b", "b", "c", "d"]


def refusing_to_take_back(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, times: int, error: Exception
) -> list[str]:
    """Its spool fails so often to take the batch a back; gives whose turn it was."""
    give_back, asked = rig.spool.give_back, list[str]()

    def fails(batch_id: str, behind: bool = False) -> QueueTally:
        asked.append(batch_id)
        if batch_id == "a" and asked.count("a") <= times:
            raise error
        return give_back(batch_id, behind)

    monkeypatch.setattr(rig.courier._spool, "give_back", fails)
    return asked


@pytest.mark.parametrize("times", [1, 2, 5])
@pytest.mark.parametrize("answer", [Throttled("T", 1.0), ZeroDivisionError()])
def test_one_that_cannot_be_given_back_is_tried_again(
    answer: Outcome | Exception, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often it takes; nothing else comes that could wake the courier."""
    rig = Rig([answer])
    refusing_to_take_back(rig, monkeypatch, times, MemoryError())
    rig.close("a")
    rig.run(30)
    counts = rig.ledger.snapshot()
    assert (rig.sink.calls, rig.ledger.tally.in_flight) == (["a", "a"], 0)
    assert (counts.acked, counts.waiting, counts.balances) == (1, 0, True)


def test_one_that_never_comes_back_keeps_up_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is tried once a second, counted each time, and waits for the next start."""
    rig = Rig([Throttled("T", 1.0)])
    asked = refusing_to_take_back(rig, monkeypatch, 1000, MemoryError())
    rig.close("a")
    rig.run(5)
    rig.close(*(f"b{n}" for n in range(40)))
    rig.run(1.5)
    counts = rig.ledger.snapshot()
    assert (counts.acked, counts.waiting, counts.balances) == (40, 1, True)
    rig.run(10)
    assert 10 <= len(asked) <= 20
    assert rig.courier.status().defects == len(asked)
    rig.stop(5)
    assert rig.stopped


def test_one_that_the_spool_does_not_know_is_let_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is back already, or was never taken: there is nothing to try again."""
    rig = Rig([Throttled("T", 1.0)])
    asked = refusing_to_take_back(rig, monkeypatch, 1000, KeyError("a"))
    rig.close("a")
    rig.run(30)
    assert len(asked) == 3


def test_a_stranded_batch_outlasts_a_lane_that_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The visit that should give it back may fail as a whole."""
    disk = CountingLane()
    rig = Rig([Throttled("T", 1.0)], disk=disk)
    refusing_to_take_back(rig, monkeypatch, 2, MemoryError())
    rig.close("a")
    with monkeypatch.context() as broken:
        broken.setattr(disk, "run", FailingLane().run)
        rig.run(5)
    rig.run(30)
    assert (rig.sink.calls, rig.ledger.tally.in_flight) == (["a", "a"], 0)


def test_a_defect_of_the_spool_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Taking is tried again a second later."""
    rig = Rig()
    with monkeypatch.context() as broken, capturedLogs():
        broken.setattr(rig.courier._spool, "take", lambda _: 1 / 0)
        rig.close("a")
        rig.run(0.5)
    rig.run(1)
    assert rig.sink.calls == ["a"]


def test_a_spool_that_miscounts_is_not_asked_over_and_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It says that something waits and gives nothing: once a second is enough."""
    rig = Rig()
    asked = []

    def take(now: float) -> tuple[None, QueueTally]:
        asked.append(now)
        assert len(asked) < 100, "over and over"
        return None, rig.spool.tally()

    monkeypatch.setattr(rig.courier._spool, "take", take)
    rig.close("a")
    rig.run(10)
    assert 8 <= len(asked) <= 12


def test_stop_delivers_what_waits() -> None:
    """As soon as all is gone the stop is done, and no timer is left."""
    rig = Rig(rate=2, spread=45)
    rig.close(*"abcd")
    rig.stop(after=10)
    rig.run(3)
    assert rig.ledger.snapshot().acked == 4
    assert rig.stopped
    assert 1.5 <= rig.stopped[0] <= 1.7
    assert rig.clock.getDelayedCalls() == []


def test_stop_leaves_the_rest_at_the_deadline() -> None:
    """A sink that hangs does not hold up the stop; what waits stays counted."""
    http = HeldLane()
    rig = Rig(http=http)
    rig.close(*"abcdef")
    rig.run(0.5)
    rig.stop(after=10)
    rig.run(12)
    assert rig.stopped == [pytest.approx(10.5)]
    counts = rig.ledger.snapshot()
    assert (counts.waiting, counts.balances) == (6, True)


def test_stop_gives_a_road_that_was_closed_more_chances() -> None:
    """What waits has no later chance: one attempt at once, then more, none too often."""
    rig = Rig([Unauthorised("NoPermission")] * 99)
    rig.close("a")
    rig.run(1)
    before = rig.sink.calls.count("a")
    rig.stop(after=10)
    rig.run(11)
    assert 3 <= rig.sink.calls.count("a") - before <= 12
    assert rig.stopped
    assert rig.ledger.snapshot().waiting == 1


def test_stop_delivers_where_the_road_has_healed_meanwhile() -> None:
    """A hold or a back-off of before does not keep the rest from being delivered."""
    rig = Rig([Unauthorised("NoPermission")] * 2)
    rig.close("a")
    rig.run(1)
    assert rig.courier.status().state == "held"
    rig.stop(after=10)
    rig.run(1)
    assert rig.ledger.snapshot().acked == 1


def test_stop_keeps_to_the_time_the_service_asked_for() -> None:
    """Not one request before the time told, also when there is none left."""
    rig = Rig([Throttled("Throttling.User", after=30.0)] * 9)
    rig.close("a")
    rig.run(1)
    rig.stop(after=10)
    rig.run(11)
    assert rig.sink.calls == ["a"]


def test_an_answer_after_the_stop_still_counts() -> None:
    """It came late, but it came: the batch is not reported as left behind."""
    http = HeldLane()
    rig = Rig(http=http)
    rig.close("a")
    rig.run(0.5)
    rig.stop(after=1)
    rig.run(2)
    http.release()
    assert rig.ledger.snapshot().acked == 1


def test_another_rate_is_kept_at_once() -> None:
    """What waited for the old one leaves by the new."""
    rig = Rig(rate=0.01)
    rig.close("a", "b", "c")
    rig.run(10)
    assert rig.sink.calls == ["a"]
    rig.courier.change(Policy(), 1.0, 0.0)
    rig.run(2)
    assert rig.sink.calls == ["a", "b", "c"]


def test_another_policy_holds_for_the_next_outcome() -> None:
    """Uncertain answers are no longer tried again where that is switched off."""
    rig = Rig([Uncertain("x")])
    rig.courier.change(Policy(uncertain_limit=0), 1000.0, 0.0)
    rig.close("a")
    rig.run(120)
    assert rig.sink.calls == ["a"]
    assert rig.ledger.snapshot().parked == 1


@pytest.mark.parametrize("step", [86_400.0, -86_400.0])
def test_a_clock_that_is_set_makes_nothing_old(step: float) -> None:
    """What was closed before, and what is closed after a step of a day, is delivered."""
    rig = Rig([Throttled("T", 7.0)])
    rig.close("before")
    rig.run(1)
    rig.wall_is_ahead = step
    rig.close("after")
    rig.run(30)
    snapshot = rig.ledger.snapshot()
    assert (snapshot.acked, sum(snapshot.dropped.values())) == (2, 0)
