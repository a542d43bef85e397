"""The files of commands: ``-`` is standard input or output, and errors name the file."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO

from relay.errors import RelayError

__all__ = ["STANDARD", "reading", "writing"]

STANDARD = "-"


@contextmanager
def reading(name: str) -> Iterator[BinaryIO]:
    """Standard input or a file, as bytes; RelayError where it cannot be opened."""
    if name == STANDARD:
        yield sys.stdin.buffer
        return
    try:
        file = Path(name).open("rb")  # noqa: SIM115 - only opening is blamed on the name
    except OSError as error:
        raise RelayError(f"{name}: {error.strerror}") from None
    with file:
        yield file


@contextmanager
def writing(name: str) -> Iterator[TextIO]:
    """Standard output or a file; RelayError where it cannot be opened."""
    if name == STANDARD:
        yield sys.stdout
        return
    try:
        file = Path(name).open("w", encoding="utf-8")  # noqa: SIM115 - likewise
    except OSError as error:
        raise RelayError(f"{name}: {error.strerror}") from None
    with file:
        yield file
