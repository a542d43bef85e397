"""Tags from both places of a line, gathered to one value a key."""

from hypothesis import given
from hypothesis import strategies as st

from relay.statsd.tags import gather, hash_tags, name_tags


def test_hash_tags_know_three_forms() -> None:
    """With a value, with an empty one, bare; and the first colon separates."""
    assert list(hash_tags(b"a:b:c,d:,e")) == [
        ("a", "b:c", "a:b:c"),
        ("d", "", "d:"),
        ("e", None, "e"),
    ]


def test_hash_tags_without_key_are_left_out() -> None:
    """Empty tags and empty keys have no meaning."""
    assert list(hash_tags(b",:v,,")) == []


def test_name_tags_need_key_and_value() -> None:
    """What lacks one of them is left out, and the first = separates."""
    texts = ["k=v=w", "k", "k=", "=v", ""]
    assert list(name_tags(texts)) == [("k", "v=w", "k=v=w")]


def test_last_of_a_key_wins_and_all_are_listed() -> None:
    """The ones that lost are still there to be shown."""
    tags, raw = gather(hash_tags(b"k:1,b,k:2"))
    assert (tags, raw) == ((("b", None), ("k", "2")), ("k:1", "b", "k:2"))


def test_nothing_is_listed_without_a_double() -> None:
    """The list is for doubles only."""
    assert gather(hash_tags(b"b:1,a")) == ((("a", None), ("b", "1")), ())


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["", "x"]))))
def test_gathered_keys_are_sorted_and_single(pairs: list[tuple[str, str]]) -> None:
    """Whatever comes in, a key stands once, in order, with its last value."""
    tags, raw = gather((key, value, key) for key, value in pairs)
    assert list(tags) == sorted(dict(pairs).items())
    assert len(raw) == (len(pairs) if len(tags) < len(pairs) else 0)
