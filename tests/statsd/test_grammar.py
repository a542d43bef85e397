"""The grammar against the tables of lines, and what no table can list."""

import pytest

from relay.statsd.grammar import Grammar, lines
from relay.statsd.lengths import (
    LINE_BYTES,
    NAME_CHARACTERS,
    SECTIONS,
    TAG_CHARACTERS,
    TAGS,
)
from relay.statsd.sample import (
    Event,
    Ignored,
    Item,
    Kind,
    Reason,
    Refusal,
    Sample,
    What,
)
from tests.statsd.cases import Case, accepted, all_cases, ignored, items, refused


def parse(line: bytes) -> tuple[Item, ...]:
    """By the default choice of dialects."""
    return Grammar().parse(line)


@pytest.mark.parametrize("case", all_cases(), ids=lambda case: case.name)
def test_table(case: Case) -> None:
    """Each line of the tables becomes what stands beside it, and nothing more."""
    found = items(case)
    assert [accepted(one) for one in found if isinstance(one, Sample)] == case.accepted
    assert refused(found) == case.refused
    assert ignored(found) == case.ignored


def test_tables_know_every_reason_of_the_grammar() -> None:
    """Each reason but those of the engine and of rules stands in a table at least once.

    What is too long for a table is in a test of its own below.
    """
    engine = {Reason.LATE, Reason.FUTURE, Reason.OVERFLOW, Reason.TOO_LONG}
    engine |= {Reason.SERIES_LIMIT, Reason.NAME_LIMIT, Reason.SERIES_QUOTA}
    engine |= {Reason.DROPPED_BY_RULE}
    known = {word for case in all_cases() for word in case.refused}
    assert known == {reason.value for reason in set(Reason) - engine}


def test_refusal_shows_the_whole_line() -> None:
    """Whoever reads the refusal sees what was sent, readable whatever the bytes."""
    (refusal,) = parse(b"a\xff:x|c|@0.5")
    assert refusal == Refusal("a\ufffd:x|c|@0.5", Reason.BAD_VALUE)


def test_values_are_floats() -> None:
    """A whole number on the wire is a float like any other."""
    (sample,) = parse(b"a:1|c|@2")
    assert isinstance(sample, Sample)
    assert (type(sample.values[0]), type(sample.rate)) == (float, float)


def test_tags_are_sorted_by_key() -> None:
    """Two orders of the same tags are one series."""
    (sample,) = parse(b"a;m=1:1|c|#z:2,b")
    assert isinstance(sample, Sample)
    assert sample.tags == (("b", None), ("m", "1"), ("z", "2"))


def test_minus_zero_keeps_its_sign_as_a_timer() -> None:
    """The value is stored as sent, not rewritten."""
    assert parse(b"a:-0.0|ms") == (Sample("a", Kind.TIMER, (-0.0,)),)


@pytest.mark.parametrize("word", ["", "Delta", "set"])
def test_unknown_meaning_of_signs_is_refused(word: str) -> None:
    """A wrong word is an error when the grammar is made, not a guess later."""
    with pytest.raises(ValueError, match="signed_gauge"):
        Grammar(signed_gauge=word)


@pytest.mark.parametrize(
    ("datagram", "cut"),
    [
        (b"", []),
        (b"a", [b"a"]),
        (b"a\nb\n", [b"a", b"b"]),
        (b"\n\r\n \n\t\r\na", [b"a"]),
        (b"a \t\r\n b", [b"a", b" b"]),
        (b"a\rb\r\r\n", [b"a\rb\r"]),
        (b"a\x0b\x0c\x00", [b"a\x0b\x0c\x00"]),
    ],
)
def test_lines(datagram: bytes, cut: list[bytes]) -> None:
    """LF cuts; blanks and one CR at the end of a line go, and so do empty lines."""
    assert lines(datagram) == cut


@pytest.mark.parametrize(
    ("line", "sections"),
    [
        (b"a" + b":1|c" * SECTIONS, SECTIONS),
        (b"a" + b":x" * 4_000 + b"|c", 4_000),
        (b"a" + b":1" * 4_000 + b"|ms", 1),
        (b"a" + b":+1:1" * (SECTIONS // 2) + b"|g", SECTIONS),
        (b"a:1|c" + b"|x:1" * 255, 256),
        (b"a:1|c" + b"|" * 8_000, 1),
        (b"a:1|c|#" + b"k:v," * 2_000, 1),
        (b"a" + b";k=v" * 2_000 + b":1|c", 1),
        (b"a:" + b"1" * 8_000 + b"x|c", 1),
        (b"a:1|c|@0." + b"1" * 8_000, 1),
        (b"a:1|c|T" + b"1" * 8_000, 1),
        (b"_e{" + b"1" * 64_000 + b",1}:a|b", 1),
        (b"a:1|c|#k:" + b"v" * 8_183, 1),
    ],
    ids=lambda value: value[:12] if isinstance(value, bytes) else None,
)
def test_longest_lines(line: bytes, sections: int) -> None:
    """A line as long as may be is read to its end, whatever repeats in it."""
    assert len(parse(line)) == sections


@pytest.mark.parametrize(
    ("line", "values"),
    [
        (b"a:1|c|#k:" + b"v" * 8_184, 1),
        (b"a" + b":1" * 20_000 + b"|ms", 1),  # nothing of such a line is looked at
        (b"a" * 64_000 + b":1|c", 1),
        (b"a" * (NAME_CHARACTERS + 1) + b":1|c", 1),
        (b"a:1|c|#" + b",".join(b"k%d" % n for n in range(TAGS + 1)), 1),
        (b"a:1|c|#k:" + b"v" * TAG_CHARACTERS, 1),
        (b"a" + b":1|c" * (SECTIONS + 1), SECTIONS + 1),
        (b"a" + b":1:2|c" * (SECTIONS + 1), 2 * SECTIONS + 2),
        (b"a" + b":1" * (SECTIONS + 1) + b"|g", SECTIONS + 1),
    ],
    ids=lambda value: value[:12] if isinstance(value, bytes) else None,
)
@pytest.mark.bar("H4")
def test_what_is_too_long_is_refused(line: bytes, values: int) -> None:
    """With a reason of its own, each value by itself where the line was cut at all."""
    assert [item[1] for item in parse(line)] == [Reason.TOO_LONG] * values


@pytest.mark.parametrize(
    "line",
    [
        b"a" * NAME_CHARACTERS + b":1|c",
        b"\xc3\xa9" * 2_000 + b"a:1|c",  # the limit is on what is left of a name
        b"a:1|c|#" + b",".join(b"k%d" % n for n in range(TAGS)),
        b"a:1|c|#k:" + b"v" * (TAG_CHARACTERS - 1),
        b"a" + b":1|c" * SECTIONS,
    ],
    ids=lambda value: value[:12],
)
def test_the_limits_themselves_are_taken(line: bytes) -> None:
    """Up to and including."""
    assert all(isinstance(item, Sample) for item in parse(line))


def test_refusals_of_one_line_share_its_text() -> None:
    """Thousands of refusals on a long line must not hold as many copies of it."""
    first, *others = parse(b"a" + b":x|c" * 1_000)
    assert isinstance(first, Refusal)
    assert all(isinstance(o, Refusal) and o.text is first.text for o in others)


EVENT = b"_e{1,1}:a|b|#k:v"
CHECK = b"_sc|web up;dc=1|2|#env:dev|d:60|c:in-3|m:gone"
ALL = Grammar(events=True, service_checks=True)


def test_without_a_switch_events_and_checks_are_ignored() -> None:
    """Each switch is for its own kind of line."""
    assert parse(EVENT) == (Ignored(EVENT.decode(), What.EVENT),)
    assert parse(CHECK) == (Ignored(CHECK.decode(), What.SERVICE_CHECK),)
    (one,) = Grammar(service_checks=True).parse(EVENT)
    (two,) = Grammar(events=True).parse(CHECK)
    assert isinstance(one, Ignored)
    assert isinstance(two, Ignored)


def test_an_event_is_an_item() -> None:
    """Also where a listener has a meaning of signs of its own."""
    for grammar in (ALL, ALL.signed("value")):
        assert grammar.parse(EVENT) == (Event("a", "b", tags=(("k", "v"),)),)


def test_blanks_at_the_end_of_an_event_are_its_own() -> None:
    """As far as its length goes; the line feed never is."""
    (line,) = lines(b"_e{1,3}:a|b  \n")
    assert ALL.parse(line) == (Event("a", "b  "),)
    assert [ALL.parse(one) for one in lines(b"_e{1,1}:a|b \r\n")] == [
        (Event("a", "b"),)
    ]


def test_a_service_check_is_a_gauge() -> None:
    """Its name is cleaned like any other, tags in it included; its time stands."""
    tags = (("dc", "1"), ("env", "dev"))
    wanted = Sample(
        "web_up", Kind.GAUGE, (2.0,), tags=tags, timestamp=60, container="in-3"
    )
    assert ALL.parse(CHECK) == ALL.signed("value").parse(CHECK) == (wanted,)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"_e{9,1}:a|b", Reason.BAD_EVENT),
        (b"_sc|a|4", Reason.BAD_SERVICE_CHECK),
        (b"_sc|!|0", Reason.EMPTY_NAME),
        (b"_sc|" + b"a" * (NAME_CHARACTERS + 1) + b"|0", Reason.TOO_LONG),
        (b"_sc|a|0|m:" + b"a" * LINE_BYTES, Reason.TOO_LONG),
        (b"_e{1,%d}:a|%s" % (LINE_BYTES, b"a" * LINE_BYTES), Reason.TOO_LONG),
    ],
)
def test_a_wanted_one_may_be_refused(line: bytes, reason: Reason) -> None:
    """For the reasons that lines of metrics have."""
    (refusal,) = ALL.parse(line)
    assert isinstance(refusal, Refusal)
    assert refusal.reason is reason
