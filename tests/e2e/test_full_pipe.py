"""A daemon's log into a pipe that nobody reads: the process goes on."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.e2e.children import ROOT, clean_environment
from tests.e2e.load import health_seconds, p99
from tests.e2e.road import get, status, wait_until

pytestmark = pytest.mark.e2e

LAG_SECONDS = 0.05

TALKS_TOO_MUCH = """
import logging
from twisted.logger import Logger
from relay.logs import begin, to_stderr

logs = to_stderr("info")
begin(logs)
logging.getLogger("foreign").warning("%s speaks", "logging")
for number in range(2000):
    Logger().info(f"number {number} " + "x" * 1000 + " {n}", n=number)
print(logs.dropped)
"""


def test_a_pipe_that_nobody_reads_stops_nobody() -> None:
    """Both ways of logging come out as JSON lines; what found no room is counted."""
    child = subprocess.Popen(
        [sys.executable, "-c", TALKS_TOO_MUCH],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        status = child.wait(10)
    finally:
        child.kill()
        out, err = child.communicate()
    assert status == 0
    assert int(out) > 0
    texts = [json.loads(line)["text"] for line in err.splitlines()]
    assert texts[0] == "logging speaks"
    assert texts[1].startswith("number 0 ")


def full_pipe(read_end: int, write_end: int) -> None:
    """Nothing more fits in until somebody reads."""
    os.set_blocking(write_end, False)
    with suppress(BlockingIOError):
        while True:
            os.write(write_end, b"x" * 512)
    os.set_blocking(write_end, True)


@pytest.mark.bar("A3")
@pytest.mark.parametrize("log", ["full pipe", "full disk"])
def test_a_log_that_cannot_be_written_stops_no_line(
    log: str, figure: Callable[[str], None]
) -> None:
    """Lines come in and go out, timers are in time, what is not logged is counted."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as free:
        free.bind(("127.0.0.1", 0))
        http = f"127.0.0.1:{free.getsockname()[1]}"
    read_end, write_end = os.pipe()
    full = os.open("/dev/full", os.O_WRONLY)
    relay = subprocess.Popen(
        [
            *(sys.executable, "-m", "relay", "run", "--sink", "emulator"),
            *("--emulator", "127.0.0.1:0", "--period", "2", "--http", http),
            *("--listen", "udp://127.0.0.1:0", "--log-level", "debug"),
        ],
        stderr=write_end if log == "full pipe" else full,
        env=clean_environment(),
        cwd=ROOT,
    )
    try:
        wait_until("it did not start", lambda: is_up(f"http://{http}"))
        full_pipe(read_end, write_end)
        door = urlsplit(status(f"http://{http}")["listeners"][0]["url"])
        taken = list[float]()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for number in range(2000):
                sender.sendto(b"a:1|c\nb:x|c", (door.hostname, door.port))
                if number % 100 == 0:
                    relay.send_signal(signal.SIGHUP)  # which is logged
                    taken += health_seconds(f"http://{http}", 0.1)
        wait_until("lines are missing", lambda: ledger(http)["lines"] == 4000)
        wait_until("not delivered", lambda: ledger(http)["entries"]["acked"] > 0)
        shown = get(f"http://{http}/metrics")
        dropped = re.findall(
            r"^cms_relay_log_records_dropped_total (\S+)$", shown, re.MULTILINE
        )
        assert float(dropped[0]) > 0
        late = p99(sorted(taken))
        assert late <= LAG_SECONDS
        relay.send_signal(signal.SIGTERM)
        assert relay.wait(20) == 0
    finally:
        relay.kill()
        relay.wait()
        for descriptor in (read_end, write_end, full):
            os.close(descriptor)
    figure(
        f"{log}: 0 of 4000 lines lost, health p99 {late * 1000:.0f} ms,"
        f" {dropped[0]} not logged"
    )


def ledger(http: str) -> Any:
    return status(f"http://{http}")["ledger"]


def is_up(http: str) -> bool:
    try:
        return get(f"{http}/readyz") == "ready\n"
    except OSError:
        return False
