"""Settings: declared once, read from flags, environment and file, shown with origins.

Only the command line and ``app`` import this room; others take plain arguments.
"""

from relay.settings.changes import Applied, NeedsRestart, changes
from relay.settings.declaration import Settings
from relay.settings.rules import authorities_at, is_local
from relay.settings.shown import (
    check_lines,
    config_rows,
    configuration_hash,
    example_toml,
    remark_lines,
    settings_table,
)
from relay.settings.sources import (
    Loaded,
    add_arguments,
    config_hints,
    from_arguments,
    load,
    take_variables,
)
from relay.settings.statsd_keys import statsd_keys_table
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
    "authorities_at",
    "changes",
    "check_lines",
    "config_hints",
    "config_rows",
    "configuration_hash",
    "example_toml",
    "from_arguments",
    "is_local",
    "is_loopback_url",
    "load",
    "remark_lines",
    "settings_table",
    "statsd_keys_table",
    "take_variables",
]
