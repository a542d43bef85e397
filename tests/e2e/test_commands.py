"""The small commands over real sockets: record, send and put."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.children import Child, clean_environment
from tests.e2e.road import KEYS, entries, wait_until

pytestmark = pytest.mark.e2e


def relay(
    *words: str, stdin: bytes = b"", secret: str = "emulator"
) -> subprocess.CompletedProcess[bytes]:
    """One command to its end, with the emulator's keys in its environment."""
    keys = KEYS | {"ALIBABA_CLOUD_ACCESS_KEY_SECRET": secret}
    return subprocess.run(
        [sys.executable, "-m", "relay", *words],
        check=False,
        capture_output=True,
        env=clean_environment() | keys,
        input=stdin,
        timeout=30,
    )


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_what_is_sent_is_recorded(tmp_path: Path, signum: int) -> None:
    """Lines sent to a recorder are in its file, which replay takes; 0 at a signal."""
    path = tmp_path / "traffic.jsonl"
    child = Child.start(["record", "--listen", "udp://127.0.0.1:0", str(path)])
    (url,) = child.urls["listening"]
    sent = relay("send", "--to", url, "a:1|c", "b:2|ms|#k:v")
    assert (sent.returncode, sent.stderr) == (0, b"")
    assert sent.stdout.decode() == f"sent 2 lines, 17 bytes, to {url}\n"
    wait_until("nothing was recorded", lambda: path.read_text() != "")
    assert child.stop(signum) == 0
    (line,) = path.read_text().splitlines()
    assert json.loads(line)["datagram"] == "a:1|c\nb:2|ms|#k:v"
    replayed = relay("replay", "--json", str(path))
    assert json.loads(replayed.stdout.splitlines()[-1])["ledger"]["samples"] == 2


def test_a_recorder_ends_by_its_limit_or_its_time(tmp_path: Path) -> None:
    """--limit counts datagrams, --seconds time; both end with status 0."""
    path = tmp_path / "one.jsonl"
    child = Child.start(
        ["record", "--listen", "udp://127.0.0.1:0", "--limit", "1", str(path)]
    )
    relay("send", "--to", child.urls["listening"][0], "a:1|c")
    assert child.process.wait(30) == 0
    assert len(path.read_text().splitlines()) == 1
    done = relay("record", "--listen", "udp://127.0.0.1:0", "--seconds", "0.1")
    assert (done.returncode, done.stdout) == (0, b"")


def test_a_port_that_is_taken_is_said() -> None:
    """Status 1 with the reason."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"udp://127.0.0.1:{taken.getsockname()[1]}"
        done = relay("record", "--listen", url, "--seconds", "1")
    assert done.returncode == 1
    assert url.encode() in done.stderr


def test_a_plan_can_be_of_what_arrives(tmp_path: Path) -> None:
    """Until its time or a signal; as of a recording."""
    path = tmp_path / "plan.json"
    words = ["plan", "--listen", "udp://127.0.0.1:0", "--json", "--live"]
    child = Child.start(
        [*words, "3600"], through=["sh", "-c", 'exec "$@" > ' + str(path), "sh"]
    )
    relay("send", "--to", child.urls["listening"][0], "a:1|c|#k:1", "a:1|c|#k:2")
    assert child.stop() == 0
    plan = json.loads(path.read_text())
    assert plan["series"] == 2
    assert 0 < plan["seconds"] < 60
    done = relay(*words, "0.1")
    assert (done.returncode, json.loads(done.stdout)["series"]) == (0, 0)


def test_a_full_disk_ends_a_recording_with_a_reason() -> None:
    """Status 1 and one line; nothing of the machinery shows."""
    child = Child.start(["record", "--listen", "udp://127.0.0.1:0", "/dev/full"])
    relay("send", "--to", child.urls["listening"][0], "a:1|c")
    assert child.process.wait(30) == 1
    child.kill()
    assert child.stderr.splitlines()[2:] == [
        "cms-relay: /dev/full: No space left on device"
    ]


@pytest.mark.parametrize("scheme", ["udp", "tcp", "unix", "unixgram"])
def test_nobody_listening_is_status_one(tmp_path: Path, scheme: str) -> None:
    """Each kind of socket tells when there is nobody on this machine."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    where = f"127.0.0.1:{port}" if scheme in {"udp", "tcp"} else f"{tmp_path}/none.sock"
    done = relay("send", "--to", f"{scheme}://{where}", "a:1|c")
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"is a relay listening?" in done.stderr


@pytest.mark.parametrize("scheme", ["tcp", "unix"])
def test_streams_get_lines_with_ends(tmp_path: Path, scheme: str) -> None:
    """Over a stream each line, from standard input too, ends with LF."""
    family = socket.AF_INET if scheme == "tcp" else socket.AF_UNIX
    path = str(tmp_path / "relay.sock")
    received: list[bytes] = []
    with socket.socket(family, socket.SOCK_STREAM) as door:
        door.bind(("127.0.0.1", 0) if scheme == "tcp" else path)
        door.listen()

        def accept() -> None:
            stream, _ = door.accept()
            with stream, stream.makefile("rb") as file:
                received.append(file.read())

        reader = threading.Thread(target=accept)
        reader.start()
        where = f"127.0.0.1:{door.getsockname()[1]}" if scheme == "tcp" else path
        done = relay("send", "--to", f"{scheme}://{where}", stdin=b"a:1|c\r\nb:2|c")
        reader.join()
    assert done.returncode == 0
    assert received == [b"a:1|c\nb:2|c\n"]


def test_unix_datagrams_arrive(tmp_path: Path) -> None:
    """A relay's datagram socket in the file system is a target like any other."""
    path = str(tmp_path / "relay.sock")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as door:
        door.bind(path)
        assert relay("send", "--to", f"unixgram://{path}", "a:1|c").returncode == 0
        assert door.recv(100) == b"a:1|c"


@pytest.fixture
def emulator() -> Iterator[str]:
    """The URL of a look-alike."""
    child = Child.start(["emulator", "--listen", "127.0.0.1:0"])
    yield child.urls["emulator"][0]
    assert child.stop() == 0


@pytest.mark.parametrize("signature", ["v1", "v3"])
def test_put_is_accepted_with_either_signature(emulator: str, signature: str) -> None:
    """One entry by hand, verified and stored; the vendor's answer is printed."""
    words = ("--endpoint", emulator, "--signature", signature, "--metric", "hello")
    done = relay("put", *words, "--dimension", "host=web-1", "--value", "1.5")
    assert done.returncode == 0
    assert json.loads(done.stdout)["Code"] == "200"
    (entry,) = entries(emulator)
    assert (entry["MetricName"], entry["Values"]) == ("hello", {"value": 1.5})


def test_what_a_recording_would_report_can_be_put(
    emulator: str, tmp_path: Path
) -> None:
    """From replay to put: the entries arrive as they were printed."""
    path = tmp_path / "traffic.jsonl"
    lines = "\n".join(f"a{n}:1|c|#k:ä b" for n in range(30))
    path.write_text(json.dumps({"t": 1, "datagram": lines}))
    now = str(int(time.time()) // 300 * 300 - 300)
    printed = relay("replay", "--json", "--start", now, str(path)).stdout
    done = relay("put", "--endpoint", emulator, "--file", "-", stdin=printed)
    assert done.returncode == 0, done.stderr
    expected = [json.loads(line) for line in printed.splitlines()[:-1]]
    found = entries(emulator)
    assert [{key: one[key] for key in expected[0]} for one in found] == expected


def test_put_with_a_wrong_secret_fails(emulator: str) -> None:
    """The refusal is printed, and the status is 1."""
    words = ("--endpoint", emulator, "--metric", "hello", "--value", "1")
    done = relay("put", *words, secret="canary")
    assert done.returncode == 1
    assert json.loads(done.stdout)["Code"] == "SignatureDoesNotMatch"
    assert b"canary" not in done.stdout + done.stderr


def test_a_reader_that_leaves_early_is_no_traceback(tmp_path: Path) -> None:
    """``cms-relay explain … | head -1`` ends quietly."""
    path = tmp_path / "lines"
    path.write_bytes(b"a:1|c\n" * 50_000)
    read_end, write_end = os.pipe()
    with path.open("rb") as lines:
        child = subprocess.Popen(
            [sys.executable, "-m", "relay", "explain"],
            stdin=lines,
            stdout=write_end,
            stderr=subprocess.PIPE,
            env=clean_environment(),
        )
        os.close(write_end)
        os.read(read_end, 10)
        os.close(read_end)
        _, err = child.communicate(timeout=30)
    assert (child.returncode, err) == (1, b"")


PRINTING = (
    "explain a:1|c",
    "explain --reasons",
    "check --sink emulator",
    "doctor --sink null",
    "put --metric a --value 1 --region cn-hangzhou --dry-run",
    "send --to udp://127.0.0.1:9 --help",
    "--help",
    "--version",
)


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("words", PRINTING)
def test_output_that_finds_no_room_is_one_line(words: str, unbuffered: str) -> None:
    """Status 1, whether it is met while printing or at the end."""
    with Path("/dev/full").open("wb") as full:
        done = printed_to(full.fileno(), words, unbuffered)
    assert done.stderr == "cms-relay: standard output: No space left on device\n"
    assert done.returncode == 1


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("words", PRINTING)
def test_output_that_nobody_reads_is_no_complaint(words: str, unbuffered: str) -> None:
    """As of any command before ``head``; status 1, since not all was said."""
    read_end, write_end = os.pipe()
    os.close(read_end)
    done = printed_to(write_end, words, unbuffered)
    os.close(write_end)
    assert (done.returncode, done.stderr) == (1, "")


def printed_to(
    output: int, words: str, unbuffered: str
) -> subprocess.CompletedProcess[str]:
    """One command whose results go to that descriptor."""
    return subprocess.run(
        [sys.executable, "-m", "relay", *words.split()],
        check=False,
        stdout=output,
        stderr=subprocess.PIPE,
        text=True,
        env=clean_environment() | {"PYTHONUNBUFFERED": unbuffered},
        timeout=30,
    )


def test_a_recording_that_finds_no_room_on_standard_output_says_so() -> None:
    """By its name, which is not ``-``."""
    child = Child.start(
        ["record", "--listen", "udp://127.0.0.1:0"],
        through=["sh", "-c", 'exec "$@" > /dev/full', "sh"],
    )
    relay("send", "--to", child.urls["listening"][0], "a:1|c")
    assert child.process.wait(30) == 1
    child.kill()
    assert child.stderr.splitlines()[2:] == [
        "cms-relay: standard output: No space left on device"
    ]
