"""What the closing side of an engine carries from period to period, as parts.

That is: which periods it has closed, what idle series report, and the long period under
way. The parts are a commit record too: a period named in them is not reported again.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from relay.rollup.columns import PartReader, PartWriter
from relay.rollup.series import Series
from relay.rollup.series_table import Names
from relay.rollup.slot import Slot
from relay.rollup.stored import (
    Label,
    Loaders,
    PartsReader,
    PartsWriter,
    UnfitError,
    reading,
)
from relay.rollup.summary import REPORTED_IDLE
from relay.rollup.taken import Span
from relay.rollup.treatment import Treatments
from relay.statsd.sample import Kind

__all__ = ["Carried", "Content", "Idle", "read_carried", "write_carried"]

_WHAT = "closed periods"
_SLOT, _IDLE = 0, 1

Content = Slot | float
"""Of an active series its slot, of an idle one the last value: a gauge's, else 0."""


class Idle(NamedTuple):
    """When a series was seen last, and a gauge's last value; else 0."""

    seen: int
    last: float


class Carried(NamedTuple):
    """``closed`` and ``longs`` are the names given away, of base and of long periods.

    ``long_start`` and ``long`` are the long period under way, None if there is none; the
    latter are pairs, to be walked once.
    """

    closed: Sequence[Span]
    idle: Mapping[Series, Idle]
    long_seconds: int
    longs: Sequence[Span]
    long_start: int | None
    long: Iterable[tuple[Series, Content]]


def write_carried(
    carried: Carried, period_seconds: int, treatments: Treatments
) -> Iterator[bytes]:
    """As parts; ``carried`` must not change meanwhile."""
    writer = PartsWriter(treatments)
    facts = {
        "closed": carried.closed,
        "long_seconds": carried.long_seconds,
        "longs": carried.longs,
        "long_start": carried.long_start,
    }
    yield writer.head(_WHAT, period_seconds, facts)
    number = writer.series.number

    def write_idle(part: PartWriter, record: tuple[Series, Idle]) -> None:
        series, (seen, last) = record
        part.whole.extend((number(series), seen))
        _write_last(part, series, last)

    def write_long(part: PartWriter, record: tuple[Series, Content]) -> None:
        series, content = record
        is_idle = isinstance(content, float)
        part.whole.extend((number(series), _IDLE if is_idle else _SLOT))
        if isinstance(content, float):
            _write_last(part, series, content)
        else:
            content.save(part)

    yield from writer.parts({"idle": True}, carried.idle.items(), write_idle)
    yield from writer.parts({"long": True}, carried.long, write_long)


def read_carried(
    parts: Iterable[bytes], period_seconds: int, names: Names, loaders: Loaders
) -> Carried:
    """What was written; UnfitError if the parts are not of such an engine."""
    with reading():
        reader = PartsReader(parts, _WHAT, period_seconds, names)
        idle: dict[Series, Idle] = {}
        long: dict[Series, Content] = {}
        for label, part in reader:
            while part.has_more:
                number, fact = part.wholes(2)
                word, named = reader.series.at(number)
                if "idle" in label:
                    last = _read_last(word, part)
                    if named is not None:
                        idle[named] = Idle(fact, last)
                else:
                    content = _read_content(fact, word, part, loaders)
                    if named is not None:
                        long[named] = content
        head = reader.head
        start = head["long_start"]
        return Carried(
            _spans(head, "closed"),
            idle,
            int(head["long_seconds"]),
            _spans(head, "longs"),
            None if start is None else int(start),
            long.items(),
        )


def _spans(head: Label, key: str) -> Sequence[Span]:
    return [(int(start), int(end)) for start, end in head[key]]


def _write_last(part: PartWriter, series: Series, last: float) -> None:
    """Of an idle series; only a gauge has anything to say."""
    if series.kind is Kind.GAUGE:
        part.real.append(last)


def _read_last(word: str, part: PartReader) -> float:
    kind = Kind(word)
    if kind not in REPORTED_IDLE:
        raise UnfitError(f"a {word} reports nothing when it is idle")
    return part.real() if kind is Kind.GAUGE else 0.0


def _read_content(form: int, word: str, part: PartReader, loaders: Loaders) -> Content:
    return _read_last(word, part) if form == _IDLE else loaders[word](part)
