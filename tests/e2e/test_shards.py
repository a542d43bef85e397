"""Threads that feed one engine at the same time: nothing is lost, nothing counted twice."""

import fcntl
import socket
import sys
import termios
import threading
import time
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

import pytest

from relay.pipeline import engine_names
from relay.rollup.engine import Rollup
from relay.rollup.summary import CounterSummary, GaugeSummary, SetSummary, TimerSummary
from relay.statsd.sample import Kind
from tests.e2e.road import wait_until
from tests.rollup.rig import Rig

if "native" not in engine_names():
    pytest.skip("the native engine was not built", allow_module_level=True)

from relay.rollup.native import NativeEngine
from tests.e2e.drained import Drained

pytestmark = [pytest.mark.e2e, pytest.mark.native]

SHARDS, SECONDS = 4, 5


@pytest.fixture
def rig(request: pytest.FixtureRequest) -> Rig:
    period_seconds = getattr(request, "param", 1)
    return Rig("native", shards=SHARDS, period_seconds=period_seconds, long_factor=0)


@pytest.fixture(autouse=True)
def _restless() -> Iterator[None]:
    """Threads take turns so often that they meet anywhere in the Python of an engine."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(interval)


@pytest.fixture
def doors(rig: Rig) -> Iterator[list[Drained]]:
    assert isinstance(rig.engine, NativeEngine)
    opened = [Drained(rig.engine) for _ in range(SHARDS)]
    for one in opened:
        one.thread.start()
    yield opened
    for one in opened:
        one.close()


def send(door: Drained, number: int, until: float, sent: Counter[str]) -> None:
    """Known spellings of every kind, a gauge that is moved, and a name never seen."""
    known = [*(f"c{n}:1|c" for n in range(30)), *(f"t{n}:1|ms" for n in range(20))]
    known += [f"s:{number}|s", "h:5|g", "h:+1|g", "g:+1|g"]
    while time.monotonic() < until:
        sent["datagrams"] += 1
        lines = [*known, f"new.{number}.{sent['datagrams']}:1|c", "bad"]
        door.sender.send("\n".join(lines).encode())
        time.sleep(0.001)


def closed(rig: Rig, before: int) -> Sequence[Rollup]:
    found = rig.rollups(before)
    for rollup in found:
        list(rollup.rows)
    return found


def test_threads_and_whoever_looks_get_in_each_others_way_nowhere(
    rig: Rig, doors: list[Drained]
) -> None:
    """Sums are exact over seals, snapshots, looks and things forgotten meanwhile."""
    engine, found = rig.engine, list[Rollup]()
    sent, until = [Counter[str]() for _ in doors], time.monotonic() + SECONDS
    senders = [
        threading.Thread(target=send, args=(door, number, until, sent[number]))
        for number, door in enumerate(doors)
    ]
    for sender in senders:
        sender.start()
    rounds = 0
    while any(sender.is_alive() for sender in senders):
        rounds += 1
        now = int(time.time())
        engine.feed(b"c0:0|c\nf:1|c", now)
        found += closed(rig, now)
        list(engine.snapshot())
        list(engine.peek(Kind.TIMER, now))
        engine.forget(Kind.COUNTER, "f", now)
        engine.step(now, now)
        tally = engine.tally()
        of = tally.samples, tally.refused, tally.ignored
        assert tally.sections == sum(sum(counts.values()) for counts in of)
    datagrams = sum(one["datagrams"] for one in sent)
    wait_until(
        "not drained", lambda: sum(one.drain.datagrams for one in doors) == datagrams
    )
    lines = engine.tally().lines
    for one in engine.seal_all():
        found += engine.close(one)
    assert lines == datagrams * 56 + rounds * 2
    assert not any(one.errors for one in doors)
    rows = [row for rollup in found for row in rollup.rows if row[0].name != "f"]
    total: Counter[str] = Counter()
    news = 0.0
    for series, summary in rows:
        if isinstance(summary, CounterSummary) and series.name.startswith("new"):
            news += summary.total
        elif isinstance(summary, CounterSummary):
            total[series.name] += int(summary.total)
        elif isinstance(summary, TimerSummary | GaugeSummary):
            total[series.name] += int(summary.count)
    wanted = [
        f"{kind}{n}" for kind, many in (("c", 30), ("t", 20)) for n in range(many)
    ]
    assert total.pop("h") == 2 * datagrams
    assert total == dict.fromkeys([*wanted, "g"], datagrams)
    assert news == datagrams
    gauges = [
        summary.last
        for series, summary in rows
        if isinstance(summary, GaugeSummary) and series.name == "g"
    ]
    assert all(one <= other for one, other in pairwise(gauges))
    assert gauges[-1] == datagrams
    sets = [summary.distinct for _, summary in rows if isinstance(summary, SetSummary)]
    assert max(sets) == SHARDS
    assert len(found) >= SECONDS


LENGTH = 60 * 60 * 24 * 365 * 100
"""Of a period, in seconds: the test is over before it is."""


@pytest.mark.parametrize("rig", [LENGTH], indirect=True)
def test_known_lines_wait_for_no_other_shard(rig: Rig, doors: list[Drained]) -> None:
    """They are taken while others hold their own locks, and all that is shared."""
    engine = rig.engine
    assert isinstance(engine, NativeEngine)
    doors[1].send(b"a:1|c\ng:1|g")
    with engine._table, engine._gate or pytest.fail("no gate"):
        doors[1].send(*[b"a:1|c\ng:1|g"] * 100)
    assert engine.tally().lines == 202


@pytest.mark.parametrize("rig", [LENGTH], indirect=True)
def test_a_socket_is_read_while_its_thread_waits_for_another(
    rig: Rig, doors: list[Drained]
) -> None:
    """Its buffer would be full in a moment; nothing of that is lost."""
    engine, door = rig.engine, doors[2]
    assert isinstance(engine, NativeEngine)
    door.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    with engine._gate or pytest.fail("no gate"):
        for number in range(1000):
            door.sender.send(b"new.%d:1|c#%s" % (number, b"x" * 400))
            if number % 8 == 7:
                wait_until("nobody reads", lambda: unread_bytes(door.socket) == 0)
    wait_until("datagrams were lost", lambda: door.drain.datagrams == 1000)


def unread_bytes(door: socket.socket) -> int:
    """Of the datagram that comes next. Source: udp(7), FIONREAD."""
    [found] = array("i", fcntl.ioctl(door, termios.FIONREAD, bytes(4)))
    return found
