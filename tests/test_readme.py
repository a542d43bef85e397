"""What the README and the pages of docs/ say is true of the code."""

import re

import pytest

from relay.cli import COMMANDS
from relay.cloudmonitor.contract import SERVICE_CODES
from relay.settings.changes import IN_PLACE
from tests.readme import DOCS, README, command, literal_blocks
from tests.readme_tables import TABLES, filled

TEXT = README.read_text(encoding="utf-8")


def page(name: str) -> str:
    """The text of a page of docs/."""
    return (DOCS / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", TABLES)
def test_tables_are_those_of_the_code(name: str) -> None:
    """Settings and metrics in the docs are what the code declares; to write them
    anew: python -m tests.readme_tables."""
    assert filled(name, page(name)) == page(name)


def test_the_two_commands_are_the_first_literal_blocks_of_one_line() -> None:
    """A script can take both commands from the README, and a signal reaches them."""
    run, test = command("run"), command("test")
    assert "\n" not in run + test
    assert run.split("exec ")[1] == ".venv/bin/cms-relay run --sink emulator"
    assert test.split("exec ")[1] == ".venv-test/bin/pytest -n 2"


def test_no_code_block_stands_before_the_two_commands() -> None:
    """Whoever counts code blocks as literal blocks finds the same two first."""
    second = TEXT.index(literal_blocks(TEXT)[1])
    assert ".. code" not in TEXT[:second]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_named(name: str) -> None:
    """The table of commands is complete."""
    assert re.search(rf"``cms-relay {name}[ `]", page("commands.rst"))


@pytest.mark.parametrize(
    "code",
    sorted({row.code for row in SERVICE_CODES if row.code.isdigit()}),
)
def test_every_code_of_the_service_is_explained(code: str) -> None:
    """What the relay does on each code stands in the docs."""
    assert f"``{code}``" in page("cloudmonitor-answers.rst")


def test_every_setting_that_changes_in_place_is_named() -> None:
    """And no other is among them."""
    _, _, after = page("systemd.rst").partition("place can be changed:")
    listed, _, _ = after.partition("Whatever else")
    assert set(re.findall(r"``(\w+)``", listed)) == IN_PLACE
