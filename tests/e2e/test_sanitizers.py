"""The C of the native engine under gcc's sanitizers, in children of their own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from relay.pipeline import engine_names
from tests.e2e.children import ROOT

if "native" not in engine_names():
    pytest.skip("the native engine was not built", allow_module_level=True)

pytestmark = [pytest.mark.e2e, pytest.mark.native]


@pytest.fixture
def gcc() -> str:
    """The compiler."""
    found = shutil.which("gcc")
    if found is None:
        pytest.skip("gcc is not installed")
    return found


def test_the_engine_suite_passes_under_sanitizers(tmp_path: Path, gcc: str) -> None:
    """AddressSanitizer and UndefinedBehaviorSanitizer, over all its tests."""
    libraries = [_library(gcc, name) for name in ("libasan.so", "libubsan.so")]
    _build(tmp_path, "address,undefined -fno-sanitize-recover=undefined")
    words = ("-k", "native and not sharded and not both_engines", "tests/rollup")
    said = _run(
        [*_pytest(), *words],
        tmp_path,
        LD_PRELOAD=" ".join(libraries),
        ASAN_OPTIONS="detect_leaks=0",
        PYTHONMALLOC="malloc",
    )
    assert " passed" in said
    assert " failed" not in said


def test_threads_that_feed_one_engine_race_nowhere(tmp_path: Path, gcc: str) -> None:
    """ThreadSanitizer: whatever two of them touch is locked, and in one order."""
    library = _library(gcc, "libtsan.so")
    setarch = shutil.which("setarch")
    if setarch is None:
        pytest.skip("setarch is not installed")
    _build(tmp_path, "thread")
    # It knows no memory where the kernel puts it at random.
    said = _run(
        [setarch, "-R", *_pytest(), "tests/e2e/test_shards.py"],
        tmp_path,
        LD_PRELOAD=library,
    )
    assert " passed" in said


def _pytest() -> list[str]:
    return [
        sys.executable,
        *["-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"],
    ]


def _build(folder: Path, sanitizers: str) -> None:
    """A copy of the checkout in which the engine is instrumented."""
    for name in ("relay", "tests"):
        ignored = shutil.ignore_patterns("__pycache__", "*.so")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    for name in ("setup.py", "setup.cfg", "pyproject.toml", "README.rst"):
        shutil.copy(ROOT / name, folder)
    flags = f"-Werror -O1 -g -fsanitize={sanitizers}"
    _run([sys.executable, "setup.py", "build_ext", "--inplace"], folder, CFLAGS=flags)
    assert list((folder / "relay" / "rollup").glob("_native*.so"))


def _library(gcc: str, name: str) -> str:
    words = [gcc, f"-print-file-name={name}"]
    found = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    if not Path(found.strip()).is_absolute():
        pytest.skip(f"{name} is not installed")
    return found.strip()


def _run(command: list[str], folder: Path, **more: str) -> str:
    ended = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), **more},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout[-2000:] + ended.stderr[-2000:]
    return ended.stdout
