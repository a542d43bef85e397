"""Sends with the ``datadog`` package; prints each packet it sent as a JSON line.

Run as a child: ``use_datadog.py HOST PORT``.
"""

import json
import random
import sys
from typing import Any

from datadog.dogstatsd.base import (  # type: ignore[import-untyped,import-not-found,unused-ignore]
    DogStatsd,
)


class Client(DogStatsd):  # type: ignore[misc,name-defined,unused-ignore]
    """The package's client, which also tells what it hands to the socket."""

    def _xmit_packet(  # type: ignore[override,unused-ignore]
        self, packet: str, is_telemetry: bool, **how: Any
    ) -> Any:
        sent = super()._xmit_packet(packet, is_telemetry, **how)
        print(json.dumps(packet))
        return sent


def send_all(client: Any) -> None:
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
    client.gauge_with_timestamp("dd.stamped", 7, int(sys.argv[3]))
    client.event("title | with pipe", "text\nof two lines", tags=["env:prod"])
    client.service_check("dd.check", 0, message="fine")


def main(host: str, port: int) -> None:
    """Once with client-side aggregation and packing, once plainly."""
    random.seed(11)
    for buffering in (True, False):
        client = Client(
            host=host,
            port=port,
            disable_buffering=not buffering,
            disable_aggregation=not buffering,
            constant_tags=[f"buffered:{str(buffering).lower()}"],
        )
        send_all(client)
        client.flush()
        client.stop()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
