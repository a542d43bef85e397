"""What one series may cost, however much it is sent: bar H2."""

import sys
from collections.abc import Callable, Iterable
from itertools import chain
from random import Random
from typing import Any

import pytest

from relay.rollup.rank import uniform_ranks
from relay.rollup.summary import SetSummary, TimerSummary
from tests.rollup.rig import Rig

MOST_BYTES = 64 * 1024
LINES = 1000
RANKS = (50, 75, 90, 95, 98, 99)
SIZES = [
    pytest.param(200_000, id="quick"),
    pytest.param(10_000_000, id="full", marks=pytest.mark.soak),
]


def size_of(one: Any) -> int:
    """A slot with everything in it, in bytes."""
    held: Iterable[Any] = ()
    if isinstance(one, dict):
        held = chain(one.keys(), one.values())
    elif isinstance(one, list | tuple | set):
        held = one
    elif hasattr(one, "__slots__"):
        held = [getattr(one, name) for name in one.__slots__]
        if "bins" not in one.__slots__:  # of the native engine they are in C
            held = [*held, getattr(one, "bins", None)]
    return sys.getsizeof(one) + sum(map(size_of, held))


def fed(rig: Rig, lines: Callable[[int], bytes], many: int) -> int:
    """The most that the only slot took, looked at where it had just been added to."""
    most = 0
    for at in range(0, many, LINES):
        rig.feed(*[lines(number) for number in range(at, at + LINES)])
        [slot] = rig.engine._book.slots.values()  # type: ignore[attr-defined]
        # Up to the limit of exact ones everything is kept.
        if at >= 2 * LINES and (at // LINES) % 7 == 0:
            most = max(most, size_of(slot))
    return most


@pytest.mark.bar("H2")
@pytest.mark.parametrize("many", SIZES)
def test_a_set_of_any_size(many: int, rig: Rig, figure: Callable[[str], None]) -> None:
    """It takes 64 KB, and is estimated within 3 %."""
    most = fed(rig, lambda number: b"s:member-%d|s" % number, many)
    summary = rig.base(60)["s"]
    assert isinstance(summary, SetSummary)
    wrong = summary.distinct / many - 1
    figure(f"set of {many}: {most / 1024:.0f} KB, {wrong:+.2%}")
    assert 16_384 < most <= MOST_BYTES
    assert abs(wrong) <= 0.03


@pytest.mark.bar("H2")
@pytest.mark.parametrize("many", SIZES)
def test_a_timer_of_any_size(
    many: int, rig: Rig, figure: Callable[[str], None]
) -> None:
    """It takes 64 KB; percentiles are within 0.5 %, all else is exact."""
    random = Random(2)  # noqa: S311 - repeatable on purpose
    values: list[int] = []

    def line(_: int) -> bytes:
        values.append(round(random.lognormvariate(8, 3)) + 1)
        return b"t:%d|ms" % values[-1]

    most = fed(rig, line, many)
    summary = rig.base(60)["t"]
    assert isinstance(summary, TimerSummary)
    wanted = (len(values), sum(values), min(values), max(values))
    found = (summary.count, summary.total, summary.minimum, summary.maximum)
    assert found == tuple(map(float, wanted))
    exact = uniform_ranks(sorted(map(float, values)), 1.0, RANKS)
    wrong = max(
        abs(one / value - 1)
        for (_, one), (_, value) in zip(summary.percentiles, exact, strict=True)
    )
    figure(
        f"timer of {many}: {most / 1024:.0f} KB, percentiles {wrong:.2%} off at most"
    )
    assert 2_048 < most <= MOST_BYTES
    assert wrong <= 0.005


HOSTILE = {
    "all magnitudes": lambda n: b"t:%de%d|h" % (1 - n % 2 * 2, n % 190),
    "all weights": lambda n: b"t:1e%d|h|@0.%d" % (n % 30, n % 97 + 1),
    "strays": lambda n: b"t:1e201|h|@0.%d" % (n % 9 + 1),
}


@pytest.mark.bar("H2")
@pytest.mark.parametrize("line", HOSTILE.values(), ids=HOSTILE)
def test_a_timer_of_hostile_values(
    line: Callable[[int], bytes], rig: Rig, figure: Callable[[str], None]
) -> None:
    """Nor do values take more that have nothing in common."""
    most = fed(rig, line, 20 * LINES)
    figure(f"hostile timer: {most / 1024:.0f} KB")
    assert 2_048 < most <= MOST_BYTES


@pytest.mark.bar("H2")
def test_a_set_of_the_longest_members(rig: Rig, figure: Callable[[str], None]) -> None:
    """Members are kept at 64 bytes at most."""
    most = fed(rig, lambda n: b"s:%0400d|s" % n, 10 * LINES)
    figure(f"set of long members: {most / 1024:.0f} KB")
    assert 16_384 < most <= MOST_BYTES
