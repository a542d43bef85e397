"""``cms-relay check``: are the settings good, and where did each come from."""

import argparse
import sys

from relay.cloudmonitor.credentials import CredentialsUnavailable
from relay.commands.parsing import Commands, add_command
from relay.credentials.chain import open_provider
from relay.errors import ConfigError
from relay.settings import (
    Loaded,
    add_arguments,
    check_lines,
    config_hints,
    configuration_hash,
    from_arguments,
    remark_lines,
)

__all__ = ["register"]

MORE = """\
  cms-relay check /etc/cms-relay.toml
  CMS_RELAY_PERIOD=2 cms-relay check --sink emulator
  cms-relay check /etc/statsd/config.js --sink emulator

The output is TOML again: every setting, and behind it where it came from. Of a
config.js of statsd it also says, as comments, what becomes of each key.
"""


def register(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(
        commands, "check", "validate the settings and show them", MORE, _check
    )
    parser.add_argument(
        "config",
        metavar="CONFIG",
        nargs="?",
        help="a TOML file, or a config.js of statsd",
    )
    add_arguments(parser)


def _check(arguments: argparse.Namespace) -> int:
    for line in config_hints(arguments.config):
        print(f"cms-relay: {line}", file=sys.stderr)
    loaded = from_arguments(arguments, will_run=False)
    for line in (*check_lines(loaded), *remark_lines(loaded)):
        print(line)
    for notice in loaded.notices:
        print(f"cms-relay: {notice}", file=sys.stderr)
    print(f"# configuration {configuration_hash(loaded.settings)}")
    from_arguments(arguments)  # raises what run would, now that all has been shown
    if loaded.settings.is_signed:
        print(f"# credentials: {_credentials(loaded)}")
    return 0


def _credentials(loaded: Loaded) -> str:
    """Where a key was found; of the key itself enough to tell it from others.

    A key may well be missing where settings are checked, so that is no failure here.
    """
    try:
        found = open_provider(
            loaded.credentials_environment,
            key_file=loaded.settings.key_file,
            profile=loaded.settings.credentials_profile,
            shared=loaded.settings.key_file_shared,
            proxies=loaded.settings.use_proxy,
        ).get()
    except ConfigError as error:
        print(f"cms-relay: run would end at once: {error}", file=sys.stderr)
        return "none"
    except CredentialsUnavailable as error:
        print(f"cms-relay: credentials: {error.reason}", file=sys.stderr)
        return "none that can be used now"
    token = ", token ***" if found.token else ""
    return f"{found.masked_key_id}, secret ***{token}, from {found.source}"
