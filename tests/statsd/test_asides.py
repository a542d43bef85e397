"""Events and service checks: the lengths and the marks that make them well formed."""

from hypothesis import given
from hypothesis import strategies as st

from relay.statsd.asides import judge
from relay.statsd.sample import Reason, What

texts = st.text(max_size=6).map(str.encode)
titles = st.text(min_size=1, max_size=6).map(str.encode)


def event(title: bytes, text: bytes, *, longer: int = 0) -> bytes:
    """An event that declares ``longer`` bytes of text more than it has."""
    return b"_e{%d,%d}:%s|%s" % (len(title), len(text) + longer, title, text)


@given(titles, texts, st.binary(max_size=6))
def test_event_is_taken_by_length(title: bytes, text: bytes, fields: bytes) -> None:
    """Title and text may hold any sign, and any fields may follow."""
    assert judge(event(title, text)) is What.EVENT
    assert judge(event(title, text) + b"|" + fields) is What.EVENT


@given(titles, texts, st.integers(min_value=1))
def test_event_shorter_than_declared_is_bad(
    title: bytes, text: bytes, longer: int
) -> None:
    """However far the declared length is beyond the data."""
    assert judge(event(title, text, longer=longer)) is Reason.BAD_EVENT


@given(texts)
def test_event_without_title_is_bad(text: bytes) -> None:
    """The text may be empty, the title may not."""
    assert judge(event(b"", text)) is Reason.BAD_EVENT


@given(st.binary(min_size=1), st.integers(0, 3), st.binary())
def test_service_check_needs_name_and_status(
    name: bytes, status: int, fields: bytes
) -> None:
    """Any name without a pipe, four statuses, and any fields behind."""
    line = b"_sc|%s|%d|%s" % (name.replace(b"|", b"/"), status, fields)
    assert judge(line) is What.SERVICE_CHECK


@given(st.binary(max_size=3).filter(lambda s: s[:1] not in b"0123" or s[1:2] != b"|"))
def test_any_other_status_is_bad(status: bytes) -> None:
    """Only the digits 0 to 3, alone."""
    good = status in (b"0", b"1", b"2", b"3")
    wanted = What.SERVICE_CHECK if good else Reason.BAD_SERVICE_CHECK
    assert judge(b"_sc|db.up|" + status) is wanted
