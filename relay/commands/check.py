"""``cms-relay check``: are the settings good, and where did each come from."""

import argparse
import sys
from collections.abc import Iterator

from relay.commands.parsing import Commands, add_command
from relay.settings import (
    Loaded,
    add_arguments,
    check_lines,
    configuration_hash,
    from_arguments,
)

__all__ = ["register"]

MORE = """\
  cms-relay check /etc/cms-relay.toml
  CMS_RELAY_PERIOD=2 cms-relay check --sink emulator

The output is TOML again: every setting, and behind it where it came from.
"""
KEY_ID, KEY_SECRET, TOKEN = (
    f"ALIBABA_CLOUD_{name}"
    for name in ("ACCESS_KEY_ID", "ACCESS_KEY_SECRET", "SECURITY_TOKEN")
)
SHOWN_OF_KEY_ID = 4


def register(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(
        commands, "check", "validate the settings and show them", MORE, _check
    )
    parser.add_argument("config", metavar="CONFIG", nargs="?", help="a TOML file")
    add_arguments(parser)


def _check(arguments: argparse.Namespace) -> int:
    loaded = from_arguments(arguments)
    for line in check_lines(loaded):
        print(line)
    print(f"# configuration {configuration_hash(loaded.settings)}")
    found = list(_credentials(loaded))
    for line in found:
        print(f"# {line}")
    if not found and loaded.settings.sink == "cloudmonitor":
        print(
            f"no credentials: neither {KEY_ID} nor key_file is set, so run would end "
            "at once with status 2; to try without an account: --sink emulator",
            file=sys.stderr,
        )
    return 0


def _credentials(loaded: Loaded) -> Iterator[str]:
    """Which sources of credentials are there; secrets are never more than ``***``."""
    environment = loaded.credentials_environment
    for name in (KEY_ID, KEY_SECRET, TOKEN):
        if environment.get(name):
            start = environment[name][:SHOWN_OF_KEY_ID] if name == KEY_ID else ""
            yield f"{name} = {start}***  # environment"
    if loaded.settings.key_file is not None:
        yield f"key file {loaded.settings.key_file}"
