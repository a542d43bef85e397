"""A look-alike in a process of its own, and entries and events put there over HTTP."""

import json
import time
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from relay.cloudmonitor.contract import ENTRIES_MAX, EVENTS
from tests.e2e.children import Child
from tests.emulator.door import put_parameters, signed

__all__ = ["aggregated", "call", "put", "put_events", "start_emulator"]


def start_emulator() -> tuple[Child, str]:
    """With the key that the signing of the tests has; the child and its URL."""
    child = Child.start(["emulator", "--listen", "127.0.0.1:0", "--key", "id=secret"])
    return child, child.urls["emulator"][0]


def aggregated(
    name: str,
    dimensions: Mapping[str, str],
    time_s: float,
    values: Mapping[str, float],
    period: int = 60,
) -> dict[str, str]:
    """An entry as a relay reports it."""
    return {
        "GroupId": "0",
        "MetricName": name,
        "Dimensions": json.dumps(dimensions),
        "Type": "1",
        "Period": str(period),
        "Time": str(int(time_s * 1000)),
        "Values": json.dumps(values),
    }


def put(url: str, entries: Sequence[Mapping[str, str]]) -> None:
    """All of them, as many in a request as it may have."""
    for first in range(0, len(entries), ENTRIES_MAX):
        answer = call(url, put_parameters(*entries[first : first + ENTRIES_MAX]))
        assert answer["Code"] == "200", answer


def put_events(url: str, events: Sequence[tuple[str, str]]) -> None:
    """Name and content of each."""
    fields = {
        f"{EVENTS.list_name}.{n}.{field}": value
        for n, event in enumerate(events, 1)
        for field, value in zip(("EventName", "Content"), event, strict=True)
    }
    answer = call(url, {"Action": EVENTS.action, **fields})
    assert answer["Code"] == "200", answer


def call(
    url: str, parameters: Mapping[str, str], *, fails: bool = False
) -> dict[str, str]:
    """What the service says to a signed call; with ``fails`` it must be an HTTP error."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    form = urlencode(signed(parameters, Timestamp=now)).encode()
    request = Request(url, form)  # noqa: S310 - our own URL
    try:
        answer = urlopen(request, timeout=10)  # noqa: S310 - the same
    except HTTPError as error:
        answer = error
    with answer:
        said: dict[str, str] = json.loads(answer.read())
    assert fails == (answer.status >= HTTPStatus.BAD_REQUEST), said
    return said
