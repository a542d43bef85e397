"""What runs beside what, where there are several workers: ``pytest -n 2``.

Tests in ``tests/e2e`` have other processes and real time to look at. One worker has them all,
one after the other, as if it were alone: whatever the others do meanwhile steps back.
"""

import os
from typing import Any

import pytest

NICENESS = 10

BUSY = ("tests/e2e/test_sanitizers.py", "tests/e2e/test_native_references.py")
"""They keep a core busy, and it does not matter how long they take."""

_WORKER = "PYTEST_XDIST_WORKER"


def _looks_at_time(nodeid: str) -> bool:
    return nodeid.startswith("tests/e2e/") and not nodeid.startswith(BUSY)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """The one in which they are one unit, which as the largest goes first."""
    if config.getvalue("dist") != "load":
        return None
    from xdist.scheduler import LoadScopeScheduling  # noqa: PLC0415 - may be absent

    class Scheduling(LoadScopeScheduling):  # type: ignore[misc]  # it has no types
        def _split_scope(self, nodeid: str) -> str:
            return "e2e" if _looks_at_time(nodeid) else nodeid

    return Scheduling(config, log)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Whoever has another test has no more of that unit."""
    if _WORKER in os.environ and not _looks_at_time(item.nodeid):
        os.nice(max(0, NICENESS - os.nice(0)))
