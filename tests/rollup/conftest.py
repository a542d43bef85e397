"""Each engine in turn: the tests that ask for ``rig`` are the contract of all of them."""

from collections.abc import Callable
from functools import partial

import pytest

from tests.rollup.rig import Rig


@pytest.fixture(params=["python", pytest.param("native", marks=pytest.mark.native)])
def make_rig(request: pytest.FixtureRequest) -> Callable[..., Rig]:
    """Makes rigs with options of the engine's own."""
    return partial(Rig, request.param)


@pytest.fixture
def rig(make_rig: Callable[..., Rig]) -> Rig:
    """A rig with the default options."""
    return make_rig()
