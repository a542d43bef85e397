"""The door for people: finds the command, runs it, turns its errors into a status.

0 done, 1 failed, 2 usage or configuration. Results go to standard output, everything
else to standard error. What a command does is in ``relay/commands``; only the one that
was asked for is imported, so that a quick one stays quick.
"""

import argparse
import difflib
import importlib
import io
import os
import re
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from typing import TextIO, cast

from relay import __version__
from relay.commands.descriptors import lack_of_descriptors
from relay.commands.ending import end_at_signals
from relay.commands.files import Output
from relay.commands.parsing import Commands
from relay.errors import ConfigError, RelayError

__all__ = ["COMMANDS", "main"]

COMMANDS = (
    "run",
    "check",
    "explain",
    "replay",
    "record",
    "send",
    "plan",
    "put",
    "emulator",
    "doctor",
    "spool",
)

DONE, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130

DESCRIPTION = "StatsD in, Alibaba Cloud CloudMonitor out."
EPILOG = """\
a first metric, without an account:
  cms-relay run --sink emulator           then, in another terminal:
  cms-relay send 'hello:1|c'
  cms-relay explain 'hello:1|c|#env:prod' what a line becomes

Each command's --help has examples. Status: 0 done, 1 failed, 2 usage or configuration.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; its exit status."""
    _open_what_is_closed()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # for terminals of old
    words = sys.argv[1:] if argv is None else list(argv)
    if argv is None and words[:1] == ["run"]:
        end_at_signals()
    output = Output(sys.stdout)
    try:
        with redirect_stdout(cast("TextIO", output)):
            try:
                return _status(words)
            finally:  # --help ends by itself, and is output too
                output.flush()
    except OSError as error:
        if error is not output.error:
            raise
    except SystemExit:
        if output.error is None:
            raise
    return _cut_short(output)


def _status(words: Sequence[str]) -> int:
    try:
        arguments = _parsed(words)
        status: int = arguments.handler(arguments)
    except KeyboardInterrupt:
        return INTERRUPTED
    except (RelayError, OSError, ImportError) as error:
        lack = lack_of_descriptors(error)
        if lack is not None:
            return _fail(lack, FAILED)
        if not isinstance(error, RelayError):
            raise
        return _fail(error, USAGE if isinstance(error, ConfigError) else FAILED)
    return status


def _cut_short(output: Output) -> int:
    """The end of a command whose results could not be written.

    Not a word where whoever read them has had enough.
    """
    output.lead_nowhere()
    if output.error is not None and not isinstance(output.error, BrokenPipeError):
        _fail(RelayError(f"standard output: {output.error.strerror}"), FAILED)
    return FAILED


def _open_what_is_closed() -> None:
    """Standard streams without a descriptor lead nowhere, as for a daemon of old.

    Left closed, the next socket or file would be taken for one of them.
    """
    for number, name, mode in (
        (0, "stdin", "r"),
        (1, "stdout", "w"),
        (2, "stderr", "w"),
    ):
        if getattr(sys, name) is None:
            nowhere = os.open(os.devnull, os.O_RDWR)
            if nowhere != number:
                os.dup2(nowhere, number)
                os.close(nowhere)
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115 - for as long as the process lives


class _Version(argparse.Action):
    """Prints the version and the engines that are here."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from relay.pipeline import engine_names  # noqa: PLC0415 - rarely asked

        print(f"cms-relay {__version__} (engines: {', '.join(engine_names())})")
        parser.exit()


def _parsed(words: Sequence[str]) -> argparse.Namespace:
    parser, commands = _parser(words)
    arguments, left_over = parser.parse_known_args(words)
    if left_over:
        usage = commands.choices[arguments.command].format_usage()
        flags = re.findall(r"--[a-z-]+", usage)
        close = difflib.get_close_matches(left_over[0].partition("=")[0], flags, n=1)
        advice = f"did you mean {close[0]}?" if close else "see --help"
        problem = f"has no place in cms-relay {arguments.command}; {advice}"
        raise ConfigError(left_over[0], problem, source="command line")
    return arguments


def _parser(words: Sequence[str]) -> tuple[argparse.ArgumentParser, Commands]:
    parser = argparse.ArgumentParser(
        prog="cms-relay",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--version", action=_Version, nargs=0, help="version and engines"
    )
    commands = parser.add_subparsers(
        title="commands", metavar="COMMAND", dest="command", required=True
    )
    first = words[0] if words else ""
    for name in [first] if first in COMMANDS else COMMANDS:
        importlib.import_module(f"relay.commands.{name}").register(commands)
    return parser, commands


def _fail(error: RelayError, status: int) -> int:
    try:
        print(f"cms-relay: {error}", file=sys.stderr)
    except OSError:
        Output(sys.stderr).lead_nowhere()
    return status
