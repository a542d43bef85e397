"""Prints one of the README's two commands: the first two literal blocks.

``python3 tests/readme.py run`` or ``… test``. Needs the standard library only, so
that a fresh machine can use it before anything is installed.
"""

import re
import sys
from pathlib import Path

README = Path(__file__).parent.parent / "README.rst"
DOCS = README.parent / "docs"


def literal_blocks(text: str) -> list[str]:
    """The literal blocks of a reStructuredText file, dedented, in order."""
    blocks: list[str] = []
    for match in re.finditer(r"::[ \t]*\n\n((?:[ \t]+\S.*\n?|[ \t]*\n)+)", text):
        lines = [line.strip() for line in match.group(1).splitlines() if line.strip()]
        blocks.append("\n".join(lines))
    return blocks


def command(which: str) -> str:
    """``run`` or ``test``: the line as it stands in the README."""
    return literal_blocks(README.read_text(encoding="utf-8"))[
        ("run", "test").index(which)
    ]


if __name__ == "__main__":
    print(command(sys.argv[1]))
