"""Names: the reference's key rule, and which dialect reads what."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.statsd.names import DIALECTS, Name, name_reader, sanitise


@given(st.text())
def test_sanitise_leaves_only_what_keys_are_made_of(name: str) -> None:
    """Nothing but the reference's alphabet comes out."""
    assert re.fullmatch(r"[a-zA-Z0-9_\-.;=]*", sanitise(name))


@given(st.text())
def test_sanitise_twice_is_sanitise_once(name: str) -> None:
    """A clean name is left alone."""
    assert sanitise(sanitise(name)) == sanitise(name)


@given(st.text("ab/ \t\n\ufeff\x1c;=", max_size=8).map(str.encode))
def test_plain_names_take_no_other_way_than_the_rest(name: bytes) -> None:
    """The short cut for clean names gives what the long way gives."""
    cleaned, *tags = sanitise(name.decode()).split(";")
    assert name_reader(())(name) == Name(cleaned, tags)


@pytest.mark.parametrize("space", "\t\n\v\f\r \u00a0\u1680\u2007\u2028\u3000\ufeff")
def test_javascript_white_space_becomes_an_underscore(space: str) -> None:
    """Each sign that JavaScript's white space class holds."""
    assert sanitise(f"a{space}b") == "a_b"


@pytest.mark.parametrize("sign", "\x1c\x1d\x1e\x1f\x85\u200b\u180e")
def test_other_white_space_is_removed(sign: str) -> None:
    """What only Python, or nobody, counts as white space."""
    assert sanitise(f"a{sign}b") == "ab"


def test_unknown_dialect_is_refused() -> None:
    """A misspelt dialect is an error when the reader is made."""
    with pytest.raises(ValueError, match="no such dialect: flux, fluxx"):
        name_reader(["fluxx", "influx", "graphite", "flux"])


@pytest.mark.parametrize("word", sorted(set(DIALECTS) - {"graphite"}))
def test_dialects_are_off_unless_asked_for(word: str) -> None:
    """Each but Graphite's changes the meaning of names that were accepted before."""
    name = f"a{DIALECTS[word].sign}k=v]".encode()
    assert name_reader(())(name) == Name("ak=v", [])
    assert name_reader([word])(name).name == "a"


@given(st.text(st.characters(exclude_characters=";,#[")))
def test_a_name_may_stay_what_was_sent(name: str) -> None:
    """Where no rule is wanted, none is applied; text that is no UTF-8 is replaced."""
    read = name_reader((), sanitises=False)
    assert read(name.encode("utf-8", "surrogatepass")).tags == []
    if name.isascii():
        assert read(name.encode()) == Name(name, [])


def test_tags_are_cut_from_a_name_that_stays() -> None:
    """In every dialect; the key rule would have taken the blanks."""
    read = name_reader(DIALECTS, sanitises=False)
    assert read(b"a b;k=v w") == Name("a b", ["k=v w"])
    assert read(b"a b,k=v") == Name("a b", ["k=v"], exclusive=True)
    assert read(b"a/[k=v]b") == Name("a/b", ["k=v"], exclusive=True)
