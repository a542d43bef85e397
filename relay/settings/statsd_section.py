"""One object of a statsd config.js: its values by key, each in the form that is wanted.

What is of no use is refused by its path, ``servers[1].port``, with the wanted form. A
value that JavaScript takes for false is one that was not given, as statsd reads it.
Which keys there are is not known here.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from relay.errors import ConfigError
from relay.settings.javascript import Expression

__all__ = ["Section", "number_of"]

_QUOTED_MAX = 60


class Section(NamedTuple):
    """``source`` is the file, ``at`` the path of this object in it, with its last dot."""

    values: Mapping[str, Any]
    source: str
    at: str = ""

    def given(self, *keys: str) -> Sequence[str]:
        """Those of the keys that have a value."""
        return [key for key in keys if not _is_unset(self.values.get(key))]

    def text(self, key: str, wanted: str) -> str | None:
        """Text of one line."""
        value = self.values.get(key)
        if _is_unset(value):
            return None
        if not isinstance(value, str) or not value.isprintable():
            raise self.refused(key, wanted, value)
        return value

    def port(self, key: str) -> int | None:
        """A port; 0 is any that is free."""
        value = self.values.get(key)
        if _is_unset(value):
            return None
        number = number_of(value)
        if number is None or not (number.is_integer() and 0 <= number <= 65535):  # noqa: PLR2004 - the largest there is
            raise self.refused(key, "a port from 0 to 65535", value)
        return int(number)

    def flag(self, key: str) -> bool | None:
        """True or false; None where it is not there."""
        value = self.values.get(key)
        if value is None or isinstance(value, bool):
            return value
        raise self.refused(key, "true or false", value)

    def numbers(self, key: str) -> Iterator[tuple[str, float]] | None:
        """The number or numbers, each with the path of it."""
        value = self.values.get(key)
        if _is_unset(value):
            return None
        return self._numbers(key, value)

    def number(self, key: str, wanted: str) -> float | None:
        """A number, or text that spells one."""
        value = self.values.get(key)
        if _is_unset(value):
            return None
        number = number_of(value)
        if number is None:
            raise self.refused(key, wanted, value)
        return number

    def section(self, key: str) -> "Section | None":
        """An object; None where there is none."""
        value = self.values.get(key)
        if _is_unset(value):
            return None
        if not isinstance(value, dict):
            raise self.refused(key, "an object: { key: value }", value)
        return Section(value, self.source, f"{self.at}{key}.")

    def sections(self, key: str) -> Sequence["Section"] | None:
        """The objects of a list; None where there is no list."""
        value = self.values.get(key)
        if _is_unset(value):
            return None
        if not isinstance(value, list):
            raise self.refused(key, "a list of objects", value)
        for place, one in enumerate(value):
            if not isinstance(one, dict):
                raise self.refused(f"{key}[{place}]", "an object: { key: value }", one)
        return [
            Section(one, self.source, f"{self.at}{key}[{place}].")
            for place, one in enumerate(value)
        ]

    def refused(self, key: str, wanted: str, value: object) -> ConfigError:
        """The complaint: what is wanted there, and what stands there."""
        if isinstance(value, Expression):
            got = (
                f"{_cut(' '.join(value.text.split()))} (line {value.line}, column "
                f"{value.column}), which is not evaluated; write the value itself"
            )
        else:
            got = _cut(_written(value))
        return ConfigError(
            f"{self.at}{key}", f"wants {wanted}; got {got}", source=self.source
        )

    def _numbers(self, key: str, value: object) -> Iterator[tuple[str, float]]:
        many = value if isinstance(value, list) else [value]
        for place, one in enumerate(many):
            path = f"{key}[{place}]" if isinstance(value, list) else key
            number = number_of(one)
            if number is None:
                raise self.refused(path, "a number, or a list of numbers", one)
            yield path, number


def number_of(value: object) -> float | None:
    """The finite number that it is, or that it spells."""
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,9}(\.[0-9]{1,9})?", value):
        return float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _is_unset(value: object) -> bool:
    return value is None or value is False or value == ""


def _written(value: object) -> str:
    try:
        return json.dumps(value, ensure_ascii=False)
    except ValueError:
        return "a number of thousands of digits"


def _cut(text: str) -> str:
    text = text if text.isprintable() else ascii(text)
    return text if len(text) <= _QUOTED_MAX else f"{text[:_QUOTED_MAX]}…"
