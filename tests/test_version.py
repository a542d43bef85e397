"""The version is written in one place of the program; whatever repeats it agrees."""

import configparser
import re
from pathlib import Path

import pytest
from requests.adapters import HTTPAdapter

from relay import __version__
from relay.sink import transport

ROOT = Path(__file__).parent.parent

REPEATED = {
    "deploy/Dockerfile": (r"cms-relay:([\w.]+)", r'image\.version="([^"]+)"'),
    "deploy/compose.yaml": (r"image: cms-relay:([\w.]+)",),
    "deploy/kubernetes/base/kustomization.yaml": (r"newTag: ([\w.]+)",),
    "deploy/kubernetes/overlays/sidecar/kustomization.yaml": (r"newTag: ([\w.]+)",),
    "deploy/man/cms-relay.1": (r'"cms\\-relay (\d[\w.]*)"',),
}
"""Files that cannot read it, with how each says it."""


def test_the_package_takes_its_version_from_the_module() -> None:
    """setup.cfg has no number of its own, and pyproject.toml is silent."""
    setup = configparser.ConfigParser(interpolation=None)
    setup.read(ROOT / "setup.cfg", "utf-8")
    assert setup["metadata"]["version"] == "attr: relay.__version__"
    assert "version =" not in re.sub(
        "target-version", "", (ROOT / "pyproject.toml").read_text("utf-8")
    )


def test_no_other_module_has_the_number() -> None:
    """What shows it imports it: --version, /metrics, /status, the User-Agent."""
    having = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "relay").rglob("*.py")
        if f'"{__version__}"' in path.read_text("utf-8")
    }
    assert having == {"relay/__init__.py"}


@pytest.mark.parametrize(
    ("name", "pattern"),
    [(name, one) for name, patterns in REPEATED.items() for one in patterns],
)
def test_what_repeats_the_version_agrees(name: str, pattern: str) -> None:
    """At every place where the file has it."""
    found = re.findall(pattern, (ROOT / name).read_text("utf-8"))
    assert found
    assert set(found) == {__version__}


def test_nothing_else_in_deploy_has_the_number() -> None:
    """A file that comes to say it comes into the table."""
    having = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "deploy").rglob("*")
        if path.is_file()
        and re.search(
            rf"cms-relay.*\b{re.escape(__version__)}\b", path.read_text("utf-8")
        )
    }
    assert having <= set(REPEATED)


def test_the_user_agent_says_it() -> None:
    """To the service, of every request."""
    session = transport._session_over(HTTPAdapter(), trust_env=False)
    assert session.headers["User-Agent"] == f"cms-relay/{__version__}"
