"""A running relay says its version where scripts look for it."""

import subprocess
import sys

import pytest

from relay import __version__
from tests.e2e.children import ROOT, Child, clean_environment
from tests.e2e.road import get, status

pytestmark = pytest.mark.e2e


def test_a_running_relay_says_its_version() -> None:
    """The same in /status and in its metrics as by --version."""
    anywhere = ("--listen", "udp://127.0.0.1:0", "--http", "127.0.0.1:0")
    relay = Child.start(["run", "--sink", "null", *anywhere])
    [http] = relay.urls["http"]
    assert status(http)["version"] == __version__
    assert f'version="{__version__}"' in get(f"{http}/metrics")
    assert relay.stop() == 0


def test_the_command_line_says_it() -> None:
    """And nothing but it and the engines."""
    done = subprocess.run(
        [sys.executable, "-m", "relay", "--version"],
        cwd=ROOT,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert done.stdout.startswith(f"cms-relay {__version__} (engines: ")
