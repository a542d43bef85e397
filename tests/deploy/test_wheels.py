"""Wheels of the native engine: for which Pythons, and tested before they are kept."""

import os
import shutil
import subprocess
import sysconfig
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

PROGRAM = "cibuildwheel"


@pytest.mark.peer
@pytest.mark.parametrize("libc", ["manylinux", "musllinux"])
@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_wheels_are_built_for_every_python_that_is_supported(
    libc: str, machine: str
) -> None:
    """As the program that builds them reads its configuration."""
    program = shutil.which(PROGRAM, path=sysconfig.get_path("scripts"))
    program = program or shutil.which(PROGRAM)
    if program is None:
        pytest.skip(f"{PROGRAM} is not installed")
    said = subprocess.run(
        [program, "--platform", "linux", "--print-build-identifiers", str(ROOT)],
        env={**os.environ, "CIBW_ARCHS": "x86_64 aarch64"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    found = [one for one in said.split() if one.endswith(f"-{libc}_{machine}")]
    assert found == [f"cp3{minor}-{libc}_{machine}" for minor in (11, 12, 13)]


def test_a_wheel_without_the_engine_would_fail_its_tests() -> None:
    """The compiler's warnings are errors there, and a missing engine is no skip."""
    told = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"][PROGRAM]
    assert "CMS_RELAY_ENGINE=native" in told["test-command"]
    assert "tests/rollup" in told["test-command"]
    assert told["linux"]["environment"] == {"CFLAGS": "-Werror"}
