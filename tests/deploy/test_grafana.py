"""The dashboard in deploy/grafana: it asks for what the program exposes, and for no more."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from relay.telemetry import LABELS, METRICS, PREFIX, Telemetry

PATH = Path(__file__).resolve().parents[2] / "deploy" / "grafana" / "cms-relay.json"
BOARD: dict[str, Any] = json.loads(PATH.read_text("utf-8"))
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
FILTER = 'instance=~"$instance"'
ROWS = [
    *(
        "Intake",
        "Refusals by reason",
        "Series",
        "Delivery and ledger",
        "Spool",
        "Events",
    ),
    *("Credentials", "Clock", "Host"),
]
SELECTOR = re.compile(r"\b((?:cms_relay|process)_\w+)(?:\{([^}]*)\})?")


def exposed() -> dict[str, Mapping[str, str | None]]:
    """The names of all samples on the wire -> their labels, with the list of each."""
    text = Telemetry("0", "python").render()[1].decode()
    names: dict[str, Mapping[str, str | None]] = {
        name: {} for name in re.findall(r"^(process_\w+)", text, re.MULTILINE)
    }
    for own in METRICS:
        name = PREFIX + own.name
        if own.type == "histogram":
            names |= {f"{name}_bucket": {"le": None}, f"{name}_sum": {}}
            names[f"{name}_count"] = {}
        else:
            names[name] = dict(own.labels)
    return names


KNOWN = exposed()
PANELS = [one for one in BOARD["panels"] if one["type"] != "row"]
TARGETS = [(panel, target) for panel in PANELS for target in panel["targets"]]

each_target = pytest.mark.parametrize(
    ("panel", "target"),
    TARGETS,
    ids=[f"{panel['title']}-{target['refId']}" for panel, target in TARGETS],
)


def listed(names: str) -> list[str]:
    return [name.strip() for name in names.split(",") if name.strip()]


def grouped_by(expr: str) -> Iterator[str]:
    for names in re.findall(r"\b(?:by|on)\s*\(([^)]*)\)", expr):
        yield from listed(names)


@each_target
def test_a_query_names_metrics_and_labels_that_there_are(
    panel: dict[str, Any], target: dict[str, Any]
) -> None:
    """With words that a label may have, in groups and legends too."""
    expr, labels = target["expr"], {"instance"}
    found = SELECTOR.findall(expr)
    assert found
    for name, selector in found:
        assert name in KNOWN
        labels |= KNOWN[name].keys()
        for label, words in re.findall(r'(\w+)=~?"([\w|]+)"', selector):
            closed = LABELS[KNOWN[name][label] or ""]
            assert set(words.split("|")) <= set(closed)
    assert set(grouped_by(expr)) <= labels
    assert set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) <= labels


@each_target
def test_every_selector_keeps_to_the_chosen_relays(
    panel: dict[str, Any], target: dict[str, Any]
) -> None:
    """No query reads all relays where one was chosen."""
    for _, selector in SELECTOR.findall(target["expr"]):
        assert FILTER in listed(selector)


@each_target
def test_a_legend_tells_its_lines_apart(
    panel: dict[str, Any], target: dict[str, Any]
) -> None:
    """Each label that a sum keeps is in the legend, but the bounds of buckets."""
    kept = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
    for names in re.findall(r"\bby\s*\(([^)]*)\)", target["expr"]):
        assert set(listed(names)) - {"le"} <= kept


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed")
def test_promtool_parses_every_query(tmp_path: Path) -> None:
    """As rules, with the variables filled in as Grafana does."""
    rules = [
        {
            "record": f"panel{panel['id']}:{target['refId']}",
            "expr": target["expr"]
            .replace("$__rate_interval", "2m")
            .replace("$instance", "a|b"),
        }
        for panel, target in TARGETS
    ]
    assert not any("$" in rule["expr"] for rule in rules)
    path = tmp_path / "queries.yml"
    path.write_text(
        json.dumps({"groups": [{"name": "panels", "rules": rules}]}), "utf-8"
    )
    done = subprocess.run(
        ["promtool", "check", "rules", str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(rules)} rules found" in done.stdout


def test_every_metric_of_ours_is_on_the_board() -> None:
    """A new metric is shown somewhere, or its author says here why not."""
    shown = {
        name.removesuffix("_bucket")
        for _, target in TARGETS
        for name, _ in SELECTOR.findall(target["expr"])
    }
    assert {PREFIX + own.name for own in METRICS} <= shown


@each_target
def test_what_means_loss_says_so(panel: dict[str, Any], target: dict[str, Any]) -> None:
    """The description of a panel has the word where one of its metrics has it."""
    shown = {name for name, _ in SELECTOR.findall(target["expr"])}
    if shown & {PREFIX + own.name for own in METRICS if own.loss}:
        assert "DATALOSS" in panel["description"]


def test_rows_and_panels_are_in_order() -> None:
    """Ids are unique, nothing lies upon another, and each row has panels."""
    panels = BOARD["panels"]
    assert [one["title"] for one in panels if one["type"] == "row"] == ROWS
    assert len({one["id"] for one in panels}) == len(panels)
    assert len({one["title"] for one in panels}) == len(panels)
    cells = [
        (x, y)
        for place in (one["gridPos"] for one in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
    kinds = [one["type"] for one in panels]
    assert ("row", "row") not in zip(kinds, [*kinds[1:], "row"], strict=True)


def test_the_data_source_is_chosen_by_who_looks() -> None:
    """Panels and variables name the variable, never one source."""
    variables = {one["name"]: one for one in BOARD["templating"]["list"]}
    assert list(variables) == ["datasource", "instance"]
    assert variables["datasource"]["type"] == "datasource"
    assert variables["datasource"]["query"] == "prometheus"
    chosen = [variables["instance"], *PANELS, *(target for _, target in TARGETS)]
    assert all(one["datasource"] == DATASOURCE for one in chosen)
    [name] = SELECTOR.findall(variables["instance"]["query"]["query"])
    assert name[0] in KNOWN
