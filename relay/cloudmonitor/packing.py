"""Entries into batches that the service takes: by number and by bytes.

Sizes are bytes of the form body as it is sent, with the ``MetricList.N.``, or that of
another list, before each
field and the ``&`` between them. The few hundred bytes that a V1 signature adds to a
body are not counted; the default limit leaves room for them.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from relay.cloudmonitor.contract import (
    BODY_BYTES_DEFAULT,
    ENTRIES_DEFAULT,
    METRICS,
    Operation,
)
from relay.cloudmonitor.datum import ALL_IN_NONE, GroupOf, identity, items
from relay.delivery.batch import Batch
from relay.rollup.engine import Rollup

__all__ = ["Oversize", "Packed", "compose", "pack", "unreported"]


class Oversize(NamedTuple):
    """An entry that no request can carry."""

    item: str
    size_bytes: int
    limit_bytes: int

    @property
    def sentence(self) -> str:
        """Why it was refused, for people."""
        return (
            f"an entry of {self.size_bytes} bytes does not fit into a request"
            f" of at most {self.limit_bytes}"
        )


class Packed(NamedTuple):
    """Every item is in one of the two, in the order it came.

    ``batches`` are made while they are iterated, once: a large period is never there as
    a whole. ``refused`` is complete then.
    """

    batches: Iterator[Batch]
    refused: list[Oversize]


def compose(
    rollup: Rollup,
    *,
    group_of: GroupOf = ALL_IN_NONE,
    max_entries: int = ENTRIES_DEFAULT,
    max_bytes: int = BODY_BYTES_DEFAULT,
) -> Packed:
    """A closed period as batches, named ``<start>/<length>/<n>``. Thread: any."""
    return pack(
        items(rollup, group_of),
        prefix=f"{rollup.start}/{rollup.length}",
        closed_at=rollup.start + rollup.length,
        max_entries=max_entries,
        max_bytes=max_bytes,
    )


def unreported(batches: Iterable[Batch], reported: Iterable[str]) -> Iterator[Batch]:
    """The same batches without the entries that ``reported`` items stand for already.

    For a period that was being stored when the process was killed: what got that far
    is not reported again, with other values perhaps, and the rest is.
    """
    known = set(map(identity, reported))
    left = (
        batch._replace(items=tuple(i for i in batch.items if identity(i) not in known))
        for batch in batches
    )
    return (batch for batch in left if batch.items)


def pack(
    every: Iterable[str],
    *,
    prefix: str,
    closed_at: int,
    max_entries: int = ENTRIES_DEFAULT,
    max_bytes: int = BODY_BYTES_DEFAULT,
    operation: Operation = METRICS,
) -> Packed:
    """Group items, in order, into batches named ``<prefix>/<n>``, n from 1.

    Refuses: an item larger than a whole body; it is in ``refused``, never dropped.
    """
    refused: list[Oversize] = []
    groups = _groups(every, max_entries, max_bytes, refused, operation.list_name)
    batches = (
        Batch(f"{prefix}/{n}", closed_at, tuple(group))
        for n, group in enumerate(groups, 1)
    )
    return Packed(batches, refused)


_digits = lru_cache(maxsize=1024)(lambda number: len(str(number)))


def _groups(
    every: Iterable[str],
    max_entries: int,
    max_bytes: int,
    refused: list[Oversize],
    list_name: str,
) -> Iterator[list[str]]:
    group: list[str] = []
    room = max_bytes
    ahead = len(list_name) + len("..")
    for item in every:
        # With ``MetricList.<n>.`` before each of its fields; items are ASCII.
        fields = item.count("&") + 1
        bare = len(item) + fields * ahead
        alone = bare + fields
        if alone > max_bytes:
            refused.append(Oversize(item, alone, max_bytes))
            continue
        more = bare + fields * _digits(len(group) + 1) + 1  # and the "&" before it
        if group and more > room:
            yield group
            group, room = [], max_bytes
        room -= more if group else alone
        group.append(item)
        if len(group) == max_entries:
            yield group
            group, room = [], max_bytes
    if group:
        yield group
