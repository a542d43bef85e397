"""What a new configuration changes in a relay that runs: at once, or not without a restart.

A change is taken over whole or not at all. How the rooms take it is ``app``'s business.
"""

from typing import NamedTuple

import attrs

from relay.settings.declaration import Settings

__all__ = ["IN_PLACE", "Applied", "NeedsRestart", "changes"]

IN_PLACE = frozenset(
    {
        "listen",
        "receive_buffer",
        "percentiles",
        "idle_ttl",
        "delete_idle",
        "gauge_ttl",
        "key_file",
        "key_file_shared",
        "credentials_profile",
        "requests_per_second",
        "event_requests_per_second",
        "send_spread",
        "uncertain_retries",
        "max_age",
        "stop",
        "stop_timeout",
        "log_level",
        "series_price",
        "series_included",
        "series_quota",
    }
)
"""The others say what a series is called, what a period is, or where entries go. Under
the series that are held, they could only change half of them."""


class Applied(NamedTuple):
    """All that is different can be changed in place."""

    keys: tuple[str, ...]


class NeedsRestart(NamedTuple):
    """These cannot; so nothing is."""

    keys: tuple[str, ...]


def changes(old: Settings, new: Settings) -> Applied | NeedsRestart:
    """What becomes of ``new`` where ``old`` is in force."""
    different = [
        field.name
        for field in attrs.fields(Settings)
        if getattr(old, field.name) != getattr(new, field.name)
    ]
    lasting = tuple(key for key in different if key not in IN_PLACE)
    return NeedsRestart(lasting) if lasting else Applied(tuple(different))
