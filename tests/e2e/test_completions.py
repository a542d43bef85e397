"""deploy/completions in the shells they are for: what a line and Tab give."""

import os
import pty
import select
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from tests.deploy.write import DEPLOY

pytestmark = pytest.mark.e2e

FOLDER = DEPLOY / "completions"
SECONDS = 30.0

ASKED = [
    (
        "cms-relay ",
        "run check explain replay record send plan put emulator doctor spool",
    ),
    ("cms-relay sp", "spool"),
    ("cms-relay --v", "--version"),
    ("cms-relay run --si", "--signed-gauge --sink --signature"),
    ("cms-relay run --no-k", "--no-key-name-sanitize --no-key-file-shared"),
    ("cms-relay run --sink ", "cloudmonitor emulator hybrid stdout null"),
    ("cms-relay run --sink em", "emulator"),
    ("cms-relay run --sink=em", "emulator"),
    ("cms-relay run --listen ", ""),
    ("cms-relay run re", "relay.toml"),
    ("cms-relay run --state ./", "./sub"),
    ("cms-relay run --mapping r", "relay.toml"),
    ("cms-relay run --sink emulator --engi", "--engine"),
    ("cms-relay emulator --edition ", "free paid"),
    ("cms-relay put --type ", "0 1"),
    ("cms-relay spool ", "ls verify show drop"),
    ("cms-relay spool drop --qu", "--quarantine"),
    ("cms-relay spool ls --qu", ""),
    ("cms-relay send r", ""),
]
"""Line up to the cursor -> what comes, in any order."""

each_line = pytest.mark.parametrize(
    ("line", "wanted"), ASKED, ids=[line for line, _ in ASKED]
)

BASH = """\
source "$1"
shift
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
eval "$(complete -p cms-relay | sed 's/.*-F \\([^ ]*\\) .*/\\1/')"
printf '%s\\n' "${COMPREPLY[@]}"
"""
FISH = 'source "$argv[1]"; complete -C "$argv[2]"'
ZSH = """\
PS1=''; fpath=({folder} $fpath); autoload -Uz compinit; compinit -D -u; bindkey '^I' complete-word
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the line is written: a file and a folder are there."""
    here = tmp_path / "here"
    (here / "sub").mkdir(parents=True)
    (here / "relay.toml").touch()
    return here


def answers(words: list[str], folder: Path) -> set[str]:
    """The lines printed, without what follows a tab."""
    home = str(folder.parent)
    done = subprocess.run(
        words,
        cwd=folder,
        env=os.environ | {"HOME": home, "XDG_CONFIG_HOME": home},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    lines = (line.partition("\t")[0] for line in done.stdout.splitlines())
    return {line.rstrip("/") for line in lines if line}


@each_line
def test_bash(line: str, wanted: str, folder: Path) -> None:
    """What its own readline would be given; = stands for itself there."""
    if shutil.which("bash") is None:
        pytest.skip("bash is not installed")
    words = line.replace("=", " = ").split(" ")
    script = [*("bash", "--norc", "--noprofile", "-c", BASH, "bash")]
    came = answers([*script, str(FOLDER / "cms-relay.bash"), *words], folder)
    assert came == set(wanted.split())


@each_line
def test_fish(line: str, wanted: str, folder: Path) -> None:
    """What it would list; it gives a flag along with the value after =."""
    if shutil.which("fish") is None:
        pytest.skip("fish is not installed")
    came = answers(
        ["fish", "--no-config", "-c", FISH, str(FOLDER / "cms-relay.fish"), line],
        folder,
    )
    prefix = line.rpartition(" ")[2].partition("=")
    start = f"{prefix[0]}=" if prefix[1] else ""
    assert came == {f"{start}{one}" for one in wanted.split()}


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("cms-relay emul", "cms-relay emulator "),
        ("cms-relay run --sin", "cms-relay run --sink="),
        ("cms-relay run --sink em", "cms-relay run --sink emulator "),
        ("cms-relay run --mapping rel", "cms-relay run --mapping relay.toml "),
        ("cms-relay spool dr", "cms-relay spool drop "),
        ("cms-relay spool drop --qu", "--quarantine"),
    ],
)
def test_zsh(line: str, wanted: str, folder: Path) -> None:
    """In a terminal, by Tab."""
    if shutil.which("zsh") is None:
        pytest.skip("zsh is not installed")
    ours, theirs = pty.openpty()
    shell = subprocess.Popen(
        ["zsh", "-f", "-i"],
        cwd=folder,
        env=os.environ | {"TERM": "dumb"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        os.write(ours, ZSH.format(folder=FOLDER).encode() + b"echo re''ady\n")
        assert b"ready\r\n" in read(ours, b"ready\r\n")
        os.write(ours, f"{line}\t".encode())
        assert wanted.encode() in read(ours, wanted.encode())
    finally:
        shell.kill()
        shell.wait()
        os.close(ours)


def read(terminal: int, until: bytes) -> bytes:
    """What comes, as far as ``until`` or the end of the time."""
    came, deadline = b"", time.monotonic() + SECONDS
    while until not in came and time.monotonic() < deadline:
        if select.select([terminal], [], [], 0.2)[0]:
            came += os.read(terminal, 65536)
    return came
