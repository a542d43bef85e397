"""The files of commands: ``-`` is standard input or output, and errors name the file."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from relay.errors import RelayError

__all__ = ["STANDARD", "Output", "reading", "writing"]

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


class Output:
    """A standard stream that keeps the last error of writing to it.

    So that this error can be told from others, also where whoever printed swallowed it,
    as argparse does.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.error: OSError | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """As of any stream."""
        try:
            return self._stream.write(text)
        except OSError as error:
            self.error = error
            raise

    def flush(self) -> None:
        """Likewise."""
        try:
            self._stream.flush()
        except OSError as error:
            self.error = error
            raise

    def lead_nowhere(self) -> None:
        """What is still held would be tried again at the exit, and fail again."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)
