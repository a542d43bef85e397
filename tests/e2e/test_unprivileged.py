"""A relay of nobody: no user of a name, no capabilities, a read-only root: bar P4.

Run as root, which alone can set that up: the file system is made read-only in a mount
namespace of its own, but for the state folder.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.e2e.children import ROOT, Child, clean_environment
from tests.e2e.road import KEYS, status, wait_until

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.soak,
    pytest.mark.skipif(
        os.geteuid() != 0
        or not all(map(shutil.which, ("unshare", "setpriv", "strace"))),
        reason="takes root, unshare, setpriv and strace",
    ),
]

NOBODY = 12_345
AS_NOBODY = """
set -e
mount --make-rprivate /
mount --bind "$STATE" "$STATE"
mount -o remount,bind,ro /
mount -o remount,bind,rw "$STATE"
exec ${TRACE:+strace -f -qq -o "$TRACE" -e trace=open,openat,openat2,creat} \
    setpriv --reuid $NOBODY --regid $NOBODY --clear-groups --no-new-privs \
    --inh-caps=-all --bounding-set=-all "$@"
"""


PACKAGES = sysconfig.get_paths()["purelib"]
WHERE = {"PYTHONPATH": f"{ROOT}:{PACKAGES}", "HOME": "/nowhere"}


def interpreter() -> str:
    """One that nobody may run, since this one may lie in a home folder; with -S it has
    the packages of this one alone."""
    wanted = sys.version_info[:2]
    version = f"import sys; sys.exit(sys.version_info[:2] != {wanted})"
    ids = ["--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups"]
    for path in ("/usr/bin/python3", sys.executable):
        command = ["setpriv", *ids, path, "-S", "-c", f"import twisted; {version}"]
        if not subprocess.run(
            command, env=clean_environment() | WHERE, check=False, capture_output=True
        ).returncode:
            return path
    pytest.skip("no interpreter of this version that nobody may run")


def start(state: Path, trace: Path, *args: str) -> Child:
    command = ["unshare", "-m", "sh", "-c", AS_NOBODY, "sh", interpreter(), "-S", *args]
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=clean_environment()
        | KEYS
        | WHERE
        | {"STATE": str(state), "NOBODY": str(NOBODY), "TRACE": str(trace)}
        | {"PYTHONDONTWRITEBYTECODE": "1"},
        cwd=ROOT,
    )
    child = Child(process)
    child.wait_ready()
    return child


@pytest.mark.bar("P4")
def test_nobody_is_enough_and_one_folder_is_written(
    tmp_path: Path, figure: Callable[[str], None]
) -> None:
    """A kill and two stops where nothing but the state folder can be written."""
    state = tmp_path / "state"
    state.mkdir()
    os.chown(state, NOBODY, NOBODY)
    for folder in (tmp_path, *tmp_path.parents[:3]):
        folder.chmod(folder.stat().st_mode | 0o055)
    site = Child.start(["emulator", "--listen", "127.0.0.1:0", "--period", "2"])
    words = ["-m", "relay", "run", "--endpoint", site.urls["emulator"][0]]
    words += ["--period", "2", "--listen", "udp://127.0.0.1:0", "--http", "127.0.0.1:0"]
    words += ["--state", str(state / "s"), "--checkpoint-interval", "0.5"]
    written: set[str] = set()
    for way in (signal.SIGKILL, signal.SIGTERM, signal.SIGTERM):
        trace = state / f"trace-{way}"
        relay = start(state, trace, *words)
        door = urlsplit(relay.urls["listening"][0])
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"a:1|c", (door.hostname, door.port))
        http = relay.urls["http"][0]
        wait_until("no period", lambda: acked(http) > 0)  # noqa: B023 - at once
        end(relay, way)
        written |= opened_for_writing(trace)
    assert site.stop() == 0
    elsewhere = {path for path in written if not path.startswith(str(state))}
    assert elsewhere <= {"/dev/null"}
    assert len(written) > len(elsewhere), "nothing was traced"
    figure(
        f"uid {NOBODY}, no capabilities: a kill, two stops; of {len(written)} files that "
        "were opened for writing none is elsewhere"
    )


def end(relay: Child, way: signal.Signals) -> None:
    """Of the relay, not of who traces it, which ends with it."""
    tracer = relay.process.pid
    [child] = Path(f"/proc/{tracer}/task/{tracer}/children").read_text().split()
    os.kill(int(child), way)
    relay.process.wait(30)


def opened_for_writing(trace: Path) -> set[str]:
    """Or tried to be. What is opened by way of a folder is in the state folder: no other
    folder is opened to write in."""
    found = re.findall(
        r'(?m)\b(?:open|openat|openat2|creat)\((?:(\w+), )?"([^"]*)", ?([^)]*)',
        trace.read_text("utf-8", "replace"),
    )
    writing = re.compile("O_WRONLY|O_RDWR|O_CREAT")
    return {
        f"{trace.parent}/{path}" if folder.isdigit() else path
        for folder, path, flags in found
        if writing.search(flags)
    }


def acked(http: str) -> int:
    return int(status(http)["ledger"]["entries"]["acked"])
