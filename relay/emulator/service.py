"""The service behind the look-alike's door: one call in, one answer out.

Verifies, dispatches, stores, and notes every request it saw. No HTTP server, no timers.
"""

import json
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import NamedTuple

from relay.cloudmonitor.contract import ACTION, EVENTS, HYBRID_ACTION, VERSION
from relay.emulator.answers import (
    Answer,
    Refusal,
    gateway_answer,
    html_answer,
    refuse,
    service_answer,
)
from relay.emulator.describe import DESCRIBERS, describe
from relay.emulator.entries import Entry, Malformed, Refused, judge, read_list
from relay.emulator.events import CustomEvent, EventStore, judge_event, read_events
from relay.emulator.faults import Fault, Faults
from relay.emulator.hybrid import HybridStore, read_samples
from relay.emulator.limits import Limits
from relay.emulator.store import QUOTA_REACHED, Store
from relay.emulator.verify import Key, Verifier, read_claim, scheme_of
from relay.emulator.wire import Call

__all__ = ["Emulator", "RequestSeen", "action_of"]

REQUESTS_MAX = 100_000
NO_FAULT = Fault()


class RequestSeen(NamedTuple):
    """A line of the log of requests; ``status`` is None where nothing was answered."""

    received: float
    bytes: int
    entries: int
    signature: str | None
    status: int | None
    code: str | None
    action: str | None


class Emulator:
    """One account of the service: its keys, its memory, its faults."""

    def __init__(
        self, *, keys: Mapping[str, Key], now: Callable[[], float], limits: Limits
    ) -> None:
        self.store = Store(limits)
        self.events = EventStore()
        self.hybrid = HybridStore(limits)
        self.faults = Faults()
        self.limits = limits
        self.now = now
        self._verifier = Verifier(keys)
        self._requests: deque[RequestSeen] = deque(maxlen=REQUESTS_MAX)
        self._puts: Mapping[str, Callable[[Call, str, float], Answer]] = {
            ACTION: self._put,
            EVENTS.action: self._put_events,
            HYBRID_ACTION: self._put_hybrid,
        }

    def answer(self, call: Call, fault: Fault | None = None) -> Answer:
        """What the service says, the fault of this request included."""
        fault, now = fault or NO_FAULT, self.now()
        answer = self._answer(call, fault, now)
        silent = fault.cut == "accept"
        self._requests.append(
            RequestSeen(
                received=now,
                bytes=call.payload_bytes,
                entries=_count_entries(call),
                signature=scheme_of(call),
                status=None if silent else answer.status,
                code=None if silent else answer.code,
                action=action_of(call),
            )
        )
        return answer

    def requests(self) -> Iterator[RequestSeen]:
        """Every request seen, oldest first, as far as memory goes."""
        return iter(self._requests)

    def request_lines(self, last: int | None = None) -> Iterator[bytes]:
        """The same as JSON, without line ends; all, or the ``last`` of them."""
        newest = list(islice(reversed(self._requests), last))
        return (json.dumps(seen._asdict()).encode() for seen in reversed(newest))

    def _answer(self, call: Call, fault: Fault, now: float) -> Answer:
        request_id = str(uuid.uuid4()).upper()
        too_large = self._too_large(call)
        if too_large is not None:
            return too_large
        if fault.takes_entries:
            answer = self._handle(call, request_id, now, fault.clock_offset)
            spoiled = answer.code in {"200", "206"} and fault.body_code is not None
            return _faulty(fault, request_id) if spoiled else answer
        return _faulty(fault, request_id)

    def _too_large(self, call: Call) -> Answer | None:
        if call.query_bytes > self.limits.url_bytes:
            return html_answer(414)
        if len(call.body) > self.limits.body_bytes:
            return html_answer(413)
        return None

    def _handle(
        self, call: Call, request_id: str, now: float, clock_offset: float
    ) -> Answer:
        if call.method not in {"GET", "POST"}:
            return gateway_answer(refuse("UnsupportedHTTPMethod"), request_id)
        claim = read_claim(call)
        if isinstance(claim, Refusal):
            return gateway_answer(claim, request_id)
        problem = self._verifier.check(claim, now + clock_offset)
        parameters = dict(call.parameters)
        if problem is None and len(parameters) < len(call.parameters):
            problem = refuse("InvalidParameter", "A parameter was sent twice.")
        if problem is None and claim.version != VERSION:
            problem = refuse("InvalidVersion")
        if problem is not None:
            return gateway_answer(problem, request_id)
        put = self._puts.get(claim.action)
        if put is not None:
            return put(call, request_id, now)
        return self._describe(claim.action, parameters, request_id)

    def _describe(
        self, action: str, parameters: Mapping[str, str], request_id: str
    ) -> Answer:
        if action not in DESCRIBERS:
            return gateway_answer(refuse("InvalidAction.NotFound"), request_id)
        fields = describe(action, self.store, parameters)
        if isinstance(fields, Refusal):
            return gateway_answer(fields, request_id)
        return service_answer(request_id, "200", "success", fields)

    def _put(self, call: Call, request_id: str, now: float) -> Answer:
        """Take what can be taken. An unreadable element refuses the whole request."""
        elements = read_list(call.parameters, self.limits)
        if isinstance(elements, Refusal):
            return gateway_answer(elements, request_id)
        judged = [judge(element, now, self.limits) for element in elements]
        for n, result in enumerate(judged, 1):
            if isinstance(result, Malformed):
                message = f"syntax: MetricList.{n}: {result.message}"
                return service_answer(request_id, "400", message)
        losses = [
            loss for r in judged if (loss := self._take(r, request_id, now)) is not None
        ]
        if losses:
            return service_answer(request_id, "206", losses[0])
        return service_answer(request_id, "200", "success")

    def _put_events(self, call: Call, request_id: str, now: float) -> Answer:
        """Take all of them; one that cannot be read refuses the whole request."""
        elements = read_events(call.parameters, self.limits)
        if isinstance(elements, Refusal):
            return gateway_answer(elements, request_id)
        judged = [judge_event(element, now) for element in elements]
        for n, result in enumerate(judged, 1):
            if isinstance(result, Malformed):
                message = f"syntax: EventInfo.{n}: {result.message}"
                return service_answer(request_id, "400", message)
        for event in judged:
            if isinstance(event, CustomEvent):
                self.events.add(event, request_id, now)
        return service_answer(request_id, "200", "success")

    def _put_hybrid(self, call: Call, request_id: str, now: float) -> Answer:
        """Take what can be taken, and name the others."""
        namespace = dict(call.parameters).get("Namespace")
        if not namespace:
            return gateway_answer(refuse("MissingParameter", "Namespace"), request_id)
        samples = read_samples(call.parameters)
        if isinstance(samples, Refusal):
            return gateway_answer(samples, request_id)
        refused = self.hybrid.take(namespace, samples, request_id, now)
        detail = {"ErrorDetail": refused} if refused else {}
        return service_answer(request_id, "200", "success", detail)

    def _take(
        self, judged: Entry | Malformed | Refused, request_id: str, now: float
    ) -> str | None:
        """Store an entry; the reason where it is lost."""
        if not isinstance(judged, Entry):
            return judged.message
        return None if self.store.add(judged, request_id, now) else QUOTA_REACHED


_BODY_MESSAGES = {
    200: "success",
    206: QUOTA_REACHED,
    400: "syntax",
    403: "access denied",
    500: "internal error",
}


def _faulty(fault: Fault, request_id: str) -> Answer:
    """The answer a fault asks for."""
    if fault.code is not None:
        message = fault.message or f"Request was denied due to {fault.code}."
        refusal = Refusal(fault.status or 400, fault.code, message)
        return gateway_answer(refusal, request_id, fault.retry_after_ms)
    if fault.body_code is not None:
        message = fault.message or _BODY_MESSAGES.get(fault.body_code, "error")
        status = fault.status or 200
        return service_answer(request_id, str(fault.body_code), message, status=status)
    return html_answer(fault.status or 200, fault.body)


def action_of(call: Call) -> str | None:
    """The operation a call asks for, as it says itself."""
    named = call.headers.get("x-acs-action")
    return named or next((v for k, v in call.parameters if k == "Action"), None)


def _count_entries(call: Call) -> int:
    """How many entries or events a request holds, by their names, whatever becomes of it."""
    return sum(
        (name.startswith("MetricList.") and name.endswith((".MetricName", ".Name")))
        or (name.startswith("EventInfo.") and name.endswith(".EventName"))
        for name, _ in call.parameters
    )
