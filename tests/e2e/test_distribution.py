"""The sdist and the wheel: whole, nothing besides, and at work where no checkout is."""

import importlib.util
import shutil
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

from relay import __version__
from relay.pipeline import engine_names
from tests.e2e.children import ROOT
from tests.e2e.fresh import built, outside, ran

pytestmark = pytest.mark.e2e

NAME = f"cms_relay-{__version__}"
SOURCES = (
    *("setup.cfg", "setup.py", "pyproject.toml", "MANIFEST.in"),
    *("README.rst", "CHANGELOG.rst", "LICENSE"),
)
FOLDERS = ("docs", "changes")
NATIVE = "relay/rollup/_native"
SITE = "import sysconfig; print(sysconfig.get_path('purelib'))"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with both, the wheel made of the sdist."""
    found = importlib.util.find_spec("build")
    if found is None or found.origin is None:  # a mere folder of that name has none
        pytest.skip("build is not installed (extra: test)")
    folder = tmp_path_factory.mktemp("distribution")
    source = folder / "source"
    ignored = shutil.ignore_patterns("__pycache__", "*.so")
    shutil.copytree(ROOT / "relay", source / "relay", ignore=ignored)
    for name in FOLDERS:
        shutil.copytree(ROOT / name, source / name)
    for name in SOURCES:
        shutil.copy(ROOT / name, source)
    built([sys.executable, "-m", "build", "--outdir", folder / "dist"], cwd=source)
    return folder / "dist"


@pytest.fixture(scope="module", params=["wheel", "sdist"])
def python(
    made: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Path:
    """Of an environment with what was made; libraries are those of the tests."""
    folder = tmp_path_factory.mktemp(request.param) / "venv"
    ran([sys.executable, "-m", "venv", folder], cwd=made)
    inside = folder / "bin" / "python"
    purelib = ran([inside, "-c", SITE], cwd=made).strip()
    Path(purelib, "libraries.pth").write_text(sysconfig.get_path("purelib"), "utf-8")
    archive = {"wheel": wheel_of(made), "sdist": made / f"{NAME}.tar.gz"}
    words = ("-m", "pip", "install", "--no-deps", archive[request.param])
    built([inside, *words], cwd=made)
    return inside


def wheel_of(made: Path) -> Path:
    """Its name says for which Python and machine it is, on Linux."""
    [wheel] = made.glob(f"{NAME}-*.whl")
    return wheel


def of_the_package() -> set[str]:
    """Every file of the package that somebody wrote."""
    return {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "relay").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".so"
    }


def of_the_wheel() -> set[str]:
    """All that but what the native engine is made of."""
    return {name for name in of_the_package() if not name.startswith(f"{NATIVE}/")}


def test_the_wheel_has_the_package_and_nothing_else(made: Path) -> None:
    """Pages, marker of types and all; no test, no folder beside it."""
    with zipfile.ZipFile(wheel_of(made)) as wheel:
        names = set(wheel.namelist())
    extra = {name for name in names if name.startswith(f"{NAME}.dist-info/")}
    compiled = {name for name in names if name.startswith(f"{NATIVE}.cpython")}
    assert names - extra - compiled == of_the_wheel()
    assert len(compiled) == ("native" in engine_names())
    assert "relay/py.typed" in names
    assert f"{NAME}.dist-info/licenses/LICENSE" in extra


def test_the_sdist_has_what_the_wheel_is_made_of(made: Path) -> None:
    """And metadata that say the same version."""
    with tarfile.open(made / f"{NAME}.tar.gz") as sdist:
        names = {name.removeprefix(f"{NAME}/") for name in sdist.getnames()}
        about = sdist.extractfile(f"{NAME}/PKG-INFO")
        assert about is not None
        text = about.read().decode()
    pages = {
        path.relative_to(ROOT).as_posix()
        for name in FOLDERS
        for path in (ROOT / name).rglob("*")
        if path.is_file()
    }
    assert {"docs/index.rst", "changes/README.rst"} <= pages
    assert of_the_package() | {*SOURCES} | pages <= names
    assert not any(name.startswith("tests") for name in names)
    assert f"\nVersion: {__version__}\n" in text


def test_what_is_installed_works(python: Path, tmp_path: Path) -> None:
    """It is imported from there, checks a configuration, and knows what a line becomes."""
    env, program = outside(), python.parent / "cms-relay"
    where = ran([python, "-c", "import relay; print(relay.__file__)"], tmp_path, env)
    assert Path(where.strip()).is_relative_to(python.parents[1])
    said = ran([program, "--version"], tmp_path, env)
    assert said == f"cms-relay {__version__} (engines: {', '.join(engine_names())})\n"
    config = tmp_path / "relay.toml"
    config.write_text('sink = "emulator"\nperiod = 5\n', "utf-8")
    assert "period" in ran([program, "check", config], tmp_path, env)
    assert '"accepted"' in ran([program, "explain", "--json", "a:1|c"], tmp_path, env)
    words = ("-c", "from importlib.metadata import version as v; print(v('cms-relay'))")
    assert ran([python, *words], tmp_path, env).strip() == __version__


def test_what_is_installed_has_its_pages(python: Path, tmp_path: Path) -> None:
    """Each file of the package that is no module can be read from there."""
    plain = sorted(name for name in of_the_wheel() if not name.endswith(".py"))
    assert any(name.endswith(".html") for name in plain)
    code = (
        "import importlib.resources as r, sys; "
        "[r.files('relay').joinpath(n).read_bytes() for n in sys.argv[1:]]"
    )
    names = [name.removeprefix("relay/") for name in plain]
    ran([python, "-c", code, *names], tmp_path, outside())
