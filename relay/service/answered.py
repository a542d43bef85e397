"""What the service last said of a series, and what a series last reported.

Answers are about requests; which entries were in the latest of them is remembered as
numbers, so that all of a period fit into some megabytes. Values are kept only of series
that somebody looked for. Both are noted in the threads that deliver and close, and read
by the reactor's.
"""

from array import array
from bisect import bisect_right
from collections import OrderedDict, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from threading import Lock
from typing import NamedTuple, Protocol, overload

from relay.cloudmonitor.datum import Values, values_of
from relay.cloudmonitor.subject import subjects
from relay.delivery.batch import Batch
from relay.delivery.ledger import word_of
from relay.delivery.outcome import Outcome
from relay.rollup.engine import Rollup
from relay.rollup.series import Series
from relay.rollup.summary import Summary

__all__ = ["Answer", "Answers", "Noting", "Reported", "Watched"]

ENTRIES_REMEMBERED = 262_144
"""Eight bytes each: a period of 100,000 series twice, and a long one."""

REMEMBERED_SECONDS = 600
"""Two long periods: whoever is reported at all has had an answer since."""

_PARTS = 64
"""In which they are forgotten."""

WATCHED_MAX = 500


class Answer(NamedTuple):
    """``word`` is the outcome's, ``text`` what the service said; both moments are Unix
    seconds, ``closed_at`` is the end of the period that the request was about."""

    word: str
    text: str
    at: float
    closed_at: int


class _Alike:
    """Requests that were answered alike: when each was, and whose entries were in them.

    ``ends`` are the places in ``subjects`` behind those of each request.
    """

    __slots__ = ("answer", "ends", "moments", "subjects")

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.moments, self.ends = array("d"), array("l")
        self.subjects = array("q")

    def add(self, at: float, subjects: Iterable[int]) -> None:
        self.subjects.extend(subjects)
        self.moments.append(at)
        self.ends.append(len(self.subjects))

    def latest(self, number: int) -> Answer:
        """The last one to that subject, which is among them."""
        at = len(self.subjects) - 1 - self.subjects[::-1].index(number)
        return self.answer._replace(at=self.moments[bisect_right(self.ends, at)])


class Answers:
    """The latest requests, as many as hold ``limit`` entries. Thread: any.

    Those that are older than the others by ``REMEMBERED_SECONDS`` are forgotten before, so
    that a relay has its size after minutes and not after hours.
    """

    def __init__(self, wall: Callable[[], float], limit: int = ENTRIES_REMEMBERED):
        self._wall, self._limit = wall, limit
        self._together = max(1, limit // _PARTS)
        self._latest: deque[_Alike] = deque()
        self._entries = 0
        self._lock = Lock()

    def note(self, batch: Batch, outcome: Outcome) -> None:
        """A request with ``batch`` was answered."""
        said = [getattr(outcome, field, "") for field in ("code", "reason", "message")]
        text = " ".join(filter(None, said))
        answer = Answer(word_of(outcome), text, self._wall(), batch.closed_at)
        numbers = [*map(hash, subjects(batch.items))]
        with self._lock:
            self._among(answer).add(answer.at, numbers)
            self._entries += len(numbers)
            while len(self._latest) > 1 and (
                self._entries > self._limit
                or self._latest[0].moments[-1] < answer.at - REMEMBERED_SECONDS
            ):
                self._entries -= len(self._latest.popleft().subjects)

    def of(self, subjects: Collection[str]) -> Mapping[str, Answer]:
        """The last answer to each that is remembered; 15 ms where all is looked through."""
        wanted = {hash(one): one for one in subjects}
        found: dict[str, Answer] = {}
        with self._lock:
            for alike in reversed(self._latest):
                if not wanted:
                    break
                for number in set(wanted).intersection(alike.subjects):
                    found[wanted.pop(number)] = alike.latest(number)
        return found

    def _among(self, answer: Answer) -> _Alike:
        """Where an answer belongs: few lie between those that are alike."""
        if self._latest:
            last = self._latest[-1]
            is_like = last.answer._replace(at=answer.at) == answer
            if is_like and len(last.subjects) < self._together:
                return last
        self._latest.append(_Alike(answer))
        return self._latest[-1]


class _Sink(Protocol):
    def deliver(self, batch: Batch) -> Outcome: ...

    def refresh(self) -> None: ...


class Noting:
    """A sink whose answers are noted."""

    def __init__(self, sink: _Sink, note: Callable[[Batch, Outcome], None]) -> None:
        self.refresh = sink.refresh
        self._deliver, self._note = sink.deliver, note

    def deliver(self, batch: Batch) -> Outcome:
        """As the sink."""
        outcome = self._deliver(batch)
        self._note(batch, outcome)
        return outcome


class Reported(NamedTuple):
    """The Values of a closed period: its start in Unix seconds, its length in seconds."""

    start: int
    length: int
    values: Values


class Watched:
    """Series that were looked for of late: what each reported of the last period."""

    def __init__(self, limit: int = WATCHED_MAX) -> None:
        self._limit = limit
        self._kept: OrderedDict[Series, Reported | None] = OrderedDict()

    def watch(self, series: Iterable[Series]) -> None:
        """From now on; those that were looked for longest ago give way."""
        for one in series:
            self._kept[one] = self._kept.pop(one, None)
        while len(self._kept) > self._limit:
            self._kept.popitem(last=False)

    def last(self, series: Series) -> Reported | None:
        """None until a period was closed while it was watched."""
        return self._kept.get(series)

    def seeing(self, rollup: Rollup, length: int) -> Rollup:
        """The same rollup; who iterates it lets us see. Only those of ``length``."""
        if not self._kept or rollup.length != length:
            return rollup
        return rollup._replace(rows=_Seen(rollup, self._see))

    def _see(self, rollup: Rollup, series: Series, summary: Summary) -> None:
        if series in self._kept:
            values = values_of(summary, rollup.length)
            self._kept[series] = Reported(rollup.start, rollup.length, values)


_Row = tuple[Series, Summary]


class _Seen(Sequence[_Row]):
    """Rows that tell of each when they are iterated."""

    def __init__(
        self, rollup: Rollup, see: Callable[[Rollup, Series, Summary], None]
    ) -> None:
        self._rollup, self._see = rollup, see

    def __len__(self) -> int:
        return len(self._rollup.rows)

    def __iter__(self) -> Iterator[_Row]:
        for series, summary in self._rollup.rows:
            self._see(self._rollup, series, summary)
            yield series, summary

    @overload
    def __getitem__(self, at: int) -> _Row: ...

    @overload
    def __getitem__(self, at: slice) -> Sequence[_Row]: ...

    def __getitem__(self, at: int | slice) -> _Row | Sequence[_Row]:
        return self._rollup.rows[at]
