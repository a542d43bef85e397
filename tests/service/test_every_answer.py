"""Every answer of the two tables, through sink and courier: what is sent, what is counted.

The service gives the same answer for ten simulated minutes. What each word leads to is a
row here; which answer is which word is a row of the vectors.
"""

import json
from collections import Counter
from collections.abc import Callable
from itertools import combinations
from typing import NamedTuple

import pytest

from relay.cloudmonitor.credentials import Credentials, Secret
from relay.cloudmonitor.exchange import Endpoint, Request
from relay.cloudmonitor.packing import compose
from relay.credentials.static import Static
from relay.delivery.batch import Batch
from relay.delivery.ledger import OUTCOMES
from relay.delivery.outcome import Accepted, Outcome, Rejected
from relay.sink.cloudmonitor import CloudMonitorSink
from relay.sink.transport import Answer
from tests.cloudmonitor import vectors
from tests.service.courier_rig import WALL_AT_START, Rig
from tests.sink.contract import rollup
from tests.sink.transports import ListedTransport

Figure = Callable[[str], None]
ITEMS = next(compose(rollup()).batches).items
PAGE = b"<!DOCTYPE html><html><body>no</body></html>"


class Steady(ListedTransport):
    """A network that brings the same answer for ever."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer

    def send(self, request: Request) -> Answer:
        """It, whatever the request."""
        self.sent.append(request)
        return self.answer


class Ends(NamedTuple):
    """What became of four entries in ten minutes of the same answer.

    ``most`` and ``least`` bound the requests, ``again`` how often the same entries went
    out; ``state`` is the courier's.
    """

    where: str
    least: int
    most: int
    again: int
    state: str = "sending"


ENDS = {
    "Accepted": Ends("acked", 1, 1, 1),
    "AcceptedWithLoss": Ends("partial", 1, 1, 1),
    "Throttled": Ends("waiting", 10, 40, 40, "waiting"),
    "Unavailable": Ends("waiting", 10, 40, 40, "waiting"),
    "Uncertain": Ends("parked", 6, 6, 6, "waiting"),
    "Unauthorised": Ends("waiting", 11, 11, 11, "held"),
    "Rejected": Ends("parked", 7, 7, 1),
}
LASTING = Ends("waiting", 10, 10, 10, "held")
"""An answer of who stands in the way: a redirect, a proxy that wants a password."""
WORDS = dict(zip(ENDS, ("accepted", "partial", *OUTCOMES[2:]), strict=True))
CODED = [one for one in vectors.answers() if one.code]
BARE = [one for one in vectors.answers() if not one.code]


def as_json(one: vectors.Answer) -> bytes:
    told = {"RequestId": "R", "Message": one.message, "Code": one.code, "End": ""}
    return json.dumps(told).encode()


def as_xml(one: vectors.Answer) -> bytes:
    return f"<E><Code>{one.code}</Code><Message>{one.message}</Message></E>".encode()


def ten_minutes(answer: Answer, outcome: str, ends: Ends) -> tuple[int, int]:
    """Assert the row; gives the requests, and how often the same entries went out."""
    network = Steady(answer)
    rig = Rig(sink=sink_over(network), jitter=0.9)
    closed = [Batch("a", int(WALL_AT_START), ITEMS)]
    rig.ledger.closed(len(ITEMS), rig.spool.append(closed))
    rig.courier.wake()
    rig.run(600, step=0.5)
    counts = rig.ledger.snapshot()
    requests = len(network.sent)
    again = max(Counter(request.body for request in network.sent).values())
    assert getattr(counts, ends.where) == len(ITEMS)
    assert counts.balances
    assert ends.least <= requests <= ends.most
    assert again <= ends.again
    assert {word: n for word, n in counts.requests.items() if n} == {
        WORDS[outcome]: requests
    }
    assert rig.courier.status().state == ends.state
    return requests, again


def sink_over(network: ListedTransport) -> CloudMonitorSink:
    """The real one but for the network."""
    return CloudMonitorSink(
        endpoint=Endpoint("https", "metrics.cn-hangzhou.aliyuncs.com"),
        compose=compose,
        provider=Static(Credentials("id", Secret("secret"))),
        transport=network,
        wall=lambda: WALL_AT_START,
        nonce=lambda: "n",
    )


@pytest.mark.bar("K1", "L2")
@pytest.mark.parametrize("write", [as_json, as_xml])
def test_an_answer_with_a_code(
    write: Callable[[vectors.Answer], bytes], figure: Figure
) -> None:
    """In JSON or XML, whole or without its end: sent and counted as its word says."""
    most: Counter[str] = Counter()
    for one in CODED:
        body = write(one)
        for answer in (
            Answer(one.status, {}, body),
            Answer(one.status, {}, body[: -len(b"</E>")], cut=True),
        ):
            _, again = ten_minutes(answer, one.outcome, ENDS[one.outcome])
            most[one.outcome] = max(most[one.outcome], again)
    assert most["AcceptedWithLoss"] == 1
    assert most["Rejected"] <= 2
    figure(
        f"{write.__name__}: {len(CODED)} rows, a 206 sent {most['AcceptedWithLoss']}"
        f" time, an unknown 4xx {most['Rejected']}, a 500 {most['Uncertain']}"
    )


@pytest.mark.bar("K1", "L2")
@pytest.mark.parametrize("body", [PAGE, b"", b"[]"], ids=["html", "empty", "no code"])
def test_an_answer_without_a_code(body: bytes, figure: Figure) -> None:
    """A page of a proxy, or nothing: by its status."""
    for one in BARE:
        ends = LASTING if one.status in {301, 302, 307, 407} else ENDS[one.outcome]
        ten_minutes(Answer(one.status, {}, body), one.outcome, ends)
    figure(f"{body[:9]!r}: {len(BARE)} statuses as listed")


@pytest.mark.bar("K1", "L2")
def test_an_answer_cut_before_its_code(figure: Figure) -> None:
    """Nobody knows what it would have said: bounded repeats, then put aside."""
    for one in CODED:
        for body in (as_json(one), as_xml(one), b""):
            end = body.find(b"Code") + len(b'Code": "2')
            cut = Answer(one.status, {}, body[:end] if body else body, cut=True)
            ten_minutes(cut, "Uncertain", ENDS["Uncertain"])
    figure(f"{len(CODED)} answers cut short: sent 6 times, then parked")


def deliver_poisoned(poisoned: frozenset[str], items: int) -> tuple[Rig, int]:
    """A batch some of whose entries the service takes offence at."""

    def answer(batch: Batch) -> Outcome:
        bad = poisoned.intersection(batch.items)
        return Rejected("400", "syntax") if bad else Accepted()

    rig = Rig(rate=1e6)
    rig.sink.answer = answer
    rig.close("x", items=items)
    rig.run(0.0)
    counts = rig.ledger.snapshot()
    assert counts.balances
    assert (counts.acked, counts.parked) == (items - len(poisoned), len(poisoned))
    parked = [item for one in rig.spool.parked() for item in one.batch.items]
    assert set(parked) == poisoned
    assert len(rig.sink.taken) == len(set(rig.sink.taken)) == items - len(poisoned)
    return rig, len(rig.sink.calls)


@pytest.mark.bar("K2", "L2")
@pytest.mark.parametrize(("bad", "bar"), [(1, 11), (3, 25)])
def test_poisoned_entries_are_parked_alone(bad: int, bar: int, figure: Figure) -> None:
    """Wherever in twenty they stand, the others arrive, each once."""
    places = list(combinations([f"x{n}" for n in range(20)], bad))
    most = max(deliver_poisoned(frozenset(place), 20)[1] for place in places)
    assert most <= bar
    figure(
        f"{bad} of 20 poisoned, all {len(places)} places: {20 - bad} delivered,"
        f" {bad} parked, at most {most} requests"
    )
