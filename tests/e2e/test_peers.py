"""Fed by clients nobody here wrote: what they sent is what the emulator gets.

Each client runs in a child of its own, with a tap between it and the relay; what should
arrive is worked out here from what went through, by the letter of the protocol.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest

from tests.e2e.children import ROOT, Child
from tests.e2e.road import (
    assert_ledger_balances,
    entries,
    start_relay,
    status,
    wait_until,
)
from tests.e2e.tap import Tap

pytestmark = [pytest.mark.e2e, pytest.mark.peer]

SCRIPTS = Path(__file__).parent / "peers"
NODE_MODULES = ROOT / ".npm-peers" / "node_modules"
"""Where ``.ci/run`` puts packages of npm: ``npm install --prefix .npm-peers NAME``."""

IN_NODE = {"hot-shots", "node-statsd", "statsd-client"}


class Client(NamedTuple):
    """A package, and the transport it is to use."""

    package: str
    scheme: str

    def __str__(self) -> str:
        return f"{self.package} {self.scheme}"

    @property
    def command(self) -> list[str]:
        """It takes a URL, and the present second."""
        script = str(SCRIPTS / f"use_{self.package.replace('-', '_')}")
        if self.package in IN_NODE:
            return ["node", f"{script}.js"]
        return [sys.executable, f"{script}.py"]

    def skip_if_absent(self) -> None:
        """Visibly."""
        if self.package not in IN_NODE:
            if importlib.util.find_spec(self.package) is None:
                pytest.skip(f"{self.package} is not installed (extra: peers)")
        elif shutil.which("node") is None:
            pytest.skip("node is not installed")
        elif not (NODE_MODULES / self.package).is_dir():
            pytest.skip(f"{self.package} is not in .npm-peers; see .ci/run")


@dataclass
class Sent:
    """What the lines of one client add up to, by name and tags."""

    sums: dict[tuple[str, ...], float] = field(
        default_factory=lambda: defaultdict(float)
    )
    counts: dict[tuple[str, ...], float] = field(
        default_factory=lambda: defaultdict(float)
    )
    members: dict[tuple[str, ...], set[str]] = field(
        default_factory=lambda: defaultdict(set)
    )
    gauges: dict[tuple[str, ...], float] = field(default_factory=dict)
    lines: int = 0
    ignored: int = 0


def add_up(datagrams: list[str]) -> Sent:
    """Work out what a daemon has to make of ``datagrams``."""
    sent = Sent()
    for line in "\n".join(datagrams).split("\n"):
        if not line:
            continue
        sent.lines += 1
        if line.startswith(("_e{", "_sc|", "datadog.dogstatsd.client.")):
            sent.ignored += 1
            continue
        head, kind, *fields = line.split("|")
        name, _, text = head.partition(":")
        rate = next((float(f[1:]) for f in fields if f[0] == "@"), 1.0)
        tags = next((f[1:] for f in fields if f[0] == "#"), "")
        key = (name.replace(".", "_"), *sorted(dimensions(tags)))
        if kind == "s":
            sent.members[key].add(text)
        elif kind == "g":
            delta = text[0] in "+-"
            sent.gauges[key] = float(text) + (sent.gauges.get(key, 0.0) if delta else 0)
        else:
            for value in text.split(":"):
                sent.sums[key] += float(value) / rate
                sent.counts[key] += 1 / rate
    return sent


def dimensions(tags: str) -> Iterator[str]:
    """Tags as the pairs they become."""
    for tag in filter(None, tags.split(",")):
        key, colon, value = tag.partition(":")
        yield f"{key}={value}" if colon else f"{key}=true"


def key_of(entry: dict[str, Any]) -> tuple[str, ...]:
    """Metric and tags of an entry, without the dimension that is ours."""
    pairs = sorted(
        f"{k}={v}" for k, v in entry["Dimensions"].items() if k != "instance"
    )
    return (entry["MetricName"], *pairs)


def quiet_period() -> int:
    """A period length whose boundaries are minutes away, so that one period has it all."""
    now = time.time()
    return next(p for p in range(3600, 36000, 300) if 300 < now % p < p - 300)


def relay_and_client(
    client: Client, folder: Path
) -> tuple[Sent, list[dict[str, Any]], dict[str, Any]]:
    """Run relay, emulator, a tap and one client; give what went in and what came out."""
    period = quiet_period()
    site = Child.start(["emulator", "--listen", "127.0.0.1:0", "--period", str(period)])
    doors = ["--listen", "tcp://127.0.0.1:0", "--listen", f"unixgram://{folder}/relay"]
    relay = start_relay(site, period, *doors)
    schemes = {urlsplit(url).scheme: url for url in relay.urls["listening"]}
    with Tap(schemes[client.scheme], folder) as tap:
        subprocess.run(
            [*client.command, tap.url, str(int(time.time()))],
            timeout=60,
            check=True,
            env={**os.environ, "NODE_PATH": str(NODE_MODULES)},
        )
    sent = add_up(tap.sent)
    http = relay.urls["http"][0]
    wait_until(
        "the relay has not read every line",
        lambda: status(http)["ledger"]["lines"] == sent.lines,
        10,
    )
    ledger = status(http)["ledger"]
    assert relay.stop() == 0
    found = [e for e in entries(site.urls["emulator"][0]) if e["Period"] == period]
    assert site.stop() == 0
    return sent, found, ledger


CLIENTS = [
    Client("statsd", "udp"),
    Client("statsd", "tcp"),
    Client("datadog", "udp"),
    Client("datadog", "unixgram"),
    Client("aiodogstatsd", "udp"),
    Client("markus", "udp"),
    Client("gunicorn", "udp"),
    Client("hot-shots", "udp"),
    Client("hot-shots", "tcp"),
    Client("node-statsd", "udp"),
    Client("statsd-client", "udp"),
    Client("statsd-client", "tcp"),
]


@pytest.mark.parametrize("client", CLIENTS, ids=str)
def test_sums_equal_what_the_client_sent(client: Client, tmp_path: Path) -> None:
    """Counters, timers, histograms, distributions, gauges and sets of clients that others
    wrote, with tags and sample rates, arrive exactly; no line is refused."""
    client.skip_if_absent()
    sent, found, ledger = relay_and_client(client, tmp_path)
    print(f"{client}: {sent.lines} sent, {ledger['lines']} received")  # pytest -rP
    assert sent.lines > 0
    assert_ledger_balances(ledger)
    assert sum(ledger["refused"].values()) == 0
    assert sum(ledger["ignored"].values()) == sent.ignored

    by_key = {key_of(entry): entry["Values"] for entry in found}
    assert set(by_key) == {*sent.sums, *sent.gauges, *sent.members}
    got_sums = {k: v["Sum"] for k, v in by_key.items() if "Sum" in v}
    got_counts = {k: by_key[k]["SampleCount"] for k in sent.counts}
    assert got_sums == pytest.approx(dict(sent.sums))
    assert got_counts == pytest.approx(dict(sent.counts))
    got_last = {k: v["LastValue"] for k, v in by_key.items() if "LastValue" in v}
    assert got_last == pytest.approx(
        {**sent.gauges, **{k: len(members) for k, members in sent.members.items()}}
    )
