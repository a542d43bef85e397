"""Mapping rules in a running relay: what arrives, what the pages say, what a reload does."""

import signal
from pathlib import Path

import pytest

from tests.e2e.children import Child
from tests.e2e.road import (
    assert_ledger_balances,
    entries,
    get,
    start_relay,
    status,
    wait_until,
)
from tests.e2e.test_road import send_paced, summed

pytestmark = pytest.mark.e2e

RULES = """
[[rule]]
match = "debug.*"
drop = true

[[rule]]
match = "jobs.*.done"
name = "jobs"
keep_tags = ["queue"]
add_tags = { worker = "$1" }

[[rule]]
regex = "^never"
drop = true
"""


def test_what_is_mapped_alike_is_one_series(tmp_path: Path) -> None:
    """With all that was sent in it; what is dropped is counted; and /status has both.

    Another text of the file waits for a restart.
    """
    rules = tmp_path / "rules.toml"
    rules.write_text(RULES)
    emulator = Child.start(["emulator", "--listen", "127.0.0.1:0", "--period", "1"])
    relay = start_relay(emulator, 1, "--mapping", str(rules))
    http = relay.urls["http"][0]
    lines = [
        line
        for pod in range(1000)
        for line in (
            f"jobs.a.done:1|c|#pod:{pod},queue:mail",
            f"jobs.b.done:2|c|#queue:mail,pod:{pod}",
            f"debug.x{pod % 7}:1|c",
        )
    ]
    send_paced(relay.urls["listening"][0], http, lines)
    told = status(http)
    refused = told["ledger"]["refused"]
    assert refused["dropped_by_rule"] == sum(refused.values()) == 1000
    assert_ledger_balances(told["ledger"])
    assert told["series"] == 2
    assert told["rules"] == {
        "count": 3,
        "never_matched": 1,
        "busiest": [
            {"number": 2, "match": "jobs.*.done", "spellings": 2000},
            {"number": 1, "match": "debug.*", "spellings": 7},
        ],
        "idle": [{"number": 3, "match": "^never", "spellings": 0}],
    }
    assert "jobs.*.done" in get(f"{http}/")

    rules.write_text(RULES.replace("debug", "trace"))
    relay.process.send_signal(signal.SIGHUP)
    wait_until("not reloaded", lambda: status(http)["last_reload"] is not None)
    assert status(http)["last_reload"]["text"] == "mapping: to change that, restart"

    assert relay.stop() == 0
    found = entries(emulator.urls["emulator"][0])
    assert summed(found, 1) == {"jobs": 3000.0}
    dimensions = {tuple(sorted(entry["Dimensions"])) for entry in found}
    assert dimensions == {("instance", "queue", "worker")}
    workers = {entry["Dimensions"]["worker"] for entry in found}
    assert workers == {"a", "b"}
    assert emulator.stop() == 0
