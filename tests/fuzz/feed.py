"""What the fuzzer does with ``feed``: both engines take the same life and show the same.

The first two bytes are the engines' settings. The rest is what arrives; a zero byte makes
something else of the byte behind it, by ``DEEDS``: a datagram ends, the clock moves on,
a snapshot is made. A zero byte before any other is one that was sent.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from relay.cloudmonitor.mapping import Mapper
from relay.rollup.engine import Engine, Rollup
from relay.rollup.engines import open_engine
from relay.rollup.quota import Quota
from relay.rollup.treatment import Rules
from relay.settings.rule_file import read_rules
from relay.statsd.grammar import Grammar
from relay.statsd.sample import Event, Kind
from tests.rollup.rig import resolve

__all__ = ["DEEDS", "Deed", "deeds", "take"]

PERIOD = 60
MOST_DEEDS = 40
AGAIN = 30

RULES = read_rules(
    """
[[rule]]
match = "a"
name = "ab"
percentiles = [50, 99]
[[rule]]
match = "c"
drop = true
[[rule]]
match = "b"
delete_idle = true
"""
)

DEEDS = {
    ord("D"): "datagram",
    ord("P"): "period",
    ord("Q"): "periods",
    ord("A"): "again",
    ord("S"): "snapshot",
    ord("L"): "look",
    ord("F"): "forget",
    ord("R"): "restart",
    ord("B"): "back",
    ord("C"): "change",
    ord("V"): "signed",
}
"""By the byte behind a zero byte: what is done after what came before was fed."""


class Deed(NamedTuple):
    """A datagram, and what is done once it was fed."""

    datagram: bytes
    then: str


def deeds(text: bytes) -> Iterator[Deed]:
    """At most so many; what is behind them is left out."""
    start = at = 0
    for _ in range(MOST_DEEDS):
        at = text.find(b"\0", at)
        while at >= 0 and text[at + 1 : at + 2] not in _BEHIND_ZERO:
            at = text.find(b"\0", at + 1)
        if at < 0:
            yield Deed(text[start:], "datagram")
            return
        yield Deed(text[start:at], DEEDS[text[at + 1]])
        start = at = at + 2


_BEHIND_ZERO = [bytes([byte]) for byte in DEEDS]


class Life:
    """One engine that all of this happens to, and what was seen of it."""

    def __init__(self, name: str, first: int, second: int) -> None:
        self.name, self._first, self._second = name, first, second
        self.engine = self._made()
        self.now = self._sealed = 0
        self.seen: list[Any] = []
        self.engine.feed(b"", 0)

    def _made(self) -> Engine:
        first, second = self._first, self._second
        exact = (4, 20, 200, 1024)[first & 3]
        return open_engine(
            self.name,
            resolve,
            Grammar(
                ("influx", "librato", "signalfx") if first & 16 else (),
                "value" if first & 32 else "delta",
                sanitises=not first & 64,
                events=bool(first & 128),
                service_checks=bool(first & 128),
            ),
            percentiles=(50, 99),
            idle_ttl_seconds=120,
            silent_kinds=(Kind.SET,) if second & 8 else (),
            gauge_ttl=second >> 4 & 3,
            exact_samples=exact,
            exact_members=exact,
            series_limit=5 if first & 4 else 1000,
            series_limit_per_name=2 if second & 1 else 0,
            new_series_limit=3 if second & 2 else 0,
            long_factor=0 if second & 4 else 5,
            rules=Rules(Mapper(RULES), Quota(0)) if first & 8 else None,
            event=self._event,
        )

    def _event(self, event: Event) -> None:
        self.seen.append(event)

    def live(self, deed: Deed, last: bytes) -> None:
        self._feed(deed)
        match deed.then:
            case "again":
                self.engine.feed(b"\n".join([last] * AGAIN), self.now)
            case "period":
                self._move(1)
            case "periods":
                self._move(2)
            case "back":
                self._step(-3)
            case _:
                self._visit(deed.then)

    def _feed(self, deed: Deed) -> None:
        if deed.then != "signed":
            self.engine.feed(deed.datagram, self.now)
            return
        some = self.engine.feed_as("delta" if self._first & 32 else "value")
        rest = deed.datagram
        while rest:
            rest = some(rest, self.now)

    def _visit(self, deed: str) -> None:
        """An operator, or a checkpoint."""
        engine = self.engine
        match deed:
            case "snapshot":
                self.seen.append(len(list(engine.snapshot())) > 0)
            case "look":
                self.seen += [
                    sorted(engine.peek(kind, self.now), key=repr) for kind in Kind
                ]
            case "forget":
                gone = engine.forget(Kind.COUNTER, "a", self.now)
                self.seen.append(sorted(gone, key=repr))
            case "change":
                engine.change(
                    percentiles=(90,), idle_ttl_seconds=60, silent_kinds=(), gauge_ttl=1
                )

    def _move(self, periods: int) -> None:
        self.now += periods * PERIOD
        self._close(self.now - PERIOD)

    def _step(self, periods: int) -> None:
        """The clock is set."""
        new = max(self.now + periods * PERIOD, 0)
        self.seen.append(self.engine.step(self.now, new))
        self.now = new

    def parts(self) -> tuple[list[bytes], list[bytes]]:
        return list(self.engine.snapshot()), list(self.engine.carry())

    def restart(self, snapshot: list[bytes], carry: list[bytes]) -> None:
        """Go on as another engine that was given these."""
        self.engine = self._made()
        restored = self.engine.restore(snapshot, carry)
        self.seen.append(restored)

    def _close(self, before: int) -> None:
        if before <= self._sealed:
            return
        self._sealed = before
        for sealed in self.engine.seal(before):
            self.seen += map(_plain, self.engine.close(sealed))

    def end(self) -> None:
        self.seen.append([self.engine.last_refusals(), self.engine.overflow()])
        for sealed in self.engine.seal_all():
            self.seen += map(_plain, self.engine.close(sealed))
        self.seen += map(_plain, self.engine.finish())
        self.seen.append(self.engine.tally())


def _plain(rollup: Rollup) -> tuple[int, int, list[Any]]:
    return rollup.start, rollup.length, sorted(rollup.rows, key=_by_series)


def _by_series(row: tuple[Any, Any]) -> str:
    return repr(row[0])


def take(data: bytes) -> None:
    """Raises AssertionError where the engines differ."""
    if len(data) < 2:
        return
    lives = [Life(name, data[0], data[1]) for name in ("python", "native")]
    last = b""
    for deed in deeds(data[2:]):
        last = deed.datagram.rpartition(b"\n")[2] or last
        for life in lives:
            life.live(deed, last)
        if deed.then == "restart":
            parts = [life.parts() for life in lives]
            # Each goes on with what the other one had.
            for life, (snapshot, carry) in zip(lives, reversed(parts), strict=True):
                life.restart(snapshot, carry)
    for life in lives:
        life.end()
    python, native = lives
    for one, other in zip(python.seen, native.seen, strict=True):
        # By their texts, which tell -0.0 from 0.0.
        assert repr(one) == repr(other), f"python shows {one!r}\nnative shows {other!r}"
