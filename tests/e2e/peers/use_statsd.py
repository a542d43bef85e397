"""Sends with the ``statsd`` package; prints each datagram it sent as a JSON line.

Run as a child: ``use_statsd.py HOST PORT``. The random choice behind sample rates is the
client's own; the datagrams printed are the ones that really left.
"""

import json
import random
import sys
from typing import Any

import statsd  # type: ignore[import-untyped,import-not-found,unused-ignore]


class Client(statsd.StatsClient):  # type: ignore[misc,name-defined,unused-ignore]
    """The package's client, which also tells what it hands to the socket."""

    def _send(self, data: Any) -> None:
        super()._send(data)
        print(json.dumps(data))


def main(host: str, port: int) -> None:
    """Every call the client has."""
    random.seed(11)
    client = Client(host, port, prefix="peer")
    for i in range(300):
        client.incr("hits")
        client.decr("stock", 2)
        client.incr("sampled", rate=0.25)
        client.timing("latency", i / 4, rate=0.5)
        client.gauge("level", i)
        client.gauge("depth", 5 if i % 2 else -5, delta=True)
        client.set("users", f"user-{i % 17}")
    with client.pipeline() as pipe:
        for i in range(200):
            pipe.incr("piped")
            pipe.timing("piped_ms", i)
    with client.timer("block"):
        pass
    client.close()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
