"""Cutting by position: which piece belongs to which section."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.statsd.sections import read


def cut(body: bytes) -> list[tuple[list[bytes], bytes | None, bytes | None]]:
    """Values, type and rate of each section."""
    return [(one.values, one.type, one.rate) for one in read(body).sections]


def test_colon_behind_a_type_opens_a_section() -> None:
    """The way of the reference to put several samples on a line."""
    assert cut(b"1|c:2:3|ms") == [([b"1"], b"c", None), ([b"2", b"3"], b"ms", None)]


def test_colon_behind_a_rate_opens_a_section() -> None:
    """The rate stays with the section before."""
    assert cut(b"1|c|@0.5:2|g") == [([b"1"], b"c", b"@0.5"), ([b"2"], b"g", None)]


def test_colons_of_tags_open_nothing() -> None:
    """Nor do those of the other fields with colons."""
    body = read(b"1|c|#a:b:c|c:x:y|e:z|card:w")
    assert (len(body.sections), body.tags, body.container) == (1, b"a:b:c", b"x:y")


def test_colon_of_an_unknown_field_by_dialect() -> None:
    """DogStatsD skips the field, the reference reads on behind the colon."""
    assert len(read(b"1|c|x:2|c|#t").sections) == 1
    assert len(read(b"1|c|x:2|c").sections) == 2


@pytest.mark.parametrize(
    "element", [b"1|h", b"1|d", b"1:2|c", b"1|c|#", b"1|c|T1", b"1|c|c:", b"1|c|e:"]
)
def test_elements_that_make_a_line_dogstatsd(element: bytes) -> None:
    """With each of them the third field need not be a rate."""
    assert cut(element + b"|x|@0.5")[0][2] == b"@0.5"


@pytest.mark.parametrize("body", [b"1|c|t", b"1|c|C:x", b"1|c|card", b"1|ms"])
def test_what_makes_no_line_dogstatsd(body: bytes) -> None:
    """Near misses stay with the reference's rule about the third field."""
    assert cut(body + b"|c|x|@0.5")[-1][2] != b"@0.5"


@given(st.text("a:|#@T", max_size=12).map(str.encode))
def test_every_value_between_colons_is_in_a_section(body: bytes) -> None:
    """Cutting loses no section: there is always one, and each has values."""
    sections = read(body).sections
    assert len(sections) >= 1
    assert all(section.values for section in sections)
