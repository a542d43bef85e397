"""What ``doctor`` finds out about the service: keys, endpoint, clock, permission.

It asks as the relay would ask, over the same transport. Nothing is written unless it is
told to, and then one value of one series, and one event where events are reported.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple

from relay.cloudmonitor import contract
from relay.cloudmonitor.answers import hint_for, read, server_date
from relay.cloudmonitor.credentials import Credentials, CredentialsUnavailable, Provider
from relay.cloudmonitor.exchange import Endpoint, Request, rpc_request
from relay.commands.findings import Finding, Mark
from relay.delivery.outcome import (
    Accepted,
    AcceptedWithLoss,
    Outcome,
    Rejected,
    Throttled,
    Unauthorised,
    Unavailable,
    Uncertain,
)
from relay.settings import Settings
from relay.sink.transport import Answer

__all__ = ["METRIC", "Service"]

METRIC: Final = "cms_relay_doctor"
"""The series that ``--write`` writes to."""

READ_ACTION: Final = "DescribeCustomMetricList"
POLICY: Final = (
    f"attach deploy/ram-policy.json to the RAM user or role (cms:{contract.ACTION})"
)
POLICY_OF_EVENTS: Final = (
    f"allow the RAM user or role cms:{contract.EVENTS.action} as well, or leave "
    "--report-events"
)

_NO_PERMISSION: Final = ("NoPermission", "Forbidden", "AccessForbidden", "403")
_CLOCK: Final = ("InvalidTimeStamp", "IllegalTimestamp")
_WORTH_TELLING_SECONDS: Final = 60
_LOOKS: Final = 4
_BETWEEN_LOOKS_SECONDS: Final = 1.0

_REASONS: Final[Mapping[str, str]] = {
    "the name is not resolved": "check the resolver (/etc/resolv.conf), --region and --network",
    "the resolver does not answer": "check the resolver (/etc/resolv.conf)",
    "connection refused": "check --endpoint; a firewall may refuse as well",
    "the certificate is not trusted": "check the clock; with a proxy of your own: --ca-file FILE",
    "TLS failed": "something in between does not speak TLS: a proxy? --use-proxy",
    "the proxy": "check https_proxy and no_proxy, or --no-use-proxy",
    "no answer in time": "open port 443 to the endpoint, or --network vpc within a VPC",
}


class Asked(NamedTuple):
    """An answer: what it means, and when the service says it was, in Unix seconds."""

    outcome: Outcome
    date: float | None
    body: bytes


class Service:
    """``send`` is one attempt over the network; ``wall`` gives Unix seconds."""

    def __init__(
        self,
        settings: Settings,
        provider: Provider,
        endpoint: Endpoint,
        *,
        send: Callable[[Request], Answer | Unavailable | Uncertain],
        wall: Callable[[], float],
        nonce: Callable[[], str],
        pause: Callable[[float], None],
    ) -> None:
        self._settings, self._provider, self._endpoint = settings, provider, endpoint
        self._send, self._wall, self._nonce, self._pause = send, wall, nonce, pause

    def findings(self, *, write: bool) -> Iterator[Finding]:
        """In the order in which things are needed; what cannot be known is skipped."""
        try:
            credentials = self._provider.get()
        except CredentialsUnavailable as error:
            fix = "check that source, or name another one: --key-file FILE"
            yield Finding(Mark.FAIL, "credentials", error.reason, fix)
            return
        yield self._found(credentials)
        asked = self._ask(credentials, READ_ACTION, {"PageSize": "1"})
        if not isinstance(asked, Asked):
            yield self._unreachable(asked)
            return
        yield Finding(Mark.OK, "endpoint", f"{self._endpoint.url} answers")
        yield from self._clock(asked.date)
        may_read, identity = _identity(asked.outcome)
        yield identity
        if identity.mark is not Mark.OK:
            return
        if not write:
            text = f"to put was not tried: --write puts one value of {METRIC}"
            yield Finding(Mark.SKIP, "permission", text)
            return
        yield from self._written(credentials, may_read=may_read)

    def _found(self, credentials: Credentials) -> Finding:
        text = f"{credentials.masked_key_id} from {credentials.source}"
        if credentials.expires_at is not None:
            minutes = (credentials.expires_at - self._wall()) / 60
            text += f", good for {minutes:.0f} min"
        if self._provider.warning:
            return Finding(
                Mark.WARN,
                "credentials",
                f"{text}; but {self._provider.warning}",
                "mend that source before the keys expire",
            )
        return Finding(Mark.OK, "credentials", text)

    def _unreachable(self, outcome: Unavailable | Uncertain) -> Finding:
        fix = next(
            (fix for words, fix in _REASONS.items() if words in outcome.reason),
            "check the network between here and the endpoint",
        )
        return Finding(
            Mark.FAIL, "endpoint", f"{self._endpoint.url}: {outcome.reason}", fix
        )

    def _clock(self, date: float | None) -> Iterator[Finding]:
        if date is None:
            yield Finding(Mark.SKIP, "clock", "the answer has no Date to compare with")
            return
        gap = date - self._wall()
        if abs(gap) < _WORTH_TELLING_SECONDS:
            yield Finding(Mark.OK, "clock", "agrees with the service's to the minute")
            return
        side = "behind" if gap > 0 else "ahead of"
        is_refused = abs(gap) >= contract.CLOCK_TOLERANCE_SECONDS
        text = f"this machine's clock is {abs(gap):.0f} s {side} the service's"
        more = ": more than it takes" if is_refused else ""
        yield Finding(
            Mark.FAIL if is_refused else Mark.WARN,
            "clock",
            text + more,
            "timedatectl set-ntp true",
        )

    def _written(
        self, credentials: Credentials, *, may_read: bool
    ) -> Iterator[Finding]:
        asked = self._ask(credentials, contract.ACTION, self._entry())
        if not isinstance(asked, Asked):
            yield self._unreachable(asked)
            return
        yield _permission(asked.outcome, contract.ACTION)
        yield from self._event_written(credentials)
        if not isinstance(asked.outcome, Accepted):
            return
        if not may_read:
            text = "not tried, as reading is not permitted; the relay does not need it"
            yield Finding(Mark.SKIP, "visible", text)
            return
        for look in range(_LOOKS):
            if look:
                self._pause(_BETWEEN_LOOKS_SECONDS)
            back = self._ask(credentials, READ_ACTION, {"MetricName": METRIC})
            if isinstance(back, Asked) and METRIC.encode() in back.body:
                yield Finding(Mark.OK, "visible", f"{METRIC} is listed by the service")
                return
        yield Finding(
            Mark.WARN,
            "visible",
            f"{METRIC} was taken, but is not listed yet; the list may lag by minutes",
            "look at CloudMonitor's console, Custom Monitoring, in some minutes",
        )

    def _event_written(self, credentials: Credentials) -> Iterator[Finding]:
        """Whether the keys may put events as well, where these are reported."""
        if not self._settings.report_events:
            return
        event = {
            "EventName": METRIC,
            "GroupId": str(self._settings.group_id),
            "Content": json.dumps(
                {"title": METRIC, "text": "cms-relay doctor --write"}
            ),
        }
        fields = {f"EventInfo.1.{field}": text for field, text in event.items()}
        asked = self._ask(credentials, contract.EVENTS.action, fields)
        if isinstance(asked, Asked):
            found = _permission(asked.outcome, contract.EVENTS.action)
            yield found._replace(about="events")
        else:
            yield self._unreachable(asked)

    def _entry(self) -> Mapping[str, str]:
        """Aggregated, since the free edition refuses raw values."""
        period = contract.PERIODS[0]
        instance = self._settings.instance
        dimensions = {"instance": instance} if instance else {"source": "statsd"}
        fields = {
            "GroupId": str(self._settings.group_id),
            "MetricName": METRIC,
            "Dimensions": json.dumps(dimensions, separators=(",", ":")),
            "Type": str(contract.TYPE_AGGREGATED),
            "Period": str(period),
            "Time": str(int(self._wall() // period) * period * 1000),
            "Values": '{"LastValue":1,"SampleCount":1}',
        }
        return {f"MetricList.1.{field}": text for field, text in fields.items()}

    def _ask(
        self, credentials: Credentials, action: str, parameters: Mapping[str, str]
    ) -> "Asked | Unavailable | Uncertain":
        request = rpc_request(
            action,
            parameters,
            endpoint=self._endpoint,
            credentials=credentials,
            now=self._wall(),
            nonce=self._nonce(),
            signature=self._settings.signature,
        )
        answer = self._send(request)
        if not isinstance(answer, Answer):
            return answer
        outcome = read(answer.status, answer.headers, answer.body, cut=answer.cut)
        return Asked(outcome, server_date(answer.headers), answer.body)


def _identity(outcome: Outcome) -> tuple[bool, Finding]:
    """Whether the keys may read as well; and whether the service knows whose they are."""
    about = "identity"
    match outcome:
        case Accepted():
            return True, Finding(Mark.OK, about, "the service takes the signature")
        case Unauthorised(code, message) if code.startswith(_NO_PERMISSION):
            text = f"the service takes the signature; reading is not permitted ({code})"
            return False, Finding(Mark.OK, about, text)
        case Unauthorised(code, message):
            fix = (
                "timedatectl set-ntp true"
                if code.startswith(_CLOCK)
                else hint_for(code)
            )
            return False, Finding(Mark.FAIL, about, f"{code}: {message}", fix)
        case Throttled(code):
            text = f"not known: the account is over its rate just now ({code})"
            return False, Finding(Mark.WARN, about, text, "try again in a minute")
        case Rejected(code, message) | AcceptedWithLoss(code, message):
            return False, Finding(
                Mark.WARN, about, f"{code}: {message}", hint_for(code)
            )
        case Unavailable(reason) | Uncertain(reason):
            text = f"the service is out of order: {reason}"
            return False, Finding(Mark.FAIL, about, text, "try again in some minutes")


def _permission(outcome: Outcome, action: str) -> Finding:
    about = "permission"
    match outcome:
        case Accepted():
            return Finding(Mark.OK, about, f"{action} took one value of {METRIC}")
        case Unauthorised(code, message):
            policy = POLICY if action == contract.ACTION else POLICY_OF_EVENTS
            return Finding(Mark.FAIL, about, f"{code}: {message}", policy)
        case (
            AcceptedWithLoss(code, message)
            | Rejected(code, message)
            | Throttled(code, _, message)
        ):
            fix = (
                hint_for(code, message)
                or "see the table of codes in docs/cloudmonitor-answers.rst"
            )
            return Finding(Mark.FAIL, about, f"{code}: {message}", fix)
        case Unavailable(reason) | Uncertain(reason):
            return Finding(Mark.FAIL, about, reason, "try again in some minutes")
