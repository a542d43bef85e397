"""What anybody sent, as people may see it: nothing invisible, nothing that turns text.

The page's script does the same to the same characters.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType

__all__ = ["clock", "visible"]

# Control characters, marks that turn the direction of text or have no width, and halves
# of characters, which no page can hold.
_HIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e0fff]"
)
_SHORT: Mapping[str, str] = MappingProxyType({"\n": "\\n", "\r": "\\r", "\t": "\\t"})


def visible(text: str) -> str:
    """``text`` with each hidden character as JSON or JavaScript would write it."""
    return _HIDDEN.sub(lambda found: _written(found[0]), text)


def _written(character: str) -> str:
    digits = f"{ord(character):04x}"
    long = f"\\u{digits}" if character <= "\uffff" else f"\\u{{{digits}}}"
    return _SHORT.get(character, long)


def clock(seconds: float) -> str:
    """A time of day in UTC; nothing where the number is no date."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return "?"
