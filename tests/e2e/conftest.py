"""No child outlives its test; a browser for those that ask for one."""

from collections.abc import Iterator

import pytest

from tests.browser import browser, chromium
from tests.e2e.children import Child

__all__ = ["browser", "chromium"]


@pytest.fixture(autouse=True)
def _end_children() -> Iterator[None]:
    """Kill what a failing test left running."""
    yield
    for child in tuple(Child.running):
        child.kill()
