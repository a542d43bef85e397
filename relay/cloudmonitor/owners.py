"""Who came first to an identity, as long as that is of interest, and across restarts.

An identity is what CloudMonitor tells series apart by, a metric's name and Dimensions; its
owner is the series that has it. How long a series stays one is not known here. Saved they
are digests and short texts, as names may be of any length.
"""

import hashlib
import json
import struct
from collections.abc import Iterable, Iterator
from enum import Enum
from typing import Final

from relay.rollup.reported import Reported
from relay.rollup.series import Series

__all__ = ["Claim", "Owners"]

_DIGEST_BYTES: Final = 8
_HEAD: Final = {"what": "owners of names", "version": 1}
_RECORD: Final = struct.Struct(f"<{_DIGEST_BYTES}sH")
_RECORDS: Final = 500
"""In a part."""

_SHOWN: Final = 100
"""Characters of an owner's name that are kept."""


class Claim(Enum):
    """What comes of claiming an identity."""

    FRESH = "it had no owner"
    OWN = "it is the claimant's already"
    TAKEN = "it is another's"


class Owners:
    """``claims`` counts the identities that got an owner.

    ``owners`` is empty. An owner that was restored is one like any other until ``settle``:
    whoever has not claimed what is theirs by then is gone.
    """

    def __init__(self, owners: Reported) -> None:
        self._owners = owners
        self._restored: dict[bytes, bytes] = {}
        self.claims = 0

    def claim(self, series: Series) -> Claim:
        """Have ``series`` own its identity, unless another does."""
        present = self._owners.get(series)
        if present is not None:
            is_own = _is_same(present, series)
        elif self._restored and (saved := self._restored.get(_identity(series))):
            is_own = saved == _owner(series)
        else:
            self.claims += 1
            self._owners.put(series)
            return Claim.FRESH
        if not is_own:
            return Claim.TAKEN
        self._owners.put(series)
        return Claim.OWN

    def shown(self, series: Series) -> str:
        """Who owns the identity of ``series``, for people: ``counter/the.name``."""
        present = self._owners.get(series)
        if present is None:
            owner = self._restored.get(_identity(series), b"")
        else:
            owner = _owner(present)
        return owner[_DIGEST_BYTES:].decode()

    def release(self, series: Series) -> None:
        """The identity of ``series`` is free again, if it was its own."""
        present = self._owners.get(series)
        if present is not None and _is_same(present, series):
            self._owners.remove(series)

    def save(self) -> Iterable[bytes]:
        """All of them as they are now: parts to be iterated in any thread.

        Copied at once, in C: 1 ms for 100,000. To be made a part takes 4 µs each.
        """
        return _parts(self._owners.all())

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


def _is_same(one: Series, other: Series) -> bool:
    return one[:3] == other[:3]


def _identity(series: Series) -> bytes:
    return _digest(series.metric, series.dimensions)


def _owner(series: Series) -> bytes:
    """A digest of the whole series and, for people, the beginning of its name."""
    word, name, tags = series.kind.value, series.name, series.tags
    text = f"{word}/{name}"[:_SHOWN]
    return _digest(word, name, tags) + text.encode("utf-8", "replace")


def _digest(*parts: object) -> bytes:
    """64 bits: among 200,000 series a false twin is a matter of one in a billion."""
    whole = repr(parts).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(whole, digest_size=_DIGEST_BYTES).digest()


def _parts(owners: Iterable[Series]) -> Iterator[bytes]:
    yield json.dumps(_HEAD).encode()
    records: list[bytes] = []
    for series in owners:
        owner = _owner(series)
        records.append(_RECORD.pack(_identity(series), len(owner)) + owner)
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
