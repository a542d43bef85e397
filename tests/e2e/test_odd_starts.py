"""What starts a relay hands it odd things: closed streams, blocked signals, masks, names."""

import os
import shlex
import signal
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.e2e.children import ROOT, Child, clean_environment
from tests.e2e.lives import start_emulator
from tests.e2e.road import KEYS, entries, wait_until
from tests.vectors.record_console import free_port

pytestmark = pytest.mark.e2e

SECONDS = 30
SHELL = "exec {command} {redirections}"
ANYWHERE = (
    *("--period", "1", "--listen", "udp://127.0.0.1:0", "--http", "127.0.0.1:0"),
    *("--sink", "cloudmonitor", "--requests-per-second", "500"),
)


def ended(
    command: Sequence[str], redirections: str
) -> subprocess.CompletedProcess[str]:
    """A command of ours, as a shell starts it with ``redirections``."""
    words = shlex.join([sys.executable, "-m", "relay", *command])
    return subprocess.run(
        ["/bin/sh", "-c", SHELL.format(command=words, redirections=redirections)],
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
        env=clean_environment(),
        cwd=ROOT,
    )


def sent_to(relay: Child) -> None:
    door = urlsplit(relay.urls["listening"][0])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"some:1|c", (str(door.hostname), int(door.port or 0)))


@pytest.mark.parametrize("closed", ["<&-", ">&-", "<&- >&-"])
def test_a_command_does_without_the_streams_that_are_closed(closed: str) -> None:
    """They lead nowhere then; what goes to the others is as ever."""
    done = ended(["explain", "a:1|c"], closed)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_command_whose_errors_go_nowhere_ends_as_ever() -> None:
    assert ended(["explain", "--no-such"], "<&- >&- 2>&-").returncode == 2


def test_a_complaint_that_finds_no_room_keeps_its_status() -> None:
    """Nobody can be told, but whoever looks at the status."""
    assert ended(["explain", "--no-such"], "2> /dev/full").returncode == 2


def test_a_relay_without_standard_streams_delivers(tmp_path: Path) -> None:
    """Nor are its sockets taken for one of them."""
    site = start_emulator(1)
    port = free_port(socket.SOCK_DGRAM)
    words = shlex.join(
        [
            *(sys.executable, "-m", "relay", "run", *ANYWHERE),
            *("--endpoint", site.urls["emulator"][0], "--state", "off"),
            *("--listen", f"udp://127.0.0.1:{port}", "--key-flush-interval", "1"),
        ]
    )
    command = SHELL.format(command=words, redirections="<&- >&- 2>&-")
    relay = subprocess.Popen(
        ["/bin/sh", "-c", command],
        cwd=ROOT,
        env=clean_environment() | KEYS | {"HOME": str(tmp_path)},
    )

    def delivered() -> bool:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"some:1|c", ("127.0.0.1", port))
        return bool(entries(site.urls["emulator"][0]))

    wait_until("nothing was delivered", delivered, SECONDS)
    relay.send_signal(signal.SIGTERM)
    assert relay.wait(SECONDS) == 0
    assert site.stop() == 0


def test_signals_that_a_parent_has_blocked_stop_it() -> None:
    """Else nothing but a kill would."""
    site = start_emulator(1)
    relay = Child.start(
        ["run", *ANYWHERE, "--endpoint", site.urls["emulator"][0], "--state", "off"],
        env=KEYS,
        first=lambda: void(
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
        ),
    )
    assert relay.stop() == 0
    assert site.stop() == 0


def void(_: object) -> None:
    """Whatever it is, it is not wanted."""


@pytest.mark.parametrize("mask", [0o777, 0o177, 0o000])
def test_its_folder_is_its_own_whatever_the_mask(tmp_path: Path, mask: int) -> None:
    """Read and written by it and by nobody else; no parent that is made is everybody's."""
    site, state = start_emulator(1), tmp_path / "parent" / "state"
    relay = Child.start(
        [
            "run",
            *ANYWHERE,
            "--endpoint",
            site.urls["emulator"][0],
            "--state",
            str(state),
        ],
        env=KEYS,
        first=lambda: void(os.umask(mask)),
    )
    sent_to(relay)
    wait_until("nothing was delivered", lambda: bool(entries(site.urls["emulator"][0])))
    assert relay.stop() == 0
    assert site.stop() == 0
    for path in (state, *state.rglob("*")):
        mode = stat.S_IMODE(path.lstat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), path
    assert not stat.S_IMODE(state.parent.lstat().st_mode) & 0o022


def test_it_is_ready_under_a_path_of_any_bytes(tmp_path: Path) -> None:
    """What it says to try names the path, as far as that can be said."""
    folder = os.fsencode(tmp_path) + b"/d\xff"
    os.mkdir(folder)  # noqa: PTH102 - a path of bytes
    program = folder + b"/cms-relay"
    Path(os.fsdecode(program)).write_text(
        f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(ROOT)!r})\n"
        "from relay.cli import main\nsys.exit(main())\n",
        "utf-8",
    )
    os.chmod(program, 0o700)  # noqa: PTH101 - likewise
    said = b""
    with subprocess.Popen(
        [
            program,
            *b"run --sink emulator --emulator 127.0.0.1:0 --listen".split(),
            b"udp://127.0.0.1:0",
            b"--http",
            b"off",
            b"--console",
            b"off",
        ],
        stderr=subprocess.PIPE,
        env=clean_environment(),
    ) as relay:
        assert relay.stderr is not None
        late = threading.Timer(SECONDS, relay.kill)
        late.start()
        while not said.endswith(b"ready\n") and (line := relay.stderr.readline()):
            said += line
        relay.send_signal(signal.SIGTERM)
        assert relay.wait() == 0
        late.cancel()
    assert rb"d\udcff/cms-relay send" in said
    assert said.endswith(b"ready\n")
