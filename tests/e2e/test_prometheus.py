"""A real Prometheus, set up as deploy/prometheus has it, scrapes a real relay."""

import json
import re
import shutil
import subprocess
import sys
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from relay.telemetry import METRICS, PREFIX, Own
from tests.deploy.composed import FOLDER
from tests.e2e.children import Child, clean_environment
from tests.e2e.lives import start_emulator
from tests.e2e.road import get, start_relay, wait_until

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(
        not shutil.which("prometheus"), reason="prometheus is not installed"
    ),
]

CONFIGURATION = (FOLDER / "prometheus" / "prometheus.yml").read_text("utf-8")
RULES = FOLDER / "prometheus" / "cms-relay.rules.yml"
BOARD = json.loads((FOLDER / "grafana" / "cms-relay.json").read_text("utf-8"))
LINES = ("a:1|c", "a:2|c", "b:x|c", "c:1|g", "d:1|ms", "_sc|name|0")
WITHOUT_DATA = {
    "Connections",  # no such door is open
    "Copies to other daemons",  # nor is there another daemon
    "Until the keys expire",  # the emulator's do not
    "Age of the last checkpoint",  # the state is off
    "Dropped by the kernel",  # only where the system says it
}
"""Panels that may be empty for this relay."""

SERIES = 'count({job="cms-relay", __name__!~"up|scrape_.+|ALERTS.*"})'
"""How many there are of the relay; as many as samples, unless one came twice."""


class Prometheus:
    """One that scrapes each second, and its answers; ends with ``stop``."""

    def __init__(self, folder: Path, relay: str) -> None:
        address = urllib.parse.urlsplit(relay).netloc
        assert CONFIGURATION.count("relay:8127") == 1
        text = CONFIGURATION.replace("relay:8127", address).replace("15s", "1s")
        (folder / "prometheus.yml").write_text(text, "utf-8")
        shutil.copy(RULES, folder)
        self._log = folder / "log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [
                    *("prometheus", "--config.file=prometheus.yml"),
                    *("--storage.tsdb.path=data", "--web.listen-address=127.0.0.1:0"),
                ],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def wait_ready(self) -> None:
        """Return when it has scraped twice."""
        wait_until("prometheus is ready", lambda: "ready to receive" in self._said())
        wait_until("it has scraped", lambda: self.values("up") == [1])
        self.scrape()

    def scrape(self) -> None:
        """Return when whatever is true now has been scraped."""
        expr = "count_over_time(up[1h])"
        [before, *_] = self.values(expr)
        wait_until("two scrapes", lambda: self.values(expr)[0] >= before + 2)

    def asked(self, path: str, **query: str) -> Any:
        """The data of an answer of its API."""
        [address] = re.findall(r'"Listening on" address=(\S+)', self._said())
        words = urllib.parse.urlencode(query)
        answer = json.loads(get(f"http://{address}/api/v1/{path}?{words}"))
        assert answer["status"] == "success"
        return answer["data"]

    def values(self, expr: str) -> list[float]:
        found = self.asked("query", query=expr)["result"]
        return [float(one["value"][1]) for one in found]

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()

    def _said(self) -> str:
        return self._log.read_text("utf-8", "replace")


@pytest.fixture
def relay() -> Child:
    """It reports to an emulator, and has had each kind of line."""
    found = start_relay(start_emulator(), 2, "--series-quota", "1000")
    send(found)
    return found


@pytest.fixture
def prometheus(relay: Child, tmp_path: Path) -> Iterator[Prometheus]:
    """One that has scraped the relay."""
    found = Prometheus(tmp_path, relay.urls["http"][0])
    try:
        found.wait_ready()
        yield found
    finally:
        found.stop()


def send(relay: Child) -> None:
    to = ("--to", relay.urls["listening"][0])
    subprocess.run(
        [sys.executable, "-m", "relay", "send", *to, *LINES],
        env=clean_environment(),
        check=True,
        timeout=30,
    )


def exposed(own: Own) -> str:
    return f"{PREFIX}{own.name}{'_bucket' if own.type == 'histogram' else ''}"


def test_it_takes_every_metric_for_what_it_is(prometheus: Prometheus) -> None:
    """Names and types, with no sample twice; figures are those of what was sent."""
    names = set(prometheus.asked("label/__name__/values"))
    closed = {own for own in METRICS if all(of for _, of in own.labels)}
    assert {exposed(own) for own in closed} <= names
    known = prometheus.asked("metadata")
    for own in METRICS:
        name = f"{PREFIX}{own.name}"
        [about, *_] = (
            known.get(name)
            or known.get(name.removesuffix("_total"))
            or known[name.removesuffix("_info")]
        )
        assert about["type"] == own.type
        assert about["help"] == own.documentation
    assert prometheus.values("scrape_samples_scraped") == prometheus.values(SERIES)
    for expr, wanted in (
        ("cms_relay_sections_total", 6),
        ("sum(cms_relay_samples_total)", 4),
        ('cms_relay_samples_total{kind="counter"}', 2),
        ('cms_relay_refused_total{reason="bad_value"}', 1),
        ('cms_relay_ignored_total{what="service_check"}', 1),
    ):
        assert prometheus.values(expr) == [wanted]


def test_every_panel_of_the_dashboard_has_data(
    prometheus: Prometheus, relay: Child
) -> None:
    """But those of what this relay has not; each query is one that runs."""

    def delivered() -> bool:
        found = prometheus.values("cms_relay_last_success_timestamp_seconds > 0")
        return bool(found)

    wait_until("an entry is delivered", delivered)
    prometheus.scrape()
    for panel in BOARD["panels"]:
        for target in panel.get("targets", []):
            expr = target["expr"].replace("$__rate_interval", "1m")
            found = prometheus.values(expr.replace("$instance", ".+"))
            assert found or panel["title"] in WITHOUT_DATA, panel["title"]
    [waiting] = [one for one in BOARD["panels"] if one["title"].startswith("Ledger")]
    expr = waiting["targets"][0]["expr"].replace("$instance", ".+")
    assert prometheus.values(expr) == [0]


def test_the_alerts_are_of_this_relay(prometheus: Prometheus, relay: Child) -> None:
    """All are well and silent while it is, but of the line refused; then it is missed."""

    def alerts() -> set[str]:
        found = prometheus.asked("alerts")["alerts"]
        return {one["labels"]["alertname"] for one in found}

    def rules() -> list[Any]:
        groups = prometheus.asked("rules")["groups"]
        return [rule for group in groups for rule in group["rules"]]

    wait_until("all are judged", lambda: all(r["health"] != "unknown" for r in rules()))
    assert {rule["health"] for rule in rules()} == {"ok"}
    assert len(rules()) == RULES.read_text("utf-8").count("- alert: ")
    assert alerts() <= {"CmsRelayRefusesMuch"}
    assert relay.stop() == 0
    wait_until("it is missed", lambda: "CmsRelayAbsent" in alerts())
    assert prometheus.values('up{job="cms-relay"}') == [0]
