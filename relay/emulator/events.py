"""What the service makes of custom events: reads them, refuses the malformed, keeps them.

No clock: ``now`` is an argument. Memory is bounded, the oldest goes first. What the
service does with a name or a content that is too long is said nowhere, so that none is.
"""

import json
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from relay.cloudmonitor.contract import EVENTS
from relay.emulator.answers import Refusal
from relay.emulator.entries import Malformed, MalformedError, digits, time_ms
from relay.emulator.limits import Limits
from relay.emulator.listed import Log, elements_of
from relay.emulator.wire import Pairs

__all__ = ["CustomEvent", "EventStore", "judge_event", "read_events"]

MANDATORY = ("Content", "EventName")


@dataclass(frozen=True, slots=True)
class CustomEvent:
    """One element of EventInfo as the service keeps it."""

    group_id: str
    name: str
    time_ms: int
    content: str


class EventStore:
    """The events that were taken; one thread."""

    def __init__(self) -> None:
        self._log = Log()
        self._newest: deque[CustomEvent] = deque(maxlen=1000)
        self.taken = 0

    def add(self, event: CustomEvent, request_id: str, received: float) -> None:
        """Keep one."""
        shown = {
            "GroupId": event.group_id,
            "EventName": event.name,
            "Time": event.time_ms,
            "Content": event.content,
            "RequestId": request_id,
            "received": received,
        }
        self.taken += 1
        self._newest.append(event)
        self._log.append(json.dumps(shown).encode())

    def clear(self) -> int:
        """Forget all; gives how many were there."""
        self._newest.clear()
        return self._log.clear()

    def lines(self) -> Iterator[bytes]:
        """As JSON, without line ends, in order of acceptance; contents as sent."""
        return iter(self._log)

    def newest(self, count: int) -> list[CustomEvent]:
        """The latest ones, newest first."""
        return list(self._newest)[: -count - 1 : -1]


def read_events(parameters: Pairs, limits: Limits) -> list[Mapping[str, str]] | Refusal:
    """Gather ``EventInfo.N.Field``; N counts from 1 without gaps."""
    return elements_of(
        parameters,
        EVENTS.list_name,
        mandatory=MANDATORY,
        most=limits.events_per_request,
        called="events",
    )


def judge_event(element: Mapping[str, str], now: float) -> CustomEvent | Malformed:
    """Read one element; ``now`` in Unix seconds is its time where it has none."""
    try:
        return CustomEvent(
            group_id=digits("GroupId", element.get("GroupId") or "0"),
            name=element["EventName"],
            time_ms=time_ms(element["Time"])
            if element.get("Time")
            else int(now * 1000),
            content=element["Content"],
        )
    except MalformedError as problem:
        return Malformed(f"{problem}")
