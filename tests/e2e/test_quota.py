"""The quota of series in a running relay: ours, and the one of the service."""

import socket
from urllib.parse import urlsplit

import pytest

from tests.e2e.children import Child
from tests.e2e.road import (
    assert_ledger_balances,
    entries,
    get,
    script,
    start_relay,
    status,
    wait_until,
)
from tests.e2e.test_road import send_paced

pytestmark = pytest.mark.e2e

FULL = [{"body_code": 206, "message": "reach Max time series num"}]


def names(emulator: str) -> set[str]:
    return {entry["MetricName"] for entry in entries(emulator)}


def test_beyond_the_quota_only_the_known_are_reported() -> None:
    """The others are counted, the log warns, and the figures say how many there may be."""
    emulator = Child.start(["emulator", "--listen", "127.0.0.1:0", "--period", "1"])
    relay = start_relay(emulator, 1, "--series-quota", "10", "--no-long-period")
    http, url = relay.urls["http"][0], emulator.urls["emulator"][0]
    send_paced(relay.urls["listening"][0], http, [f"n{n}:1|c" for n in range(25)])
    told = status(http)
    assert told["ledger"]["refused"]["series_quota"] == 15
    assert told["series_quota"] == {"limit": 10, "refused_by_service": False}
    assert "cms_relay_series_quota 10.0" in get(f"{http}/metrics")
    wait_until("reported", lambda: len(names(url)) == 10)
    assert relay.stop() == 0
    assert "10 series of the 10 of --series-quota are in use" in relay.stderr
    assert len(names(url)) == 10


def test_when_the_service_has_enough_no_new_series_comes() -> None:
    """Though none was set here; what is known goes on, and the log names the fix."""
    emulator = Child.start(["emulator", "--listen", "127.0.0.1:0", "--period", "1"])
    relay = start_relay(emulator, 1, "--no-long-period")
    http, url = relay.urls["http"][0], emulator.urls["emulator"][0]
    door = relay.urls["listening"][0]
    script(url, FULL)
    send_paced(door, http, ["known:1|c"])
    wait_until(
        "told by the service",
        lambda: status(http)["series_quota"]["refused_by_service"],
    )
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        where = urlsplit(door)
        sender.sendto(b"known:1|c\nnew:1|c", (where.hostname, where.port))
    wait_until("read", lambda: status(http)["ledger"]["lines"] == 3)
    wait_until("reported", lambda: "known" in names(url))
    told = status(http)["ledger"]
    assert told["refused"]["series_quota"] == 1
    assert_ledger_balances(told)
    assert relay.stop() == 0
    assert "report fewer series" in relay.stderr
    assert names(url) == {"known"}
