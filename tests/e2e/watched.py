"""Relay processes that tell how late their timers fire, and ask a resolver of the test's.

The relay itself is as it is: what is put in is a ``sitecustomize`` beside it, which makes
the 100 ms timer of the reactor write down its lateness, and answers for one host name.
"""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.e2e.children import ROOT, Child

__all__ = ["Watch", "resident_bytes"]

LAG_SECONDS = 0.050
"""The bar, of the 99th percentile."""

NAME = "localhost"
"""The host name that the test's resolver answers for."""

CUSTOM = """
import json, os, socket, time
from relay.service import lag

folder = os.path.dirname(__file__)
out = os.open(f"{folder}/lags", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
tick, known = lag.ReactorLag._tick, socket.getaddrinfo

def _tick(self):
    os.write(out, b"%.6f\\n" % (self._clock.seconds() - self._due))
    tick(self)

def getaddrinfo(host, port, *rest, **more):
    if host != "localhost" or more.get("flags") or not os.path.exists(f"{folder}/dns"):
        return known(host, port, *rest, **more)
    with open(f"{folder}/dns") as file:
        does = json.load(file)
    if "hang" in does:
        time.sleep(does["hang"])
    if "error" in does:
        raise socket.gaierror(does["error"], "as told")
    return known("127.0.0.1", does["port"], type=socket.SOCK_STREAM)

lag.ReactorLag._tick = _tick
socket.getaddrinfo = getaddrinfo
"""


class Watch:
    """What one relay is watched with; ``folder`` is an empty one of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / "sitecustomize.py").write_text(CUSTOM)
        self.env: Mapping[str, str] = {"PYTHONPATH": f"{folder}:{ROOT}"}

    def resolve(self, **does: float) -> None:
        """From now on: ``hang`` so long, then ``error``, or an address with ``port``."""
        new = self._folder / "dns.new"
        new.write_text(json.dumps(does))
        new.replace(self._folder / "dns")

    @property
    def lags(self) -> Sequence[float]:
        """Of every tick so far, in seconds."""
        return [float(line) for line in (self._folder / "lags").read_text().split()]

    def p99(self, since: int = 0) -> float:
        """Of the ticks after the first ``since``."""
        lags = sorted(self.lags[since:])
        assert len(lags) >= 20, "hardly a measurement"
        return lags[min(len(lags) - 1, int(len(lags) * 0.99))]


def resident_bytes(child: Child) -> int:
    """Its memory."""
    text = Path(f"/proc/{child.process.pid}/status").read_text()
    [found] = re.findall(r"^VmRSS:\s+(\d+) kB", text, re.MULTILINE)
    return int(found) * 1024
