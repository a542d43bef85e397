"""How long a line and its parts may be, so that none costs more than others can wait.

What goes beyond is refused as ``too_long`` and never cut: two names that only differ
behind the cut would be one. (What is reported is shorter still; cutting that, with a
hash, is the business of ``cloudmonitor``.)
"""

__all__ = ["LINE_BYTES", "NAME_CHARACTERS", "SECTIONS", "TAGS", "TAG_CHARACTERS"]

LINE_BYTES = 8192
"""A whole line. Datadog's clients fill packets up to this size and no further, so that
it is also the longest line of packed values they write."""

NAME_CHARACTERS = 1024
"""Of a name, once it is sanitised. Datadog's own limit is 200."""

TAGS = 256
"""Of a line, from both places where tags may stand."""

TAG_CHARACTERS = 4096
"""Of all keys and values of a line's tags together."""

SECTIONS = 256
"""Typed sections of a line, and packed values of a gauge, each of which may be a delta."""
