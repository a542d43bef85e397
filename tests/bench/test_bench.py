"""The benchmarks run; what they measure is nobody's promise, so no figure is looked at."""

import re
import subprocess
import sys

import pytest

from tests.e2e.children import ROOT


def bench(*words: str) -> str:
    ended = subprocess.run(
        [sys.executable, "-m", "tests.bench.bench_engine", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.mark.e2e
def test_a_row_of_each_kind_is_printed() -> None:
    """With a cost in either engine, or a dash where there is none."""
    said = bench(
        *("--profiles", "P1", "--share", "0.002", "--repeats", "1"),
        *("--seconds", "1", "--period", "1"),
    )
    for label in (
        "grammar alone",
        "hot path alone",
        "feed, first period",
        "feed, next period",
        "daemon, 20,000 lines a second",
        "new names where there is no place",
        "lines of nonsense",
    ):
        figure = r" +(\d+\.\d{3}|-)"
        assert re.search(rf"(?m)^  {label}{figure}{figure} +(\d+\.\d|-)$", said)


def test_help_says_what_there_is_to_choose() -> None:
    """Each profile and each kind of row, with what it is."""
    said = bench("--help")
    for word in ("P1", "P2", "P3", "parse", "feed", "daemon", "worst"):
        assert re.search(rf"(?m)^  {word}  +\S+ \S+", said)
