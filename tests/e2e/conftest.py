"""No child outlives its test."""

from collections.abc import Iterator

import pytest

from tests.e2e.children import Child


@pytest.fixture(autouse=True)
def _end_children() -> Iterator[None]:
    """Kill what a failing test left running."""
    yield
    for child in tuple(Child.running):
        child.kill()
