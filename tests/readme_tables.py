"""The tables of docs/ that are made from the code.

``python -m tests.readme_tables`` writes them anew; tests/test_readme.py compares.
"""

from relay.settings import settings_table, statsd_keys_table
from relay.telemetry import metrics_table
from tests.readme import DOCS

__all__ = ["TABLES", "filled"]

TABLES = {
    "settings.rst": ("settings-table", settings_table),
    "migrating.rst": ("statsd-keys-table", statsd_keys_table),
    "metrics.rst": ("metrics-table", metrics_table),
}
"""The page of each, its mark there, and what makes it."""


def filled(page: str, text: str) -> str:
    """``text`` of that page with its marked place holding the table of today."""
    name, table = TABLES[page]
    begin, end = f".. {name}-begin\n", f".. {name}-end\n"
    before, found, rest = text.partition(begin)
    _, ended, after = rest.partition(end)
    if not found or not ended:
        raise ValueError(f"docs/{page} has no place for the {name}")
    return f"{before}{begin}\n{table().strip()}\n\n{end}{after}"


if __name__ == "__main__":
    for one in TABLES:
        path = DOCS / one
        path.write_text(filled(one, path.read_text(encoding="utf-8")), encoding="utf-8")
