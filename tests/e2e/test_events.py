"""Events and service checks of Datadog's own client, as far as a verified request."""

import json
import time
from functools import partial
from pathlib import Path
from typing import Any
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

base = pytest.importorskip("datadog.dogstatsd.base")

pytestmark = pytest.mark.e2e

EVENTS = 130
"""Two full requests, and one more."""


def client_of(relay: Child) -> Any:
    """A client that sends to the relay, a packet a line."""
    where = urlsplit(relay.urls["listening"][0])
    return base.DogStatsd(host=where.hostname, port=where.port, disable_buffering=True)


def events(emulator: str) -> list[dict[str, Any]]:
    """Everything the emulator accepted, in order, with contents read."""
    lines = get(f"{emulator}/_emulator/events").splitlines()
    found = [json.loads(line) for line in lines]
    return [{**one, "Content": json.loads(one["Content"])} for one in found]


def metrics(http: str) -> dict[str, float]:
    """The figures of events by name and labels, without those that are 0."""
    lines = get(f"{http}/metrics").splitlines()
    pairs = (line.split(" ") for line in lines if line.startswith("cms_relay_event"))
    return {name: float(value) for name, value in pairs if float(value)}


def send_all(client: Any) -> None:
    """Events and a service check, each with all there is to say of it, and a metric."""
    for number in range(EVENTS):
        client.event(
            f"Deploy | {number}",
            "line one\nline two",
            alert_type="warning",
            aggregation_key="deploys",
            source_type_name="ci",
            date_happened=1_700_000_000 + number,
            priority="low",
            tags=["env:prod", "bare"],
            hostname="web-1",
        )
    client.service_check("db.up", 2, tags=["env:prod"], message="gone | away")
    client.increment("hits")
    end(client)


def end(client: Any) -> None:
    """Its thread and its socket."""
    client.stop()
    client.close_socket()


@pytest.mark.parametrize("signature", ["v3", "v1"])
def test_every_event_arrives_through_an_outage(signature: str) -> None:
    """Once each, whole and in order, in requests of fifty at most; the check is a gauge.

    The service is away at first, and refuses one request for good measure.
    """
    emulator = Child.start(["emulator", "--listen", "127.0.0.1:0", "--period", "1"])
    there = emulator.urls["emulator"][0]
    script(
        there,
        [
            {"status": 503, "times": 3},
            {"code": "Throttling.User", "status": 400, "retry_after_ms": 100},
        ],
    )
    relay = start_relay(
        emulator,
        1,
        *("--report-events", "--report-service-checks", "--signature", signature),
        *("--event-requests-per-second", "20"),
    )
    http = relay.urls["http"][0]
    send_all(client_of(relay))
    wait_until(
        "the events did not arrive", partial(_has_events, there, EVENTS), seconds=90
    )
    wait_until("the check did not arrive", partial(_has_metric, there, "db_up"))
    found = events(there)
    assert [one["EventName"] for one in found] == [
        f"Deploy___{number}" for number in range(EVENTS)
    ]
    assert [one["Time"] for one in found] == [
        (1_700_000_000 + number) * 1000 for number in range(EVENTS)
    ]
    assert found[0]["Content"] == {
        "title": "Deploy | 0",
        "text": "line one\nline two",
        "alert_type": "warning",
        "priority": "low",
        "host": "web-1",
        "aggregation_key": "deploys",
        "source": "ci",
        "tags": {"bare": None, "env": "prod"},
        "instance": "test-host",
    }
    check = next(one for one in entries(there) if one["MetricName"] == "db_up")
    assert check["Dimensions"] == {"env": "prod", "instance": "test-host"}
    assert check["Values"]["LastValue"] == 2.0
    requests = [
        json.loads(line) for line in get(f"{there}/_emulator/requests").splitlines()
    ]
    assert {one["signature"] for one in requests} == {signature.upper()}
    put = [one for one in requests if one["action"] == "PutCustomEvent"]
    assert max(one["entries"] for one in put) == 50
    told = metrics(http)
    assert told["cms_relay_events_taken_total"] == EVENTS
    assert told['cms_relay_events_total{outcome="acked"}'] == EVENTS
    shown = status(http)["events"]
    assert (shown["taken"], shown["acked"], shown["waiting"]) == (EVENTS, EVENTS, 0)
    ledger = status(http)["ledger"]
    assert_ledger_balances(ledger)
    assert ledger["ignored"]["event"] == ledger["ignored"]["service_check"] == 0
    assert sum(ledger["refused"].values()) == 0
    assert relay.stop() == 0
    assert len(events(there)) == EVENTS
    assert emulator.stop() == 0


def test_a_stop_delivers_events() -> None:
    """Those that were only just taken as well."""
    emulator = Child.start(["emulator", "--listen", "127.0.0.1:0", "--period", "1"])
    there = emulator.urls["emulator"][0]
    relay = start_relay(emulator, 1, "--report-events")
    client = client_of(relay)
    client.event("Deploy", "text")
    end(client)
    wait_until(
        "the relay did not read it",
        lambda: status(relay.urls["http"][0])["ledger"]["lines"] == 1,
    )
    assert relay.stop() == 0
    assert [one["EventName"] for one in events(there)] == ["Deploy"]
    assert emulator.stop() == 0


def test_events_that_are_refused_hold_no_entry() -> None:
    """Keys may allow one call and not the other; the log and the status say which.

    Once they allow both, a stop delivers what waited.
    """
    emulator = Child.start(["emulator", "--listen", "127.0.0.1:0", "--period", "1"])
    there = emulator.urls["emulator"][0]
    no = {"code": "NoPermission", "status": 403, "action": "PutCustomEvent"}
    script(there, [no | {"times": 1000}])
    relay = start_relay(emulator, 1, "--report-events")
    http = relay.urls["http"][0]
    client = client_of(relay)
    for number in range(3):
        client.event(f"Deploy{number}", "text")
    wait_until("the events are not held", lambda: events_of(http)["state"] == "held")
    client.increment("later")
    end(client)
    wait_until("the metric did not arrive", partial(_has_metric, there, "later"))
    told = events_of(http)
    assert (told["waiting"], told["acked"]) == (3, 0)
    assert "NoPermission" in told["reason"]
    assert status(http)["sink"]["state"] == "sending"
    assert "delivery of events is held: NoPermission" in relay.stderr
    assert "delivery is held" not in relay.stderr
    assert events(there) == []
    script(there, [])
    assert relay.stop() == 0
    assert [one["EventName"] for one in events(there)] == [
        f"Deploy{number}" for number in range(3)
    ]
    assert emulator.stop() == 0


def test_events_outlive_a_kill(tmp_path: Path) -> None:
    """What waits in the state folder: the next relay delivers it, each once."""
    emulator = Child.start(["emulator", "--listen", "127.0.0.1:0", "--period", "1"])
    there = emulator.urls["emulator"][0]
    script(there, [{"status": 503, "action": "PutCustomEvent", "times": 1000}])
    flags = ("--report-events", "--state", str(tmp_path / "state"))
    first = start_relay(emulator, 1, *flags)
    http = first.urls["http"][0]
    client = client_of(first)
    for number in range(70):
        client.event(f"Deploy{number}", "text")
    end(client)
    spooled = tmp_path / "state" / "events" / "spool"
    wait_until("the events were not read", lambda: events_of(http)["taken"] == 70)
    wait_until("they were not stored", lambda: len(list(spooled.glob("*.seg"))) >= 2)
    first.kill()
    assert events(there) == []
    script(there, [])
    second = start_relay(emulator, 1, *flags)
    wait_until("the events did not arrive", partial(_has_events, there, 70))
    told = events_of(second.urls["http"][0])
    assert (told["taken"], told["waiting"]) == (70, 0)
    assert second.stop() == 0
    names = [one["EventName"] for one in events(there)]
    assert sorted(names) == sorted(f"Deploy{number}" for number in range(70))
    assert emulator.stop() == 0


def test_a_stop_ends_in_time_while_events_hang() -> None:
    """Their last request is cut; what it carried is said to be lost."""
    emulator = Child.start(["emulator", "--listen", "127.0.0.1:0", "--period", "1"])
    there = emulator.urls["emulator"][0]
    script(there, [{"hang": 60, "action": "PutCustomEvent"}])
    relay = start_relay(emulator, 1, "--report-events", "--stop-timeout", "1")
    client = client_of(relay)
    client.event("Deploy", "text")
    end(client)
    wait_until("the event did not leave", lambda: len(events(there)) == 1, seconds=10)
    began = time.monotonic()
    assert relay.stop() == 0
    assert time.monotonic() - began < 4
    assert "1 events were not delivered" in relay.stderr
    assert emulator.stop() == 0


def test_without_the_switches_both_are_ignored() -> None:
    """They are counted, and nothing of them leaves."""
    emulator = Child.start(["emulator", "--listen", "127.0.0.1:0", "--period", "1"])
    there = emulator.urls["emulator"][0]
    relay = start_relay(emulator, 1)
    send_all(client_of(relay))
    wait_until("the metric did not arrive", partial(_has_metric, there, "hits"))
    ignored = status(relay.urls["http"][0])["ledger"]["ignored"]
    assert (ignored["event"], ignored["service_check"]) == (EVENTS, 1)
    assert metrics(relay.urls["http"][0]) == {}
    assert relay.stop() == 0
    assert events(there) == []
    assert {one["MetricName"] for one in entries(there)} == {"hits"}
    assert emulator.stop() == 0


def events_of(http: str) -> dict[str, Any]:
    """What /status says of events."""
    told: dict[str, Any] = status(http)["events"]
    return told


def _has_events(emulator: str, count: int) -> bool:
    return len(events(emulator)) >= count


def _has_metric(emulator: str, name: str) -> bool:
    return any(one["MetricName"] == name for one in entries(emulator))
