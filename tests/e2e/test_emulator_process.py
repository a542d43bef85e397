"""The command itself: what it prints, where it listens, how it ends."""

import signal
import socket
import subprocess
import sys
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.e2e.children import ROOT, Child, clean_environment
from tests.e2e.road import entries, get

pytestmark = pytest.mark.e2e

LOOPBACK = ["emulator", "--listen", "127.0.0.1:0"]


def run(*words: str) -> subprocess.CompletedProcess[str]:
    """A command that ends by itself."""
    return subprocess.run(
        [sys.executable, "-m", "relay", *words],
        env=clean_environment(),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_start_and_stop(signum: int) -> None:
    """It says where it listens, serves there, and a signal ends it with status 0."""
    child = Child.start(LOOPBACK)
    (url,) = child.urls["emulator"]
    assert not url.endswith(":0")
    assert entries(url) == []
    assert child.stop(signum) == 0
    assert child.stderr.splitlines() == [f"emulator {url}", "ready"]


def test_page_for_browsers() -> None:
    """A browser at the root gets the page."""
    child = Child.start(LOOPBACK)
    request = Request(child.urls["emulator"][0], headers={"Accept": "text/html"})  # noqa: S310 - our own URL
    with urlopen(request, timeout=10) as answer:  # noqa: S310 - the same
        assert b"<h1>CloudMonitor emulator</h1>" in answer.read()
    assert child.stop() == 0


def test_cut_connections_are_cut() -> None:
    """On a real socket too: reset before the answer, or ended in its middle."""
    child = Child.start(LOOPBACK)
    url = child.urls["emulator"][0]
    script = b'[{"cut": "accept"}, {"cut": "headers"}, {"status": 503}]'
    urlopen(Request(f"{url}/_emulator/faults", script), timeout=10).close()  # noqa: S310 - our own URL
    came = []
    for _ in range(2):
        host, port = url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=10) as client:
            try:
                client.sendall(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
                came.append(client.recv(65536))
            except (BrokenPipeError, ConnectionResetError):
                came.append(b"reset")
    assert came[0] == b"reset"
    assert came[1].startswith(b"HTTP/1.1 400")
    assert b"\r\n\r\n" not in came[1]
    with pytest.raises(HTTPError, match="503"):
        get(url)
    assert child.stop() == 0


def test_address_in_use() -> None:
    """A taken port is a failure with a reason, not a traceback."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = run("emulator", "--listen", f"127.0.0.1:{taken.getsockname()[1]}")
    assert done.returncode == 1
    assert "cannot listen on 127.0.0.1:" in done.stderr
    assert "Traceback" not in done.stderr


def test_loopback_only() -> None:
    """Elsewhere it listens only when told twice; that is a matter of configuration."""
    done = run("emulator", "--listen", "0.0.0.0:0")
    assert done.returncode == 2
    assert "--allow-remote-admin" in done.stderr
