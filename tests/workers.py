"""What runs beside what, where there are several workers: ``pytest -n 2 --dist loadgroup``.

Tests marked ``e2e`` have other processes and real time to look at. One worker has them all,
one after the other, as if it were alone: whatever the others do meanwhile steps back.
"""

import os

import pytest

NICENESS = 10

_WORKER = "PYTEST_XDIST_WORKER"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Those that look at real time are one group, and each of the others is its own."""
    if config.pluginmanager.hasplugin("xdist"):
        for item in filter(_looks_at_time, items):
            item.add_marker(pytest.mark.xdist_group("e2e"))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """The group goes first: whoever has another test has no more of it."""
    if _WORKER in os.environ and not _looks_at_time(item):
        os.nice(max(0, NICENESS - os.nice(0)))


def _looks_at_time(item: pytest.Item) -> bool:
    marks = item.get_closest_marker
    return marks("e2e") is not None and marks("busy") is None
