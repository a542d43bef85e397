"""The tables of README.rst that are made from the code.

``python -m tests.readme_tables`` writes them anew; tests/test_readme.py compares.
"""

from relay.settings import settings_table, statsd_keys_table
from relay.telemetry import metrics_table
from tests.readme import README

__all__ = ["filled"]

TABLES = {
    "settings-table": settings_table,
    "statsd-keys-table": statsd_keys_table,
    "metrics-table": metrics_table,
}


def filled(text: str) -> str:
    """``text`` with each marked place holding the table of today."""
    for name, table in TABLES.items():
        begin, end = f".. {name}-begin\n", f".. {name}-end\n"
        before, found, rest = text.partition(begin)
        _, ended, after = rest.partition(end)
        if not found or not ended:
            raise ValueError(f"README.rst has no place for the {name}")
        text = f"{before}{begin}\n{table().strip()}\n\n{end}{after}"
    return text


if __name__ == "__main__":
    README.write_text(filled(README.read_text(encoding="utf-8")), encoding="utf-8")
