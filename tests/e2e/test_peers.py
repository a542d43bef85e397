"""Fed by clients nobody here wrote: what they sent is what the emulator gets.

Each client runs in a child of its own and prints the datagrams that left it; what they
should add up to is worked out here from that text, by the letter of the protocol.
"""

import importlib.util
import json
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.e2e.children import Child
from tests.e2e.road import (
    assert_ledger_balances,
    entries,
    start_relay,
    status,
    wait_until,
)

pytestmark = [pytest.mark.e2e, pytest.mark.peer]

SCRIPTS = Path(__file__).parent / "peers"


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


def relay_and_client(script: str) -> tuple[Sent, list[dict[str, Any]], dict[str, Any]]:
    """Run relay, emulator and one client; stop the relay; give what came out of each."""
    period = str(quiet_period())
    site = Child.start(["emulator", "--listen", "127.0.0.1:0", "--period", period])
    relay = start_relay(site, int(period))
    door = urlsplit(relay.urls["listening"][0])
    client = subprocess.run(
        [
            *(sys.executable, str(SCRIPTS / script)),
            *(str(door.hostname), str(door.port), str(int(time.time()))),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    sent = add_up([json.loads(line) for line in client.stdout.splitlines()])
    http = relay.urls["http"][0]
    wait_until(
        "the relay has not read every line",
        lambda: status(http)["ledger"]["lines"] == sent.lines,
    )
    ledger = status(http)["ledger"]
    assert relay.stop() == 0
    found = [e for e in entries(site.urls["emulator"][0]) if e["Period"] == int(period)]
    assert site.stop() == 0
    return sent, found, ledger


@pytest.mark.parametrize("package", ["statsd", "datadog"])
def test_sums_equal_what_the_client_sent(package: str) -> None:
    """Counters, timers, histograms, distributions, gauges and sets of the ``statsd`` and
    ``datadog`` packages, with tags and sample rates, arrive exactly; none is refused."""
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"the package {package} is not installed (extra: peers)")
    sent, found, ledger = relay_and_client(f"use_{package}.py")
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
