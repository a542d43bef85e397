"""Side by side with the reference daemon: the same datagrams into both, one flush."""

import json
import os
import random
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from relay.pipeline import build_engine, build_namer
from relay.rollup.engine import Engine
from relay.rollup.looking import key_of
from relay.rollup.summary import GaugeSummary, SetSummary, TimerSummary
from relay.settings import Settings
from relay.statsd.sample import Kind, Reason
from tests.e2e.children import ROOT, clean_environment
from tests.e2e.road import wait_until
from tests.vectors.record_console import free_port

REFERENCE = ROOT / ".npm-peers" / "node_modules" / "statsd" / "stats.js"
BACKEND = Path(__file__).parent / "peers" / "flush_to_file.js"
PERCENTILES = (50, 75, 90, 95, 98, 99)
FLUSH_MS = 1000

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.peer,
    pytest.mark.skipif(
        shutil.which("node") is None or not REFERENCE.is_file(),
        reason="the npm package statsd is not in .npm-peers; see .ci/run",
    ),
]


@contextmanager
def reference(folder: Path) -> Iterator[tuple[int, Path]]:
    """Its port, and the file its flushes go to."""
    port, flushes = free_port(socket.SOCK_DGRAM), folder / "flushes"
    config = folder / "config.js"
    backend = json.dumps(str(BACKEND.with_suffix("")))
    config.write_text(
        f"{{address: '127.0.0.1', port: {port}, mgmt_address: '127.0.0.1',"
        f" mgmt_port: {free_port(socket.SOCK_STREAM)}, flushInterval: {FLUSH_MS},"
        f" backends: [{backend}], percentThreshold: {list(PERCENTILES)}}}"
    )
    daemon = subprocess.Popen(
        ["node", str(REFERENCE), str(config)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=clean_environment() | {"FLUSHES": str(flushes), "PATH": os.environ["PATH"]},
    )
    try:
        wait_until("it does not flush", lambda: bool(flushed(flushes)))
        yield port, flushes
    finally:
        daemon.terminate()
        daemon.wait()


def flushed(path: Path) -> list[dict[str, Any]]:
    """What was flushed so far."""
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    return [json.loads(line) for line in lines]


def theirs(folder: Path, datagrams: Sequence[bytes]) -> dict[str, Any]:
    """The one flush that has all of it: sent at once, right behind another flush."""
    with reference(folder) as (port, path):
        before = len(flushed(path))
        wait_until("no flush", lambda: len(flushed(path)) > before)
        before = len(flushed(path))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for datagram in datagrams:
                sender.sendto(datagram, ("127.0.0.1", port))
                time.sleep(0.0005)
        wait_until("no flush", lambda: len(flushed(path)) > before)
        found = flushed(path)[before]
        assert found["counters"]["statsd.packets_received"] == len(datagrams)
    return found


def ours(datagrams: Sequence[bytes]) -> Engine:
    """An engine with all of it in its open period."""
    settings = Settings(percentiles=PERCENTILES)
    engine = build_engine(settings, build_namer(settings))
    for datagram in datagrams:
        engine.feed(datagram, 0)
    return engine


def sorted_tags(key: str) -> str:
    """Two orders of tags are one series here."""
    name, *tags = key.split(";")
    return ";".join([name, *sorted(tags)])


def tables(engine: Engine) -> dict[str, dict[str, Any]]:
    """By kind and key, one closed period."""
    found: dict[str, dict[str, Any]] = {kind.value: {} for kind in Kind}
    [sealed] = engine.seal(60)
    for series, summary in engine.close(sealed)[0].rows:
        found[series.kind.value][key_of(series)] = summary
    return found


NAMES = ["a", "api.hits", "fo/o", "b ar", "x+y", "_z-1", "deep.er.name", "é1", "q"]


def lines(count: int) -> Iterator[str]:
    """Good and bad ones, of the kinds that both know, as senders write them."""
    dice = random.Random(7)  # noqa: S311 - the same every time
    for _ in range(count):
        name = dice.choice(NAMES) + dice.choice(["", "", ".n1", ".n2"])
        value = dice.choice([str(dice.randrange(1000)), f"{dice.uniform(0, 99):.3f}"])
        tags = dice.choice(["", "", "|#k:v", "|#b:2,a:1"])
        match dice.randrange(12):
            case 0 | 1 | 2 | 3:
                rate = dice.choice(["", "", "|@0.5", "|@0.1", "|@1"])
                yield f"{name}:{dice.choice(['', '-'])}{value}|c{rate}{tags}"
            case 4 | 5:
                yield f"{name}:{dice.choice(['', '', '+', '-'])}{value}|g{tags}"
            case 6 | 7:
                yield f"t.{name}:{value}|ms{tags}"
            case 8:
                yield f"{name}:{dice.choice(['x', 'y', '1', '1.0', 'é'])}|s{tags}"
            case 9:
                yield f"{name}:1|c:2|c:{value}|ms"
            case 10:
                yield f"sampled.{name}:{value}|ms|@0.5"
            case _:
                yield dice.choice(
                    ["nothing", "a:b|c", "a:1", "a:1|c|x", "a:|c", "a:-1|ms", "a:1|g|@"]
                )


def datagrams(count: int) -> list[bytes]:
    every = list(lines(count))
    return ["\n".join(every[at : at + 20]).encode() for at in range(0, count, 20)]


def test_one_flush_is_the_same(tmp_path: Path) -> None:
    """Counters, gauges and sets are equal, and so are timers: count, extremes, mean, sum
    and percentiles, the last three at rate 1."""
    sent = datagrams(4000)
    reference_, engine = theirs(tmp_path, sent), ours(sent)
    mine = tables(engine)

    counters = without_own(reference_["counters"])
    assert {k: v.total for k, v in mine["counter"].items()} == pytest.approx(counters)
    gauges = without_own(reference_["gauges"])
    assert {k: v.last for k, v in mine["gauge"].items()} == pytest.approx(gauges)
    sets = {sorted_tags(k): len(v) for k, v in reference_["sets"].items()}
    assert {k: v.distinct for k, v in mine["set"].items()} == sets

    timers = {sorted_tags(k): v for k, v in reference_["timer_data"].items()}
    assert set(mine["timer"]) == set(timers)
    for key, data in timers.items():
        summary = mine["timer"][key]
        assert summary.count == pytest.approx(data["count"])
        assert (summary.minimum, summary.maximum) == (data["lower"], data["upper"])
        if key.startswith("sampled."):
            continue
        assert summary.total == pytest.approx(data["sum"])
        assert summary.mean == pytest.approx(data["mean"])
        upper = {p: data[f"upper_{p}"] for p in PERCENTILES if f"upper_{p}" in data}
        assert {p: v for p, v in summary.percentiles if p in upper} == upper
    bad = sum(engine.tally().refused.values())
    assert bad == reference_["counters"]["statsd.bad_lines_seen"]
    assert len(counters) > 20
    assert len(timers) > 20
    assert bad > 100


def without_own(table: dict[str, float]) -> dict[str, float]:
    """What the daemon counts of itself is left out; tags are sorted."""
    return {
        sorted_tags(key): value
        for key, value in table.items()
        if not key.startswith("statsd.")
    }


DIFFERENT = [
    # Defect 2: names that are members of objects.
    (b"toString:1|c", "toString", "function toString() { [native code] }1", 1.0),
    # Defect 3: what is infinite.
    (b"z:1|c|@0", "z", None, None),
    (b"i:Infinity|c", "i", None, None),
    (b"j:1e400|c", "j", None, None),
    # Defect 4: exponents in rates.
    (b"r:1|c|@1e-1", "r", 1, 10.0),
    # Defect 5: unknown types.
    (b"m:1|m", "m", 1, None),
    # Defect 12: a blank for a number.
    (b"w: |c", "w", 0, None),
]
"""A line, its key, and the counter it makes there (infinite: null) and here."""

ODD = [b"s:foo|s\r\ns:bar|s\r\n", b"g:10|g\ng: -5|g", b"h:3|h", b"d:3|d", b"!:1|c"]


def test_defects_are_not_copied(tmp_path: Path) -> None:
    """Each is there in the reference, and not here; docs/migrating.rst lists them."""
    sent = [*(line for line, *_ in DIFFERENT), *ODD]
    reference_, mine = theirs(tmp_path, sent), tables(ours(sent))
    for line, key, there, here in DIFFERENT:
        assert key in reference_["counters"], line
        assert reference_["counters"][key] == there, line
        summary = mine["counter"].get(key)
        assert (None if summary is None else summary.total) == here, line
    # Defect 14: a carriage return makes a member of a set a bad line.
    assert reference_["sets"] == {}
    assert mine["set"] == {"s": SetSummary(2)}
    # Defect 12: a blank before a sign makes a delta a value.
    assert reference_["gauges"]["g"] == -5
    assert mine["gauge"]["g"] == GaugeSummary(5.0, 7.5, 5.0, 10.0, 2)
    # Kinds that only DogStatsD has count there.
    assert (reference_["counters"]["h"], reference_["counters"]["d"]) == (3, 3)
    assert isinstance(mine["histogram"]["h"], TimerSummary)
    assert isinstance(mine["distribution"]["d"], TimerSummary)
    # A name of which the key rule leaves nothing.
    assert reference_["counters"][""] == 1
    assert "" not in mine["counter"]


def test_a_rate_that_ends_the_reference_is_a_bad_line(tmp_path: Path) -> None:
    """Defect 1: one datagram is enough."""
    for rate in (b"@+0.5", b"@ 0.5", b"@Infinity"):
        engine = ours([b"a:1|c|" + rate])
        assert engine.tally().refused[Reason.BAD_RATE] == 1, rate
    with reference(tmp_path) as (port, path):
        before = len(flushed(path))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"a:1|c|@+0.5", ("127.0.0.1", port))
        time.sleep(2 * FLUSH_MS / 1000)
        assert len(flushed(path)) <= before + 1
