"""The part of a service manager: a socket that outlives the relays that read it.

Knows the variables that tell a process what it was handed, and nothing of what it does.
"""

import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from tests.e2e.children import ROOT, Child, clean_environment
from tests.e2e.road import wait_until

__all__ = ["as_manager", "handed", "held", "url_of", "warm"]

HAND = """
import os, sys
handed = int(sys.argv[1])
if handed != 3:
    os.dup2(handed, 3)
    os.close(handed)
os.environ["LISTEN_PID"] = os.environ["WATCHDOG_PID"] = str(os.getpid())
"""
AS_MANAGER = f"""{HAND}
os.execv(sys.executable, [sys.executable, "-m", "relay", *sys.argv[2:]])
"""
"""What a manager does between fork and exec: the variables name the new process."""

WARM = f"""{HAND}
count = os.environ.pop("LISTEN_FDS")
import relay.app, relay.cli, relay.commands.run
print("warm", file=sys.stderr, flush=True)
sys.stdin.read(1) or sys.exit()
os.environ["LISTEN_FDS"] = count
sys.argv[1:2] = []
sys.exit(relay.cli.main())
"""


def as_manager(holder: socket.socket, *args: str) -> list[str]:
    return [sys.executable, "-SE", "-c", AS_MANAGER, str(holder.fileno()), *args]


def handed(holder: socket.socket, *args: str, **variables: str) -> Child:
    """``cms-relay`` with ``args`` and ``holder`` as descriptor 3; not ready yet."""
    return Child(
        _begun(as_manager(holder, *args), holder, subprocess.DEVNULL, variables)
    )


def warm(holder: socket.socket, *args: str, **variables: str) -> Callable[[], Child]:
    """Likewise, but it has its modules already and starts when it is called.

    Nine tenths of a start are imports. Whoever kills one relay after the other has the
    next one import them meanwhile.
    """
    command = [sys.executable, "-c", WARM, str(holder.fileno()), *args]
    child = Child(_begun(command, holder, subprocess.PIPE, variables))

    def start() -> Child:
        wait_until("it does not get warm", lambda: "warm" in child.stderr, 30)
        assert child.process.stdin is not None
        child.process.stdin.write("!")
        child.process.stdin.close()
        return child

    return start


def _begun(
    command: Sequence[str],
    holder: socket.socket,
    stdin: int,
    variables: Mapping[str, str],
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command,
        stdin=stdin,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=clean_environment() | {"LISTEN_FDS": "1", **variables},
        cwd=ROOT,
        pass_fds=[holder.fileno()],
    )


@contextmanager
def held(
    host: str = "127.0.0.1", family: int = socket.AF_INET
) -> Iterator[socket.socket]:
    """A socket that outlives the relays that read it."""
    with socket.socket(family, socket.SOCK_DGRAM) as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 * 2**20)
        holder.bind((host, 0))
        yield holder


def url_of(holder: socket.socket) -> str:
    host, port, *_ = holder.getsockname()
    return f"udp://[{host}]:{port}" if ":" in host else f"udp://{host}:{port}"
