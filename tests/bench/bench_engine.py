"""What a line costs, parsed and accumulated: ``python -m tests.bench.bench_engine``.

One thread, 1,432-byte datagrams, mixed kinds over 10,000 series. Medians of processor
time over repeats, each with an engine of its own and a period's worth of lines.
"""

from collections.abc import Callable, Iterator
from statistics import median
from time import process_time

from relay.rollup.engine import Engine
from relay.rollup.engines import open_engine
from relay.rollup.series import Series
from relay.statsd.grammar import Grammar
from relay.statsd.sample import Kind, Tags
from tests.bench.workload import datagrams

SERIES = 10_000
LINES = 400_000
REPEATS = 5


def resolve(kind: Kind, name: str, tags: Tags, /) -> Series:
    """The cheapest of names: what naming costs is measured elsewhere."""
    return Series(kind, name, tags, name, ())


def engine() -> Engine:
    return open_engine("auto", resolve, Grammar())


def timed(subject: Engine, sent: list[bytes], period: int) -> float:
    start = process_time()
    for datagram in sent:
        subject.feed(datagram, period)
    return process_time() - start


def first_period(sent: list[bytes]) -> float:
    """A new engine, which learns every spelling on the way."""
    return timed(engine(), sent, 0)


def next_period(sent: list[bytes]) -> float:
    """An engine that has seen the names before, in the period before."""
    subject = engine()
    timed(subject, sent[: len(sent) // 10], 0)
    subject.seal(60)
    return timed(subject, sent, 60)


def new_names(sent: list[bytes]) -> float:
    """Every line a new name, beyond the limit of series."""
    return timed(open_engine("auto", resolve, Grammar(), series_limit=1000), sent, 0)


def nonsense(sent: list[bytes]) -> float:
    """Every line refused."""
    return timed(engine(), [each.replace(b"|", b"!") for each in sent], 0)


def figures() -> Iterator[tuple[str, Callable[[list[bytes]], float], list[bytes]]]:
    plain = datagrams(LINES, SERIES)
    yield "parse+accumulate, mixed", next_period, plain
    yield "parse+accumulate, mixed, first period", first_period, plain
    yield (
        "parse+accumulate, mixed, 5 tags",
        next_period,
        datagrams(LINES, SERIES, tags=5),
    )
    yield "new names at the limit", new_names, datagrams(60_000, 60_000)
    yield "nonsense", nonsense, plain[:2000]


def main() -> None:
    for label, run, sent in figures():
        many = sum(datagram.count(b"\n") + 1 for datagram in sent)
        cost = median(run(sent) for _ in range(REPEATS)) / many * 1e6
        print(f"{label:40} {cost:8.3f} µs/line", flush=True)


if __name__ == "__main__":
    main()
