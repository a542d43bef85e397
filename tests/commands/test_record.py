"""What the recorder writes, and what it is told."""

import json

import pytest
from twisted.internet.task import Clock

from relay.cli import main
from relay.commands.record import Recorder


def test_each_datagram_has_its_second_and_the_first_the_epoch() -> None:
    """Seconds count from the start of recording, to the microsecond."""
    clock, written = Clock(), list[str]()
    clock.advance(100)
    recorder = Recorder(written.append, clock.seconds, 1000.5, 9, written.clear)
    clock.advance(0.25)
    recorder.take(b"a:1|c")
    clock.advance(1.0000004)
    recorder.take(b"\xff")
    assert [json.loads(line) for line in written] == [
        {"epoch": 1000.5, "t": 0.25, "datagram": "a:1|c"},
        {"t": 1.25, "datagram_b64": "/w=="},
    ]
    assert all(line.endswith("\n") and line.count("\n") == 1 for line in written)


def test_the_limit_finishes_once_and_lets_nothing_more_through() -> None:
    """Datagrams that are still in the socket's queue are not written."""
    events: list[str] = []
    recorder = Recorder(
        lambda _: events.append("line"), lambda: 0.0, 0, 2, lambda: events.append("end")
    )
    for _ in range(4):
        recorder.take(b"a:1|c")
    assert events == ["line", "line", "end"]


@pytest.mark.parametrize(
    "words",
    [
        ["--listen", "tcp://127.0.0.1:1"],
        ["--listen", "127.0.0.1:1"],
        ["--seconds", "0"],
        ["--seconds", "soon"],
        ["--limit", "-1"],
    ],
)
def test_bad_flags_are_usage(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 2 and the flag by name."""
    assert main(["record", *words]) == 2
    assert f"command line: {words[0]}: wants" in capsys.readouterr().err
