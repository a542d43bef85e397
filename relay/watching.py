"""What the status page shows besides the status: the last hour, a search, an explanation.

Samples counts that others keep, and asks the rooms that know. Nothing is counted here,
and nothing of it is on the road.
"""

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.web.server import Site

from relay.admin.history import EVERY_SECONDS, History, figures
from relay.admin.live import Hour
from relay.admin.periods import Periods
from relay.admin.status import Status
from relay.admin.verdict import LATELY_SECONDS, Scene, Verdict, judge
from relay.admin.web import make_site
from relay.cloudmonitor.answers import hint_for
from relay.cloudmonitor.mapping import Mapper
from relay.cloudmonitor.packing import Packed
from relay.commands.explain import Explainer, in_words
from relay.delivery.batch import Batch
from relay.delivery.outcome import Outcome
from relay.rollup.engine import Engine, Rollup
from relay.rollup.grace import aligned
from relay.rollup.series import Series
from relay.search import Search
from relay.service.answered import Answers, Noting, Watched
from relay.settings import Settings

__all__ = ["Watching"]

WORDS_MAX = 200
"""Lines of an explanation; packed values would make thousands."""


class _Sink(Protocol):
    @property
    def compose(self) -> Callable[[Rollup], Packed]: ...

    def deliver(self, batch: Batch) -> Outcome: ...

    def refresh(self) -> None: ...


class Watching:
    """Is ``admin.live.Live``. ``health`` gives the reactor's lag in seconds, and how many
    defects there were."""

    _log = Logger()

    def __init__(
        self,
        engine: Engine,
        mapper: Mapper | None,
        *,
        settings: Callable[[], Settings],
        status: Callable[[], Status],
        health: Callable[[], tuple[float, float]],
        clock: IReactorTime,
        wall: Callable[[], float],
    ) -> None:
        self._mapper, self._settings, self._status = mapper, settings, status
        self._health, self._clock, self._wall = health, clock, wall
        self._length = settings().period  # to change that, a relay is started anew
        self._history, self._periods = History(), Periods()
        self._answers, self._watched = Answers(wall), Watched()
        self._search = Search(
            engine,
            period=lambda: aligned(wall(), length=self._length),
            length=self._length,
            rule_of=self._rule_of,
            answers=self._answers,
            watched=self._watched,
            clock=clock,
        )
        self._sampling = LoopingCall(self._sample)
        self._sampling.clock = clock

    # What the road shows of itself.

    def noting(self, sink: _Sink) -> Noting:
        """The sink, whose answers are remembered from now on."""
        return Noting(sink, self._answers.note)

    def composing(self, sink: _Sink) -> Callable[[Rollup], Packed]:
        """Its compose; what series report that were looked for is remembered."""
        return lambda rollup: sink.compose(self._watched.seeing(rollup, self._length))

    def start(self) -> None:
        """Begin to sample."""
        predecessor = self._status()["predecessor"]
        if predecessor is not None and not predecessor["clean"]:
            self._periods = Periods(predecessor["gap_seconds"])
        self._periods.begin(self._figures())
        self._sampling.start(EVERY_SECONDS)

    def stop(self) -> None:
        """Cease to."""
        if self._sampling.running:
            self._sampling.stop()

    def closed(self, start: int) -> None:
        """The period that began at ``start`` takes no more samples."""
        self._periods.close(start, self._length, self._figures())

    def site(
        self, metrics: Callable[[str], tuple[str, bytes]], ready: Callable[[], bool]
    ) -> Site:
        """The admin site; arguments as of ``admin.web.make_site``."""
        return make_site(
            status=self._status,
            metrics=metrics,
            ready=ready,
            live=self,
            clock=self._clock,
            hosts=self._settings().http_names,
            wall=self._wall,
        )

    # What the page asks for.

    def hour(self, after: float) -> Hour:
        """See ``Live``."""
        return Hour(
            every=EVERY_SECONDS,
            period=self._length,
            periods=self._periods.all(),
            **self._history.after(after),
        )

    def verdict(self, status: Status, ready: bool) -> Verdict:
        """See ``Live``."""
        reason = status["sink"]["reason"] or ""
        increase = self._history.increase
        return judge(
            Scene(
                status=status,
                ready=ready,
                now=self._wall(),
                period=self._length,
                hint=hint_for(reason.partition(" ")[0].rstrip(":"), reason),
                known=self._history.known(LATELY_SECONDS),
                lines=int(increase("lines", LATELY_SECONDS)),
                refused=self._increases("refused"),
                kernel_drops=int(increase("kernel_drops", LATELY_SECONDS)),
                lost=self._increases("lost"),
            )
        )

    def find(self, query: str, limit: int) -> "Deferred[dict[str, object]]":
        """See ``Live``."""
        return self._search.find(query, limit)

    def explain(self, line: bytes) -> dict[str, object]:
        """See ``Live``."""
        item = Explainer(self._settings()).explain(line)
        words = in_words(line, item)
        return {
            "words": _bounded(words),
            **{what: len(item[what]) for what in ("accepted", "refused", "ignored")},
        }

    def _increases(self, prefix: str) -> dict[str, int]:
        risen = self._history.increases(prefix, LATELY_SECONDS)
        return {name: int(by) for name, by in risen.items()}

    def _figures(self) -> dict[str, float | None]:
        lag, defects = self._health()
        return figures(self._status(), lag=lag, defects=defects)

    def _sample(self) -> None:
        try:
            self._history.add(self._wall(), self._figures())
        except Exception:  # noqa: BLE001 - a chart is not worth a relay
            self._log.failure("a defect: no sample for the status page")

    def _rule_of(self, series: Series) -> tuple[int, str] | None:
        mapper = self._mapper
        if mapper is None:
            return None
        place = mapper.made(series.kind, series.name)
        if place is None:
            return None
        return place + 1, mapper.rules[place].pattern.written


def _bounded(words: Iterable[str]) -> list[Any]:
    words = iter(words)
    first = list(islice(words, WORDS_MAX))
    left = sum(1 for _ in words)
    return [*first, f"  … and {left} lines more"] if left else first
