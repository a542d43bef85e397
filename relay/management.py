"""What the management console shows and does: from the engine, the settings and counts.

The console's words and its connections are in ``admin``; nothing is counted here but what
an operator made the engine forget.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from twisted.internet.interfaces import IReactorTime

from relay.admin.console import ConsoleFactory
from relay.admin.conversation import Console, Conversation, Dumped, Health
from relay.commands.explain import Explainer, in_words, visible
from relay.rollup.engine import Engine
from relay.rollup.looking import key_of
from relay.rollup.summary import (
    CounterSummary,
    GaugeSummary,
    SetSummary,
    Summary,
    TimerSummary,
)
from relay.service.journal import CourierStatus
from relay.settings import Settings, config_rows
from relay.statsd.sample import Kind

__all__ = ["Management", "Now"]

KINDS: Mapping[str, Sequence[Kind]] = {
    "counters": (Kind.COUNTER,),
    "timers": (Kind.TIMER, Kind.HISTOGRAM, Kind.DISTRIBUTION),
    "gauges": (Kind.GAUGE,),
    "sets": (Kind.SET,),
}
"""By the console's word; what the reference has no word for goes where it is most like."""


class Now(NamedTuple):
    """Figures of one moment: ``wall`` and the others that are moments in Unix seconds.

    ``seen_at`` is when the last packet came, None if none has; ``closing_seconds`` is
    what the last period took to close.
    """

    wall: float
    seen_at: float | None
    courier: CourierStatus
    closing_seconds: float


class Management:
    """``period`` is the one that is open, ``settings`` those in force.

    ``forgotten`` counts series by kind.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        started: float,
        period: Callable[[], int],
        settings: Callable[[], Settings],
        now: Callable[[], Now],
    ) -> None:
        self._engine, self._period = engine, period
        self._started, self._settings, self._now = started, settings, now
        self.forgotten: dict[tuple[str, ...], float] = {
            (kind.value,): 0 for kind in Kind
        }

    def factory(self, clock: IReactorTime) -> ConsoleFactory:
        """Of the console's connections."""
        console = Console(
            stats=self._stats,
            dumps={word: partial(self._dump, kinds) for word, kinds in KINDS.items()},
            deletes={
                word: partial(self._forget, kinds) for word, kinds in KINDS.items()
            },
            config=lambda: config_rows(self._settings()),
            explain=self._explain,
            bad=lambda: (
                (refusal.text, refusal.reason.value)
                for refusal in self._engine.last_refusals()
            ),
        )
        health = Health(up=self._settings().health_status == "up")
        return ConsoleFactory(Conversation(console, health), clock)

    def _stats(self) -> Dumped:
        """The reference's figures; a sink stands where it has backends."""
        now, sink = self._now(), self._settings().sink
        courier = now.courier

        def ago(moment: float | None) -> int:
            return int(now.wall - (self._started if moment is None else moment))

        yield "uptime", ago(None)
        yield "messages.last_msg_seen", ago(now.seen_at)
        yield "messages.bad_lines_seen", sum(self._engine.tally().refused.values())
        yield f"{sink}.last_flush", ago(courier.last_success_at)
        # As the reference: since 1970 where there was none. Checks rely on a large figure.
        yield f"{sink}.last_exception", int(now.wall - (courier.last_failure_at or 0.0))
        yield f"{sink}.flush_time", round(now.closing_seconds * 1000)
        yield f"{sink}.flush_length", courier.last_bytes

    def _dump(self, kinds: Sequence[Kind]) -> Iterator[tuple[str, str]]:
        for kind in kinds:
            for series, summary in self._engine.peek(kind, self._period()):
                yield visible(key_of(series)), _in_words(summary)

    def _forget(self, kinds: Sequence[Kind], pattern: str) -> Sequence[str]:
        gone: list[str] = []
        for kind in kinds:
            series = self._engine.forget(kind, pattern, self._period())
            self.forgotten[kind.value,] += len(series)
            gone += (visible(key_of(one)) for one in series)
        return gone

    def _explain(self, line: str) -> Iterator[str]:
        text = line.encode()
        return in_words(text, Explainer(self._settings()).explain(text))


def _in_words(summary: Summary) -> str:
    match summary:
        case CounterSummary():
            return _number(summary.total)
        case GaugeSummary():
            return _number(summary.last)
        case SetSummary():
            return f"{summary.distinct}"
        case TimerSummary():
            parts = ("count", "mean", "minimum", "maximum")
            words = ((part, _number(getattr(summary, part))) for part in parts)
            return ", ".join(f"{part} {number}" for part, number in words)


def _number(value: float) -> str:
    """Whole ones as the reference shows them."""
    return f"{int(value)}" if value.is_integer() and abs(value) < 1e21 else f"{value!r}"  # noqa: PLR2004 - JavaScript's limit
