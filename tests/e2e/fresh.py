"""Environments that know nothing of this checkout, for the tests of what is installed."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.e2e.children import clean_environment

__all__ = ["built", "outside", "ran"]

SECONDS = 600
UNREACHABLE = (
    *("NewConnectionError", "NameResolutionError", "ConnectTimeoutError"),
    *("ProxyError", "ReadTimeoutError"),
)
"""How pip says that it reached no index at all."""


def outside(*first: Path) -> dict[str, str]:
    """The environment of a shell that has ``first`` on its path, and no checkout."""
    kept = clean_environment() | {"PIP_RETRIES": "1"}
    del kept["PYTHONPATH"]
    folders = [*map(str, first), str(Path(sys.executable).parent), kept["PATH"]]
    return kept | {"PATH": os.pathsep.join(folders)}


def ran(
    words: Sequence[str | Path], cwd: Path, env: Mapping[str, str] | None = None
) -> str:
    """What the command printed; fails the test with all of it where the command did."""
    done = subprocess.run(
        words,
        cwd=cwd,
        env=outside() if env is None else env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    return done.stdout


def built(
    words: Sequence[str | Path], cwd: Path, env: Mapping[str, str] | None = None
) -> str:
    """As ``ran``, of a command that has pip fetch something; skips without an index."""
    try:
        return ran(words, cwd, env)
    except AssertionError as error:
        if any(word in str(error) for word in UNREACHABLE):
            pytest.skip("no package index can be reached")
        raise
