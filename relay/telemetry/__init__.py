"""Every metric of the relay, and what renders them for Prometheus."""

from relay.telemetry.declared import LABELS, METRICS, PREFIX, Own, metrics_table
from relay.telemetry.registry import Counts, Telemetry

__all__ = ["LABELS", "METRICS", "PREFIX", "Counts", "Own", "Telemetry", "metrics_table"]
