"""Settings: declared once, read from flags, environment and file, shown with origins.

Only the command line and ``app`` import this room; others take plain arguments.
"""

from relay.settings.changes import Applied, NeedsRestart, changes
from relay.settings.declaration import Settings
from relay.settings.rules import is_local
from relay.settings.shown import (
    check_lines,
    configuration_hash,
    example_toml,
    settings_table,
)
from relay.settings.sources import (
    Loaded,
    add_arguments,
    from_arguments,
    load,
    take_variables,
)
from relay.settings.values import Address, Listen, Target, is_loopback_url

__all__ = [
    "Address",
    "Applied",
    "Listen",
    "Loaded",
    "NeedsRestart",
    "Settings",
    "Target",
    "add_arguments",
    "changes",
    "check_lines",
    "configuration_hash",
    "example_toml",
    "from_arguments",
    "is_local",
    "is_loopback_url",
    "load",
    "settings_table",
    "take_variables",
]
