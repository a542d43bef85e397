"""What a line costs a whole relay: received over loopback, rolled up, reported to nobody.

The relay is a child process; its processor time is that of all its threads, less what it
takes for as long without lines, when the same series are reported as idle. The sender is
this process, which keeps an even pace.
"""

import socket
import time
from collections.abc import Sequence
from itertools import cycle
from pathlib import Path
from urllib.parse import urlsplit

from tests.bench.profiles import count_lines
from tests.e2e.children import Child
from tests.e2e.load import metric

__all__ = ["daemon_seconds"]

TICK_SECONDS = 0.001
SETTLING_SECONDS = 0.3


def daemon_seconds(
    engine: str, sent: Sequence[bytes], *, per_second: int, seconds: int, period: int
) -> float:
    """Processor time that a line adds, in seconds.

    Every series is sent once before; then nothing is for ``seconds``, which should be
    whole periods, and then there is load for as long. What the kernel drops costs
    nobody anything and is not counted.
    """
    words = ["run", "--sink", "null", "--engine", engine, "--period", f"{period}"]
    words += ["--listen", "udp://127.0.0.1:0", "--http", "127.0.0.1:0"]
    relay = Child.start([*words, "--console", "off", "--state", "off"])
    try:
        [door], [http] = relay.urls["listening"], relay.urls["http"]
        lines_a_datagram = count_lines(list(sent)) / len(sent)
        pace = per_second / lines_a_datagram
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.connect((urlsplit(door).hostname, urlsplit(door).port))
            _send(sender, sent, pace, len(sent) / pace)
            time.sleep(SETTLING_SECONDS)
            used = _cpu_seconds(relay)
            time.sleep(seconds + SETTLING_SECONDS)
            idle = _cpu_seconds(relay) - used
            before, used = metric(http, "lines_total"), _cpu_seconds(relay)
            _send(sender, sent, pace, seconds)
            time.sleep(SETTLING_SECONDS)
            used = _cpu_seconds(relay) - used
            return (used - idle) / (metric(http, "lines_total") - before)
    finally:
        relay.kill()


def _send(
    sender: socket.socket, sent: Sequence[bytes], pace: float, seconds: float
) -> None:
    """Datagrams from the first one on, again and again, at ``pace`` a second."""
    each = cycle(sent)
    began = time.monotonic()
    done = 0
    while True:
        now = min(time.monotonic() - began, seconds)
        for _ in range(int(now * pace) - done):
            sender.send(next(each))
            done += 1
        if now == seconds:
            return
        time.sleep(TICK_SECONDS)


def _cpu_seconds(child: Child) -> float:
    """Of all threads, finer than the ticks of ``times``."""
    threads = Path(f"/proc/{child.process.pid}/task").glob("*/schedstat")
    return sum(int(each.read_text().split()[0]) for each in threads) / 1e9
