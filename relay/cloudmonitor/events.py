"""An event of DogStatsD as an element of EventInfo, encoded as entries are.

The name is what alarm rules go by, so that it is cleaned like that of a metric; all that
was sent is in the content, as JSON. Who takes an event, and when, is not known here.
"""

import json
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import unquote

from relay.cloudmonitor.cleaning import clean_name, with_hash
from relay.cloudmonitor.contract import (
    BODY_BYTES_DEFAULT,
    EVENT_FIELDS,
    EVENTS,
    EVENTS_MAX,
)
from relay.cloudmonitor.packing import Packed, pack
from relay.cloudmonitor.signing import pe
from relay.statsd.sample import Event

__all__ = ["TakenEvent", "compose_events", "decode_event", "encode_event"]
__all__ += ["event_name"]

_LATEST_SECONDS = 253_402_300_799
"""The end of the year 9999: a later time stamp is nonsense, and counts as none."""


class TakenEvent(NamedTuple):
    """An event and when it arrived, in Unix seconds."""

    event: Event
    at: float


def compose_events(
    taken: Iterable[TakenEvent],
    *,
    prefix: str,
    closed_at: int,
    group_id: str = "0",
    instance: str | None = None,
    max_bytes: int = BODY_BYTES_DEFAULT,
) -> Packed:
    """Events as batches of PutCustomEvent, named ``<prefix>/<n>``. Thread: any."""
    return pack(
        (encode_event(one, group_id=group_id, instance=instance) for one in taken),
        prefix=prefix,
        closed_at=closed_at,
        max_entries=EVENTS_MAX,
        max_bytes=max_bytes,
        operation=EVENTS,
    )


def encode_event(
    taken: TakenEvent, *, group_id: str = "0", instance: str | None = None
) -> str:
    """The item: ASCII, sorted fields. ``instance`` names the relay in the content."""
    event, at = taken
    stamp = event.timestamp
    seconds = at if stamp is None or stamp > _LATEST_SECONDS else stamp
    return (
        f"Content={pe(_content(event, instance))}"
        f"&EventName={pe(event_name(event.title))}"
        f"&GroupId={pe(group_id)}"
        f"&Time={int(seconds * 1000)}"
    )


def decode_event(item: str) -> dict[str, object]:
    """An encoded event as it is shown to people and scripts: the content as an object.

    Raises ValueError for a text that is no event.
    """
    fields = dict(pair.split("=", 1) for pair in item.split("&"))
    if tuple(fields) != EVENT_FIELDS:
        raise ValueError(f"not an event of ours: {item[:80]!r}")
    return {
        "GroupId": unquote(fields["GroupId"]),
        "EventName": unquote(fields["EventName"]),
        "Time": int(fields["Time"]),
        "Content": json.loads(unquote(fields["Content"])),
    }


def event_name(title: str) -> str:
    """A title as a name; one that lost letters of other alphabets keeps a hash."""
    cleaned = clean_name(title)
    return cleaned if title.isascii() else with_hash(cleaned, title)


def _content(event: Event, instance: str | None) -> str:
    """What was sent, without what was left out."""
    said = {
        "title": event.title,
        "text": event.text,
        "alert_type": event.alert_type,
        "priority": event.priority,
        "host": event.hostname,
        "aggregation_key": event.aggregation_key,
        "source": event.source,
        "tags": dict(event.tags) or None,
        "instance": instance,
    }
    return _json({key: value for key, value in said.items() if value is not None})


_json = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, separators=(",", ":")
).encode
