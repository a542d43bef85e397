"""The table of checkers names tests that there are, and finds nothing."""

import ast
import configparser
import re

import pytest

from tests.docs.pages import ROOT, literals, read
from tests.readme import DOCS

PAGE = DOCS / "checks.rst"
TEXT = read(PAGE)
TESTS = sorted({one for one in literals(PAGE) if "::" in one})
ROWS = re.findall(
    r"(?m)^   \* - (.+)\n     - (.+)\n     - (.+(?:\n       .+)*)\n     - (.+)\n", TEXT
)[1:]


def test_rows_are_found() -> None:
    """Each has four cells, the head left out."""
    assert len(ROWS) == TEXT.count("   * - ") - 1


@pytest.mark.parametrize("name", TESTS)
def test_a_test_that_is_named_is_there(name: str) -> None:
    """In the file that is named with it."""
    path, _, function = name.partition("::")
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    assert function in {
        node.name for node in tree.body if isinstance(node, ast.FunctionDef)
    }


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_checker_has_a_version_and_no_findings(row: tuple[str, ...]) -> None:
    """And somebody who runs it."""
    checker, _, by, findings = row
    assert re.search(r"\d", checker) or checker == "cms-relay itself"
    assert re.match(r"0\b", findings)
    assert "::" in by or by == "``.ci/run``"


def test_versions_are_those_that_are_pinned() -> None:
    """Where setup.cfg wants one version and no other."""
    setup = configparser.ConfigParser(interpolation=None)
    setup.read(ROOT / "setup.cfg", "utf-8")
    extras = "\n".join(setup["options.extras_require"].values())
    pinned = re.findall(r"(?m)^([\w-]+)==([\d.]+)$", extras)
    assert len(pinned) > 1
    for name, version in pinned:
        assert f"{name} {version}" in TEXT


def test_what_ci_runs_by_itself_is_there() -> None:
    """The rows that name no test."""
    ci = (ROOT / ".ci" / "run").read_text("utf-8")
    for program in ("ruff", "mypy", "rst-lint", "towncrier"):
        assert f".venv-lint/bin/{program}" in ci
