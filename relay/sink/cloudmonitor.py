"""The sink that is CloudMonitor: sign, send, read, and say what came of it.

Every attempt is signed anew with its own time and nonce. What an answer means is read by
``relay.cloudmonitor.answers``, what to do about it decided elsewhere. Thread: any, many
at once; nothing here raises once it is built.
"""

from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from typing import NamedTuple, Protocol
from urllib.parse import quote

from relay.cloudmonitor import answers
from relay.cloudmonitor.contract import METRICS, Operation
from relay.cloudmonitor.credentials import Credentials, CredentialsUnavailable, Provider
from relay.cloudmonitor.exchange import (
    Endpoint,
    Request,
    Signature,
    endpoint_at,
    put_request,
)
from relay.cloudmonitor.packing import Packed
from relay.delivery.batch import Batch
from relay.delivery.outcome import (
    Outcome,
    Rejected,
    Unauthorised,
    Unavailable,
    Uncertain,
)
from relay.rollup.engine import Rollup
from relay.sink.transport import Answer

__all__ = ["CloudMonitorSink", "SinkStatus"]

NO_CREDENTIALS = "NoCredentials"
"""Our own code, for a request that could not even be signed."""

OTHER_SINK = "OtherSink"
"""Likewise, for entries that another sink composed before the settings changed."""

_CLOCK_CODES = ("InvalidTimeStamp", "IllegalTimestamp")
_SECONDS_WORTH_TELLING = 60


class Carries(Protocol):
    """The network, as far as this sink has to know it."""

    def send(self, request: Request) -> Answer | Unavailable | Uncertain:
        """One attempt; never raises."""
        ...

    def close(self) -> None:
        """Cut what is under way."""
        ...


class SinkStatus(NamedTuple):
    """For people; ``clock_offset`` in seconds is what is added to our clock."""

    endpoint: str
    clock_offset: float
    credentials_source: str
    key_id: str
    credentials_expire_at: float | None
    credentials_warning: str


class CloudMonitorSink:
    """PutCustomMetric, or another ``operation``, at ``endpoint``.

    ``wall`` gives Unix seconds, ``nonce`` fresh text; ``fits`` says whether an item may
    be sent so.
    """

    def __init__(
        self,
        *,
        endpoint: Endpoint,
        compose: Callable[[Rollup], Packed],
        provider: Provider,
        transport: Carries,
        wall: Callable[[], float],
        nonce: Callable[[], str],
        signature: Signature = "v3",
        operation: Operation = METRICS,
        fits: Callable[[str], bool] = lambda _: True,
    ) -> None:
        """Raises ConfigError where ``endpoint`` is plain http and not on loopback."""
        self.compose = compose
        self._endpoint = endpoint_at(endpoint.url)
        self._provider, self._transport = provider, transport
        self._wall, self._nonce, self._signature = wall, nonce, signature
        self._operation, self._fits = operation, fits
        self._clock_offset = 0.0
        self._clock_gap: float | None = None
        self._last: Credentials | None = None

    def deliver(self, batch: Batch) -> Outcome:
        """One attempt."""
        if not all(map(self._fits, batch.items)):
            return Rejected(OTHER_SINK, "it was closed for another sink")
        try:
            self._last = credentials = self._provider.get()
            return self._attempt(batch, credentials)
        except CredentialsUnavailable as error:
            return Unauthorised(NO_CREDENTIALS, error.reason)
        except Exception as error:  # noqa: BLE001 - a defect must not stop the others
            # Uncertain: bounded, and the batches behind it go first.
            return Uncertain(f"a defect of this program: {type(error).__name__}")

    def refresh(self) -> None:
        """Credentials anew, and the clock's offset as the last refusal told it."""
        self._provider.refresh()
        if self._clock_gap is not None:
            self._clock_offset, self._clock_gap = self._clock_gap, None

    def use(self, provider: Provider) -> None:
        """Sign with the keys of ``provider`` from the next attempt on."""
        self._provider = provider

    def close(self) -> None:
        """Cut what is under way; attempts from now on fail at once."""
        self._transport.close()

    def status(self) -> SinkStatus:
        """As of the last attempt; blocks for nothing."""
        last = self._last
        return SinkStatus(
            endpoint=self._endpoint.url,
            clock_offset=self._clock_offset,
            credentials_source=last.source if last else "",
            key_id=last.masked_key_id if last else "",
            credentials_expire_at=last.expires_at if last else None,
            credentials_warning=self._provider.warning,
        )

    def _attempt(self, batch: Batch, credentials: Credentials) -> Outcome:
        request = put_request(
            batch.items,
            endpoint=self._endpoint,
            credentials=credentials,
            now=self._wall() + self._clock_offset,
            nonce=self._nonce(),
            signature=self._signature,
            operation=self._operation,
        )
        answer = self._transport.send(request)
        if not isinstance(answer, Answer):
            return answer
        outcome = answers.read(
            answer.status,
            answer.headers,
            answer.body,
            cut=answer.cut,
            scrub=lambda text: _without(text, credentials),
        )
        match outcome:
            case Unavailable() if _is_in_the_way(answer.status):
                return replace(outcome, lasting=True)
            case Unauthorised() if outcome.code.startswith(_CLOCK_CODES):
                return self._with_clock(outcome, answer)
        return outcome

    def _with_clock(self, outcome: Unauthorised, answer: Answer) -> Unauthorised:
        """Remember what the clock is wrong by, and name it."""
        date = answers.server_date(answer.headers)
        if date is None:
            return outcome
        self._clock_gap = gap = date - self._wall()
        if abs(gap) < _SECONDS_WORTH_TELLING:
            return outcome
        side = "behind" if gap > 0 else "ahead"
        told = f"this machine's clock is {abs(gap):.0f} s {side} of the service's"
        return replace(outcome, message=f"{told}; {outcome.message}")


def _is_in_the_way(status: int) -> bool:
    """A redirect or a proxy's demand: no CloudMonitor answered, and none will soon."""
    redirects = HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST
    return redirects or status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED


def _without(text: str, credentials: Credentials) -> str:
    """Without secret and token, however often they were percent-encoded."""
    for secret in (credentials.secret, credentials.token):
        form = secret.reveal() if secret else ""
        for _ in range(3):
            text = text.replace(form, "***") if form else text
            form = quote(form, safe="")
    return text
