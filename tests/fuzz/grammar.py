"""What the fuzzer does with the grammar: whatever the line, what comes of it is sound.

The first byte chooses the dialects and what else can be chosen; the rest is a datagram.
"""

import math

from relay.statsd.grammar import Grammar, lines
from relay.statsd.lengths import NAME_CHARACTERS, TAG_CHARACTERS, TAGS
from relay.statsd.names import DIALECTS
from relay.statsd.sample import Event, Item, Kind, Sample
from tests.statsd.formatting import plain

__all__ = ["take"]


def _chosen(byte: int) -> Grammar:
    return Grammar(
        [name for bit, name in enumerate(sorted(DIALECTS)) if byte >> bit & 1],
        "value" if byte & 16 else "delta",
        sanitises=not byte & 32,
        events=bool(byte & 64),
        service_checks=bool(byte & 128),
    )


GRAMMARS = [_chosen(byte) for byte in range(256)]
PLAIN = Grammar()


def take(data: bytes) -> None:
    """Raises where a line does, and AssertionError where its items are not sound."""
    if not data:
        return
    grammar, datagram = GRAMMARS[data[0]], data[1:]
    for line in lines(datagram):
        items = grammar.parse(line)
        assert items, f"nothing comes of {line!r}"
        assert items == grammar.parse(line), f"not always the same: {line!r}"
        for item in items:
            _look_at(item)


def _look_at(item: Item) -> None:
    if isinstance(item, Event):
        hash(item)
    elif isinstance(item, Sample):
        _look_at_sample(item)
        _write_again(item)
    else:
        assert isinstance(item.text, str)


def _look_at_sample(sample: Sample) -> None:
    assert 0 < len(sample.name) <= NAME_CHARACTERS, sample
    assert 0.0 < sample.rate < math.inf, sample
    assert sample.values, sample
    for value in sample.values:
        if sample.kind is Kind.SET:
            assert isinstance(value, str), sample
            assert value, sample
        else:
            assert isinstance(value, float), sample
            assert math.isfinite(value), sample
            assert value >= 0 or sample.kind is not Kind.TIMER, sample
    keys = [key for key, _ in sample.tags]
    assert keys == sorted(set(keys)), sample
    assert len(keys) <= TAGS, sample
    text = sum(len(key) + len(value or "") for key, value in sample.tags)
    assert text <= TAG_CHARACTERS, sample
    assert not sample.tags_raw or len(sample.tags_raw) > len(keys), sample
    assert sample.timestamp is None or sample.timestamp > 0, sample


def _write_again(sample: Sample) -> None:
    """A sample without tags and with a clean name is what its line says it is."""
    if sample.tags or sample.container is not None or "�" in f"{sample.values}":
        return
    bare = sample._replace(tags_raw=(), timestamp=None)
    if not bare.name.isascii() or not bare.name.replace("_", "").isalnum():
        return
    if bare.kind is Kind.SET and bare.values != ("0",):
        return
    if bare.kind is Kind.GAUGE and not bare.relative and "-" in f"{bare.values}":
        return  # the line would be one of deltas
    assert PLAIN.parse(plain(bare)) == (bare._replace(container=None),), bare
