"""The language of StatsD and DogStatsD: one line in, samples and refusals out.

What each daemon makes of a line is in the manuals of statsd/statsd and the Datadog
agent; where they differ, or do what nobody can want, docs/protocol.rst says what holds here.
No line raises, whatever its bytes. What becomes of a sample, and how often a line is
seen, is not known here.
"""

from collections.abc import Collection, Iterator
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from relay.statsd.asides import ASIDES, EVENT, judge, read_check, read_event
from relay.statsd.ends import BLANKS, trim
from relay.statsd.lengths import (
    LINE_BYTES,
    NAME_CHARACTERS,
    SECTIONS,
    TAG_CHARACTERS,
    TAGS,
)
from relay.statsd.names import DIALECTS, Name, is_plain, name_reader, sanitise
from relay.statsd.numbers import not_negative, number, rate, timestamp
from relay.statsd.sample import Ignored, Item, Kind, Reason, Refusal, Sample, Tags, What
from relay.statsd.sections import Body, Section, read
from relay.statsd.tags import gather, hash_tags, name_tags

__all__ = ["DIALECTS", "Grammar", "by_length", "lines", "number", "rate", "sanitise"]

_SURELY_FINITE = 300
"""Digits."""

# Bound once: on Python 3.11 reading a member off its Enum is a call of its own.
_TIMER, _GAUGE, _SET = Kind.TIMER, Kind.GAUGE, Kind.SET

_KINDS = {
    b"c": Kind.COUNTER,
    b"g": Kind.GAUGE,
    b"ms": Kind.TIMER,
    b"h": Kind.HISTOGRAM,
    b"d": Kind.DISTRIBUTION,
    b"s": Kind.SET,
}


def lines(datagram: bytes) -> list[bytes]:
    """Cut at LF; blanks and one CR at the end of a line go, and so do empty lines.

    An event keeps its end: blanks may belong to its text, which is taken by length.
    """
    stripped = (
        line if line.startswith(EVENT) else trim(line) for line in datagram.split(b"\n")
    )
    return [line for line in stripped if line]


def by_length(pieces: list[bytes]) -> tuple[list[bytes], list[bytes]]:
    """Those that a line may be as long as, and the others, which are lines."""
    if max(map(len, pieces)) <= LINE_BYTES:
        return pieces, []
    short: list[bytes] = []
    long: list[bytes] = []
    for piece in pieces:
        stripped = [piece] if len(piece) <= LINE_BYTES else lines(piece)
        for line in stripped:
            (long if len(line) > LINE_BYTES else short).append(line)
    return short, long


_Found = Sample | Reason | What


class _Line(NamedTuple):
    """What all sections of a line share; ``refused`` is why none of them counts."""

    name: str
    tags: Tags
    tags_raw: tuple[str, ...]
    timestamp: int | None
    container: str | None
    refused: Reason | None

    def sample(
        self,
        kind: Kind,
        values: tuple[float, ...] | tuple[str, ...],
        ratio: float,
        relative: bool = False,
    ) -> Sample:
        return Sample(
            self.name,
            kind,
            values,
            relative,
            ratio,
            self.tags,
            self.tags_raw,
            self.timestamp,
            self.container,
        )


class Grammar:
    """A choice of dialects, of what a signed gauge means, and whether names are cleaned.

    Graphite's tags are always on. ``sanitises``: names go by the reference's key rule.
    ``signed_gauge``: whether ``+n`` and ``-n`` change a gauge (``delta``) or set it
    (``value``). ``events`` are items of their own, ``service_checks`` gauges; without,
    both are ignored. Raises ValueError for a word that is none.
    """

    def __init__(
        self,
        dialects: Collection[str] = (),
        signed_gauge: str = "delta",
        *,
        sanitises: bool = True,
        events: bool = False,
        service_checks: bool = False,
    ) -> None:
        if signed_gauge not in ("delta", "value"):
            raise ValueError(f"signed_gauge is delta or value, not {signed_gauge}")
        self._dialects = dialects
        self._sanitises = sanitises
        self._name = name_reader(dialects, sanitises=sanitises)
        self._events, self._service_checks = events, service_checks
        self.signed_gauge = signed_gauge

    def signed(self, signed_gauge: str) -> "Grammar":
        """The same, where a signed gauge means that."""
        return Grammar(
            self._dialects,
            signed_gauge,
            sanitises=self._sanitises,
            events=self._events,
            service_checks=self._service_checks,
        )

    def parse(self, line: bytes) -> tuple[Item, ...]:
        """What a line, as ``lines`` gives it, holds: at least one item. Never raises."""
        if line.startswith(ASIDES):
            return self._aside(line)
        if len(line) > LINE_BYTES:
            return _items([Reason.TOO_LONG], line[:LINE_BYTES])
        name, colon, rest = line.partition(b":")
        plain = _plain(name, rest)
        if plain is not None:
            return (plain,)
        # In the reference "|#" ends the line's body before anything else is cut.
        if not colon or b"|#" in name:
            return _items([Reason.NO_VALUE], line)
        body = read(rest)
        shared = _share(self._name(name), body)
        if len(body.sections) > SECTIONS:
            shared = shared._replace(refused=Reason.TOO_LONG)
        found: list[_Found] = []
        for section in body.sections:
            found += self._section(section, shared)
        return _items(found, line)

    def _aside(self, line: bytes) -> tuple[Item, ...]:
        """An event or a service check: an item, a gauge, or ignored."""
        judged = judge(line)
        is_wanted = (judged is What.EVENT and self._events) or (
            judged is What.SERVICE_CHECK and self._service_checks
        )
        if not is_wanted:
            return _items([judged], line)
        if len(line) > LINE_BYTES:
            return _items([Reason.TOO_LONG], line[:LINE_BYTES])
        if judged is What.EVENT:
            return (read_event(line),)
        check = read_check(line)
        body = Body([], check.tags, check.timestamp, check.container)
        shared = _share(self._name(check.name), body)
        found = shared.refused or shared.sample(_GAUGE, (float(check.status),), 1.0)
        return _items([found], line)

    def _section(self, section: Section, line: _Line) -> list[_Found]:
        """The samples of a section, and a reason for each value that is none."""
        kind = _KINDS.get(section.type or b"")
        # All pieces before an s are one member, colons included.
        values = [b":".join(section.values)] if kind is _SET else section.values
        ratio = _ratio(section.rate)
        if line.refused is not None:
            refused = line.refused
        elif section.type is None:
            refused = Reason.NO_TYPE
        elif kind is None:
            refused = Reason.UNKNOWN_TYPE
        elif ratio is None:
            refused = Reason.BAD_RATE
        elif kind is _GAUGE and len(values) > SECTIONS:
            refused = Reason.TOO_LONG  # each may be a sample of its own
        elif kind is _SET:
            # As in the reference, no text is the member 0.
            member = values[0].decode("utf-8", "replace") or "0"
            return [line.sample(kind, (member,), ratio)]
        else:
            return self._numbers(values, kind, ratio, line)
        return [refused] * len(values)

    def _numbers(
        self, texts: list[bytes], kind: Kind, ratio: float, line: _Line
    ) -> list[_Found]:
        """Packed values make one sample; in a gauge, one a run of deltas or of values."""
        convert = not_negative if kind is _TIMER else number
        values = [convert(text) for text in texts]
        good = [value for value in values if value is not None]
        found: list[_Found] = []
        if len(good) < len(values):
            found += [Reason.BAD_VALUE] * (len(values) - len(good))
        if kind is _GAUGE and self.signed_gauge == "delta":
            for relative, run in groupby(_signed(texts, values), key=itemgetter(0)):
                alike = tuple([value for _, value in run])
                found.append(line.sample(kind, alike, ratio, relative))
        elif good:
            found.append(line.sample(kind, tuple(good), ratio))
        return found


def _plain(name: bytes, rest: bytes) -> Sample | None:
    """The sample of a line with nothing in it but a name, digits and a type.

    Most lines are, and a flood of new names is made of them: a third of the time that
    the whole way takes, with the same result.
    """
    value, _, type_ = rest.partition(b"|")
    kind = _KINDS.get(type_)
    if (
        kind is None
        or kind is _SET
        or len(value) > _SURELY_FINITE
        or not value.isdigit()
        or not 0 < len(name) <= NAME_CHARACTERS
        or not is_plain(name)
    ):
        return None
    return Sample(
        name.decode("ascii"), kind, (float(value),), False, 1.0, (), (), None, None
    )


def _items(found: list[_Found], line: bytes) -> tuple[Item, ...]:
    if len(found) == 1:
        one = found[0]
        if isinstance(one, Sample):
            return (one,)
        return (_item(one, line.decode("utf-8", "replace")),)
    # One a reason: values of a long line that are refused alike are the same object.
    # By id(), since reading a member of an Enum or hashing it is a call each.
    reasons = {id(one): one for one in found if not isinstance(one, Sample)}
    text = line.decode("utf-8", "replace") if reasons else ""
    items = {key: _item(one, text) for key, one in reasons.items()}
    return tuple([one if isinstance(one, Sample) else items[id(one)] for one in found])


def _item(found: Reason | What, text: str) -> Refusal | Ignored:
    if isinstance(found, Reason):
        return Refusal(text, found)
    return Ignored(text, found)


def _share(name: Name, body: Body) -> _Line:
    """What all sections share; the name is judged first, then the tags, then T."""
    named = list(name_tags(name.tags))
    hashed = [] if body.tags is None else hash_tags(body.tags)
    tags, tags_raw = gather([*named, *hashed])
    seconds = None if body.timestamp is None else timestamp(body.timestamp)
    refused = None
    if not name.name:
        refused = Reason.EMPTY_NAME
    elif _is_too_long(name.name, tags):
        refused = Reason.TOO_LONG
    elif name.exclusive and named and body.tags is not None:
        refused = Reason.MIXED_DIALECTS
    elif body.timestamp is not None and seconds is None:
        refused = Reason.BAD_TIMESTAMP
    container = body.container
    text = None if container is None else container.decode("utf-8", "replace")
    return _Line(name.name, tags, tags_raw, seconds, text, refused)


def _is_too_long(name: str, tags: Tags) -> bool:
    if len(tags) > TAGS or len(name) > NAME_CHARACTERS:
        return True
    characters = sum([len(key) + len(value or "") for key, value in tags])
    return characters > TAG_CHARACTERS


def _ratio(field: bytes | None) -> float | None:
    """The rate a section has, 1 if it says nothing, None if it says nonsense."""
    if field is None:
        return 1.0
    return rate(field[1:]) if field.startswith(b"@") else None


def _signed(
    texts: list[bytes], values: list[float | None]
) -> Iterator[tuple[bool, float]]:
    """The values that are numbers, each with whether it was written with a sign."""
    for text, value in zip(texts, values, strict=True):
        if value is not None:
            # Blanks first: that " -5" is no delta in the reference is a defect of it.
            yield text.lstrip(BLANKS).startswith((b"+", b"-")), value
