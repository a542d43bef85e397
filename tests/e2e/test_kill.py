"""kill -9 at any moment: what is durable arrives, what is lost is bounded and told.

Several chains of lives run beside each other, since most of a life is waiting. Each life
has a word of its own in its lines, so that what is lost is known by life.
"""

import random
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from relay.cloudmonitor.datum import decode
from relay.spool.survey import Survey
from tests.e2e.children import Child
from tests.e2e.lives import PERIOD, Load, Site, hits, identity, repeated, start_emulator
from tests.e2e.road import assert_ledger_balances, entries, script, status, wait_until

pytestmark = pytest.mark.e2e

RATE, SERIES = 2000, 200
INTERVAL = 0.2
IN_FLIGHT, ENTRIES_A_REQUEST = 4, 20
FLAGS = (
    *("--checkpoint-interval", str(INTERVAL), "--requests-in-flight", str(IN_FLIGHT)),
    *("--entries-per-request", str(ENTRIES_A_REQUEST), "--requests-per-second"),
)
SLOW, FAST = "4", "500"
"""So that entries wait when a life ends, and are delivered at the end."""
LAST_STOP_SECONDS = 120
LAST = ("--stop", "send", "--stop-timeout", str(LAST_STOP_SECONDS))
"""The last life of all delivers everything, however slow the machine is."""
LONGEST_LIFE = 2.2
LIVES = 4
"""That are killed in a chain. Each has series of its own, which are reported idle by all
that follow, so that a chain of many has more to report than it can deliver."""
CHAINS_TOGETHER = 3
KILLS_DURING_RECOVERY = 20
AHEAD = 2
"""Lives that have their modules before they are wanted."""


class Chain(NamedTuple):
    """What became of a chain of lives that were all killed but the last.

    By life: ``sent``, and of that ``waited`` in the socket when the life began, so that
    it was received at once. ``kept`` is what was in the spool at some kill, ``gaps`` is
    what successors told.
    """

    sent: dict[str, int]
    waited: dict[str, int]
    kept: set[tuple[object, ...]]
    gaps: list[float]


@pytest.fixture
def emulator() -> Iterator[Child]:
    """One for all chains."""
    child = start_emulator()
    yield child
    assert child.stop() == 0


def durable(folder: Path) -> set[tuple[object, ...]]:
    """What waits in the spool, by what must be reported once."""
    found: set[tuple[object, ...]] = set()
    with closing(Survey(folder)) as survey:
        for name in survey.names():
            with suppress(FileNotFoundError):  # delivered a moment ago
                for batch in survey.batches(name):
                    found |= {
                        (datum.metric, datum.dimensions, datum.period, datum.time_ms)
                        for datum in map(decode, batch.items)
                    }
    return found


def chain(site: Site, seed: int) -> Chain:
    """Kill some lives at random moments, let the last one live."""
    dice = random.Random(seed)  # noqa: S311 - moments, no secret
    kept: set[tuple[object, ...]] = set()
    waited: dict[str, int] = {}
    gaps: list[float] = []
    load = loaded(site, f"l{seed}x0")
    start = site.warm(*FLAGS, SLOW)
    for life in range(LIVES):
        relay = start()
        start = site.warm(*FLAGS, *((SLOW,) if life + 1 < LIVES else (FAST, *LAST)))
        relay.wait_ready()
        waited[load.word] = load.hits[load.word]
        check_start(relay, life, gaps)
        time.sleep(dice.uniform(0, LONGEST_LIFE))
        kill(relay)
        load.word = f"l{seed}x{life + 1}"
        kept |= durable(site.folder)
    load.stop()
    last, _ = started(start)
    check_start(last, LIVES, gaps)
    assert_all_was_read(last)
    assert last.stop(seconds=LAST_STOP_SECONDS) == 0
    return Chain(load.hits, waited, kept, gaps)


def loaded(site: Site, word: str) -> Load:
    """A sender under way."""
    lines = [f"{{}}.c{n}:1|c" for n in range(SERIES)]
    load = Load(site.holder.getsockname(), lines, RATE)
    load.word = word
    load.start()
    return load


def started(start: Callable[[], Child]) -> tuple[Child, float]:
    """A relay that is ready, and the seconds that took."""
    child = start()
    began = time.monotonic()
    child.wait_ready()
    return child, time.monotonic() - began


def kill(relay: Child) -> None:
    relay.process.send_signal(signal.SIGKILL)
    relay.process.wait()


def check_start(relay: Child, life: int, gaps: list[float]) -> None:
    """Every life but the first finds a predecessor that was killed, and says so."""
    shown = status(relay.urls["http"][0])
    assert_ledger_balances(shown["ledger"])
    if life == 0:
        assert shown["predecessor"] is None
        return
    assert not shown["predecessor"]["clean"]
    gaps.append(shown["predecessor"]["gap_seconds"])
    assert "the relay before this one was killed" in relay.stderr


def assert_all_was_read(relay: Child) -> None:
    """Nothing waits in the socket any more."""
    seen = -1

    def quiet() -> bool:
        nonlocal seen
        before, seen = seen, status(relay.urls["http"][0])["ledger"]["lines"]
        return bool(before == seen)

    wait_until("it never got quiet", quiet)


def check(chains: list[Chain], found: list[dict[str, Any]]) -> str:
    """The bar; in words what was measured."""
    kept = set().union(*(one.kept for one in chains))
    assert kept, "nothing waited when it was killed"
    assert kept <= set(map(identity, found)), "a durable entry is missing"
    told = hits(found, PERIOD)
    lost = []
    for one in chains:
        for life, sent in one.sent.items():
            lost.append(sent - told.get(life, 0))
            most = (INTERVAL + 1) * RATE + one.waited.get(life, 0)
            assert 0 <= lost[-1] <= most
    gaps = [gap for one in chains for gap in one.gaps]
    again = repeated(found)
    assert again <= len(gaps) * IN_FLIGHT * ENTRIES_A_REQUEST
    return (
        f"{len(gaps)} kills: 0 of {len(kept)} durable entries missing, {max(lost):g} "
        f"lines lost at most ({RATE * INTERVAL:g} in an interval), {again} entries "
        f"twice, gaps of {min(gaps):.1f} to {max(gaps):.1f} s told"
    )


@pytest.mark.bar("R1", "L1", "L4")
@pytest.mark.parametrize(
    "chains",
    [5, pytest.param(50, marks=pytest.mark.soak)],
    ids=["20", "200"],
)
def test_a_kill_at_any_moment_costs_what_came_since_the_last_checkpoint(
    emulator: Child,
    tmp_path: Path,
    chains: int,
    figure: Callable[[str], None],
) -> None:
    """No durable entry, no period twice but what was under way; the gap is told."""

    def one(seed: int) -> Chain:
        with Site.open(emulator, tmp_path / f"state{seed}") as site:
            return chain(site, seed)

    with ThreadPoolExecutor(CHAINS_TOGETHER) as pool:
        done = list(pool.map(one, range(chains)))
    figure(check(done, entries(emulator.urls["emulator"][0])))


@pytest.mark.bar("R3")
def test_kills_during_recovery_cost_nothing(
    emulator: Child, tmp_path: Path, figure: Callable[[str], None]
) -> None:
    """Twenty starts in a row that are killed about when they would be ready."""
    dice = random.Random(3)  # noqa: S311 - moments, no secret
    url = emulator.urls["emulator"][0]
    with Site.open(emulator, tmp_path / "state") as site:
        load = loaded(site, "w")
        script(url, [{"status": 503, "times": 10_000}])
        starts = deque([site.warm(*FLAGS, SLOW, "--stop-timeout", "0.5")])
        starts.extend(site.warm(*FLAGS, SLOW) for _ in range(AHEAD))
        first, start_seconds = started(starts.popleft())
        wait_until("nothing waits", lambda: bool(durable(site.folder)))
        load.stop()
        assert_all_was_read(first)
        assert first.stop() == 0
        kept, files = durable(site.folder), count(site.folder)
        early = 0
        for number in range(KILLS_DURING_RECOVERY):
            flags = (SLOW,) if number + AHEAD < KILLS_DURING_RECOVERY else (FAST, *LAST)
            starts.append(site.warm(*FLAGS, *flags))
            relay = starts.popleft()()
            time.sleep(start_seconds * dice.uniform(0.1, 1.3))
            kill(relay)
            early += "ready" not in relay.stderr.splitlines()
        assert early, "none fell into recovery"
        script(url, [])
        last, _ = started(starts.popleft())
        wait_until("not delivered", lambda: not durable(site.folder))
        assert last.stop() == 0
        assert count(site.folder) <= files
        for start in starts:
            kill(start())
    found = entries(url)
    assert kept
    assert kept <= set(map(identity, found))
    assert hits(found, PERIOD) == load.hits
    figure(
        f"{KILLS_DURING_RECOVERY} kills, {early} of them before it was ready: "
        f"0 of {len(kept)} durable entries missing, 0 of {load.sent.total()} lines lost, {repeated(found)} entries twice, "
        "no file more"
    )


def count(folder: Path) -> int:
    """Of all files."""
    return sum(path.is_file() for path in folder.rglob("*"))
