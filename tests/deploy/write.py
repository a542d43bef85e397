"""Writes the manual page and the completions anew: ``python -m tests.deploy.write``."""

from collections.abc import Callable, Mapping
from pathlib import Path

from tests.deploy.completions import bash, fish, zsh
from tests.deploy.manual import manual
from tests.deploy.words import Command, program

__all__ = ["DEPLOY", "MADE"]

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
MADE: Mapping[str, Callable[[Command], str]] = {
    "man/cms-relay.1": manual,
    "completions/cms-relay.bash": bash,
    "completions/_cms-relay": zsh,
    "completions/cms-relay.fish": fish,
}
"""Path below deploy -> what makes the text."""

if __name__ == "__main__":
    for path, make in MADE.items():
        (DEPLOY / path).parent.mkdir(exist_ok=True)
        (DEPLOY / path).write_text(make(program()), "utf-8")
