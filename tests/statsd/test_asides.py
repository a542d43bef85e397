"""Events and service checks: the lengths and the marks that make them well formed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.statsd.asides import Check, judge, read_check, read_event
from relay.statsd.sample import Event, Reason, What

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


words = st.text("abc:é/.", min_size=1, max_size=6)
optional = st.none() | words
keys = st.text("abcé/.", min_size=1, max_size=6)
events = st.builds(
    Event,
    title=st.text("ab|:\né ", min_size=1, max_size=8),
    text=st.text("ab|:\né ", max_size=8),
    timestamp=st.none() | st.integers(1, 2**40),
    hostname=optional,
    aggregation_key=optional,
    priority=st.sampled_from(["normal", "low"]),
    source=optional,
    alert_type=st.sampled_from(["error", "warning", "info", "success"]),
    tags=st.dictionaries(keys, st.none() | words).map(
        lambda tags: tuple(sorted(tags.items()))
    ),
)


def written(event: Event) -> bytes:
    """As a client writes it."""
    title, text = (
        part.replace("\n", "\\n").encode() for part in (event.title, event.text)
    )
    fields = {
        "d:": event.timestamp,
        "h:": event.hostname,
        "k:": event.aggregation_key,
        "p:": event.priority,
        "s:": event.source,
        "t:": event.alert_type,
        "#": ",".join(k if v is None else f"{k}:{v}" for k, v in event.tags),
    }
    rest = "".join(f"|{mark}{value}" for mark, value in fields.items() if value)
    return b"_e{%d,%d}:%s|%s%s" % (len(title), len(text), title, text, rest.encode())


@given(events)
def test_reading_undoes_writing(event: Event) -> None:
    """All that a client says of an event is there again."""
    assert judge(written(event)) is What.EVENT
    assert read_event(written(event)) == event


@given(titles, texts, st.binary(max_size=40))
def test_any_fields_leave_an_event(title: bytes, text: bytes, fields: bytes) -> None:
    """Whatever follows, what is well formed is read."""
    read = read_event(event(title, text) + b"|" + fields)
    assert read.priority in ("normal", "low")
    assert read.alert_type in ("error", "warning", "info", "success")


@pytest.mark.parametrize("end", [b"", b" ", b"\r", b" \t\r ", b"|#k:v\r", b"|#k:v \r"])
def test_the_end_of_the_line_is_not_the_text(end: bytes) -> None:
    """Blanks within the length belong to the text, those behind it to nothing."""
    read = read_event(b"_e{1,3}:a|b \t" + end)
    tags = (("k", "v"),) if b"k" in end else ()
    assert read == Event("a", "b \t", tags=tags)


def test_bad_and_unknown_fields_are_skipped() -> None:
    """As the agent does."""
    line = b"_e{1,1}:a|b|d:x|p:high|t:bad|h:|c:in-3|z:1|#|k:key"
    assert read_event(line) == Event("a", "b", aggregation_key="key")


def test_what_is_no_event_is_not_read() -> None:
    """Whoever asks has to have judged it."""
    with pytest.raises(ValueError, match="event"):
        read_event(b"_e{2,1}:a|b")


@pytest.mark.parametrize(
    ("line", "check"),
    [
        (b"_sc|db.up|0", Check(b"db.up", 0)),
        (b"_sc|db.up|3|", Check(b"db.up", 3)),
        (
            b"_sc|up|2|d:17|h:web-1|#env:dev,b|c:in-3|m:gone",
            Check(b"up", 2, b"env:dev,b", b"17", b"in-3"),
        ),
        (b"_sc|up|1|d:x|z:1|#a:1|#b:1", Check(b"up", 1, b"b:1")),
        (b"_sc|up|1|#a:1|m:so |#b:1|d:9", Check(b"up", 1, b"a:1")),
    ],
)
def test_service_check_is_read(line: bytes, check: Check) -> None:
    """The last field of a kind wins, bad ones are skipped, and a message ends them."""
    assert read_check(line) == check
