"""Has gunicorn's own instrumentation send. Run as a child: ``use_gunicorn.py URL``.

A server with two workers is asked some requests, two of them for what is not there.
"""

import http.client
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

REQUESTS = 30


def app(environ: dict[str, Any], start: Callable[..., object]) -> Iterable[bytes]:
    """Says hello, but not to everybody."""
    known = environ["PATH_INFO"] == "/"
    start("200 OK" if known else "404 Not Found", [("Content-Type", "text/plain")])
    return [b"hello\n"]


def main(url: str) -> None:
    """Ask it over a Unix socket, then stop it."""
    where = urlsplit(url)
    with TemporaryDirectory() as folder:
        path = f"{folder}/http"
        server = subprocess.Popen(
            [
                *(sys.executable, "-m", "gunicorn", "--chdir", Path(__file__).parent),
                *("--bind", f"unix:{path}", "--workers", "2", "--log-level", "error"),
                *("--statsd-host", f"{where.hostname}:{where.port}"),
                *("--statsd-prefix", "peer", "use_gunicorn:app"),
            ],
        )
        while not Path(path).exists():
            time.sleep(0.05)
        for number in range(REQUESTS):
            ask(path, "/" if number % 15 else "/nothing")
        server.send_signal(signal.SIGTERM)
        server.wait()


def ask(path: str, what: str) -> None:
    connection = http.client.HTTPConnection("localhost")
    connection.sock = connected(path)
    connection.request("GET", what)
    connection.getresponse().read()
    connection.close()


def connected(path: str) -> Any:
    import socket  # noqa: PLC0415 - not in the server

    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.connect(path)
    return sock


if __name__ == "__main__":
    main(sys.argv[1])
