"""deploy/man and deploy/completions: as made of the command line, and whole."""

import re
import shutil
import subprocess

import pytest

from relay.cli import COMMANDS
from tests.deploy.words import commands, program
from tests.deploy.write import DEPLOY, MADE

PAGE = DEPLOY / "man" / "cms-relay.1"


@pytest.mark.parametrize("path", MADE)
def test_a_file_is_what_the_command_line_makes_of_it(path: str) -> None:
    """After a change of a flag: python -m tests.deploy.write."""
    assert (DEPLOY / path).read_text("utf-8") == MADE[path](program())


def test_every_command_and_flag_is_on_the_page() -> None:
    """Each with a text of its own."""
    text = PAGE.read_text("utf-8").replace("\\-", "-")
    names = [one.name for one in commands(program())]
    assert set(COMMANDS) < set(names)
    for one in commands(program()):
        assert f'.SH "cms-relay {one.name}' in text
        for word in one.flags:
            assert all(f"\\fB{flag}\\fR" in text for flag in word.flags)
    assert "SUPPRESS" not in text


def test_the_page_has_the_sections_that_people_look_for() -> None:
    """In the order of man-pages(7)."""
    heads = re.findall(r"(?m)^\.SH ([A-Z ]+)$", PAGE.read_text("utf-8"))
    assert heads == [
        *("NAME", "SYNOPSIS", "DESCRIPTION", "COMMANDS"),
        *("ENVIRONMENT", "EXIT STATUS", "EXAMPLES"),
    ]


@pytest.mark.skipif(not shutil.which("groff"), reason="groff is not installed")
def test_groff_has_no_complaint() -> None:
    """With every warning on; the page has no empty place where a text should be."""
    done = subprocess.run(
        ["groff", "-man", "-Tutf8", "-ww", "-P-cbou", str(PAGE)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    for words in ("--requests-per-second N", "'hello:1|c|#env:prod'"):
        assert words in done.stdout


@pytest.mark.skipif(not shutil.which("man"), reason="man is not installed")
def test_man_shows_the_page() -> None:
    """As a reader calls it, without a warning."""
    done = subprocess.run(
        ["man", "--warnings=w", "-l", str(PAGE)],
        env={"PATH": "/usr/bin:/bin", "MANPAGER": "cat", "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "CMS-RELAY(1)" in done.stdout
