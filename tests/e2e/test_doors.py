"""Every door of a running relay: lines in by each, limits kept, files as they were asked."""

import os
import re
import select
import signal
import socket
import stat
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.e2e.children import ROOT, Child, clean_environment
from tests.e2e.road import assert_ledger_balances, entries, get, status, wait_until

pytestmark = pytest.mark.e2e

ROUNDS = 200


def start(*doors: str, more: tuple[str, ...] = ()) -> Child:
    """A relay with these doors."""
    listen = [word for door in doors for word in ("--listen", door)]
    return Child.start(
        ["run", "--sink", "null", "--http", "127.0.0.1:0", *listen, *more]
    )


def lines(relay: Child) -> int:
    return int(status(relay.urls["http"][0])["ledger"]["lines"])


def ended(relay: Child, cause: str) -> int:
    text = get(f"{relay.urls['http'][0]}/metrics")
    name = f'cms_relay_connections_ended_total{{cause="{cause}"}}'
    [found] = re.findall(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
    return int(float(found))


def connected(relay: Child, nth: int = 0) -> socket.socket:
    """A stream to the door of that number."""
    url = urlsplit(relay.urls["listening"][nth])
    if url.scheme == "unix":
        stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        stream.connect(url.path)
        return stream
    return socket.create_connection((url.hostname, url.port))


@pytest.fixture
def folder() -> Iterator[Path]:
    """For sockets, whose paths are short."""
    made = Path("/tmp") / f"doors-{os.getpid()}-{time.monotonic_ns()}"  # noqa: S108 - our own
    made.mkdir(mode=0o700)
    yield made
    for path in made.iterdir():
        path.unlink()
    made.rmdir()


def test_all_doors_at_once(folder: Path) -> None:
    """The command `send` reaches each; /status has them with their counts."""
    relay = start(
        "udp://127.0.0.1:0",
        "udp://[::1]:0",
        "tcp://127.0.0.1:0",
        "tcp://[::1]:0",
        f"unixgram://{folder}/gram",
        f"unix://{folder}/stream",
    )
    urls = relay.urls["listening"]
    assert len(urls) == 6
    for url in urls:
        subprocess.run(
            [sys.executable, "-m", "relay", "send", "--to", url, "a:1|c", "b:2|g"],
            check=True,
            env=clean_environment(),
            cwd=ROOT,
        )
    wait_until("lines are missing", lambda: lines(relay) == 12)
    shown = status(relay.urls["http"][0])
    assert [one["url"] for one in shown["listeners"]] == urls
    assert all(one["received_bytes"] >= 11 for one in shown["listeners"])
    assert_ledger_balances(shown["ledger"])
    assert relay.stop() == 0
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("scheme", ["tcp", "unix"])
def test_lines_are_whole_however_a_stream_is_cut(folder: Path, scheme: str) -> None:
    """Byte by byte, many at once, the last one without its end."""
    door = "tcp://127.0.0.1:0" if scheme == "tcp" else f"unix://{folder}/s"
    relay = start(door)
    with connected(relay) as stream:
        for byte in b"a:1|c\nb:2|ms|#x:y\r\n":
            stream.sendall(bytes([byte]))
        stream.sendall(b"c:1|c\nd:1|c\n\n\ne:1|c")
    wait_until("lines are missing", lambda: lines(relay) == 5)
    assert status(relay.urls["http"][0])["ledger"]["samples"]["counter"] == 4
    assert relay.stop() == 0


def test_frames_with_a_length_on_a_unix_stream(folder: Path) -> None:
    """As Datadog's clients send them; lines on the next connection still work."""
    relay = start(f"unix://{folder}/s")
    packets = [b"a:1|c\nb:1|h", b"c:1:2|d|#e:f\n"]
    with connected(relay) as stream:
        for packet in packets:
            stream.sendall(struct.pack("<I", len(packet)) + packet)
    with connected(relay) as stream:
        stream.sendall(b"plain:1|c\n")
    wait_until("lines are missing", lambda: lines(relay) == 4)
    with connected(relay) as stream:
        stream.sendall(struct.pack("<I", 70_000))
        assert stream.recv(1) == b""
    wait_until("not counted", lambda: ended(relay, "too_long") == 1)
    assert relay.stop() == 0


def test_a_line_without_end_ends_its_connection() -> None:
    """Counted; what was whole before it counts as a line."""
    relay = start("tcp://127.0.0.1:0")
    with connected(relay) as stream:
        with suppress(ConnectionError):  # closed before all of it is written
            stream.sendall(b"a:1|c\n" + b"x" * 100_000)
        assert_closed(stream)
    wait_until("not counted", lambda: ended(relay, "too_long") == 1)
    assert lines(relay) == 1
    assert relay.stop() == 0


def assert_closed(stream: socket.socket) -> None:
    stream.settimeout(20)
    with suppress(ConnectionResetError):
        assert stream.recv(1) == b""


def test_a_silent_connection_is_closed_and_one_that_speaks_is_not() -> None:
    """By the setting; what it brought before counts."""
    relay = start("tcp://127.0.0.1:0", more=("--connection-idle", "2"))
    with connected(relay) as silent, connected(relay) as speaking:
        silent.sendall(b"a:1|c\nb:1")
        said = 0
        while not select.select([silent], [], [], 0.1)[0]:
            speaking.sendall(b"c:1|c\n")
            said += 1
        assert_closed(silent)
        assert status(relay.urls["http"][0])["listeners"][0]["connections"] == 1
        assert said > 10
    wait_until("not counted", lambda: ended(relay, "idle") == 1)
    wait_until("lines are missing", lambda: lines(relay) == said + 2)
    assert relay.stop() == 0


def test_a_crowd_is_refused_and_those_before_it_are_served() -> None:
    """By the setting, counted; a place that is left is free again."""
    relay = start("tcp://127.0.0.1:0", more=("--connections", "3"))
    streams = [connected(relay) for _ in range(3)]
    for stream in streams:
        stream.sendall(b"a:1|c\n")
    wait_until("lines are missing", lambda: lines(relay) == 3)
    with connected(relay) as refused:
        assert_closed(refused)
    streams.pop().close()
    wait_until("not counted", lambda: ended(relay, "peer") == 1)
    assert ended(relay, "crowd") == 1
    streams.append(connected(relay))
    for stream in streams:
        stream.sendall(b"a:1|c\n")
        stream.close()
    wait_until("lines are missing", lambda: lines(relay) == 6)
    assert relay.stop() == 0


@pytest.mark.parametrize("scheme", ["tcp", "unix"])
def test_those_who_say_a_line_and_hang_up_are_all_heard(
    folder: Path, scheme: str
) -> None:
    """However many stand at the door at once, and few have a place."""
    door = "tcp://127.0.0.1:0" if scheme == "tcp" else f"unix://{folder}/s"
    relay = start(door, more=("--connections", "3"))
    relay.process.send_signal(signal.SIGSTOP)
    for _ in range(100):
        with connected(relay) as stream:
            stream.sendall(b"a:1|c\n")
    relay.process.send_signal(signal.SIGCONT)
    wait_until("not closed", lambda: ended(relay, "peer") + ended(relay, "crowd") > 99)
    assert (ended(relay, "crowd"), lines(relay)) == (0, 100)
    assert relay.stop() == 0


@pytest.mark.parametrize(
    "rounds", [500, pytest.param(10_000, marks=pytest.mark.soak)], ids=["quick", "full"]
)
def test_no_descriptor_is_left_of_connections(rounds: int) -> None:
    """Opened and closed, each with a line."""
    relay = start("tcp://127.0.0.1:0")
    descriptors = Path(f"/proc/{relay.process.pid}/fd")
    before = len(list(descriptors.iterdir()))
    for _ in range(rounds):
        with connected(relay) as stream:
            stream.sendall(b"a:1|c\n")
    wait_until("lines are missing", lambda: lines(relay) == rounds)
    wait_until("not closed", lambda: ended(relay, "peer") == rounds)
    assert len(list(descriptors.iterdir())) <= before + 1  # the page that is asked
    assert relay.stop() == 0


def test_a_stop_takes_what_connections_have_brought() -> None:
    """Also a line without its end, and packets behind one another."""
    relay = start("tcp://127.0.0.1:0", more=("--sink", "stdout", "--period", "3600"))
    with connected(relay) as stream:
        wait_until("not accepted", lambda: connections(relay) == 1)
        stream.sendall(b"a:1|c\n" * 5000 + b"a:1|c")
        assert relay.stop() == 0


def connections(relay: Child, nth: int = 0) -> int:
    return int(status(relay.urls["http"][0])["listeners"][nth]["connections"])


def test_what_a_signed_gauge_means_is_said_for_each_door() -> None:
    """A delta by one door, a value by the other, into one gauge."""
    relay = Child.start(
        [
            *(
                "run",
                "--sink",
                "emulator",
                "--emulator",
                "127.0.0.1:0",
                "--period",
                "2",
            ),
            *("--http", "127.0.0.1:0", "--listen", "udp://127.0.0.1:0"),
            *("--listen", "udp://127.0.0.1:0?signed_gauge=value"),
        ]
    )
    deltas, values = (urlsplit(url) for url in relay.urls["listening"])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for door, line in (
            (deltas, b"g:10|g"),
            (deltas, b"g:-4|g"),
            (values, b"h:9|g"),
        ):
            sender.sendto(line, (door.hostname, door.port))
        sender.sendto(b"h:-4|g", (values.hostname, values.port))
    site = relay.urls["emulator"][0]

    def last() -> dict[str, Any]:
        return {e["MetricName"]: e["Values"]["LastValue"] for e in entries(site)}

    wait_until("not told", lambda: last() == {"g": 6.0, "h": -4.0})
    assert relay.stop() == 0


def test_packets_are_copied_to_other_daemons() -> None:
    """To another relay over UDP and TCP, and to nobody, which costs a counter."""
    old = start("udp://127.0.0.1:0", "tcp://127.0.0.1:0")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"udp://127.0.0.1:{free.getsockname()[1]}"
    targets = [*old.urls["listening"], nobody]
    more = tuple(word for url in targets for word in ("--repeat", url))
    relay = start("udp://127.0.0.1:0", "tcp://127.0.0.1:0", more=more)
    wait_until("not connected", lambda: connections(old, 1) == 1)
    udp = urlsplit(relay.urls["listening"][0])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"a:1|c\nb:x|g", (udp.hostname, udp.port))
    with connected(relay, 1) as stream:
        stream.sendall(b"c:1|c\nd:1|c\n")
    wait_until("lines are missing", lambda: lines(relay) == 4)
    wait_until("copies are missing", lambda: lines(old) == 8)
    text = get(f"{relay.urls['http'][0]}/metrics")
    for url in targets[:2]:
        assert f'repeated_total{{outcome="sent",target="{url}"}} 2.0' in text
    assert f'outcome="lost",target="{nobody}"' in text
    assert relay.stop() == 0
    assert old.stop() == 0


@pytest.mark.bar("P7")
@pytest.mark.parametrize("scheme", ["unix", "unixgram"])
def test_the_file_of_a_socket(
    folder: Path, scheme: str, figure: Callable[[str], None]
) -> None:
    """Its mode is that which was asked for; a stale one is replaced, nothing else is."""
    path = folder / "s"
    url = f"{scheme}://{path}"
    old = os.umask(0)
    try:
        first = start(f"{url}?mode=0620")
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o620
    assert "another process listens" in refused(url)
    first.process.send_signal(signal.SIGKILL)
    first.process.wait()
    assert path.exists()
    second = start(url)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666
    assert second.stop() == 0
    assert not path.exists()
    path.symlink_to(folder / "elsewhere")
    assert "symbolic link" in refused(url)
    path.unlink()
    path.write_text("not a socket")
    assert "no socket" in refused(url)
    assert path.read_text() == "not a socket"
    figure(f"{scheme}: mode 0620 and 0666 as asked; stale replaced; three refused")


def refused(url: str) -> str:
    """What is said by one that does not start."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "relay", "run", "--sink", "null", "--http", "off"),
            *("--listen", url),
        ],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env=clean_environment(),
        cwd=ROOT,
    )
    assert done.returncode == 1
    assert url in done.stderr
    return done.stderr


@pytest.mark.bar("P7")
@pytest.mark.parametrize("scheme", ["unix", "unixgram"])
def test_only_those_who_are_listed_are_heard(folder: Path, scheme: str) -> None:
    """By the uid that the kernel vouches for; others are counted."""
    kind = socket.SOCK_STREAM if scheme == "unix" else socket.SOCK_DGRAM
    other = os.getuid() + 1
    for uids, heard in ((f"uid={os.getuid()}", 1), (f"uid={other}", 0)):
        relay = start(f"{scheme}://{folder}/s?{uids}")
        with socket.socket(socket.AF_UNIX, kind) as sender:
            sender.connect(str(folder / "s"))
            # A stranger's stream may be closed before it has said anything.
            with nullcontext() if heard else suppress(BrokenPipeError):
                sender.sendall(b"a:1|c\n")
        wait_until(
            "neither heard nor counted",
            lambda: lines(relay) + ended(relay, "stranger") == 1,  # noqa: B023 - at once
        )
        assert lines(relay) == heard
        assert relay.stop() == 0
