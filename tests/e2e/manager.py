"""The part of a service manager: a socket that outlives the relays that read it.

Knows the variables that tell a process what it was handed, and nothing of what it does.
"""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.e2e.children import ROOT, Child, clean_environment

__all__ = ["as_manager", "handed", "held", "url_of"]

AS_MANAGER = """
import os, sys
handed = int(sys.argv[1])
if handed != 3:
    os.dup2(handed, 3)
    os.close(handed)
os.environ["LISTEN_PID"] = os.environ["WATCHDOG_PID"] = str(os.getpid())
os.execv(sys.executable, [sys.executable, "-m", "relay", *sys.argv[2:]])
"""
"""What a manager does between fork and exec: the variables name the new process."""


def as_manager(holder: socket.socket, *args: str) -> list[str]:
    return [sys.executable, "-c", AS_MANAGER, str(holder.fileno()), *args]


def handed(holder: socket.socket, *args: str, **variables: str) -> Child:
    """``cms-relay`` with ``args`` and ``holder`` as descriptor 3; not ready yet."""
    process = subprocess.Popen(
        as_manager(holder, *args),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=clean_environment() | {"LISTEN_FDS": "1", **variables},
        cwd=ROOT,
        pass_fds=[holder.fileno()],
    )
    return Child(process)


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
