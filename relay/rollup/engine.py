"""The seam of the hot path: what every engine does, whatever it is written in.

An engine parses datagrams and accumulates them by period. It has no clock, does no IO
and writes no log. ``feed``, ``seal``, ``snapshot``, ``tally`` and ``explain`` belong to
one thread (the reactor's); ``close`` and ``carry`` belong to another, one at a time and
in the order of sealing. Nothing is shared between the two but what ``seal`` and
``snapshot`` handed over.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

from relay.rollup.overflow import Overflow
from relay.rollup.series import Series
from relay.rollup.summary import Summary
from relay.statsd.sample import Item, Kind, Reason, Refusal, What

__all__ = [
    "Drain",
    "Engine",
    "FeedSome",
    "Restored",
    "Rollup",
    "Sealed",
    "Tally",
    "drain_of",
]


class Tally(NamedTuple):
    """Counts since the engine was made.

    ``sections`` = Σ ``samples`` + Σ ``refused`` + Σ ``ignored`` at any moment; a packed
    value counts as a section and a sample of its own. ``series`` is how many are held
    now. Every kind and reason is a key, also with 0.
    """

    lines: int
    sections: int
    samples: Mapping[Kind, int]
    refused: Mapping[Reason, int]
    ignored: Mapping[What, int]
    duplicate_tags: int
    series: int


@runtime_checkable
class Releasable(Protocol):
    """Rows that can be freed in pieces."""

    def release(self) -> None: ...


class Rollup(NamedTuple):
    """A closed period: ``start`` in Unix seconds, ``length`` in seconds, one row a series.

    ``rows`` may be iterated as often as one likes, from any thread.
    """

    start: int
    length: int
    rows: Sequence[tuple[Series, Summary]]

    def release(self) -> None:
        """Free the rows, which are not looked at any more, holding nobody up.

        To free many at once stops all threads: 0.2 s for a million.
        """
        if isinstance(self.rows, Releasable):
            self.rows.release()


class Restored(NamedTuple):
    """What an engine goes on with: the starts of the periods that are open, in order.

    ``unfit_snapshot`` and ``unfit_carry`` say why one of the two could not be used.
    """

    periods: Sequence[int]
    unfit_snapshot: str | None = None
    unfit_carry: str | None = None


class Sealed(Protocol):
    """A period that takes no more samples; opaque, to be given to ``close``."""

    @property
    def start(self) -> int:
        """Unix seconds."""
        ...


FeedSome = Callable[[bytes, int], bytes]
"""See ``Engine.feed_some``."""


class Drain(Protocol):
    """Reads a bound socket of UDP into an engine, in a thread of its own."""

    rest: float
    """For how long it leaves the socket alone once that is empty, in seconds; 0: never."""

    longest_rest: float
    """For how long at most, where that gathers little."""

    @property
    def datagrams(self) -> int:
        """How many were taken so far."""
        ...

    @property
    def received_bytes(self) -> int:
        """What was in them."""
        ...

    @property
    def seen_at(self) -> float:
        """When the last ones were read, in Unix seconds; 0: never."""
        ...

    def run(self) -> None:
        """Read and take until ``stop`` is called.

        Raises what taking a line raised, which is a defect; lines behind it were taken.
        OSError where the descriptor is no socket.
        """
        ...

    def stop(self) -> None:
        """Have ``run`` return soon; what is not read stays in the socket."""
        ...


@runtime_checkable
class Draining(Protocol):
    """What an engine that can do that has besides."""

    def drain(self, socket: int, signed_gauge: str, /) -> Drain:
        """For a descriptor that is open as long as ``run``; see ``feed_as``."""
        ...


def drain_of(engine: "Engine", signed_gauge: str) -> Callable[[int], Drain] | None:
    """Makes drains, where ``engine`` has any."""
    if not isinstance(engine, Draining):
        return None
    draining: Draining = engine
    return lambda socket: draining.drain(socket, signed_gauge)


class Engine(Protocol):
    """Parses datagrams and accumulates them by period; no clock, no IO, no log."""

    @property
    def name(self) -> str:
        """``python`` or ``native``."""
        ...

    def feed(self, datagram: bytes, period: int, /) -> None:
        """Take what arrived while ``period`` was that of the wall clock.

        Never raises, whatever the bytes. ``period`` is a multiple of the engine's
        period length. Where it was sealed already, the next that was not takes its
        place.
        """
        ...

    def feed_some(self, datagram: bytes, period: int, /) -> bytes:
        """As ``feed``, but for a few milliseconds at most; gives what is left over.

        That is lines again, to be fed before anything else, under the same period.
        """
        ...

    def feed_as(self, signed_gauge: str, /) -> FeedSome:
        """``feed_some``, where +n and -n gauges mean that: ``delta`` or ``value``."""
        ...

    def seal(self, before: int, seen: bool = True, /) -> Sequence[Sealed]:
        """Take away every period that ends at or before ``before``, oldest first.

        The one that ends right at ``before`` is there even when nothing arrived in it,
        so that idle series are reported, unless nobody has ``seen`` it; older ones only
        if something did. None is given away twice. O(1) in the number of series.
        """
        ...

    def seal_all(self, latest: int | None = None, /) -> Sequence[Sealed]:
        """Take away whatever has samples, at a stop: open periods and ones ahead too.

        Oldest first. What would start after ``latest``, because the clock was set back
        and what was before is reported, gets the latest free name at or before it.
        Nothing may be fed afterwards.
        """
        ...

    def step(self, old: int, new: int, /) -> bool:
        """The wall clock was set, and now shows the period ``new`` where ``old`` was.

        Unless the two are neighbours, what is open goes on in ``new``, or where that
        was sealed already in the next period that was not. Whether it does.
        """
        ...

    def close(self, sealed: Sealed, /) -> Sequence[Rollup]:
        """Summarise: the base period, and the long one where ``sealed`` completes it.

        Idle series are filled in. Thread: any one; in the order of ``seal``.
        """
        ...

    def finish(self, latest: int | None = None, /) -> Sequence[Rollup]:
        """The long period as far as it has come, at a stop; empty if there is none.

        ``latest`` is as in ``seal_all``. Thread: that of ``close``.
        """
        ...

    def change(
        self,
        *,
        percentiles: Sequence[int],
        idle_ttl_seconds: int,
        silent_kinds: Collection[Kind],
        gauge_ttl: int = 0,
    ) -> None:
        """Go by other rules from the next period that is closed on.

        Thread: that of ``close``.
        """
        ...

    def snapshot(self) -> Iterable[bytes]:
        """All that is not sealed, as it is now: open periods, memories, counts.

        Thread: as ``feed``, and it takes 5 ms where 100,000 series are open. The parts
        are made while they are iterated, once, in any one thread, also while the engine
        is fed and sealed. One at a time: a later snapshot ends those before it.
        """
        ...

    def carry(self) -> Iterator[bytes]:
        """What ``close`` needs to go on, with the names of what it has closed.

        Thread: that of ``close``; to be iterated before the next ``close``.
        """
        ...

    def restore(self, snapshot: Iterable[bytes], carry: Iterable[bytes], /) -> Restored:
        """Go on where an engine was when it gave these parts; either may be none.

        Only before anything is fed or closed, and before there are threads. A period
        that ``carry`` knows as closed is not open again, whatever the snapshot says; it
        may be older than ``carry``, never younger. Every period that is given is to be
        sealed when its end has passed, one by one and in order. Never raises for what
        the parts are; ones that do not fit count as none.
        """
        ...

    def peek(self, kind: Kind, period: int, /) -> Iterator[tuple[Series, Summary]]:
        """What the open period has of each series of a kind, for an operator's eyes.

        Without a sample a counter and a set are 0, a gauge is what it was last, and a
        timer is left out; percentiles are not made. The series are those of now, their
        values those of the moment in which each is iterated. ``period`` and the thread
        are as of ``feed``.
        """
        ...

    def forget(self, kind: Kind, pattern: str, period: int, /) -> Sequence[Series]:
        """Hold series no longer: a key, or a folder as in ``a.*``; gives those that went.

        What the open period has of them is gone, they are not reported as idle and a
        gauge has no memory; periods that are over are reported. The next sample of such
        a series makes it anew. Unlike the architecture's sketch it takes text and gives
        series, since whoever asks shows both kinds of names. ``period`` and the thread
        are as of ``feed``.
        """
        ...

    def explain(self, datagram: bytes, /) -> Sequence[Item]:
        """What ``feed`` would make of it by grammar alone; changes nothing."""
        ...

    def tally(self) -> Tally:
        """Exact as of the last ``feed``."""
        ...

    def overflow(self) -> Overflow:
        """What the new series look like that were refused of late."""
        ...

    def last_refusals(self) -> Sequence[Refusal]:
        """The latest refusals, newest last: at most 50, texts cut at 200 characters."""
        ...
