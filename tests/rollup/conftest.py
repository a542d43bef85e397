"""Each engine in turn: the tests that ask for ``rig`` are the contract of all of them."""

import os
from collections.abc import Callable
from functools import partial

import pytest

from relay.rollup.engines import engine_names
from tests.rollup.rig import Rig

NATIVE = pytest.mark.native


@pytest.fixture(
    params=[
        "python",
        pytest.param("native", marks=NATIVE),
        pytest.param("sharded", marks=NATIVE),
    ]
)
def make_rig(request: pytest.FixtureRequest) -> Callable[..., Rig]:
    """Makes rigs with options of the engine's own."""
    if request.param != "python" and "native" not in engine_names():
        # Whoever asked for it wants to hear that it is missing, not that it was skipped.
        asked = os.environ.get("CMS_RELAY_ENGINE") == "native"
        (pytest.fail if asked else pytest.skip)("the native engine was not built")
    return partial(Rig, request.param)


@pytest.fixture
def rig(make_rig: Callable[..., Rig]) -> Rig:
    """A rig with the default options."""
    return make_rig()
