"""The commands of README.rst and docs/*.rst, run as they stand but for ports and places.

An emulator and a relay of the test's own take the place of those at the ports that the
pages name; ``run`` becomes ``check``, which wants the same settings and ends by itself.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError

import pytest

from tests.docs.commands import Command, Runs, commands, runs
from tests.docs.pages import PAGES, ROOT, literals
from tests.e2e.children import Child, clean_environment
from tests.e2e.road import KEYS, get, start_relay, wait_until

pytestmark = pytest.mark.e2e

COMMANDS = list({one.text: one for one in commands()}.values())
RECORDED = [
    {"t": 0, "datagram": "checkout.ok:1|c|#env:prod\nhttp.time:12|ms|#path:/a"},
    {"t": 1, "datagram": "http.time:15|ms|#path:/b"},
]
NC = """\
#!{python}
import socket, sys
with socket.create_connection((sys.argv[1], int(sys.argv[2])), 10) as console:
    console.sendall(sys.stdin.buffer.read())
    while heard := console.recv(4096):
        sys.stdout.buffer.write(heard)
"""
"""Of netcat what the pages use, for where it is not installed."""

MAPPING = "mappings:\n- match: a.*.b\n  name: a_b\n  labels: {which: $1}\n"


def by(who: Runs) -> pytest.MarkDecorator:
    found = [one for one in COMMANDS if runs(one) is who]
    return pytest.mark.parametrize("command", found, ids=lambda one: one.text)


class Place:
    """A folder with what the commands name, and the processes they talk to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.emulator = Child.start(["emulator", "--listen", "127.0.0.1:0"])
        [self.sink] = self.emulator.urls["emulator"]
        state = folder / "state"
        more = ("--console", "127.0.0.1:0", "--state", str(state), "--report-events")
        self.relay = start_relay(self.emulator, 60, *more)
        lines = "\n".join(map(json.dumps, RECORDED))
        for name in ("FILE", "traffic.jsonl"):
            (folder / name).write_text(lines + "\n", "utf-8")
        (folder / "config.js").write_text("{port: 8125, mgmt_port: 8126}\n", "utf-8")
        (folder / "mapping.yaml").write_text(MAPPING, "utf-8")
        self.path = os.environ["PATH"]
        if shutil.which("nc") is None:
            (folder / "bin").mkdir()
            (folder / "bin" / "nc").write_text(NC.format(python=sys.executable))
            (folder / "bin" / "nc").chmod(0o755)
            self.path = os.pathsep.join([str(folder / "bin"), self.path])

    def here(self, text: str) -> str:
        """The command with ports and places of this test."""
        [console] = self.relay.urls["console"]
        [http] = self.relay.urls["http"]
        for there, here in (
            ("http://127.0.0.1:8128", self.sink),
            ("http://127.0.0.1:8127", http),
            ("127.0.0.1 8126", console.partition("://")[2].replace(":", " ")),
            ("--mapping FILE", "--mapping mapping.yaml"),
            ("--state FOLDER", f"--state {self.folder / 'state'}"),
            ("/etc/statsd/config.js", str(self.folder / "config.js")),
        ):
            text = text.replace(there, here)
        if re.match(r"cms-relay (put|doctor) ", text):
            text = text.replace("--region cn-hangzhou", f"--endpoint {self.sink}")
        text = re.sub(r"^cms-relay run\b", "cms-relay check", text)
        text = re.sub(r"^cms-relay doctor\b", "cms-relay doctor --http off", text)
        text = re.sub(r"^curl\b", "curl --fail", text)
        return re.sub(r"^cms-relay\b", f"{sys.executable} -m relay", text)

    def run(self, text: str) -> subprocess.CompletedProcess[str]:
        """By a shell, with the emulator's keys."""
        keys = KEYS | {"STATE_DIRECTORY": str(self.folder / "other")}
        keys |= {"PATH": self.path}
        if text.startswith("cms-relay spool "):
            keys |= {"CMS_RELAY_STATE": str(self.folder / "state")}
        if text.endswith(
            "/config.js"
        ):  # "comes from flags and variables", it says there
            keys |= {"CMS_RELAY_REGION": "cn-hangzhou"}
        return subprocess.run(
            ["bash", "-o", "pipefail", "-c", self.here(text)],
            cwd=self.folder,
            env=clean_environment() | keys | {"PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """One for all commands; ``_end_children`` of the conftest is for single tests."""
    return Place(tmp_path_factory.mktemp("docs"))


@pytest.fixture(autouse=True)
def _end_children() -> None:
    """In the place of the conftest's: the processes outlive a test here."""


@pytest.fixture(scope="module", autouse=True)
def _end_place() -> Iterator[None]:
    """No process outlives the module."""
    yield
    for child in tuple(Child.running):
        child.kill()


@by(Runs.RELAY)
def test_a_command_of_ours_ends_well(command: Command, place: Place) -> None:
    """With status 0."""
    done = place.run(command.text)
    assert done.returncode == 0, done.stdout + done.stderr


@by(Runs.SHELL)
def test_a_command_of_a_shell_ends_well(command: Command, place: Place) -> None:
    """Against the relay and the emulator of this test."""
    if command.text.startswith("curl") and shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    done = place.run(command.text)
    assert done.returncode == 0, done.stdout + done.stderr


@by(Runs.KUSTOMIZE)
def test_what_is_applied_can_be_rendered(command: Command) -> None:
    """The folder is one that kubectl takes."""
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not installed")
    folder = ROOT / command.words[-1]
    done = subprocess.run(
        ["kubectl", "kustomize", folder],
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert "kind: " in done.stdout


def paths() -> set[tuple[str, str]]:
    """Paths of the admin port and of the emulator that the pages name."""
    named = {one for page in PAGES for one in literals(page)}
    found = set()
    for one in named:
        if match := re.fullmatch(r"(?:GET )?(/[a-z_]*(?:/[a-z]+)?)", one):
            emulator = match[1].startswith("/_emulator")
            found.add(("emulator" if emulator else "relay", match[1]))
    return found


@pytest.mark.parametrize(("whose", "path"), sorted(paths()))
def test_every_path_answers(whose: str, path: str, place: Place) -> None:
    """Of the relay's pages 200; the emulator may want a query or a POST, and says so."""
    [http] = place.relay.urls["http"]
    try:
        get((place.sink if whose == "emulator" else http) + path)
    except HTTPError as error:
        assert whose == "emulator"
        assert error.code in {400, 405}  # noqa: PT017 - the same


def test_the_first_line_is_on_its_way(place: Place) -> None:
    """What the README has one send is counted."""
    [url] = place.relay.urls["listening"]
    done = place.run(f"cms-relay send --to {url} 'hello:1|c'")
    assert done.returncode == 0, done.stderr
    [http] = place.relay.urls["http"]
    wait_until(
        "the line was not counted",
        lambda: 'cms_relay_samples_total{kind="counter"} 1' in get(f"{http}/metrics"),
    )
