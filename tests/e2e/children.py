"""Relay processes as children of a test: started, listened to, stopped.

Knows the command line from outside only: the words it prints to standard error before
``ready``, and its exit status.
"""

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

__all__ = ["Child"]

ROOT = Path(__file__).resolve().parents[2]
ANNOUNCED = frozenset({"listening", "http", "console", "emulator"})
READY_SECONDS = 30.0
STOP_SECONDS = 30.0


class Child:
    """A running ``python -m relay …``; ``urls`` has its sockets by the word printed."""

    running: ClassVar[set["Child"]] = set()

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.urls: dict[str, list[str]] = {}
        self._lines: list[str] = []
        self._ready = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        Child.running.add(self)

    @classmethod
    def start(
        cls,
        args: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        through: Sequence[str] = (),
        module: str = "relay",
        first: Callable[[], None] | None = None,
    ) -> "Child":
        """Run the command and wait until it says ``ready``.

        ``env`` is added to this process's own, without the vendor's and our settings.
        ``through`` is a command that runs it, by exec; ``module`` is what is run in the
        place of the relay; ``first`` is called in the child before.
        A child that ends before it is ready fails the test with what it printed.
        """
        with tempfile.TemporaryFile() as stdout:
            child = cls(
                subprocess.Popen(
                    [*through, sys.executable, "-m", module, *args],
                    stdin=subprocess.DEVNULL,
                    stdout=stdout,
                    stderr=subprocess.PIPE,
                    text=True,
                    env=clean_environment() | dict(env or {}),
                    cwd=cwd or ROOT,
                    preexec_fn=first,  # noqa: PLW1509 - nothing there takes a lock
                )
            )
        child.wait_ready()
        return child

    @property
    def stderr(self) -> str:
        """Everything printed to standard error so far."""
        return "".join(self._lines)

    def wait_ready(self, seconds: float = READY_SECONDS) -> None:
        """Return when ``ready`` was printed; fail with the output when it never is."""
        came = self._ready.wait(seconds)
        if not came or "ready" not in self.stderr.splitlines():
            self.kill()
            raise AssertionError(
                f"the child did not get ready; it said:\n{self.stderr}"
            )

    def stop(self, signum: int = signal.SIGTERM, seconds: float = STOP_SECONDS) -> int:
        """Send the signal, wait for the end, and return the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signum)
        try:
            return self.process.wait(seconds)
        finally:
            self.kill()

    def kill(self) -> None:
        """End it whatever it does; harmless when it has ended."""
        self.process.kill()
        self.process.wait()
        if self.process.stdin is not None:
            self.process.stdin.close()
        self._reader.join()
        Child.running.discard(self)

    def _read(self) -> None:
        stderr = self.process.stderr
        assert stderr is not None
        with stderr:
            for line in stderr:
                self._lines.append(line)
                word, _, url = line.strip().partition(" ")
                if word in ANNOUNCED and "://" in url:
                    self.urls.setdefault(word, []).append(url)
                elif word == "ready":
                    self._ready.set()
        self._ready.set()  # the end of the output: nobody waits for more


def clean_environment() -> dict[str, str]:
    """This process's environment without what would configure a relay.

    ``PYTHONPATH`` lets a child in another folder find the checkout under test. Children
    keep compiled modules as an installed relay has them: without, half of the time of a
    start is compiling.
    """
    ours = (
        *("CMS_RELAY_", "ALIBABA_CLOUD_", "STATE_DIRECTORY"),
        *("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"),
        "PYTHONDONTWRITEBYTECODE",
    )
    kept = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
    return kept | {
        "PYTHONPATH": str(ROOT),
        "NO_PROXY": "127.0.0.1,localhost,::1",
        # Whatever the machine of the tests has is none of theirs.
        "ALIBABA_CLOUD_CLI_PROFILE_DISABLED": "true",
        "ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true",
    }
