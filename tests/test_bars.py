"""Every reliability bar has a test, and a row in docs/ with what was measured.

The rows are those of docs/reliability.rst's table "What was tried"; a test says by
``@pytest.mark.bar`` which it is about.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.readme import DOCS

TESTS = Path(__file__).parent

QUICK = (
    *("L1", "L2", "L3", "L4", "R1", "R2", "R3", "R4", "R5", "R6", "R8", "R9", "R10"),
    *("S2", "S3", "S4", "S6", "S7", "K1", "K2", "K3", "K4", "K5", "K7", "K9", "K10"),
    *("T1", "T2", "T5", "H1", "H2", "H3", "H4", "H5", "H7", "A1", "A2", "A3", "A4"),
    *("A6", "P1", "P2", "P3", "P5", "P6", "P7"),
)
"""Shown in every run of the tests."""

SOAK = ("R7", "S1", "S5", "K6", "K8", "T3", "T4", "H6", "A5", "P4")
"""Shown by hand: ``pytest -m "bar and soak"``."""


class Shown(NamedTuple):
    """A test that shows a row; ``by_hand`` if only who asks for it runs it."""

    row: str
    by_hand: bool


def shown() -> Iterator[Shown]:
    for path in sorted(TESTS.rglob("test_*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        module = [
            ast.unparse(node.value)
            for node in tree.body
            if isinstance(node, ast.Assign) and "pytestmark" in ast.unparse(node)
        ]
        for node in tree.body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                yield from _of(node, module)


def _of(node: ast.FunctionDef | ast.ClassDef, module: list[str]) -> Iterator[Shown]:
    marks = [*map(ast.unparse, node.decorator_list), *module]
    is_test = node.name.startswith(("test_", "Test"))
    by_hand = "pytest.mark.soak" in marks
    for mark in marks if is_test else ():
        for rows in re.findall(r"mark\.bar\(([^)]*)\)", mark):
            for row in re.findall(r"\w+", rows):
                yield Shown(row, by_hand)


SHOWN = set(shown())


@pytest.mark.parametrize("row", QUICK)
def test_every_run_shows_a_quick_row(row: str) -> None:
    """It is not only shown by hand."""
    assert Shown(row, by_hand=False) in SHOWN


@pytest.mark.parametrize("row", SOAK)
def test_a_long_row_can_be_shown(row: str) -> None:
    """By hand at least."""
    assert row in {one.row for one in SHOWN}


def test_no_test_is_about_a_row_that_is_none() -> None:
    """A slip of the pen would make a row look shown."""
    assert {one.row for one in SHOWN} <= {*QUICK, *SOAK}


@pytest.mark.parametrize("row", [*QUICK, *SOAK])
def test_the_docs_say_what_was_measured(row: str) -> None:
    """One row of its table, with the bar and a figure."""
    found = re.findall(
        rf"(?m)^   \* - {row}\n     - (.+\n(?:       .+\n)*)     - (.+\n(?:       .+\n)*)",
        (DOCS / "reliability.rst").read_text(encoding="utf-8"),
    )
    assert len(found) == 1
