"""Every command that the pages name, and who runs it.

A command is a line of a block of shell, what follows ``$`` in a block of a console, and
a literal in the text that begins with a program's name.
"""

import argparse
import re
import shlex
from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

from relay import cli
from tests.docs.pages import PAGES, blocks, literals
from tests.readme import README

__all__ = ["HOST", "Command", "Runs", "commands", "flags", "parse", "runs", "variables"]


class Runs(Enum):
    """By what a command is shown to work."""

    RELAY = "tests/e2e/test_docs.py, against an emulator and in a folder of its own"
    SHELL = "tests/e2e/test_docs.py, by a shell, with the ports of its own processes"
    KUSTOMIZE = "tests/e2e/test_docs.py renders the folder; there is no cluster"
    SYNOPSIS = "the forms of a command: its name and its flags are looked up"
    HOST = "wants a host: listed with the reason; what it names in here exists"
    README = "tests/test_readme.py; the second of the two is what passes the tests"
    NOBODY = "nobody: give it a test, or a reason"


HOST = {
    "docker": "a daemon of containers; tests/e2e/test_compose.py runs its services",
    "export": "sets keys, which are left out here",
    "echo": "writes below /etc",
    "install": "writes below /usr; tests/docs/test_commands.py looks for what it copies",
    "cd": "of the lines below it",
    "kubectl": "a cluster; what is applied is rendered",
    "pip": "an index of packages",
    "pytest": "runs these tests",
    "python3": "installs; tests/e2e/test_image.py does the same in a folder",
    "python": "benchmarks and builds, by hand; tests/docs/test_commands.py imports them",
    "sysctl": "changes the kernel's settings",
    "systemctl": "a running systemd; tests/deploy/test_systemd.py has its units verified",
    "systemd-analyze": "tests/deploy/test_systemd.py runs it",
    "timedatectl": "a running systemd",
    ".": "of a shell's own environment",
}
"""Programs that no test starts, with the reason."""

SHELL = ("curl", "printf")
_PROGRAM = re.compile(rf"(cms-relay|{'|'.join(map(re.escape, (*HOST, *SHELL)))}) +\S")


class Command(NamedTuple):
    """As it stands on ``page``; ``inline`` where it is in the text."""

    page: str
    text: str
    inline: bool

    @property
    def words(self) -> list[str]:
        """As a shell has them."""
        return shlex.split(self.text)


def commands() -> Iterator[Command]:
    """All of them."""
    for page in PAGES:
        for block in blocks(page):
            text = block.text.replace("\\\n", " ")
            lines = re.findall(r"(?m)^\$ (.+)$", text)
            if block.language == "sh" or (block.language == "" and page == README):
                lines = text.splitlines()
            yield from (Command(page.name, one, inline=False) for one in lines if one)
        for literal in literals(page):
            if _PROGRAM.match(literal):
                yield Command(page.name, literal, inline=True)


def runs(command: Command) -> Runs:
    """Who shows that it works."""
    text = command.text
    if command.page == README.name and text.startswith("python3 -m venv"):
        return Runs.README
    program = text.split()[0]
    if program == "cms-relay":
        unquoted = re.sub(r"'[^']*'", "", text)
        bare = len(text.split()) == 2 or re.search(r"[\[\]|…]", unquoted)
        return Runs.SYNOPSIS if command.inline and bare else Runs.RELAY
    if program in SHELL:
        return Runs.SHELL
    if re.search(r"kubectl (apply -k|kustomize) deploy/[\w/-]+$", text):
        return Runs.KUSTOMIZE
    return Runs.HOST if program in HOST else Runs.NOBODY


def parse(words: list[str]) -> argparse.Namespace:
    """By the program's own parser, which raises where it does not know one."""
    return cli._parsed(words)


def flags(name: str | None = None) -> set[str]:
    """The options of one command, or of all."""
    _, chosen = cli._parser([])
    known: set[str] = set()
    parsers = [chosen.choices[name]] if name else list(chosen.choices.values())
    while parsers:
        for action in parsers.pop()._actions:
            known.update(action.option_strings)
            if isinstance(action, argparse._SubParsersAction):
                parsers.extend(action.choices.values())
    return known


def variables(text: str) -> list[str]:
    """Names of environment variables that a line sets."""
    return re.findall(r"\b([A-Z][A-Z_]+)=", text)
