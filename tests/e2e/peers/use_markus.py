"""Sends with ``markus`` by way of ``datadog``. Run as a child: ``use_markus.py URL``."""

import sys
from urllib.parse import urlsplit

import markus  # type: ignore[import-untyped,import-not-found,unused-ignore]


def main(url: str) -> None:
    """Every kind it has."""
    where = urlsplit(url)
    options = {
        "statsd_host": where.hostname,
        "statsd_port": where.port,
        "statsd_namespace": "mk",
    }
    backend = "markus.backends.datadog.DatadogMetrics"
    markus.configure([{"class": backend, "options": options}])
    metrics = markus.get_metrics("peer")
    for i in range(200):
        metrics.incr("hits", value=2, tags=["env:prod"])
        metrics.gauge("level", value=i)
        metrics.timing("took", value=i)
        metrics.histogram("size", value=i / 4, tags=["bare"])
    with metrics.timer("block"):
        pass


if __name__ == "__main__":
    main(sys.argv[1])
