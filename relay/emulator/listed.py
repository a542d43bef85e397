"""What the calls that put things have in common: a numbered list, a log of what came in."""

import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence

from relay.emulator.answers import Refusal, refuse
from relay.emulator.wire import Pairs

__all__ = ["Log", "elements_of"]

LOG_BYTES_MAX = 16 * 1024 * 1024


class Log:
    """Lines in the order in which they came; beyond ``limit_bytes`` the oldest go."""

    def __init__(self, limit_bytes: int | None = None) -> None:
        self._limit = LOG_BYTES_MAX if limit_bytes is None else limit_bytes
        self._lines: deque[bytes] = deque()
        self._bytes = 0

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._lines)

    def append(self, line: bytes) -> None:
        """Without its end."""
        self._lines.append(line)
        self._bytes += len(line)
        while self._bytes > self._limit:
            self._bytes -= len(self._lines.popleft())

    def clear(self) -> int:
        """Forget all; gives how many there were."""
        forgotten = len(self._lines)
        self._lines.clear()
        self._bytes = 0
        return forgotten


def elements_of(
    parameters: Pairs,
    list_name: str,
    *,
    mandatory: Sequence[str],
    most: int,
    called: str = "entries",
) -> list[Mapping[str, str]] | Refusal:
    """Gather ``<list_name>.N.<field>``; N counts from 1 without gaps."""
    pattern = re.compile(rf"{list_name}\.([1-9]\d{{0,6}})\.(.+)", re.ASCII)
    elements: dict[int, dict[str, str]] = {}
    for name, value in parameters:
        if part := pattern.fullmatch(name):
            elements.setdefault(int(part[1]), {})[part[2]] = value
    if not elements:
        return refuse("MissingParameter", list_name)
    if len(elements) > most:
        return refuse(
            "InvalidParameter",
            f"{list_name}: {len(elements)} {called}, at most {most} are allowed.",
        )
    for n in range(1, len(elements) + 1):
        for field in mandatory:
            if not elements.get(n, {}).get(field):
                return refuse("MissingParameter", f"{list_name}.{n}.{field}")
    return [elements[n] for n in sorted(elements)]
