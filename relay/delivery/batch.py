"""A batch: what the spool keeps and one request carries. Unsigned, so it never ages.

An item is opaque text here; only the room that made it can read it.
"""

from typing import NamedTuple

__all__ = ["Batch", "halve"]


class Batch(NamedTuple):
    """``id`` is unique for ever; ``closed_at`` is when its period ended, Unix seconds.

    ``items`` holds at least one encoded entry.
    """

    id: str
    closed_at: int
    items: tuple[str, ...]

    @property
    def size_bytes(self) -> int:
        """Of the items alone; they are ASCII."""
        return sum(map(len, self.items))


def halve(batch: Batch) -> tuple[Batch, Batch]:
    """Two batches with the same items in the same order; needs two items at least."""
    middle = len(batch.items) // 2
    return (
        Batch(f"{batch.id}.a", batch.closed_at, batch.items[:middle]),
        Batch(f"{batch.id}.b", batch.closed_at, batch.items[middle:]),
    )
