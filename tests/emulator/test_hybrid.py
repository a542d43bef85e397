"""PutHybridMonitorMetricData from outside: what is taken, and what is refused by index."""

import json
from typing import Any

from relay.emulator.limits import Limits
from tests.emulator.door import NOW, Door, Reply, signed

SAMPLE = {
    "Labels.1.Key": "instance",
    "Labels.1.Value": "web-1",
    "Name": "a_sum",
    "TS": "1767322980000",
    "Value": "42.5",
}


def put(door: Door, *given: dict[str, str], **changed: str) -> Reply:
    """The call, into the namespace ``statsd``."""
    numbered = {
        f"MetricList.{n}.{field}": value
        for n, sample in enumerate(given, 1)
        for field, value in sample.items()
    }
    whole = {"Action": "PutHybridMonitorMetricData", "Namespace": "statsd", **numbered}
    return door.call(signed(whole) | changed)


def shown(door: Door) -> list[dict[str, Any]]:
    """What was accepted, in order."""
    lines = door.get("/_emulator/hybrid").body.splitlines()
    return [json.loads(line) for line in lines]


def test_a_sample_is_taken_and_shown() -> None:
    """As it was sent, with the request it came in; it is no entry of the other kind."""
    door = Door()
    reply = put(door, SAMPLE)
    assert (reply.status, reply.code) == (200, "200")
    assert "ErrorDetail" not in reply.json
    assert shown(door) == [
        {
            "Namespace": "statsd",
            "Name": "a_sum",
            "Labels": {"instance": "web-1"},
            "TS": 1767322980000,
            "Value": 42.5,
            "RequestId": reply.json["RequestId"],
            "received": NOW,
        }
    ]
    assert door.entries() == []
    (seen,) = door.emulator.requests()
    assert (seen.action, seen.entries) == ("PutHybridMonitorMetricData", 1)


def test_what_is_refused_is_named_and_the_rest_taken() -> None:
    """By its index, from 0, with a sentence each."""
    door = Door()
    bad = [
        {"Name": "1a"},
        {"Labels.1.Key": "a-b"},
        {"Value": "NaN"},
        {"Value": "x"},
        {"TS": "1767322980"},
        {"Labels.2.Key": "instance", "Labels.2.Value": "twice"},
    ]
    reply = put(door, SAMPLE, *(SAMPLE | one for one in bad), SAMPLE | {"Name": "b"})
    assert [one["Index"] for one in reply.json["ErrorDetail"]] == [1, 2, 3, 4, 5, 6]
    assert reply.json["ErrorDetail"][0]["ErrorMessage"] == "invalid metric name '1a'"
    assert [one["Name"] for one in shown(door)] == ["a_sum", "b"]


def test_series_beyond_the_quota_are_refused_by_index() -> None:
    """The known ones are taken."""
    door = Door(limits=Limits(series_quota=1))
    put(door, SAMPLE)
    reply = put(door, SAMPLE | {"Name": "b"}, SAMPLE)
    [refused] = reply.json["ErrorDetail"]
    assert (refused["Index"], "quota" in refused["ErrorMessage"]) == (0, True)
    assert [one["Name"] for one in shown(door)] == ["a_sum", "a_sum"]


def test_a_bad_request_takes_nothing() -> None:
    """No namespace, no sample, a gap, too many, a wrong signature."""
    door = Door()
    assert put(door, SAMPLE, Signature="x").code == "SignatureDoesNotMatch"
    assert put(door).code == "MissingParameter"
    assert put(door, *[SAMPLE] * 101).code == "InvalidParameter"
    gap = signed(
        {
            "Action": "PutHybridMonitorMetricData",
            "Namespace": "n",
            "MetricList.2.Name": "a",
        }
    )
    assert door.call(gap).code == "MissingParameter"
    nowhere = signed({"Action": "PutHybridMonitorMetricData", "MetricList.1.Name": "a"})
    assert door.call(nowhere).code == "MissingParameter"
    assert shown(door) == []
