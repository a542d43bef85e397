"""Every change that is not released yet is a file in changes/, of a kind, in plain RST."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "changes"
OTHERS = {"README.rst", "template.rst.jinja"}
FRAGMENTS = sorted(
    path for path in FOLDER.iterdir() if path.is_file() and path.name not in OTHERS
)
KINDS = {"added", "changed", "fixed", "removed"}

each = pytest.mark.parametrize("path", FRAGMENTS, ids=lambda path: path.name)


@each
def test_a_change_is_of_a_known_kind(path: Path) -> None:
    """``<slug>.<kind>.rst``."""
    found = re.fullmatch(r"[a-z0-9-]+\.([a-z]+)\.rst", path.name)
    assert found
    assert found[1] in KINDS


@each
def test_a_change_is_one_paragraph(path: Path) -> None:
    """It becomes an item of a list: no title, no empty line, no bullet of its own."""
    text = path.read_text("utf-8")
    assert re.fullmatch(r"(?!- )\S.*\n(?:\S.*\n)*", text)
    assert text.rstrip().endswith(".")


@each
def test_a_change_is_valid(path: Path) -> None:
    """docutils has nothing to say about it."""
    docutils = pytest.importorskip("docutils.core", reason="docutils (extra: dev)")
    settings = {"report_level": 2, "halt_level": 2}
    docutils.publish_doctree(path.read_text("utf-8"), settings_overrides=settings)


def test_the_tool_knows_the_same_kinds() -> None:
    """What is configured, what is tested and what the README there says."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    kinds = [kind["directory"] for kind in project["tool"]["towncrier"]["type"]]
    said = re.findall(r"``([a-z]+)``", (FOLDER / "README.rst").read_text("utf-8"))
    assert set(kinds) == KINDS == set(said)


def test_the_changelog_has_a_place_for_them() -> None:
    """Where the tool writes a release."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    mark = project["tool"]["towncrier"]["start_string"]
    assert (ROOT / "CHANGELOG.rst").read_text("utf-8").count(mark) == 1


def test_the_tool_puts_all_of_them_together() -> None:
    """Each under its kind, in a text that is valid."""
    beside = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    towncrier = shutil.which("towncrier", path=beside)
    if towncrier is None:
        pytest.skip("towncrier is not installed (extra: dev)")
    done = subprocess.run(
        [towncrier, "build", "--draft", "--date", "2000-01-01"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    for path in FRAGMENTS:
        item = path.read_text("utf-8").rstrip().replace("\n", "\n  ")
        assert f"\n- {item}\n" in done.stdout
    docutils = pytest.importorskip("docutils.core", reason="docutils (extra: dev)")
    settings = {"report_level": 2, "halt_level": 2}
    docutils.publish_doctree(done.stdout, settings_overrides=settings)
