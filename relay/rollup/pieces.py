"""Large collections made and freed in pieces, between which other threads have their turn.

A single call that makes a list of a million, or frees one, holds all of them for 20 ms and
more.
"""

from collections.abc import Iterable
from itertools import islice
from typing import TypeVar

__all__ = ["free", "free_dict", "listed"]

T = TypeVar("T")
K = TypeVar("K")

_MADE_AT_ONCE = 50_000
_FREED_AT_ONCE = 500
_LAST = 10_000


def listed(some: Iterable[T]) -> list[T]:
    """A list of them, made in pieces that take a millisecond each."""
    rest, whole = iter(some), list[T]()
    while piece := list(islice(rest, _MADE_AT_ONCE)):
        whole += piece
    return whole


def free(whole: list[T]) -> None:
    """Empty it, in pieces that take 0.1 ms each."""
    while whole:
        del whole[-_FREED_AT_ONCE:]


def free_dict(whole: dict[K, T]) -> None:
    """Empty it; one by one, but for the last ones, which take a millisecond or two."""
    for _ in range(len(whole) - _LAST):
        whole.popitem()
    whole.clear()
