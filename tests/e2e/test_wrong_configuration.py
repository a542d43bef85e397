"""A wrong configuration ends a start at once, and `check` says the same: bar A6."""

import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.children import ROOT, clean_environment
from tests.settings.test_mutations import MUTATIONS, mutated

pytestmark = pytest.mark.e2e

KEYS = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "a", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "b"}


def said(command: str, path: Path) -> tuple[int, str]:
    """Exit status and standard error."""
    done = subprocess.run(
        [sys.executable, "-m", "relay", command, str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=clean_environment() | KEYS,
        cwd=ROOT,
    )
    return done.returncode, done.stderr


def children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.mark.bar("A6")
def test_a_start_and_a_check_refuse_alike_and_at_once(
    tmp_path: Path, figure: Callable[[str], None]
) -> None:
    """Status 2 within a second of the process's own time, the same line from both."""
    path = tmp_path / "relay.toml"
    longest = 0.0
    for line, becomes, key, form in MUTATIONS[::12]:
        path.write_text(mutated(line, becomes))
        before = children_seconds()
        started = said("run", path)
        longest = max(longest, children_seconds() - before)
        assert started == said("check", path)
        assert started[0] == 2
        assert started[1].startswith(f"cms-relay: {path}: {key}: ")
        assert form in started[1]
    assert longest <= 1
    figure(
        f"{len(MUTATIONS)} mutations; the longest refused start took {longest:.2f} s"
    )
