"""What ``doctor`` finds: a mark, what it is about, what was seen, and what mends it."""

import textwrap
from collections.abc import Iterable, Iterator
from enum import Enum
from typing import NamedTuple

__all__ = ["Finding", "Mark", "in_words"]

_ABOUT_WIDTH = 14
_TEXT_WIDTH = 76


class Mark(Enum):
    """How a finding is; the value is the word for people and programs."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    SKIP = "skip"
    """Not looked at; the text says why."""


class Finding(NamedTuple):
    """``fix`` is a command, a key of the configuration or a policy; empty where nothing is
    to be mended."""

    mark: Mark
    about: str
    text: str
    fix: str = ""

    def as_object(self) -> dict[str, str]:
        """For ``--json``."""
        return {**self._asdict(), "mark": self.mark.value}


def in_words(findings: Iterable[Finding]) -> Iterator[str]:
    """Two lines at least for each that has to be mended, one for the others."""
    for one in findings:
        first, *others = textwrap.wrap(one.text, _TEXT_WIDTH) or [""]
        yield f"{one.mark.value:<5} {one.about:<{_ABOUT_WIDTH}} {first}"
        blank = " " * (_ABOUT_WIDTH + 7)
        yield from (blank + line for line in others)
        if one.fix:
            yield f"{blank}fix: {one.fix}"
