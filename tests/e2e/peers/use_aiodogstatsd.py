"""Sends with the ``aiodogstatsd`` package. Run as a child: ``… URL``."""

import asyncio
import random
import sys
from urllib.parse import urlsplit

import aiodogstatsd  # type: ignore[import-untyped,import-not-found,unused-ignore]


async def main(url: str) -> None:
    """Every kind it has, with tags and rates."""
    random.seed(11)
    where = urlsplit(url)
    async with aiodogstatsd.Client(
        host=str(where.hostname),
        port=int(where.port or 0),
        namespace="aio",
        constant_tags={"a": "b"},
    ) as client:
        for i in range(200):
            client.increment("hits", value=i % 3, tags={"shard": i % 3})
            client.decrement("stock", value=2)
            client.increment("sampled", sample_rate=0.25)
            client.gauge("level", value=i)
            client.histogram("size", value=i / 4)
            client.distribution("rpc", value=i / 8, tags={"k": "v"})
            client.timing("took", value=i)
            await asyncio.sleep(0)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
