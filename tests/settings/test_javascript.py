"""What is read of JavaScript without running it, and where a complaint points."""

import json
from contextlib import suppress

import json5
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.settings.javascript import Expression, NotPlainError, object_in

READ = [
    ("{}", {}),
    ("{ a: 1, /* b: 2, */ 'c': \"d\", } // e", {"a": 1, "c": "d"}),
    ("module.exports = {a: 1};\n", {"a": 1}),
    ("module.exports = exports = ({ a: [1, { b: 'c' },], });", {"a": [1, {"b": "c"}]}),
    ("config={a:1}", {"a": 1}),
    ("\ufeff{a:1}", {"a": 1}),
    ("{a: +5, b: .5, c: 0x1F, d: 1e+5}", {"a": 5, "b": 0.5, "c": 31, "d": 1e5}),
    ("{a: 0777, b: 0o17, c: 0b11, d: 60_000}", {"a": 511, "b": 15, "c": 3, "d": 60000}),
    ("{a: `./backends/graphite`}", {"a": "./backends/graphite"}),
    ('{a: undefined, b: (5), c: [("x")]}', {"b": 5, "c": ["x"]}),
    (
        "{a: '\\x41\\u0042\\\nc', b: 'don\\'t // /* {'}",
        {"a": "ABc", "b": "don't // /* {"},
    ),
    ("{\\u0061b: 1, é: 2, __proto__: 3}", {"ab": 1, "é": 2, "__proto__": 3}),
]

REFUSED = [
    ("", 1, 1, "no object"),
    ("// nothing\n", 2, 1, "no object"),
    ("[1]", 1, 1, "wants an object"),
    ("var c = {a: 1}", 1, 1, "wants an object"),
    ("{a: 1}\n{b: 2}", 2, 1, "nothing behind it"),
    ("{a: 1}; console.log(1)", 1, 7, "nothing behind it"),
    ("{a: 1\n b: 2}", 2, 2, "wants a comma before this"),
    ("{a: [1 2]}", 1, 8, "wants a comma before this"),
    ("{a: 1,, b: 2}", 1, 7, "nothing before this comma"),
    ("{a: 'x\n'}", 1, 5, "never closed"),
    ("{a: 1\n", 1, 1, "never closed"),
    ("/* {a: 1}", 1, 1, "never closed"),
    ("{a: [1}", 1, 7, "wants ] for the bracket of line 1"),
    ("{a: 1}}", 1, 7, "no bracket"),
    ("{port}", 1, 2, "wants key: value"),
    ("{...base}", 1, 2, "wants key: value"),
    ("{f() { return 1 }}", 1, 2, "wants key: value"),
    ("{[k]: 1}", 1, 2, "wants key: value"),
    ("{a: x}", 1, 5, "write the value"),
    ("{a: 1,\n b: '\\x4'}", 2, 9, "unexpected"),
    ("{a: 1 +\n 2 +\n 3, 5: 6}", 3, 6, "unexpected"),
    ("{a: {" + "a: {" * 20 + "}" * 22, 1, 65, "deep"),
]

EXPRESSIONS = [
    "10 * 1000",
    "require('os').hostname().split('.')[0]",
    "'x' + \"y\"",
    "[1, 2].concat([3])",
    "process.env.PORT || 8125",
    "function (a, b) { return { x: 1 }; }",
    "x => ({ y: 1 })",
    "new Date()",
    "`${x}`",
    "q ? 1 : 2",
]


@pytest.mark.parametrize(("text", "values"), READ)
def test_what_is_read(text: str, values: object) -> None:
    """JSON5, what stands around it, and literals that only JavaScript has."""
    assert object_in(text) == values


@pytest.mark.parametrize(("text", "line", "column", "problem"), REFUSED)
def test_what_is_refused(text: str, line: int, column: int, problem: str) -> None:
    """The complaint points at the place and says what is wanted."""
    with pytest.raises(NotPlainError) as caught:
        object_in(text)
    assert str(caught.value).startswith(f"line {line}, column {column}: ")
    assert problem in str(caught.value)


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_an_expression_is_kept_as_it_stands(text: str) -> None:
    """It spoils none of its neighbours, and is not evaluated."""
    read = object_in(f"{{\n  a: 1, b: {text}, c: 'd'\n}}")
    assert read == {"a": 1, "b": Expression(text, 2, 12), "c": "d"}


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
"""json5 writes NUL and a digit as an octal escape, which it then cannot read."""

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3)
    ),
    max_leaves=6,
)


@given(st.dictionaries(TEXTS, VALUES, max_size=4), st.booleans())
def test_json5_reads_the_same(values: dict[str, object], is_json: bool) -> None:
    """Nothing that JSON or JSON5 has is taken for an expression."""
    text = json.dumps(values) if is_json else json5.dumps(values)
    assert object_in(text) == json5.loads(text)
    assert object_in(f"exports = ({text}); // end") == json5.loads(text)


@given(st.text("{}[]():,;'\"`/*ab1+?\\ \n", max_size=30))
def test_nonsense_is_refused_or_read(text: str) -> None:
    """No text brings another error than the one that says where."""
    with suppress(NotPlainError):
        assert isinstance(object_in(text), dict)
