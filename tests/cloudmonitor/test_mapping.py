"""Mapping rules: the first that matches, what it catches, and what it makes of a series."""

import re
from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from relay.cloudmonitor.mapping import (
    REMEMBERED,
    Mapper,
    Pattern,
    Rule,
    Template,
    glob,
    pattern,
)
from relay.rollup.treatment import Rewritten
from relay.statsd.sample import Kind, Reason

C = Kind.COUNTER


def found(
    *patterns: Pattern, name: str, kind: Kind = C
) -> tuple[int, Sequence[str]] | None:
    """The place of the rule that matches ``name``, and what it caught."""
    match = Mapper([Rule(one, drops=True) for one in patterns]).find(kind, name)
    return None if match is None else (match[0], [text or "" for text in match[1]])


@pytest.mark.parametrize(
    ("written", "name", "caught"),
    [
        ("api.*.*.latency", "api.users.get.latency", ["users", "get"]),
        ("api.*.*.latency", "api.users.latency", None),
        ("api.*", "api.users.get", None),
        ("api.*", "api.", [""]),
        ("*", "api", ["api"]),
        ("*", "api.users", None),
        ("api", "api", []),
        ("api", "apis", None),
        ("web-*.up", "web-17.up", ["17"]),
        ("web-*.up", "web-17.a.up", None),
        ("a.b*c*.d", "a.bxcy.d", ["x", "y"]),
        ("a+.*", "aa.b", None),
        ("*.end", "x\n.end", ["x\n"]),
    ],
)
def test_a_star_is_anything_but_a_dot(
    written: str, name: str, caught: list[str] | None
) -> None:
    """And the pattern is for the whole name."""
    match = found(glob(written), name=name)
    assert (match and match[1]) == caught


@pytest.mark.parametrize(
    ("written", "name", "caught"),
    [
        (r"^api\.(\w+)\.(get|put)$", "api.users.put", ["users", "put"]),
        (r"^api\.(\w+)\.(get|put)$", "api.users.puts", None),
        ("user(s)?", "all.user", [""]),
        ("^ab?c", "ac", []),
        ("^ab{0}c", "ac", []),
        ("^ab*c", "ac", []),
        ("^a|b", "b", []),
        (r"^\d+", "12", []),
        (r"^a\.b+", "a.bb", []),
        ("(?i)^A", "a", []),
        ("^(a)", "a", ["a"]),
    ],
)
def test_an_expression_is_searched_for(
    written: str, name: str, caught: list[str] | None
) -> None:
    """Whatever plain beginning its names are looked up by."""
    match = found(pattern(written), name=name)
    assert (match and match[1]) == caught


PIECES = st.sampled_from(["a", "*", "*", "ab", "a*", "*b"])
GLOBS = st.lists(PIECES, min_size=1, max_size=2).map(".".join)
NAMES = st.lists(st.sampled_from(["a", "ab", "abb", ""]), min_size=1, max_size=2)
EXPRESSIONS = st.sampled_from(
    ["^a", "b$", r"^a\.b", "^ab?", "^a|b", ".", r"^ab\.*", "^a.b", r"(a)\.(b)"]
)


def plainly(written: str, name: str) -> "re.Match[str] | None":
    """A glob as somebody would say it who has one rule."""
    return re.fullmatch(re.escape(written).replace(r"\*", "([^.]*)"), name, re.DOTALL)


@example([glob("*.b"), glob("a.*")], "a.b")
@example([glob("a.*"), glob("*.b")], "a.b")
@given(
    st.lists(st.one_of(GLOBS.map(glob), EXPRESSIONS.map(pattern)), max_size=8),
    NAMES.map(".".join),
)
def test_many_rules_are_as_one_by_one(patterns: list[Pattern], name: str) -> None:
    """The first that matches is found, with what it caught, whatever finds it."""
    expected = None
    for number, one in enumerate(patterns):
        is_glob = one.pieces is not None or one.prefix + "*" in one.written
        match = plainly(one.written, name) if is_glob else re.search(one.written, name)
        if match:
            expected = (number, [text or "" for text in match.groups()])
            break
    assert found(*patterns, name=name) == expected


def test_a_rule_for_some_kinds_lets_the_others_pass() -> None:
    """Also where a later rule has the same pattern."""
    timers = Rule(glob("a.*"), frozenset({Kind.TIMER}), drops=True)
    others = Rule(glob("a.*"), name=Template(("b",)))
    words = Rule(pattern("^c"), frozenset({Kind.SET}), drops=True)
    mapper = Mapper([timers, others, words])
    assert mapper(Kind.TIMER, "a.x", ()) is Reason.DROPPED_BY_RULE
    assert mapper(C, "a.x", ()) == Rewritten("b", ())
    assert mapper(C, "c", ()) == Rewritten("c", ())
    assert mapper(Kind.SET, "c", ()) is Reason.DROPPED_BY_RULE
    assert mapper.matched == [1, 1, 1]


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("plain", "plain"),
        ("$1", "one"),
        ("${2}s_$1", "twos_one"),
        ("$$1", "$1"),
        ("a$", "a$"),
        ("$2$1", "twoone"),
        ("$1$3", "one"),
    ],
)
def test_a_place_takes_what_was_caught(text: str, expanded: str) -> None:
    """A group that took no part is empty."""
    assert Template.parse(text, 3).expand(["one", "two", None]) == expanded


@pytest.mark.parametrize("text", ["$0", "$3", "${12}"])
def test_a_place_for_what_nothing_catches_is_refused(text: str) -> None:
    """Before it is ever asked for."""
    with pytest.raises(ValueError, match="of 2 captures"):
        Template.parse(text, 2)


def test_tags_are_kept_dropped_renamed_and_added_in_that_order() -> None:
    """What is added wins over what was sent, and the keys are sorted again."""
    rule = Rule(
        glob("api.*"),
        name=Template.parse("api_$1", 1),
        keep=frozenset({"pod", "zone", "env"}),
        drop=frozenset({"pod"}),
        rename={"zone": "az", "env": "stage"},
        add=(("stage", Template.parse("$1", 1)), ("bare", Template(("x",)))),
    )
    tags = (("env", "prod"), ("host", "h"), ("pod", "p-1"), ("zone", None))
    assert Mapper([rule])(C, "api.get", tags) == Rewritten(
        "api_get",
        (("az", None), ("bare", "x"), ("stage", "get")),
    )


def test_what_no_rule_matches_stays() -> None:
    """And is counted for none."""
    mapper = Mapper([Rule(glob("a"), drops=True)])
    assert mapper(C, "b", (("k", "v"),)) == Rewritten("b", (("k", "v"),))
    assert mapper.matched == [0]


def test_ten_thousand_rules_are_not_tried_one_by_one() -> None:
    """Of globs that share everything but one piece the tree visits a few nodes."""
    rules = [Rule(glob(f"*.service{n}.*.latency"), drops=True) for n in range(10_000)]
    mapper = Mapper(rules)
    nodes = [mapper._tree]
    for piece in ["eu", "service9999", "get", "latency"]:
        nodes = [
            node
            for one in nodes
            for node in (one.next.get(piece), one.any)
            if node is not None
        ]
        assert len(nodes) == 1
    assert mapper.find(C, "eu.service9999.get.latency") == (9999, ["eu", "get"])


def test_the_rule_that_last_made_a_name_is_remembered() -> None:
    """By the name it gave and the kind; of a name that no rule made there is none."""
    rules = [Rule(glob("a.*"), name=Template.parse("x", 1)), Rule(glob("b.*"))]
    mapper = Mapper(rules)
    mapper(C, "a.one", ())
    mapper(C, "b.one", ())
    assert (mapper.made(C, "x"), mapper.made(C, "b.one")) == (0, 1)
    assert (mapper.made(Kind.GAUGE, "x"), mapper.made(C, "a.one")) == (None, None)


def test_only_so_many_names_are_remembered() -> None:
    """The one that was made longest ago goes."""
    mapper = Mapper([Rule(glob("a.*"))])
    names = [f"a.{n}" for n in range(REMEMBERED + 1)]
    for name in [*names[:2], names[0], *names[2:]]:
        mapper(C, name, ())
    assert mapper.made(C, "a.0") == 0
    assert mapper.made(C, "a.1") is None
