"""Tags gathered from both places where a line may carry them, one value a key.

Knows how a tag is written, not which daemon allows it where.
"""

from collections.abc import Iterable, Iterator

from relay.statsd.sample import Tags

__all__ = ["gather", "hash_tags", "name_tags"]

Tag = tuple[str, str | None, str]
"""Key, value (None for a bare tag), and the tag as it was written."""


def name_tags(texts: Iterable[str]) -> Iterator[Tag]:
    """Tags out of a name: ``key=value``, and nothing without both of them."""
    for text in texts:
        key, _, value = text.partition("=")
        if key and value:
            yield key, value, text


def hash_tags(field: bytes) -> Iterator[Tag]:
    """Tags out of what stands behind ``|#``: ``key:value``, ``key:`` or bare ``key``."""
    for text in field.decode("utf-8", "replace").split(","):
        key, colon, value = text.partition(":")
        if key:
            yield key, value if colon else None, text


def gather(tags: Iterable[Tag]) -> tuple[Tags, tuple[str, ...]]:
    """The pairs sorted by key, the last of a key winning.

    The second is every tag as it was written, in order, if a key came twice; else
    nothing.
    """
    kept = list(tags)
    if not kept:
        return (), ()
    pairs = {key: value for key, value, _ in kept}
    raw = tuple(text for _, _, text in kept) if len(pairs) < len(kept) else ()
    # Keys are unique, so that sorting never compares a text with None.
    return tuple(sorted(pairs.items())), raw
