"""What holds for all lines: nothing raises, nothing is lost, writing is undone."""

from collections.abc import Callable, Mapping

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from relay.statsd.grammar import Grammar, lines
from relay.statsd.sample import Item, Kind, Sample, Tags
from tests.statsd.cases import all_cases
from tests.statsd.formatting import dogstatsd, in_name, plain

ALL = Grammar(("influx", "librato", "signalfx"), events=True, service_checks=True)
DEFAULT = Grammar()
LINES = [
    case.datagram for case in all_cases() if lines(case.datagram) == [case.datagram]
]

numbers = st.floats(allow_nan=False, allow_infinity=False, width=64)
members = st.text(
    st.characters(codec="utf-8", exclude_characters="|\n\r"), min_size=1, max_size=6
)
names = st.from_regex(r"[a-zA-Z0-9_.\-]{1,8}", fullmatch=True)
texts = st.text(
    st.characters(codec="utf-8", exclude_characters="|,\n\r \t"), max_size=4
)
keys = texts.filter(lambda text: text and ":" not in text)
in_names = st.from_regex(r"[a-zA-Z0-9_.\-]{1,4}", fullmatch=True)
rates = st.just(1.0) | st.floats(1e-300, 1e300)


def sorted_tags(pairs: Mapping[str, str | None]) -> Tags:
    """As a sample holds them."""
    return tuple(sorted(pairs.items()))


def packed(numbers: st.SearchStrategy[float]) -> st.SearchStrategy[tuple[float, ...]]:
    """One to three values before a type."""
    return st.lists(numbers, min_size=1, max_size=3).map(tuple)


def untagged(
    name: str, kind: Kind, values: tuple[float, ...] | tuple[str, ...], rate: float
) -> Sample:
    """Not Sample itself: hypothesis would invent the fields that have defaults."""
    return Sample(name, kind, values, rate=rate)


def samples(
    kind: Kind, values: st.SearchStrategy[tuple[float, ...]]
) -> st.SearchStrategy[Sample]:
    """Samples of a kind, without tags."""
    return st.builds(untagged, names, st.just(kind), values, rates)


bare = st.one_of(
    *(
        samples(k, packed(numbers))
        for k in (Kind.COUNTER, Kind.HISTOGRAM, Kind.DISTRIBUTION)
    ),
    samples(Kind.TIMER, packed(numbers.map(abs))),
    samples(Kind.GAUGE, packed(numbers.map(abs))),
    samples(Kind.GAUGE, packed(numbers)).map(lambda s: s._replace(relative=True)),
    st.builds(untagged, names, st.just(Kind.SET), st.tuples(members), rates),
)
tagged = st.builds(
    lambda sample, tags, seconds, container: sample._replace(
        tags=tags, timestamp=seconds, container=container
    ),
    bare,
    st.dictionaries(keys, st.none() | texts, max_size=4).map(sorted_tags),
    st.none() | st.integers(1, 10**12),
    st.none() | texts,
)
tagged_names = st.builds(
    lambda sample, tags: sample._replace(tags=tags),
    bare,
    st.dictionaries(in_names, in_names, max_size=4).map(sorted_tags),
)


@given(bare)
def test_parsing_undoes_writing_plain(sample: Sample) -> None:
    """A bare sample written in either language is that sample again."""
    assert DEFAULT.parse(plain(sample)) == (sample,)


@given(tagged)
def test_parsing_undoes_writing_dogstatsd(sample: Sample) -> None:
    """Tags, time stamp and container come back as they were."""
    assert DEFAULT.parse(dogstatsd(sample)) == (sample,)


@given(
    tagged_names,
    st.sampled_from(
        ["{name};{tags}", "{name},{tags}", "{name}#{tags}", "{name}[{tags}]"]
    ),
)
def test_parsing_undoes_writing_tags_into_names(sample: Sample, frame: str) -> None:
    """In each dialect, with all of them on."""
    assert ALL.parse(in_name(sample, frame)) == (sample,)


def accounted(items: tuple[Item, ...]) -> int:
    """Sections as the ledger counts them: a packed value is one of its own."""
    return sum(len(one.values) if isinstance(one, Sample) else 1 for one in items)


@given(
    st.binary(max_size=64)
    | st.text("a:|#@T1c.;=,[]-+ \t_e{}s\x00", max_size=32).map(str.encode)
)
@example(b"_e{" + b"9" * 5_000 + b",1}:")
@example(b"_e{1,0}:a||d:" + b"9" * 5_000)
@example(b"_sc|a|0|d:" + b"9" * 5_000)
@example(b"a:1|c|T" + b"9" * 5_000)
def test_no_bytes_raise(line: bytes) -> None:
    """Every line becomes something, whatever it holds, in any choice of dialects."""
    for grammar in (DEFAULT, ALL):
        assert accounted(grammar.parse(line)) >= 1


Change = Callable[[bytes], bytes]
changes: st.SearchStrategy[Change] = st.one_of(
    st.builds(
        lambda at, new: lambda line: line[:at] + new + line[at + 1 :],
        st.integers(0, 40),
        st.binary(max_size=2)
        | st.sampled_from([b":", b"|", b"#", b"@", b",", b"\xff"]),
    ),
    st.builds(lambda at: lambda line: line[:at], st.integers(0, 40)),
)


@pytest.mark.bar("H3")
@given(st.sampled_from(LINES), st.lists(changes, min_size=1, max_size=3))
def test_no_mutated_line_raises(line: bytes, mutations: list[Change]) -> None:
    """Lines that were nearly right, which random bytes never are."""
    for change in mutations:
        line = change(line)
    for one in lines(line):
        assert accounted(DEFAULT.parse(one)) >= 1
        assert accounted(ALL.parse(one)) >= 1


@given(st.text("ab1.", max_size=4), st.lists(st.text("1x", max_size=2), min_size=1))
def test_every_packed_value_is_accounted_for(name: str, values: list[str]) -> None:
    """Samples and refusals together are as many as were sent."""
    line = f"{name}:{':'.join(values)}|c".encode()
    assert accounted(DEFAULT.parse(line)) == len(values)


@given(st.lists(st.sampled_from(LINES)), st.booleans())
def test_lines_joined_are_the_lines(joined: list[bytes], last: bool) -> None:
    """Lines share a datagram without touching each other, with or without a last LF."""
    assert lines(b"\n".join(joined) + (b"\n" if last else b"")) == joined


@given(st.lists(st.sampled_from(LINES), min_size=1, max_size=4))
def test_a_cut_spoils_only_the_line_it_meets(joined: list[bytes]) -> None:
    """However a datagram is cut short, the whole lines before the cut are there."""
    datagram = b"\n".join(joined)
    for at in range(len(datagram) + 1):
        whole = datagram[:at].count(b"\n")
        assert lines(datagram[:at])[:whole] == joined[:whole]


def test_every_cut_of_every_line_becomes_something() -> None:
    """No beginning of a line of the tables raises or vanishes."""
    for line in LINES:
        for at in range(1, len(line)):
            for one in lines(line[:at]):
                assert accounted(ALL.parse(one)) >= 1


@given(
    st.binary(max_size=12) | names.map(str.encode),
    st.from_regex(rb"[0-9]{0,4}|[0-9]{299,310}", fullmatch=True),
    st.sampled_from([b"c", b"g", b"ms", b"h", b"d", b"s", b"x", b""]),
)
@example(b"", b"1", b"c")
@example(b"a" * 1025, b"1", b"c")
@example(b"a", b"9" * 400, b"ms")
def test_a_plain_line_is_what_it_is_with_all_said(
    name: bytes, value: bytes, word: bytes
) -> None:
    """A rate of 1 says what no rate says, so that both ways through the grammar agree."""
    short = b"%s:%s|%s" % (name, value, word)
    for grammar in (DEFAULT, ALL):
        found, said = grammar.parse(short), grammar.parse(short + b"|@1")
        if all(isinstance(item, Sample) for item in (*found, *said)):
            assert found == said
        else:
            assert [type(item) for item in found] == [type(item) for item in said]
