"""The relay's own metrics: all declared, well named, closed, and never in the way."""

import re
import shutil
import subprocess
from collections.abc import Iterable
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import Metric
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from relay.delivery.ledger import OUTCOMES
from relay.statsd.sample import Kind, Reason, What
from relay.telemetry import (
    LABELS,
    METRICS,
    PREFIX,
    Counts,
    Own,
    Telemetry,
    metrics_table,
)

OPENMETRICS = "application/openmetrics-text; version=1.0.0"

RELIED_ON = {
    "cms_relay_build_info": ("version", "engine"),
    "cms_relay_datagrams_total": ("listener",),
    "cms_relay_received_bytes_total": ("listener",),
    "cms_relay_kernel_drops_total": ("listener",),
    "cms_relay_lines_total": (),
    "cms_relay_sections_total": (),
    "cms_relay_samples_total": ("kind",),
    "cms_relay_refused_total": ("reason",),
    "cms_relay_ignored_total": ("what",),
    "cms_relay_series": (),
    "cms_relay_entries_closed_total": (),
    "cms_relay_entries_total": ("outcome",),
    "cms_relay_requests_total": ("outcome",),
    "cms_relay_request_seconds": (),
    "cms_relay_spool_entries": (),
    "cms_relay_spool_bytes": (),
    "cms_relay_last_success_timestamp_seconds": (),
    "cms_relay_reactor_lag_seconds": (),
    "cms_relay_duplicate_tags_total": (),
}
"""What scripts rely on; a name may be added here and never taken away."""

every_metric = pytest.mark.parametrize("own", METRICS, ids=lambda own: own.name)


def make(*sources: Counts) -> Telemetry:
    """Telemetry with sources that always say the same."""
    telemetry = Telemetry("1.2.3", "python")
    for counts in sources:
        telemetry.add_source(partial(_said, counts))
    return telemetry


def _said(counts: Counts) -> Counts:
    return counts


def families(telemetry: Telemetry) -> Iterable[Metric]:
    """What a scraper of the text format reads."""
    return list(text_string_to_metric_families(telemetry.render()[1].decode()))


def read(telemetry: Telemetry, name: str, **labels: str) -> float | None:
    """One figure as a scraper reads it, None where the series is absent."""
    for family in families(telemetry):
        for sample in family.samples:
            if sample.name == PREFIX + name and sample.labels == labels:
                return float(sample.value)
    return None


def test_every_metric_that_scripts_rely_on_is_declared() -> None:
    """Names and labels are public and stay."""
    declared = {PREFIX + own.name: own.label_names for own in METRICS}
    assert {name: declared.get(name) for name in RELIED_ON} == RELIED_ON


def test_every_declared_metric_is_exposed() -> None:
    """The table and what a scraper sees name the same metrics of ours."""
    exposed = re.findall(
        rf"^# TYPE {PREFIX}(\S+)", make().render()[1].decode(), re.MULTILINE
    )
    assert exposed == [own.name for own in METRICS]


@every_metric
def test_names_follow_the_rules_of_prometheus(own: Own) -> None:
    """Counters and only they end in _total; base units; plain characters."""
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", own.name)
    assert own.name.endswith("_total") == (own.type == "counter")
    assert own.name.endswith("_info") == (own.type == "info")
    assert not set(own.name.split("_")) & {"ms", "milliseconds", "kilobytes", "count"}
    assert own.type != "histogram" or own.name.endswith("_seconds")


@every_metric
def test_help_is_a_sentence(own: Own) -> None:
    """Help begins with a capital and ends with a full stop, on one line."""
    assert re.fullmatch(r"[A-Z][^\n]+\.", own.help)
    assert own.documentation.startswith("DATALOSS: ") == own.loss


@every_metric
def test_labels_are_closed(own: Own) -> None:
    """Only what the configuration bounds has no list of its values."""
    open_ended = {name for name, of in own.labels if of is None}
    assert open_ended <= {"listener", "target", "version", "engine"}
    assert all(of in LABELS for _, of in own.labels if of)


def test_loss_is_marked() -> None:
    """The counters whose rise means that something is gone say so."""
    assert {own.name for own in METRICS if own.loss} == {
        "kernel_drops_total",
        "refused_total",
        "entries_total",
        "defects_total",
        "entries_dropped_total",
        "events_total",
        "events_dropped_total",
        "unclean_start_gap_seconds",
        "checkpoints_damaged_total",
    }


@pytest.mark.parametrize(
    ("name", "label", "values"),
    [
        ("samples_total", "kind", [kind.value for kind in Kind]),
        ("refused_total", "reason", [reason.value for reason in Reason]),
        ("ignored_total", "what", [what.value for what in What]),
        ("entries_total", "outcome", ["acked", "partial", "dropped", "parked"]),
        ("requests_total", "outcome", list(OUTCOMES)),
    ],
)
def test_closed_lists_are_there_from_the_start(
    name: str, label: str, values: list[str]
) -> None:
    """A first rise is seen as a rise, since the series began at 0."""
    telemetry = make()
    assert [read(telemetry, name, **{label: value}) for value in values] == [
        0.0 for _ in values
    ]


def test_sources_are_asked_at_every_scrape() -> None:
    """Figures are pulled, so nothing is counted twice."""
    seen = iter((5, 7))
    telemetry = Telemetry("1.2.3", "python")
    telemetry.add_source(lambda: {"lines_total": {(): next(seen)}})
    assert read(telemetry, "lines_total") == 5
    assert read(telemetry, "lines_total") == 7


def test_registering_a_source_asks_nothing() -> None:
    """A source may be added before it can answer."""
    asked: list[Counts] = []
    make().add_source(lambda: asked.append({}) or {})  # type: ignore[func-returns-value]  # records the call
    assert asked == []


def test_several_sources_share_a_metric() -> None:
    """Two listeners may come from two sources."""
    telemetry = make(
        {"datagrams_total": {("udp://a",): 1}}, {"datagrams_total": {("udp://b",): 2}}
    )
    assert read(telemetry, "datagrams_total", listener="udp://a") == 1
    assert read(telemetry, "datagrams_total", listener="udp://b") == 2


def test_a_source_that_fails_keeps_its_last_figures() -> None:
    """A counter must not fall to 0 because a room could not answer; it is counted."""
    answers: list[Counts] = [{"lines_total": {(): 5.0}}]
    telemetry = make({"series": {(): 3}})
    telemetry.add_source(answers.pop)
    assert read(telemetry, "lines_total") == 5
    text = telemetry.render()[1].decode()
    assert "cms_relay_lines_total 5.0\n" in text
    assert "cms_relay_series 3.0\n" in text
    assert "cms_relay_scrape_failures_total 1.0\n" in text


@pytest.mark.parametrize(
    "counts",
    [
        {"nobody_declared_this_total": {(): 1.0}},
        {"lines_total": {("label", "too many"): 1.0}},
        {"samples_total": {(): 1.0}},
    ],
)
def test_a_wrong_answer_is_a_failure_of_its_source(counts: Counts) -> None:
    """An undeclared name or the wrong number of labels never ends a scrape."""
    assert read(make(counts), "scrape_failures_total") == 1


def test_a_value_off_its_list_is_shown_as_other() -> None:
    """Strange values cannot make the number of our series grow, nor get lost."""
    telemetry = make({"refused_total": {("x",): 1, ("y",): 2, ("late",): 4}})
    assert read(telemetry, "refused_total", reason="other") == 3
    assert read(telemetry, "refused_total", reason="late") == 4


def test_kernel_drops_are_absent_where_nobody_knows_them() -> None:
    """No listener, no series: absence is not a reassuring 0."""
    text = make().render()[1].decode()
    assert "cms_relay_kernel_drops_total{" not in text


def test_build_info_names_version_and_engine() -> None:
    """One constant series says what runs."""
    assert read(make(), "build_info", version="1.2.3", engine="python") == 1


@pytest.mark.parametrize("seconds", [0.0, 0.01, 0.3, 15.0, 99.0])
def test_an_attempt_is_in_every_bucket_that_holds_it(seconds: float) -> None:
    """Buckets are cumulative and include their bounds."""
    telemetry = make()
    telemetry.observe_request(seconds)
    family = next(f for f in families(telemetry) if f.name.endswith("request_seconds"))
    buckets = {s.labels["le"]: s.value for s in family.samples if "le" in s.labels}
    assert buckets == {le: float(seconds <= float(le)) for le in buckets}
    assert read(telemetry, "request_seconds_count") == 1
    assert read(telemetry, "request_seconds_sum") == seconds


def test_openmetrics_on_request() -> None:
    """The library's own strict parser takes what we render, and finds our metrics."""
    telemetry = make({"datagrams_total": {("udp://127.0.0.1:8125",): 3}})
    content_type, body = telemetry.render(OPENMETRICS)
    assert content_type.startswith("application/openmetrics-text; version=1.0.0")
    parse = openmetrics.text_string_to_metric_families
    names = {f.name for f in parse(body.decode())}  # type: ignore[no-untyped-call]
    assert {f"{PREFIX}datagrams", f"{PREFIX}build"} <= names


def test_text_is_the_default() -> None:
    """A browser or curl gets Prometheus text."""
    assert make().render("text/html,*/*;q=0.8")[0].startswith("text/plain; version=0.0")


@given(st.text(alphabet="aplicton/mersx-v=1.0;,* é\x00", max_size=60))
def test_no_accept_header_raises(tail: str) -> None:
    """Whatever a client asks for, it gets one of the two formats."""
    for head in ("", "application/openmetrics-text;version="):
        content_type, body = make().render(head + tail)
        assert content_type.split(";")[0] in {
            "text/plain",
            "application/openmetrics-text",
        }
        assert b"cms_relay_lines_total" in body


def test_label_values_are_escaped() -> None:
    """A quote, a backslash or a line end in a label does not break the format."""
    hostile = 'udp://"a\\b\n'
    telemetry = make({"datagrams_total": {(hostile,): 1}})
    assert read(telemetry, "datagrams_total", listener=hostile) == 1


def test_the_table_lists_every_metric_and_its_loss() -> None:
    """The table of docs/metrics.rst has one row a metric, in the order of declaration."""
    rows = re.findall(r"\* - ``cms_relay_(\w+)``", metrics_table())
    assert rows == [own.name for own in METRICS]
    assert metrics_table().count("**DATALOSS**") == sum(own.loss for own in METRICS)
    assert not any(line != line.rstrip() for line in metrics_table().splitlines())


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed")
def test_promtool_has_no_complaint() -> None:
    """Prometheus' own linter agrees."""
    body = make({"datagrams_total": {("udp://a",): 3}}).render()[1]
    subprocess.run(["promtool", "check", "metrics"], input=body, check=True)
