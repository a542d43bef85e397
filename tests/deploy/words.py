"""The command line as a value: what the manual and the completions of shells are made of.

Knows argparse, and neither roff nor any shell.
"""

import argparse
import re
from collections.abc import Iterator
from dataclasses import dataclass

from relay import cli

__all__ = ["Command", "Word", "commands", "program"]


@dataclass(frozen=True, slots=True)
class Word:
    """A flag, or an argument where ``flags`` is empty.

    ``metavar`` is empty where a flag takes no value. ``choices`` are the values that are
    known beforehand.
    """

    flags: tuple[str, ...]
    metavar: str
    choices: tuple[str, ...]
    repeats: bool
    help: str
    group: str

    @property
    def takes_file(self) -> bool:
        """Whether a value is the name of a file."""
        return bool({"FILE", "CONFIG"} & set(self.metavar.split("|")))

    @property
    def takes_folder(self) -> bool:
        """Whether a value is the name of a folder."""
        return "FOLDER" in self.metavar.split("|")

    @property
    def sentence(self) -> str:
        """The help without the default."""
        return re.sub(r"[;,]? ?\(default: .*\)$", "", self.help)


@dataclass(frozen=True, slots=True)
class Command:
    """``name`` has the name of the command above as well: ``spool ls``."""

    name: str
    does: str
    description: str
    epilog: str
    words: tuple[Word, ...]
    below: tuple["Command", ...]

    @property
    def flags(self) -> tuple[Word, ...]:
        return tuple(word for word in self.words if word.flags)

    @property
    def arguments(self) -> tuple[Word, ...]:
        return tuple(word for word in self.words if not word.flags)


def program() -> Command:
    """The whole command line; its name is empty."""
    parser, _ = cli._parser([])
    return _command("", "", parser)


def commands(top: Command) -> Iterator[Command]:
    """Those below, in order, each before what is below it."""
    for command in top.below:
        yield command
        yield from commands(command)


def _command(name: str, does: str, parser: argparse.ArgumentParser) -> Command:
    below: list[Command] = []
    words: list[Word] = []
    for group in parser._action_groups:
        for action in group._group_actions:
            if isinstance(action, argparse._SubParsersAction):
                helps = {one.dest: one.help or "" for one in action._choices_actions}
                below += [
                    _command(f"{name} {below_name}".strip(), helps[below_name], one)
                    for below_name, one in action.choices.items()
                ]
            elif action.help != argparse.SUPPRESS:
                words.append(_word(action, group.title or ""))
    return Command(
        name,
        does,
        parser.description or "",
        parser.epilog or "",
        tuple(words),
        tuple(below),
    )


def _word(action: argparse.Action, group: str) -> Word:
    listed = tuple(str(choice) for choice in action.choices or ())
    metavar = str(action.metavar or "|".join(listed) or action.dest.upper())
    takes = action.nargs != 0
    literal = tuple(one for one in metavar.split("|") if not one.isupper())
    known = literal if "|" in metavar and all(map(_is_literal, literal)) else ()
    return Word(
        flags=tuple(action.option_strings),
        metavar=metavar if takes else "",
        choices=(listed or known) if takes else (),
        repeats=isinstance(action, argparse._AppendAction) or action.nargs == "*",
        help=argparse.HelpFormatter("cms-relay")._expand_help(action)
        if action.help
        else "",
        group=group,
    )


def _is_literal(word: str) -> bool:
    return re.fullmatch(r"[a-z0-9_]+", word) is not None
