"""What threads with shards of their own gain: ``python -m tests.bench.bench_listeners``.

Sockets are filled while nobody reads, with spellings that are known, and emptied by as
many threads: the time of that is all reading, parsing and adding up. Needs receive
buffers of 64 MiB, so root.
"""

import socket
import threading
import time
from collections.abc import Sequence
from statistics import median

from relay.rollup.native import NativeEngine
from relay.service.kernel import receive_buffer
from relay.statsd.grammar import Grammar
from tests.bench.bench_engine import resolve
from tests.bench.workload import datagrams

SERIES = 10_000
LINES = 400_000
REPEATS = 7
BUFFER_BYTES = 64 * 2**20
LENGTH = 60 * 60 * 24 * 365 * 100
"""Of a period, in seconds."""


def filled(sent: Sequence[bytes]) -> socket.socket:
    """A socket in which all of that waits."""
    door = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receive_buffer(door, BUFFER_BYTES)
    door.bind(("127.0.0.1", 0))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect(door.getsockname())
        for datagram in sent:
            sender.send(datagram)
    return door


def seconds(sent: Sequence[bytes], sockets: int, shards: int) -> float:
    """Until so many full sockets are empty."""
    engine = NativeEngine(resolve, Grammar(), shards=shards, period_seconds=LENGTH)
    for shard in range(shards):
        for datagram in sent[: len(sent) // 10]:
            engine.feed_shard(shard, datagram, 0)
    doors = [filled(sent) for _ in range(sockets)]
    drains = [engine.drain(door.fileno(), "delta") for door in doors]
    threads = [threading.Thread(target=drain.run) for drain in drains]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    while any(drain.datagrams < len(sent) for drain in drains):
        time.sleep(0.0005)
    took = time.monotonic() - began
    for drain, thread, door in zip(drains, threads, doors, strict=True):
        drain.stop()
        thread.join()
        door.close()
    return took


def main() -> None:
    sent = datagrams(LINES, SERIES)
    for sockets, shards in ((1, 1), (2, 1), (2, 2)):
        took = median(seconds(sent, sockets, shards) for _ in range(REPEATS))
        rate = LINES * sockets / took / 1e6
        print(
            f"{sockets} sockets, {shards} shards {rate:6.1f} million lines/s",
            flush=True,
        )


if __name__ == "__main__":
    main()
