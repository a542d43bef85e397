"""The native engine at work: sockets drained by threads, no memory, no leak."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from relay.pipeline import engine_names
from relay.rollup.summary import CounterSummary
from tests.e2e.children import ROOT
from tests.e2e.drained import Drained
from tests.e2e.road import wait_until
from tests.rollup.rig import Rig

if "native" not in engine_names():
    pytest.skip("the native engine was not built", allow_module_level=True)

from relay.rollup.native import NativeEngine

pytestmark = [pytest.mark.e2e, pytest.mark.native]

LENGTH = 60 * 60 * 24 * 365 * 100
"""Of a period, in seconds: the test is over before it is."""


@pytest.fixture
def rig() -> Rig:
    return Rig("native", period_seconds=LENGTH, long_factor=0)


@pytest.fixture
def drained(rig: Rig) -> Iterator[Drained]:
    assert isinstance(rig.engine, NativeEngine)
    one = Drained(rig.engine)
    one.thread.start()
    yield one
    one.close()


def total(rig: Rig) -> dict[str, float]:
    """What the open period holds of counters."""
    [rollup] = rig.rollups(LENGTH)
    return {
        series.name: summary.total
        for series, summary in rollup.rows
        if isinstance(summary, CounterSummary)
    }


def test_what_arrives_is_taken_without_the_reactor(rig: Rig, drained: Drained) -> None:
    """Known lines, new ones, lines of nonsense, empty datagrams; all are counted."""
    drained.send(b"a:1|c\nb:2|c\n", b"", b"nonsense", b"a:1|c", b"a:3|c\nb:1|c\n\n")
    tally = rig.engine.tally()
    assert (tally.lines, tally.sections) == (6, 6)
    assert drained.drain.received_bytes == 38
    assert drained.drain.seen_at > 0
    assert total(rig) == {"a": 5.0, "b": 3.0}


@pytest.mark.parametrize("rest", [0.0, 0.005])
def test_every_line_of_two_threads_is_counted_once(
    rig: Rig, drained: Drained, rest: float
) -> None:
    """The reactor feeds other doors, looks and saves while the socket is drained."""
    drained.drain.rest, drained.drain.longest_rest = rest, 2 * rest
    engine = drained.engine
    lines = b"\n".join(b"n%d:1|c" % (number % 97) for number in range(500))
    for _ in range(40):
        for _ in range(5):
            drained.sender.send(lines)
        engine.feed(lines, 0)
        engine.tally()
        list(engine.snapshot())
    wait_until("not drained", lambda: drained.drain.datagrams == 200)
    assert engine.tally().lines == 240 * 500
    assert sum(total(rig).values()) == 240 * 500


def test_a_rest_that_gathers_little_makes_the_next_one_longer(
    drained: Drained,
) -> None:
    """So that few datagrams come in even fewer batches."""
    drained.drain.rest = 0.005
    batches = []
    for longest in (0.0, 0.08):
        drained.drain.longest_rest = longest
        before = drained.drain.batches
        for _ in range(150):
            drained.sender.send(b"a:1|c")
            time.sleep(0.002)
        batches.append(drained.drain.batches - before)
    assert batches[1] < batches[0] / 2


def test_a_period_that_is_sealed_takes_no_more(rig: Rig, drained: Drained) -> None:
    """What comes next opens another one."""
    drained.send(b"a:1|c")
    sealed = drained.engine.seal(LENGTH)
    drained.send(b"a:2|c")
    [rollup] = [one for each in sealed for one in drained.engine.close(each)]
    assert [summary for _, summary in rollup.rows] == [CounterSummary(1.0, 1.0)]
    [later] = [
        one for each in drained.engine.seal_all() for one in rig.engine.close(each)
    ]
    assert [summary for _, summary in later.rows] == [CounterSummary(2.0, 1.0)]


def test_a_defect_ends_the_drain_and_costs_no_other_line(
    rig: Rig, drained: Drained, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever runs it hears what it was; what was read with it is taken."""

    def defect(_: bytes) -> None:
        raise RuntimeError("a defect")

    drained.send(b"a:1|c")
    monkeypatch.setattr(rig.engine, "_parse", defect)
    drained.send(b"new:1|c\na:1|c")
    drained.thread.join(10)
    assert [str(error) for error in drained.errors] == ["a defect"]
    assert total(rig) == {"a": 2.0}


def test_a_descriptor_that_is_no_socket_is_an_error(rig: Rig, tmp_path: Path) -> None:
    """Not a loop without end."""
    assert isinstance(rig.engine, NativeEngine)
    with (tmp_path / "file").open("wb") as file, pytest.raises(OSError, match="socket"):
        rig.engine.drain(file.fileno(), "delta").run()


NO_MEMORY = """
import _testcapi, sys
from tests.rollup.rig import Rig
from relay.rollup.summary import CounterSummary

def lines(n):
    return b"\\n".join(
        b"c%d:1|c\\nt%d:%d.5|ms\\ns%d:%d|s\\ng%d:1|g" % (i, i, n, i, n, i) for i in range(9)
    )

failures = 0
for skipped in range(int(sys.argv[1])):
    rig = Rig("native", exact_samples=4, exact_members=4)
    for n in range(4):
        rig.feed(lines(n))
    datagram = lines(5)
    _testcapi.set_nomemory(skipped, skipped + 3)
    try:
        rig.engine.feed(datagram, 60)
    except MemoryError:
        failures += 1
    finally:
        _testcapi.remove_mem_hooks()
    rig.feed(lines(6), lines(7), at=60)
    tally = rig.engine.tally()
    assert sum(tally.samples.values()) <= 36 * 7
    rows = [row for rollup in rig.rollups(120) for row in rollup.rows]
    assert all(s.total >= 2 for x, s in rows if isinstance(s, CounterSummary) and s.count)
print(failures)
"""


def child(code: str, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *words],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **more},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_wherever_memory_is_missing_the_engine_goes_on() -> None:
    """Each allocation of a datagram fails once; what comes later is counted."""
    pytest.importorskip("_testcapi", reason="this Python has no _testcapi")
    ended = child(NO_MEMORY, "400")
    assert ended.returncode == 0, ended.stderr[-2000:]
    assert int(ended.stdout) > 50


LEAKS = """
import gc, sys, tracemalloc
from tests.rollup.rig import Rig

rig = Rig("native", exact_samples=4, exact_members=4, long_factor=0,
          series_limit=40, idle_ttl_seconds=300)
def period(n):
    at = 60 * n
    for i in range(40):
        rig.feed(*[f"c{j}:1|c" for j in range(20)], f"t:{i}|ms", f"t:{i}|ms|@0.5",
                 f"s:{i}|s", f"g:{i}|g", f"old{n}:1|c", "bad", "telemetry:1|c", at=at)
    list(rig.engine.snapshot())
    for rollup in rig.rollups(at):
        list(rollup.rows)

tracemalloc.start()
sizes = []
for n in range(120):
    period(n)
    if n % 30 == 29:
        gc.collect()
        sizes.append(tracemalloc.get_traced_memory()[0])
print(*sizes)
"""


def test_periods_leave_nothing_behind() -> None:
    """Of memory that Python knows of, and of C's, which asks the same allocator."""
    ended = child(LEAKS)
    assert ended.returncode == 0, ended.stderr[-2000:]
    sizes = list(map(int, ended.stdout.split()))
    assert sizes[3] - sizes[2] < 1_000, sizes
