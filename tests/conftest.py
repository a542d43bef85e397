"""How hypothesis runs here, and the figures that tests of reliability bars measure.

``@pytest.mark.bar("R1")`` says which row of the table in docs/reliability.rst a test is about. Such a
test tells ``figure`` what it measured; at the end of a run all figures are listed by
row: ``pytest -m "bar and not soak"``, ``pytest -m "bar and soak"``.
"""

import os
import re
from collections.abc import Callable

import pytest
from hypothesis import settings

pytest_plugins = ["tests.workers"]

# Without deadlines, and the same way every time in CI.
settings.register_profile("relay", deadline=None)
settings.register_profile("relay-ci", deadline=None, derandomize=True)
settings.load_profile("relay-ci" if os.environ.get("CI") else "relay")

_FIGURE = "figure"


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Takes what was measured, in words: ``figure("11 requests")``."""
    rows = [row for mark in request.node.iter_markers("bar") for row in mark.args]
    assert rows, "only a test of a bar has figures"
    # The mark of a function comes before that of its module.
    return lambda text: request.node.user_properties.append(
        (_FIGURE, (rows[0], text, request.node.name))
    )


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The figures by row, for whoever fills in that table."""
    figures = {
        value
        for reports in terminalreporter.stats.values()
        for report in reports
        for name, value in getattr(report, "user_properties", ())
        if name == _FIGURE
    }
    if figures:
        terminalreporter.section("figures of the reliability bars")
    for row, text, test in sorted(figures, key=_by_row):
        terminalreporter.line(f"{row:4} {text}   [{test}]")


def _by_row(figure: tuple[str, str, str]) -> tuple[str, int, str]:
    row, text, _ = figure
    letter, number = re.fullmatch(r"([A-Z])(\d+)", row).groups()  # type: ignore[union-attr]
    return letter, int(number), text
