"""Sends with the ``datadog`` package. Run as a child: ``use_datadog.py URL SECONDS``."""

import random
import sys
from typing import Any
from urllib.parse import urlsplit

from datadog.dogstatsd.base import (  # type: ignore[import-untyped,import-not-found,unused-ignore]
    DogStatsd,
)


def send_all(client: Any, stamp: int) -> None:
    """Every metric kind, with tags and rates, and what is not a metric too."""
    for i in range(300):
        tags = ["env:prod", f"shard:{i % 3}", "bare"]
        client.increment("dd.hits", tags=tags)
        client.decrement("dd.stock", 2)
        client.increment("dd.sampled", sample_rate=0.25)
        client.gauge("dd.level", i, tags=tags)
        client.histogram("dd.size", i, tags=tags, sample_rate=0.5)
        client.distribution("dd.rpc", i / 8, tags=tags)
        client.timing("dd.ms", i)
        client.set("dd.users", f"user:{i % 17}")
    client.gauge_with_timestamp("dd.stamped", 7, stamp)
    client.event("title | with pipe", "text\nof two lines", tags=["env:prod"])
    client.service_check("dd.check", 0, message="fine")


def main(url: str, stamp: int) -> None:
    """Once with client-side aggregation and packing, once plainly."""
    random.seed(11)
    where = urlsplit(url)
    if where.scheme == "unixgram":
        place: dict[str, Any] = {"socket_path": where.path, "socket_timeout": 1}
    else:
        place = {"host": where.hostname, "port": where.port}
    for buffering in (True, False):
        client = DogStatsd(
            **place,
            disable_buffering=not buffering,
            disable_aggregation=not buffering,
            constant_tags=[f"buffered:{str(buffering).lower()}"],
        )
        send_all(client, stamp)
        client.flush()
        client.stop()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
