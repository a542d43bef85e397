"""relay.rollup.columns: what was appended comes back, and nothing else does."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.rollup.columns import PartReader, PartWriter

WHOLE = st.integers(-(2**63), 2**63 - 1)


@given(st.lists(WHOLE), st.lists(st.floats()), st.binary(), st.lists(st.text()))
def test_columns_come_back_in_every_bit(
    whole: list[int], real: list[float], raw: bytes, texts: list[str]
) -> None:
    """Not-a-number and the sign of zero too, and surrogates that stand alone."""
    writer = PartWriter()
    writer.whole.extend(whole)
    writer.real.extend(real)
    writer.raw += raw
    writer.texts += texts
    reader = PartReader(writer.part())
    assert reader.wholes(len(whole)).tolist() == whole
    assert list(map(float.hex, reader.reals(len(real)))) == list(map(float.hex, real))
    assert reader.raw(len(raw)) == raw
    assert reader.texts == texts
    assert not reader.has_more


def test_one_at_a_time() -> None:
    """In the order in which they were appended."""
    writer = PartWriter()
    writer.whole.extend((1, 2))
    writer.real.extend((0.5, math.inf))
    reader = PartReader(writer.part())
    assert [reader.whole(), reader.has_more, reader.whole()] == [1, True, 2]
    assert [reader.real(), reader.real()] == [0.5, math.inf]


@pytest.mark.parametrize("count", [-1, 2])
@pytest.mark.parametrize("column", ["wholes", "reals", "raw"])
def test_there_is_no_more_than_there_is(column: str, count: int) -> None:
    """Nor less than nothing."""
    writer = PartWriter()
    writer.whole.append(1)
    writer.real.append(1.0)
    writer.raw += b"1"
    with pytest.raises(ValueError, match="more of"):
        getattr(PartReader(writer.part()), column)(count)


def test_the_end_is_the_end() -> None:
    """Of single numbers too."""
    reader = PartReader(PartWriter().part())
    for take in (reader.whole, reader.real):
        with pytest.raises(ValueError, match="no more"):
            take()


@pytest.mark.parametrize("part", [b"", b"\0" * 15, b"\1" * 16, b"\0" * 17])
def test_lengths_have_to_add_up(part: bytes) -> None:
    """Else it is no part."""
    with pytest.raises(ValueError, match="a part"):
        PartReader(part)
