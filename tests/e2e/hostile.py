"""What a hostile sender can do, in a process of its own: ``python -m tests.e2e.hostile``.

``flood NAMES PAD`` and ``noise DATAGRAMS SEED`` live a simulated day of the rooms between
the socket and the spool, minute by minute, and print what they measured as one JSON
object. ``run …`` is the relay itself, and says at its end how long a packet held the
reactor at most.
"""

import itertools
import json
import re
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from relay.cloudmonitor.packing import compose
from relay.pipeline import build_engine, build_namer
from relay.rollup.engine import Rollup
from relay.rollup.summary import CounterSummary
from relay.service.heap import Heap
from relay.settings import Settings
from relay.spool.memory import MemorySpool
from relay.statsd.grammar import Grammar, lines
from relay.statsd.sample import Kind, Reason, Sample
from tests.bench.workload import datagrams
from tests.statsd.cases import all_cases

MINUTE = 60
KNOWN = 10_000
LOAD_LINES = 300_000  # 30 s of 10,000 lines
NEW = 500


def resident_bytes() -> int:
    text = Path("/proc/self/status").read_text()
    [kilobytes] = re.findall(r"^VmRSS:\s+(\d+) kB", text, re.MULTILINE)
    return int(kilobytes) * 1024


class Day:
    """The road from datagrams to forgotten batches, on a clock that is told."""

    def __init__(self, **settings: Any) -> None:
        self.settings = Settings(**settings)
        self.namer = build_namer(self.settings)
        self.engine = build_engine(self.settings, self.namer)
        self.spool = MemorySpool(limit_bytes=2**26, max_age_seconds=21_600)
        self.heap = Heap()
        self.now = 0
        self.peak = 0
        self.totals: dict[str, float] = {}
        self.last: Rollup | None = None

    def feed(self, sent: Iterator[bytes] | list[bytes]) -> None:
        for number, datagram in enumerate(sent):
            self.engine.feed(datagram, self.now)
            if number % 500 == 0:
                self.look()

    def look(self) -> None:
        self.peak = max(self.peak, resident_bytes())

    def minute(self) -> None:
        """Seal, close, compose, keep and deliver what this one held."""
        self.now += MINUTE
        for sealed in self.engine.seal(self.now):
            for rollup in self.engine.close(sealed):
                if rollup.length == MINUTE:
                    self._sum(rollup)
                self.spool.append(compose(rollup).batches)
                self.look()
        while (batch := self.spool.take(self.now)[0]) is not None:
            self.spool.acknowledge(batch.id)
        self.heap.set_aside()

    def _sum(self, rollup: Rollup) -> None:
        """Of counters that were known before the flood."""
        self.last = rollup
        for series, summary in rollup.rows:
            if isinstance(summary, CounterSummary) and series.name.startswith("known"):
                total = self.totals.get(series.name, 0.0)
                self.totals[series.name] = total + summary.total


def flood(names: int, pad: int) -> dict[str, Any]:
    """Known series, then with them a flood of new ones, then new ones that are wanted."""
    day = Day()
    load = datagrams(LOAD_LINES, KNOWN - 1000)
    known = [f"known.{n}:1|c".encode() for n in range(1000)]
    known_sent = 0

    def send_known() -> None:
        nonlocal known_sent
        day.feed([b"\n".join(known)])
        known_sent += 1

    for minute in range(5):  # a long period; the flood and what follows are in the next
        day.feed(load[minute::5])
        send_known()
        day.minute()
    baseline = day.peak
    refused_before = day.engine.tally().refused[Reason.SERIES_LIMIT]
    tag = "x" * pad
    fresh = (
        b"\n".join(b"flood.%x.%s:1|c" % (n, tag.encode()) for n in range(at, at + 32))
        for at in range(0, names, 32)
    )
    for _ in range(3):
        for _ in range(5):
            send_known()
            day.feed(itertools.islice(fresh, names // 32 // 15))
        day.minute()
    day.feed(fresh)
    refused = day.engine.tally().refused[Reason.SERIES_LIMIT] - refused_before
    overflow = day.engine.overflow()
    day.minute()
    calm = day.engine.tally()
    day.feed([b"\n".join(b"wanted.%d:1|c" % n for n in range(NEW))])
    send_known()
    day.minute()
    after = day.engine.tally()
    assert day.last is not None
    return {
        "more_bytes": day.peak - baseline,
        "baseline_bytes": baseline,
        "known_lost": known_sent * len(known) - sum(day.totals.values()),
        "flood": names,
        "refused": refused,
        "admitted": calm.samples[Kind.COUNTER],
        "prefixes": overflow.prefixes.known,
        "others": overflow.prefixes.others,
        "series": after.series,
        "wanted": sum(s.name.startswith("wanted.") for s, _ in day.last.rows),
        "refused_after": after.refused[Reason.SERIES_LIMIT]
        - calm.refused[Reason.SERIES_LIMIT],
    }


def noise_of(random: Random) -> Callable[[], bytes]:
    """Random bytes, and lines of the tables with some of their bytes changed."""
    texts = [case.datagram for case in all_cases()]

    def mutated() -> bytes:
        text = bytearray(random.choice(texts))
        for _ in range(random.randrange(4)):
            at = random.randrange(len(text) + 1)
            match random.randrange(3):
                case 0:
                    text[at : at + 1] = b""
                case 1:
                    text.insert(at, random.randrange(256))
                case _:
                    text[at : at + 1] = random.choice((b"|", b":", b"#", b",", b"\n"))
        return bytes(text)

    def datagram() -> bytes:
        if random.random() < 0.2:
            return random.randbytes(random.randrange(100))
        if random.random() < 0.002:
            return mutated() * random.randrange(500, 2000)
        return b"\n".join(mutated() for _ in range(random.randrange(1, 4)))

    return datagram


def noise(many: int, seed: int) -> dict[str, Any]:
    """Each section is counted once, whatever comes, and nothing grows."""
    random = Random(seed)  # noqa: S311 - repeatable on purpose
    day, datagram = Day(series_limit=1000), noise_of(random)
    parse = Grammar(day.settings.dialect).parse
    sections = counted_lines = baseline = 0
    for number in range(many):
        sent = datagram()
        found = lines(sent)
        counted_lines += len(found)
        for line in found:
            for item in parse(line):
                sections += len(item.values) if isinstance(item, Sample) else 1
        day.feed([sent])
        if number % (many // 20) == 0:
            day.minute()
        if number == many // 2:
            baseline = resident_bytes()
    tally = day.engine.tally()
    parts = (tally.samples, tally.refused, tally.ignored)
    return {
        "sections": sections,
        "counted": sum(sum(part.values()) for part in parts),
        "said": tally.sections,
        "lines": counted_lines,
        "counted_lines": tally.lines,
        "more_bytes": resident_bytes() - baseline,
    }


def run(words: list[str]) -> int:
    """The relay; the longest a packet or its rest held the reactor, in its own time."""
    from relay.cli import main  # noqa: PLC0415
    from relay.service.intake import Intake  # noqa: PLC0415

    longest = [0.0]

    def timed(method: Callable[..., None]) -> Callable[..., None]:
        def wrapper(*arguments: Any) -> None:
            began = time.thread_time()
            method(*arguments)
            longest[0] = max(longest[0], time.thread_time() - began)

        return wrapper

    Intake.take = timed(Intake.take)  # type: ignore[method-assign]
    Intake._go_on = timed(Intake._go_on)  # type: ignore[method-assign]
    status = main(["run", *words])
    print(f"longest {longest[0]:.6f}", file=sys.stderr)
    return status


if __name__ == "__main__":
    command, *words = sys.argv[1:]
    if command == "run":
        sys.exit(run(words))
    tell: Callable[..., dict[str, Any]] = {"flood": flood, "noise": noise}[command]
    print(json.dumps(partial(tell, *map(int, words))()))
