"""Whatever the native module is asked, every object has as many references afterwards."""

import os
import subprocess
import sys

import pytest

from relay.pipeline import engine_names
from tests.e2e.children import ROOT

if "native" not in engine_names():
    pytest.skip("the native engine was not built", allow_module_level=True)

from tests.e2e.asked import Things, types
from tests.e2e.asked_all import calls

pytestmark = [pytest.mark.e2e, pytest.mark.native]


def test_no_reference_is_lost_or_gained() -> None:
    """Of arguments, types and None, where it goes well and where it raises."""
    ended = subprocess.run(
        [sys.executable, "-m", "tests.e2e.references"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (0, ""), ended.stdout + ended.stderr


@pytest.mark.parametrize("kind", types(), ids=lambda kind: kind.__name__)
def test_every_method_is_among_what_is_asked(kind: type) -> None:
    """One that is added wants a line of its own there."""
    asked = {one.name.split()[0] for one in calls(Things())}
    own = {
        f"{kind.__name__}.{name}"
        for name, what in vars(kind).items()
        if callable(what) and not name.startswith("__")
    }
    assert own <= asked
