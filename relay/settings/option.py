"""What people are told about a setting: its sentence, its unit, its bounds.

Stands in the metadata of each field of Settings; which fields there are is not known
here.
"""

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any, TypeAlias

import attrs

__all__ = ["Field", "Option", "Unset", "option_of", "setting"]

_OPTION = "option"


class Unset(Enum):
    """What None means for a setting that may be None."""

    OFF = "off"
    """Written ``off``: the thing is switched off."""
    ABSENT = ""
    """Not written at all: nothing is named."""


@attrs.frozen(kw_only=True)
class Option:
    """What people are told about a setting, and the bounds of its value.

    ``choices`` and the bounds hold for each element where the setting is a list.
    ``default_text`` is the default in words where it is not one value.
    """

    group: str
    sentence: str
    metavar: str = ""
    unit: str = ""
    choices: Sequence[Any] = ()
    least: float | None = None
    most: float | None = None
    unset: Unset = Unset.ABSENT
    default_text: str = ""
    sample: str = ""


Field: TypeAlias = "attrs.Attribute[Any]"
"""The declaration of one setting."""


def option_of(declared: Field) -> Option:
    """The option behind a field of Settings."""
    option: Option = declared.metadata[_OPTION]
    return option


def setting(
    group: str,
    sentence: str,
    *,
    default: Any = attrs.NOTHING,
    factory: Callable[[], Any] | None = None,
    **more: Any,
) -> Any:
    """A field of Settings with its Option, whose other members are in ``more``."""
    option = Option(group=group, sentence=sentence, **more)
    return attrs.field(default=default, factory=factory, metadata={_OPTION: option})
