"""StatsD traffic to measure with: the same every time, made of nothing but a seed.

60 % counters that add 1, 20 % gauges, 15 % timers, 5 % sets, over so many series in
random order, in datagrams filled up to 1,432 bytes. Values are drawn afresh for every
line, so that a cache of values cannot flatter the result.
"""

from collections.abc import Iterator, Sequence
from random import Random

__all__ = ["COUNTERS", "MIXED", "datagrams", "lines"]

MOST_BYTES = 1432

_AREAS = ("prod", "stage", "edge", "core", "batch", "mobile")
_SERVICES = ("checkout", "search", "catalog", "payments", "identity", "shipping")
_PARTS = ("http", "db", "cache", "queue", "rpc", "worker", "auth", "render")
_THINGS = ("requests", "errors", "latency", "bytes_in", "hits", "misses", "retries")
_TYPES = ("c", "g", "ms", "s")
MIXED = (60, 20, 15, 5)
COUNTERS = (100, 0, 0, 0)
"""Shares of the types."""


def lines(
    many: int,
    series: int,
    *,
    tags: int = 0,
    seed: int = 1,
    mix: Sequence[int] = MIXED,
) -> Iterator[str]:
    """Each series once in random order, then all of them in another, and so on."""
    random = Random(seed)  # noqa: S311 - repeatable on purpose
    names = [_name(random, number) for number in range(series)]
    types = random.choices(_TYPES, mix, k=series)
    texts = [_tags(random, tags) for _ in range(series)]
    order = list(range(series))
    for at in range(many):
        if at % series == 0:
            random.shuffle(order)
        one = order[at % series]
        kind = types[one]
        yield f"{names[one]}:{_value(random, kind)}|{kind}{texts[one]}"


def datagrams(many: int, series: int, *, tags: int = 0, seed: int = 1) -> list[bytes]:
    """The lines, packed as full as datagrams on Ethernet may be."""
    found: list[bytes] = []
    packed: list[str] = []
    room = MOST_BYTES
    for line in lines(many, series, tags=tags, seed=seed):
        if len(line) > room:
            found.append("\n".join(packed).encode())
            packed, room = [], MOST_BYTES
        packed.append(line)
        room -= len(line) + 1
    found.append("\n".join(packed).encode())
    return found


def _name(random: Random, number: int) -> str:
    words = [random.choice(each) for each in (_AREAS, _SERVICES, _PARTS)]
    node, thing = random.randrange(64), random.choice(_THINGS)
    return ".".join([*words, f"node{node:02}", thing, f"{number:x}"])


def _tags(random: Random, many: int) -> str:
    if not many:
        return ""
    return "|#" + ",".join(f"key{n}:value-{random.randrange(50)}" for n in range(many))


def _value(random: Random, kind: str) -> str:
    match kind:
        case "c":
            return "1"
        case "g" if random.random() < 0.5:
            return str(random.randrange(100_000))
        case "g":
            return f"{random.random() * 1000:.2f}"
        case "ms":
            value = random.expovariate(1) * 2 ** random.randrange(10)
            return f"{value:.0f}" if random.random() < 0.5 else f"{value:.3f}"
        case _:
            return f"user{random.randrange(10_000)}"
