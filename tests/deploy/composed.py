"""deploy/compose.yaml as the tests read it."""

import importlib
import importlib.util
from pathlib import Path
from typing import Any

import pytest

__all__ = ["FOLDER", "services"]

FOLDER = Path(__file__).resolve().parents[2] / "deploy"


def services() -> dict[str, dict[str, Any]]:
    """By name; skips where there is no YAML."""
    if importlib.util.find_spec("yaml") is None:
        pytest.skip("yaml is not installed (extra: test)")
    yaml = importlib.import_module("yaml")
    text = (FOLDER / "compose.yaml").read_text("utf-8")
    found: dict[str, dict[str, Any]] = yaml.safe_load(text)["services"]
    return found
