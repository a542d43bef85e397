"""Text that CloudMonitor takes as it is: names, dimension keys, dimension values.

The service replaces and cuts what it does not like, in silence, so that two names may
become one. What is cleaned here is never rewritten there. A text that was cut, or a
value that lost letters of other alphabets, keeps a hash of the whole. Nothing here knows
which texts are in use; telling twins apart is the business of ``naming``.
"""

import hashlib
import re

from relay.cloudmonitor.contract import DIMENSION_TEXT_MAX, NAME_BYTES_MAX

__all__ = ["clean_key", "clean_name", "clean_value", "with_hash"]

_HASH_DIGITS = 8
_KEPT = DIMENSION_TEXT_MAX - 1 - _HASH_DIGITS  # 55, the same for a name

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_]")  # keys too
_NOT_IN_VALUES = re.compile(r"[^A-Za-z0-9._/-]")


def clean_name(name: str) -> str:
    """A metric name; ``4xx`` becomes ``m_4xx``, where the service would make ``Axx``."""
    cleaned = _NOT_IN_NAMES.sub("_", name)
    if not cleaned[:1].isalpha():
        cleaned = f"m_{cleaned}"
    return cleaned if len(cleaned) <= NAME_BYTES_MAX else with_hash(cleaned, name)


def clean_key(key: str) -> str:
    """A dimension key; empty only for an empty one."""
    cleaned = _NOT_IN_NAMES.sub("_", key)
    return cleaned if len(cleaned) <= DIMENSION_TEXT_MAX else with_hash(cleaned, key)


def clean_value(value: str) -> str:
    """A dimension value; empty only for an empty one.

    ``Zürich`` and ``Zérich`` would both be ``Z_rich``, hence the hash.
    """
    cleaned = _NOT_IN_VALUES.sub("_", value)
    if value.isascii() and len(cleaned) <= DIMENSION_TEXT_MAX:
        return cleaned
    return with_hash(cleaned, value)


def with_hash(cleaned: str, original: str) -> str:
    """``cleaned``, cut if need be, and a hash of ``original``: 64 characters at most."""
    digest = hashlib.sha256(original.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{cleaned[:_KEPT]}_{digest[:_HASH_DIGITS]}"
