"""The alerts in deploy/prometheus: each fires when it should, of metrics that there are."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from relay.telemetry import LABELS, METRICS, PREFIX

FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "prometheus"
RULES = (FOLDER / "cms-relay.rules.yml").read_text("utf-8")
TESTS = (FOLDER / "cms-relay.test.yml").read_text("utf-8")


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed")
@pytest.mark.parametrize(
    "words",
    [
        ("check", "rules", "cms-relay.rules.yml"),
        ("test", "rules", "cms-relay.test.yml"),
    ],
    ids=["rules", "tests"],
)
def test_promtool_has_no_complaint(words: tuple[str, ...]) -> None:
    """The rules are valid; each fires where it has to, and none where all is well."""
    done = subprocess.run(
        ["promtool", *words], cwd=FOLDER, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_has_a_case_in_which_it_fires() -> None:
    """Nobody finds out in the night that one never would."""
    alerts = re.findall(r"- alert: (\w+)", RULES)
    assert len(alerts) == len(set(alerts))
    assert set(re.findall(r'alertname="(\w+)"', TESTS)) == set(alerts)


@pytest.mark.parametrize("text", [RULES, TESTS], ids=["rules", "tests"])
def test_every_metric_and_label_is_one_of_ours(text: str) -> None:
    """Also the words that a label may have."""
    known = {PREFIX + own.name: dict(own.labels) for own in METRICS}
    found = re.findall(r"\b(cms_relay_\w+)(?:\{([^}]*)\})?", text)
    assert len(found) > 10
    for name, labels in found:
        assert name in known
        for label, value in re.findall(r'(\w+)="(\w+)"', labels):
            if label != "instance":
                words = known[name][label]
                assert words is None or words not in LABELS or value in LABELS[words]


def test_every_alert_says_what_to_do() -> None:
    """And how soon."""
    alerts = RULES.count("- alert: ")
    for key in ("summary: ", "what_to_do: ", "severity: "):
        assert RULES.count(key) >= alerts
