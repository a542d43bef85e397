"""The log: one small scrubbed line a record, at a bounded pace, and never waiting."""

import json
import logging
import os
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.logger import Logger, LogLevel

from relay.logs import FORMATS_MAX, SECRETS_MAX, Level, Logs, Scrubber, nonblocking

CANARY = "c4n4ry/+='é\\"


class Written(list[bytes]):
    """Collects lines, as a descriptor that always has room."""

    def write(self, line: bytes) -> bool:
        self.append(line)
        return True

    def records(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self]

    def texts(self) -> list[str]:
        return [record["text"] for record in self.records()]


def make(level: Level = "debug") -> tuple[Logs, Written]:
    """A log in JSON, and what it wrote."""
    written = Written()
    return Logs(written.write, level=level), written


def say(logs: Logs, text: str, *, time: float = 0.5, key: str = "k") -> None:
    """One warning."""
    logs.take(time=time, level="warning", room="relay.x", key=key, text=lambda: text)


def test_a_record_has_time_level_room_and_text() -> None:
    """The fields of a line, for machines."""
    logs, written = make()
    say(logs, "it rained", time=1_000_000_000.25)
    line = (
        b'{"time": "2001-09-09T01:46:40.250Z", "level": "warning", '
        b'"room": "relay.x", "text": "it rained"}\n'
    )
    assert written == [line]


def test_words_on_a_terminal() -> None:
    """The same for people, control characters made visible."""
    written = Written()
    logs = Logs(written.write, as_json=False)
    say(logs, "a\nb\x1b[31m\u2028é")
    assert written == [
        b"1970-01-01T00:00:00.500Z warning relay.x: "
        b"a\\nb\\x1b[31m\\u2028" + "é\n".encode()
    ]


@pytest.mark.bar("H7")
@pytest.mark.parametrize("as_json", [True, False])
@given(text=st.text(max_size=50), times=st.sampled_from([1, 100, 2000]))
def test_any_text_is_one_short_line(as_json: bool, text: str, times: int) -> None:
    """Nothing a sender puts into a name breaks the log or fills it."""
    written = Written()
    say(Logs(written.write, as_json=as_json), text * times)
    line = written[0].decode("utf-8")
    assert len(written[0]) <= 2048
    assert line.splitlines() == [line.removesuffix("\n")]
    assert line.removesuffix("\n").isprintable()


def test_what_is_too_long_keeps_both_ends() -> None:
    """A traceback says at its end what happened."""
    logs, written = make()
    say(logs, "begin" + "\x00" * 100_000 + "end")
    assert written.texts()[0].startswith("begin")
    assert written.texts()[0].endswith("end")


def test_records_below_the_level_are_not_even_made() -> None:
    """A debug text costs nothing where nobody wants it."""
    logs, written = make("warning")
    logs.take(time=0, level="info", room="", key="", text=lambda: str(1 / 0))
    assert written == []


@pytest.mark.bar("H7")
def test_ten_a_second_and_the_rest_in_one() -> None:
    """A flood of one format leaves ten records and a sum."""
    logs, written = make()
    for number in range(1000):
        say(logs, f"number {number}", time=5.0 + number / 1000)
    logs.flush(6.0)
    assert written.texts() == [
        *(f"number {number}" for number in range(10)),
        "990 more like this: relay.x k",
    ]


def test_formats_have_a_pace_each() -> None:
    """A flood of one complaint does not hide another."""
    logs, written = make()
    for _ in range(100):
        say(logs, "loud")
    say(logs, "quiet", key="other")
    assert written.texts()[-1] == "quiet"


def test_a_new_second_begins_anew() -> None:
    """The limit holds for each second, also after the clock was set back."""
    logs, written = make()
    for time in (100.0, 101.0, 50.0):
        for _ in range(10):
            say(logs, "x", time=time)
    assert written.texts() == ["x"] * 30


def test_formats_without_end_are_bounded() -> None:
    """A library that builds its own texts gets one pace for all of them."""
    logs, written = make()
    for number in range(FORMATS_MAX + 100):
        say(logs, "x", key=str(number))
    assert len(written) == FORMATS_MAX + 10


def test_what_cannot_be_written_is_counted() -> None:
    """Records go when nobody reads, and one knows how many."""
    logs = Logs(lambda _line: False)
    for _ in range(5):
        say(logs, "x")
    assert logs.dropped == 5


@pytest.mark.parametrize(
    "shown",
    [
        CANARY,
        "c4n4ry/%2B%3D%27%C3%A9%5C",
        "c4n4ry%2F%2B%3D%27%C3%A9%5C",
        repr({"secret": CANARY}),
        "c4n4ry%252F%252B%253D%2527%25C3%25A9%255C",
        "C4n4ry%2f%2b%3d%27%c3%a9%5c",
    ],
    ids=["plain", "in a query", "in a form", "in a repr", "twice", "in small letters"],
)
def test_a_secret_is_never_shown(shown: str) -> None:
    """Whatever a library does to it before it puts it into a message."""
    scrubber = Scrubber()
    scrubber.add(CANARY)
    assert "c4n4ry" not in scrubber.scrub(f"before {shown} after").lower()
    assert scrubber.scrub(f"before {CANARY} after") == "before *** after"


def test_a_secret_that_holds_another_goes_whole() -> None:
    """The longer one is looked for first."""
    scrubber = Scrubber()
    scrubber.add("abc")
    scrubber.add("abcdef")
    assert scrubber.scrub("abcdef abc") == "*** ***"


def test_an_empty_secret_is_none() -> None:
    """A missing token does not put stars between all characters."""
    scrubber = Scrubber()
    scrubber.add("")
    scrubber.add(" ")
    assert scrubber.scrub("a b") == "a b"


def test_old_secrets_are_forgotten() -> None:
    """Tokens renewed for years do not pile up; the latest are what matters."""
    scrubber = Scrubber()
    for number in range(SECRETS_MAX + 1):
        scrubber.add(f"<{number}>")
        scrubber.add("<0>")
    assert scrubber.scrub(f"<0><1><2><{SECRETS_MAX}>") == "***<1>******"


def test_secrets_are_gone_before_a_text_is_cut() -> None:
    """Half a secret would be one too many."""
    logs, written = make()
    logs.scrubber.add(CANARY * 20)
    say(logs, "x" * 1000 + CANARY * 20 + "x" * 5000)
    assert b"c4n4ry" not in written[0]


def test_a_sum_is_scrubbed_too() -> None:
    """A format of a foreign library may hold anything."""
    logs, written = make()
    logs.scrubber.add(CANARY)
    for _ in range(11):
        say(logs, "x", key=CANARY)
    logs.flush(9.0)
    assert written.texts()[-1] == "1 more like this: relay.x ***"


@pytest.mark.parametrize(
    ("level", "word"),
    [
        (LogLevel.debug, "debug"),
        (LogLevel.info, "info"),
        (LogLevel.warn, "warning"),
        (LogLevel.error, "error"),
        (LogLevel.critical, "error"),
    ],
)
def test_takes_what_twisted_logs(level: Any, word: str) -> None:
    """Fields go into their format, levels get our words."""
    logs, written = make()
    Logger("relay.x", observer=logs).emit(level, "{n} of {m}", n=1, m=2)
    record = written.records()[0]
    assert (record["level"], record["room"]) == (word, "relay.x")
    assert record["text"] == "1 of 2"


@pytest.mark.parametrize("room", ["log_legacy", "twisted.internet.base"])
def test_news_of_twisted_itself_are_for_debugging(room: str) -> None:
    """That a factory starts is no news to an operator; what goes wrong there is."""
    logs, written = make("info")
    Logger(room, observer=logs).info("Starting factory")
    Logger(room, observer=logs).warn("odd")
    assert written.texts() == ["odd"]


def test_one_format_of_twisted_is_one_pace() -> None:
    """The format is the reason, whatever its fields."""
    logs, written = make()
    for number in range(100):
        logs({"log_time": 0.5, "log_format": "number {n}", "n": number})
    assert written.texts() == [f"number {number}" for number in range(10)]


def test_a_failure_comes_with_its_traceback_scrubbed() -> None:
    """What should not happen shows where, and no secret."""
    logs, written = make()
    logs.scrubber.add(CANARY)
    try:
        int(CANARY)
    except ValueError:
        Logger(observer=logs).failure("it broke")
    text = written.texts()[0]
    assert text.startswith("it broke\n")
    assert "test_logs.py" in text
    assert text.rstrip().endswith('base 10: "***"')


@pytest.mark.parametrize("number", [0, 10, 15, 20, 30, 40, 50, 99])
def test_takes_what_logging_logs(number: int) -> None:
    """The levels of the standard library, its own and invented ones."""
    logs, written = make()
    words: Mapping[int, str] = {0: "debug", 10: "debug", 15: "debug", 20: "info"}
    logs.handler.emit(
        logging.LogRecord("urllib3", number, "", 0, "%d of %d", (1, 2), None)
    )
    record = written.records()[0]
    level = words.get(number, "warning" if number == 30 else "error")
    assert (record["level"], record["text"]) == (level, "1 of 2")


def test_arguments_that_do_not_fit_do_no_harm() -> None:
    """A library's mistake in a log call is not ours."""
    logs, written = make()
    logs.handler.emit(logging.LogRecord("x", 30, "", 0, "%d", ("no",), None))
    assert written.texts() == ["%d"]


def test_an_exception_of_logging_comes_with_its_traceback() -> None:
    """As with Twisted's failures."""
    logs, written = make()
    error = ValueError("why")
    info = (ValueError, error, None)
    logs.handler.emit(logging.LogRecord("x", 40, "", 0, "broke", (), info))
    assert written.texts()[0].rstrip().endswith("ValueError: why")


class Pipe:
    """A pipe of which nobody reads, small enough to be full at once."""

    def __init__(self) -> None:
        self.out, self.into = os.pipe()

    def fill(self) -> None:
        os.set_blocking(self.into, False)
        try:
            while True:
                os.write(self.into, b"x" * 4096)
        except BlockingIOError:
            os.set_blocking(self.into, True)

    def close(self) -> None:
        os.close(self.out)
        os.close(self.into)


def test_a_full_pipe_costs_the_record_and_no_time() -> None:
    """The call comes back at once though the descriptor is a blocking one."""
    pipe = Pipe()
    write = nonblocking(pipe.into)
    assert write(b"fits\n")
    pipe.fill()
    assert not write(b"lost\n")
    os.read(pipe.out, 1 << 20)
    assert write(b"again\n")
    pipe.close()


def test_a_closed_pipe_costs_the_record() -> None:
    """A reader that is gone is no reason to end."""
    pipe = Pipe()
    os.close(pipe.out)
    assert not nonblocking(pipe.into)(b"lost\n")
    os.close(pipe.into)


def test_a_half_written_line_is_ended_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """At a full disk a write may stop in the middle; the next line is its own."""
    pipe = Pipe()
    write, real = nonblocking(pipe.into), os.write
    monkeypatch.setattr("relay.logs.os.write", lambda fd, b: real(fd, b[:3]))
    assert not write(b"first\n")
    monkeypatch.undo()
    assert write(b"second\n")
    assert os.read(pipe.out, 100) == b"fir\nsecond\n"
    pipe.close()


def test_the_level_can_be_changed() -> None:
    """For both ways in."""
    logs, written = make("error")
    say(logs, "not yet")
    logs.level("debug")
    say(logs, "now")
    logs.handler.handle(
        logging.LogRecord("x", logging.INFO, "", 0, "and this", (), None)
    )
    assert [record["text"] for record in written.records()] == ["now", "and this"]
