"""A daemon's log into a pipe that nobody reads: the process goes on."""

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.e2e

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
