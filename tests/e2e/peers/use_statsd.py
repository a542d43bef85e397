"""Sends with the ``statsd`` package. Run as a child: ``use_statsd.py URL``."""

import random
import sys
from urllib.parse import urlsplit

import statsd  # type: ignore[import-untyped,import-not-found,unused-ignore]


def main(url: str) -> None:
    """Every call the client has; the random choice behind sample rates is its own."""
    random.seed(11)
    where = urlsplit(url)
    make = statsd.TCPStatsClient if where.scheme == "tcp" else statsd.StatsClient
    client = make(where.hostname, where.port, prefix="peer")
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
    main(sys.argv[1])
