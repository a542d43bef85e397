"""A search over the series that are held, for people: some at a time, never for long.

Scans names outside the hot path, a slice a turn of the reactor, and stops at enough
matches. What is shown of a series is put together here.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from relay.cloudmonitor.datum import values_of
from relay.cloudmonitor.subject import subjects_of
from relay.rollup.engine import Engine
from relay.rollup.looking import key_of
from relay.rollup.series import Series
from relay.rollup.summary import Summary
from relay.service.answered import Answer, Answers, Watched
from relay.statsd.sample import Kind

__all__ = ["Found", "Search"]

SLICE_SERIES = 500
"""What is looked at in one turn: some milliseconds."""

Found = dict[str, object]
"""See ``Search.find``."""


class _Match(NamedTuple):
    series: Series
    summary: Summary


class Search:
    """``period`` is the start of the open one, ``length`` what it takes, in seconds.

    ``rule_of`` gives the mapping rule that made a series, as number and pattern.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        period: Callable[[], int],
        length: int,
        rule_of: Callable[[Series], tuple[int, str] | None],
        answers: Answers,
        watched: Watched,
        clock: IReactorTime,
    ) -> None:
        self._engine, self._period, self._length = engine, period, length
        self._rule_of = rule_of
        self._answers, self._watched = answers, watched
        self._clock = clock

    def find(self, query: str, limit: int) -> "Deferred[Found]":
        """Series that have all words of ``query`` in their names or tags, in any case.

        Gives ``found``, at most ``limit`` of them, ``more`` where there are others, and
        how many were ``scanned``. They are watched from now on: what they report at the
        end of the period is there to be seen afterwards. May be cancelled.
        """
        pending: Deferred[Found] = Deferred()
        self._go_on(pending, self._scan(query.lower().split(), limit))
        return pending

    def _go_on(
        self, pending: "Deferred[Found]", scanning: Iterator[Found | None]
    ) -> None:
        """One slice, then the next in another turn, until it is found or cancelled."""
        if pending.called:
            return
        try:
            found = next(scanning)
        except Exception as error:  # noqa: BLE001 - whoever waits is told, not the reactor
            pending.errback(error)
            return
        if found is None:
            self._clock.callLater(0, self._go_on, pending, scanning)
        else:
            pending.callback(found)

    def _scan(self, words: Sequence[str], limit: int) -> Iterator[Found | None]:
        """None after each slice, at last what was found."""
        matches: list[_Match] = []
        scanned = 0
        for kind in Kind:
            for series, summary in self._engine.peek(kind, self._period()):
                scanned += 1
                if _fits(series, words):
                    matches.append(_Match(series, summary))
                if len(matches) > limit:
                    break
                if scanned % SLICE_SERIES == 0:
                    yield None
            if len(matches) > limit:
                break
            yield None  # the engine has passed over all series of other kinds
        more = len(matches) > limit
        found = self._shown(matches[:limit])
        yield {"found": found, "more": more, "scanned": scanned}

    def _shown(self, matches: Sequence[_Match]) -> Sequence[Mapping[str, object]]:
        self._watched.watch(series for series, _ in matches)
        subjects = {
            subject: series for series, _ in matches for subject in subjects_of(series)
        }
        answers = {
            subjects[subject]: answer
            for subject, answer in self._answers.of(subjects).items()
        }
        return [self._show(one, answers.get(one.series)) for one in matches]

    def _show(self, match: _Match, answer: Answer | None) -> Mapping[str, object]:
        series = match.series
        rule = self._rule_of(series)
        return {
            "name": key_of(series),
            "kind": series.kind.value,
            "metric": series.metric,
            "dimensions": dict(series.dimensions),
            "rule": rule and {"number": rule[0], "match": rule[1]},
            **self._values(match),
            "answer": answer and answer._asdict(),
        }

    def _values(self, match: _Match) -> dict[str, Any]:
        last = self._watched.last(match.series)
        if last is not None:
            of = {"start": last.start, "length": last.length, "is_closed": True}
            return {"values": last.values, "of": of}
        of = {"start": self._period(), "length": self._length, "is_closed": False}
        return {"values": values_of(match.summary, self._length), "of": of}


def _fits(series: Series, words: Sequence[str]) -> bool:
    if not words:
        return True
    text = f"{series.kind.value} {key_of(series)} {series.metric}"
    pairs = (f" {key}={value}" for key, value in series.dimensions)
    text = f"{text}{''.join(pairs)}".lower()
    return all(word in text for word in words)
