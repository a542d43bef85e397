"""The sink hybrid in a running relay, with the emulator at its far end."""

import json
from typing import Any

import pytest

from tests.e2e.children import Child
from tests.e2e.road import assert_ledger_balances, entries, get, start_relay, status
from tests.e2e.test_road import send_paced

pytestmark = pytest.mark.e2e

HYBRID = ("--sink", "hybrid", "--namespace", "statsd")


def samples(emulator: str) -> list[dict[str, Any]]:
    lines = get(f"{emulator}/_emulator/hybrid").splitlines()
    return [json.loads(line) for line in lines]


def test_a_period_becomes_samples() -> None:
    """Every statistic is one, all that was sent is in them, and no long period is."""
    emulator = Child.start(["emulator", "--listen", "127.0.0.1:0", "--period", "1"])
    relay = start_relay(emulator, 1, *HYBRID)
    lines = ["hits:1|c|#env:prod", "took:5|ms", "users:a|s"] * 500
    send_paced(relay.urls["listening"][0], relay.urls["http"][0], lines)
    assert relay.stop() == 0
    url = emulator.urls["emulator"][0]
    found = samples(url)
    assert entries(url) == []
    assert {one["Namespace"] for one in found} == {"statsd"}
    hits = [one for one in found if one["Name"] == "hits_sum"]
    assert sum(one["Value"] for one in hits) == 500
    assert hits[0]["Labels"] == {"env": "prod", "instance": "test-host"}
    moments = [(one["Name"], one["TS"]) for one in found]
    assert len(moments) == len(set(moments))
    assert {"took_p99", "users_last", "took_count"} <= {one["Name"] for one in found}


def test_what_is_refused_by_index_is_counted_to_the_entry() -> None:
    """The others are there; the log names the refused one."""
    emulator = Child.start(
        [
            *("emulator", "--listen", "127.0.0.1:0", "--period", "1"),
            *("--series-quota", "4"),
        ]
    )
    relay = start_relay(emulator, 1, *HYBRID, "--delete-idle", "counter")
    http = relay.urls["http"][0]
    send_paced(relay.urls["listening"][0], http, [f"n{n}:1|c" for n in range(5)])
    ledger = status(http)["ledger"]
    assert_ledger_balances(ledger)
    assert relay.stop() == 0
    assert len(samples(emulator.urls["emulator"][0])) == 4
    assert "entry 4: the number of time series exceeds the quota" in relay.stderr
    assert "the service kept only part of a request" in relay.stderr
