"""What the pages name is there: flags, metrics, alerts, files, fields of /status."""

import re
import typing
from pathlib import Path

import pytest

from relay.admin.status import Status
from relay.telemetry import LABELS, METRICS, PREFIX
from tests.docs.commands import flags
from tests.docs.pages import PAGES, ROOT, literals, read

pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)

OTHERS = {
    "--build": "docker compose",
    "--now": "systemctl enable",
    "--strict": "kubernetes-validate",
    "--dist": "pytest",
    "--x": "any switch",
    "--no-x": "any switch",
}
"""Flags of other programs."""

ALERTS = (ROOT / "deploy" / "prometheus" / "cms-relay.rules.yml").read_text("utf-8")


@pages
def test_every_flag_is_one_of_ours(page: Path) -> None:
    """Or of a program that is named here."""
    found = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*\b", read(page)))
    assert found <= flags() | set(OTHERS)


@pages
def test_every_metric_is_one_of_ours(page: Path) -> None:
    """With labels and values that it can have."""
    known = {PREFIX + own.name: dict(own.labels) for own in METRICS}
    for name, labels in re.findall(r"\b(cms_relay_\w+)(?:\{([^}`]*)\})?", read(page)):
        assert name in known or name == "cms_relay_doctor"
        for label, value in re.findall(r'(\w+)="(\w+)"', labels):
            words = known[name][label]
            assert words is not None
            assert value in LABELS[words]


@pages
def test_every_alert_is_one_of_ours(page: Path) -> None:
    """By the name in deploy/prometheus."""
    for name in re.findall(r"\bCmsRelay\w+", read(page)):
        assert f"- alert: {name}\n" in ALERTS


@pages
def test_every_path_of_the_checkout_is_there(page: Path) -> None:
    """A file or a folder."""
    for one in re.findall(r"(?<![\w/.-])(?:deploy|tests|relay)/[\w./-]+", read(page)):
        assert (ROOT / one.rstrip(".")).exists() or one.endswith("/"), one


def _fields(of: object) -> set[str]:
    """Names of the fields of a TypedDict, and of those within."""
    found: set[str] = set()
    if typing.is_typeddict(of):
        hints = typing.get_type_hints(of)
        return set(hints).union(*map(_fields, hints.values()))
    for inner in typing.get_args(of):
        found |= _fields(inner)
    return found


@pages
def test_every_field_of_status_is_one(page: Path) -> None:
    """Named as "``/status``: ``field``, ``field``" or "``field`` in ``/status``"."""
    text = re.sub(r"\s+", " ", read(page))
    found = re.findall(r"``(\w+)`` in ``/status``", text)
    for listed in re.findall(r"``/status``: ((?:``\w+``(?:, )?)+)", text):
        found += re.findall(r"\w+", listed)
    assert set(found) <= _fields(Status)


def test_fields_of_status_are_found() -> None:
    """The way it is looked for finds what the README says."""
    assert {"sink", "receive_buffer", "last_refusals"} <= _fields(Status)
    assert "receive_buffer" in literals(PAGES[0])
