"""What every command's place on the command line has in common."""

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

__all__ = ["Commands", "Handler", "add_command"]

if TYPE_CHECKING:
    Commands: TypeAlias = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - it has no public name
else:
    Commands = object

Handler = Callable[[argparse.Namespace], int]
"""Does the command; gives its exit status."""


def add_command(
    commands: Commands, name: str, does: str, more: str, handler: Handler
) -> argparse.ArgumentParser:
    """A parser for ``name``; ``more`` stands below its flags: examples first."""
    parser = commands.add_parser(
        name,
        help=does,
        description=f"{does[0].upper()}{does[1:]}.",
        epilog=f"examples:\n{more}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(handler=handler)
    return parser
