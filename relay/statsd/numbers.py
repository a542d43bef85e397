"""The numbers a line may carry: values, sample rates, time stamps.

Nothing here trusts ``float()`` or ``int()`` with raw text. They take ``nan``, ``inf``,
``1_000`` and more digits than are good for anyone, so each text is matched first. A
text that does not pass is None; which refusal that makes is not decided here.
"""

import math
import re

__all__ = ["not_negative", "number", "rate", "timestamp"]

# Possessive, so that a long run of digits with rubbish behind it is read once.
_DIGITS = rb"(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][+-]?[0-9]++)?"
_is_number = re.compile(rb"[ \t]*+[+-]?" + _DIGITS + rb"[ \t]*+").fullmatch
_is_rate = re.compile(_DIGITS).fullmatch

_SURELY_FINITE_DIGITS = 300

# Go's ParseInt, which the Datadog agent uses, ends at 19 digits.
_MOST_TIMESTAMP_DIGITS = 18


def number(text: bytes) -> float | None:
    """The finite decimal number that ``text`` is, blanks around it allowed."""
    if text.isdigit() and len(text) < _SURELY_FINITE_DIGITS:
        return float(text)
    if not text or _is_number(text) is None:
        return None
    value = float(text)
    return value if math.isfinite(value) else None


def not_negative(text: bytes) -> float | None:
    """A number as ``number`` reads it, but none below zero; ``-0.0`` is not below."""
    value = number(text)
    return None if value is None or value < 0 else value


def rate(text: bytes) -> float | None:
    """The sample rate behind an ``@``: a plain decimal above zero, maybe above one."""
    if _is_rate(text) is None:
        return None
    value = float(text)
    return value if 0.0 < value < math.inf else None


def timestamp(text: bytes) -> int | None:
    """The Unix seconds behind a ``T``: digits only, from 1 on."""
    digits = text.lstrip(b"0")
    if not text.isdigit() or not 0 < len(digits) <= _MOST_TIMESTAMP_DIGITS:
        return None
    return int(digits)
