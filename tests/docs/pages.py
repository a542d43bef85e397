"""README.rst and docs/*.rst as the tests read them: blocks, commands, literals, links.

Knows of reStructuredText what these pages use. What is a command, and who runs it, is in
``tests/docs/commands.py``.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.readme import DOCS, README

__all__ = ["PAGES", "ROOT", "Block", "anchors", "blocks", "links", "literals", "read"]

ROOT = README.parent
PAGES = (README, *sorted(DOCS.glob("*.rst")))

_BLOCK = re.compile(
    r"(?m)^(?P<margin> *)(?P<mark>\.\. code(?:-block)?:: *(?P<language>\w*)|.*::)\n"
    r"\n(?P<text>(?:(?P=margin) +\S.*\n|[ ]*\n)+)"
)


class Block(NamedTuple):
    """A literal block; ``language`` is empty where none is said."""

    page: str
    line: int
    language: str
    text: str


def read(page: Path) -> str:
    """Its text."""
    return page.read_text(encoding="utf-8")


def blocks(page: Path) -> Iterator[Block]:
    """Every literal block, dedented, in order."""
    text = read(page)
    for found in _BLOCK.finditer(text):
        if found["mark"].startswith("..") and found["language"] is None:
            continue  # a comment or another directive
        lines = found["text"].rstrip().split("\n")
        margin = min(len(one) - len(one.lstrip()) for one in lines if one.strip())
        body = "\n".join(one[margin:] for one in lines)
        line = text.count("\n", 0, found.start()) + 1
        yield Block(page.name, line, found["language"] or "", body)


def literals(page: Path) -> list[str]:
    """What stands between double backquotes outside of blocks, on one line each."""
    prose = _BLOCK.sub("\n", read(page))
    found = re.findall(r"``((?:[^`]|`(?!`))+)``", prose)
    return [re.sub(r"\s+", " ", one).strip() for one in found]


def links(page: Path) -> list[str]:
    """The targets of its links and images."""
    text = read(page)
    named = re.findall(r"`[^`<>]+<([^`<>]+)>`__?", text)
    return named + re.findall(r"\.\. image:: (\S+)", text)


def anchors(page: Path) -> set[str]:
    """The identifiers that docutils makes of its titles."""
    titles = re.findall(r"(?m)^(\S.*)\n[=-]{4,}$", read(page))
    return {re.sub(r"[^a-z0-9]+", "-", one.lower()).strip("-") for one in titles}
