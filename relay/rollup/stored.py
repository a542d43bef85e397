"""What all lists of parts have in common: a head with a version, series, slots.

The head says what the parts are, and of periods of which length. Parts that are not what
their reader wants raise UnfitError, and so does anything in them that makes no sense.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from relay.rollup.adding import PYTHON_SLOTS, SlotTypes
from relay.rollup.columns import PartReader, PartWriter
from relay.rollup.series_table import Names, SeriesReader, SeriesWriter
from relay.rollup.slot import Slot
from relay.rollup.treatment import Treatments
from relay.statsd.sample import Kind

__all__ = [
    "Label",
    "Loaders",
    "PartsReader",
    "PartsWriter",
    "UnfitError",
    "attempt",
    "reading",
    "slot_loaders",
]

VERSION = 1
"""Of everything in parts. Whoever changes what is written, or its order, changes it."""

_PART_BYTES = 32 * 1024
"""How long a part gets, roughly: a millisecond of work."""

R = TypeVar("R")
Label = Mapping[str, Any]
Loaders = Mapping[str, Callable[[PartReader], Slot]]
"""By the word of a kind."""


class UnfitError(ValueError):
    """Parts that an engine cannot go on from; the text says why."""


def slot_loaders(
    exact_samples: int, exact_members: int, types: SlotTypes = PYTHON_SLOTS
) -> Loaders:
    """What reads the slots back, with the limits that hold now."""

    def timer(part: PartReader) -> Slot:
        return types.timer.load(part, exact_samples)

    return {
        Kind.COUNTER.value: types.counter.load,
        Kind.GAUGE.value: types.gauge.load,
        Kind.TIMER.value: timer,
        Kind.HISTOGRAM.value: timer,
        Kind.DISTRIBUTION.value: timer,
        Kind.SET.value: lambda part: types.set.load(part, exact_members),
    }


class PartsWriter:
    """Makes parts of records."""

    def __init__(self, treatments: Treatments) -> None:
        self.series = SeriesWriter(treatments)

    def head(self, what: str, period_seconds: int, facts: Label) -> bytes:
        """The first part."""
        fixed = {"what": what, "version": VERSION, "period_seconds": period_seconds}
        return self._ended(PartWriter(), {**facts, **fixed})

    def parts(
        self,
        label: Label,
        records: Iterable[R],
        write: Callable[[PartWriter, R], None],
    ) -> Iterator[bytes]:
        """One at least; ``write`` appends a record, the ``label`` goes with each part."""
        part = PartWriter()
        for record in records:
            write(part, record)
            if len(part) >= _PART_BYTES:
                yield self._ended(part, label)
                part = PartWriter()
        yield self._ended(part, label)

    def _ended(self, part: PartWriter, label: Label) -> bytes:
        part.texts = [label, self.series.fresh()]
        return part.part()


class PartsReader:
    """Reads what PartsWriter made, with the same calls in the same order."""

    def __init__(
        self, parts: Iterable[bytes], what: str, period_seconds: int, names: Names
    ) -> None:
        self._parts = map(PartReader, parts)
        self.series = SeriesReader(names)
        part = next(self._parts, None)
        if part is None:
            raise UnfitError("there are no parts")
        self.head = self._label(part)
        fixed = {"what": what, "version": VERSION, "period_seconds": period_seconds}
        for key, wanted in fixed.items():
            if self.head.get(key) != wanted:
                raise UnfitError(f"{key} is {self.head.get(key)!r}, not {wanted!r}")

    def __iter__(self) -> Iterator[tuple[Label, PartReader]]:
        """Each part with its label; an empty one too."""
        for part in self._parts:
            yield self._label(part), part

    def _label(self, part: PartReader) -> Label:
        label, fresh = part.texts
        if not isinstance(label, dict):
            raise UnfitError(f"no label: {label!r}")
        self.series.extend(fresh)
        return label


@contextmanager
def reading() -> Iterator[None]:
    """Whatever is wrong with parts is UnfitError."""
    try:
        yield
    except UnfitError:
        raise
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError) as error:
        raise UnfitError(f"{type(error).__name__}: {error}") from error


def attempt(
    read: Callable[[Iterable[bytes]], R], parts: Iterable[bytes]
) -> tuple[R | None, str | None]:
    """What was read, or why not; neither where there are no parts."""
    every = list(parts)
    if not every:
        return None, None
    try:
        return read(every), None
    except UnfitError as error:
        return None, str(error)
