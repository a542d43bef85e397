"""Who came first to an identity, as long as that is of interest, and across restarts.

Digests and short texts, since names may be of any length. What an identity or an owner
is, and how long somebody stays one, is not known here.
"""

import json
import struct
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

__all__ = ["DIGEST_BYTES", "Owners"]

DIGEST_BYTES: Final = 8
"""Of an identity."""

_HEAD: Final = {"what": "owners of names", "version": 1}
_RECORD: Final = struct.Struct(f"<{DIGEST_BYTES}sH")
_RECORDS: Final = 500
"""In a part."""


class Owners:
    """``claims`` counts the identities that got an owner.

    One that was restored belongs to its owner like any other, until ``settle``: whoever
    has not claimed it by then is gone.
    """

    def __init__(self) -> None:
        self._owners: dict[bytes, bytes] = {}
        self._restored: dict[bytes, bytes] = {}
        self.claims = 0

    def claim(self, identity: bytes, owner: bytes) -> bytes | None:
        """Who owns ``identity`` already; if None, ``owner`` does from now on."""
        present = self._owners.get(identity) or self._restored.get(identity)
        if present is None:
            self.claims += 1
        if present in (None, owner):
            self._owners[identity] = owner
        return present

    def release(self, identity: bytes, owner: bytes) -> None:
        """``identity`` is free again, if it was the owner's."""
        if self._owners.get(identity) == owner:
            del self._owners[identity]

    def save(self) -> Iterable[bytes]:
        """All of them as they are now: parts to be iterated in any thread.

        Copied at once, in C: 1 ms for 100,000.
        """
        return _parts(self._owners.copy())

    def restore(self, parts: Iterable[bytes]) -> str | None:
        """Remember those that were saved; why not, if the parts do not fit."""
        every = iter(parts)
        head = next(every, None)
        try:
            if head is not None and json.loads(head) != _HEAD:
                return f"not {_HEAD}: {head[:80]!r}"
            self._restored = dict(record for part in every for record in _records(part))
        except (ValueError, struct.error) as error:
            return f"{type(error).__name__}: {error}"
        return None

    def settle(self) -> None:
        """Everybody who is still there has claimed what was restored."""
        self._restored = {}


def _parts(owners: Mapping[bytes, bytes]) -> Iterator[bytes]:
    yield json.dumps(_HEAD).encode()
    records: list[bytes] = []
    for identity, owner in owners.items():
        records.append(_RECORD.pack(identity, len(owner)) + owner)
        if len(records) == _RECORDS:
            yield b"".join(records)
            records.clear()
    yield b"".join(records)


def _records(part: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at < len(part):
        identity, length = _RECORD.unpack_from(part, at)
        at += _RECORD.size + length
        if at > len(part):
            raise ValueError("a record that is longer than its part")
        yield identity, part[at - length : at]
