"""What a new configuration changes at once, and what asks for a restart."""

from pathlib import Path
from typing import Any

import attrs
import pytest

from relay.settings import Applied, Listen, NeedsRestart, Settings, changes
from relay.settings.changes import IN_PLACE

OLD = Settings(instance="web-1")


def changed(**values: Any) -> Applied | NeedsRestart:
    return changes(OLD, attrs.evolve(OLD, **values))


def test_every_key_that_changes_in_place_is_a_setting() -> None:
    """A setting that was renamed would need a restart in silence."""
    assert {field.name for field in attrs.fields(Settings)} >= IN_PLACE


def test_nothing_different_is_nothing_to_do() -> None:
    """Also where it was written in another way."""
    assert changed() == Applied(())


@pytest.mark.parametrize(
    "value",
    [
        {"listen": (Listen("udp", "127.0.0.1", 1),)},
        {"percentiles": (50,)},
        {"requests_per_second": 1.0},
        {"key_file": Path("keys")},
        {"log_level": "debug"},
    ],
    ids=str,
)
def test_what_changes_in_place(value: dict[str, Any]) -> None:
    """Doors, what a period reports, how fast it is sent, whose keys sign."""
    assert changed(**value) == Applied(tuple(value))


@pytest.mark.parametrize(
    "value",
    [
        {"engine": "native"},
        {"period": 2},
        {"instance": None},
        {"sink": "null"},
        {"state": Path("state")},
    ],
    ids=str,
)
def test_what_needs_a_restart(value: dict[str, Any]) -> None:
    """What a series is called, what a period is, where entries go and wait."""
    assert changed(**value) == NeedsRestart(tuple(value))


def test_one_that_needs_a_restart_holds_all_back() -> None:
    """Half a configuration is none."""
    assert changed(period=2, log_level="debug") == NeedsRestart(("period",))
