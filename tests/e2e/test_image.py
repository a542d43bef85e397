"""deploy/Dockerfile: its lint, and its steps in a folder in the place of an image."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from relay import __version__
from relay.pipeline import engine_names
from tests.e2e.children import ROOT, Child
from tests.e2e.fresh import built, outside, ran

pytestmark = pytest.mark.e2e

DOCKERFILE = ROOT / "deploy" / "Dockerfile"
TEXT = DOCKERFILE.read_text("utf-8").replace("\\\n", " ")
INSTALLED = "/opt/cms-relay"
ANYWHERE = (
    *("--listen", "udp://127.0.0.1:0", "--http", "127.0.0.1:0"),
    *("--emulator", "127.0.0.1:0"),
)


def instructions(name: str) -> list[str]:
    """The arguments of each, in order; what copies from another stage left out."""
    return re.findall(rf"^{name} +(?!--from)(.+)$", TEXT, re.MULTILINE)


def words(name: str) -> list[str]:
    """Of an instruction in the form that needs no shell."""
    [found] = instructions(name)
    listed: list[str] = json.loads(found)
    return listed


@pytest.fixture(scope="module")
def bin_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the program is after all COPY and RUN of the Dockerfile."""
    image = tmp_path_factory.mktemp("image")
    source = image / "src"
    source.mkdir()
    for copied in instructions("COPY"):
        *names, target = copied.split()
        for name in names:
            if (ROOT / name).is_dir():
                ignored = shutil.ignore_patterns("__pycache__", "*.so")
                shutil.copytree(ROOT / name, source / target, ignore=ignored)
            else:
                shutil.copy(ROOT / name, source / target)
    for step in instructions("RUN"):
        assert INSTALLED in step
        here = step.replace(INSTALLED, f"{image}{INSTALLED}")
        built(["sh", "-ec", here], cwd=source)
    return Path(f"{image}{INSTALLED}/bin")


def test_hadolint_has_no_complaint() -> None:
    """None, not even about style, and nothing is exempt."""
    beside = Path(sys.executable).parent
    program = shutil.which("hadolint", path=f"{beside}{os.pathsep}{os.environ['PATH']}")
    if program is None:
        pytest.skip("hadolint is not installed")
    done = subprocess.run(
        [program, "--failure-threshold", "style", str(DOCKERFILE)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr
    assert "hadolint ignore" not in TEXT


def test_the_image_has_the_program(bin_folder: Path, tmp_path: Path) -> None:
    """Found by PATH, of this version, with every engine, and with help for people."""
    [path] = re.findall(r"PATH=(\S+):\$PATH", TEXT)
    assert path == f"{INSTALLED}/bin"
    [program] = words("ENTRYPOINT")
    env = outside(bin_folder)
    said = ran([bin_folder / program, "--version"], tmp_path, env)
    assert said == f"cms-relay {__version__} (engines: {', '.join(engine_names())})\n"
    assert "usage: cms-relay" in ran([bin_folder / program, "--help"], tmp_path, env)


def test_the_image_runs_without_arguments(bin_folder: Path, tmp_path: Path) -> None:
    """What it does by default gets ready, and ends as it should."""
    [program] = words("ENTRYPOINT")
    child = Child(
        subprocess.Popen(
            [bin_folder / program, *words("CMD"), *ANYWHERE],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env=outside(bin_folder),
            cwd=tmp_path,
        )
    )
    child.wait_ready()
    assert set(child.urls) == {"listening", "http", "emulator"}
    assert child.stop() == 0


def test_the_image_has_no_more_than_it_needs(bin_folder: Path, tmp_path: Path) -> None:
    """Neither tests nor their libraries; what is there goes together."""
    python = bin_folder / "python"
    said = ran([python, "-m", "pip", "list", "--format=freeze"], tmp_path)
    names = {line.partition("==")[0].lower() for line in said.splitlines()}
    assert {"cms-relay", "twisted"} <= names
    assert not names & {"pytest", "hypothesis", "mypy", "ruff"}
    ran([python, "-m", "pip", "check"], tmp_path)
