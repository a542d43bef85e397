"""Every method of the native module, where it goes well and where it does not."""

import socket
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from relay.rollup import _native
from relay.rollup._native import (
    Drain,
    Gate,
    Reported,
    Roster,
    Set,
    Shards,
    Table,
    Timer,
)
from relay.rollup.native_slots import NATIVE_SLOTS
from relay.rollup.series import Series
from relay.rollup.slot import GaugeBase
from relay.statsd.sample import Kind
from tests.e2e.asked import Again, Asked, Things
from tests.e2e.asked_slots import OF_SLOTS

__all__ = ["calls"]


def calls(things: Things) -> Iterator[Asked]:
    """Every method, where it goes well and where it does not."""
    of_tables = _of_tables, _of_shards, _of_drains
    for some in (*OF_SLOTS, _of_rosters, _of_again, _of_reported, *of_tables):
        yield from some(things)


def _of_rosters(the: Things) -> Iterator[Asked]:
    wrong: Any = "nothing of the kind"
    series, many = the.series, [the.series._replace(name=f"{n}") for n in range(99)]
    another = Series(series.kind, series.name, series.tags, "n", ())
    full, gauge = Roster(), NATIVE_SLOTS.gauge()
    held = full.add(series, 60, gauge, 60)
    gone = Roster().add(series, 0)

    def holding() -> Roster:
        roster = Roster()
        for one in many:
            roster.add(one, 0)
        return roster

    def renewed(seen: int, slot: GaugeBase | None) -> None:
        roster = holding()
        for one in roster.all():
            kept = roster.renew(one, seen, gauge, 60)
            roster.renew(kept, seen, slot, 60)

    def seen_again() -> None:
        roster = holding()
        for period, one in enumerate([*many, *many]):
            roster.see_again(one, gauge if period % 2 else the.counter, period)

    def removed() -> None:
        roster = holding()
        for one in roster.all():
            roster.remove(one)

    yield Asked("Roster made", Roster)
    yield Asked("Roster made wrong", lambda: Roster(wrong), TypeError)  # type: ignore[call-arg]
    yield Asked("Roster.get", lambda: full.get(series.kind, series.name, series.tags))
    yield Asked("Roster.get none", lambda: full.get(Kind.SET, series.name, ()))
    yield Asked("Roster.get no", lambda: full.get(Kind.SET, wrong, ([],)), TypeError)  # type: ignore[arg-type]
    yield Asked("Roster.get few", lambda: full.get(series.kind), TypeError)  # type: ignore[call-arg]
    yield Asked("Roster.of", lambda: full.of(series))
    yield Asked("Roster.of another", lambda: full.of(another))
    yield Asked("Roster.of wrong", lambda: full.of(wrong), TypeError)
    yield Asked("Roster.add", lambda: Roster().add(series, 0))
    yield Asked("Roster.add gauge", lambda: Roster().add(series, 0, gauge, 60))
    yield Asked("Roster.add many", holding)
    yield Asked("Roster.add again", lambda: full.add(series, 0), ValueError)
    yield Asked("Roster.add wrong", lambda: full.add(wrong, 0), TypeError)
    yield Asked("Roster.renew", lambda: renewed(60, gauge))
    yield Asked("Roster.renew later", lambda: renewed(0, None))
    yield Asked("Roster.renew gone", lambda: full.renew(gone, 0, None, 0), ValueError)
    yield Asked("Roster.see_again", seen_again)
    yield Asked("Roster.see_again not", lambda: full.see_again(another, gauge, 9))
    yield Asked(
        "Roster.see_again no", lambda: full.see_again(wrong, gauge, 9), TypeError
    )
    yield Asked(
        "Roster.see_again wrong",
        lambda: full.see_again(series, gauge, wrong),
        TypeError,
    )
    yield Asked("Roster.remove", removed)
    yield Asked("Roster.remove gone", lambda: full.remove(gone), ValueError)
    yield Asked("Roster.oldest", full.oldest)
    yield Asked("Roster.oldest none", Roster().oldest)
    yield Asked("Roster.all", full.all)
    yield Asked("Roster.as_added", full.as_added)
    yield Asked("Roster.clear", lambda: holding().clear())
    yield Asked("Roster.__len__", lambda: len(full))
    yield Asked("Held read", lambda: (held.series, held.seen, held.turn))
    yield Asked("HeldGauge read", lambda: (held.last, held.gauge, held.gauge_period))


def _of_again(the: Things) -> Iterator[Asked]:
    wrong: Any = "nothing of the kind"
    slots, series = NATIVE_SLOTS, the.series
    makers: Any = {
        Kind.GAUGE: slots.gauge,
        Kind.TIMER: lambda: slots.timer(9),
        Kind.SET: lambda: slots.set(9),
    }
    each = [series._replace(kind=kind) for kind in (Kind.GAUGE, Kind.TIMER, Kind.SET)]

    def coming(*known: Series) -> _native.Again:
        roster = Roster()
        for one in known:
            roster.add(one, 0)
        again = _native.Again(makers, roster, the.again)
        again.turn({}, 60)
        return again

    def come(*known: Series) -> None:
        again = coming(*known)
        for one in known:
            for weight in (the.number, the.number, 7.0):
                again(one, weight)

    unmade = series._replace(kind=Kind.COUNTER)
    yield Asked("Again", lambda: come(*each))
    yield Asked("Again not held", lambda: coming()(series, 1.0))
    yield Asked("Again unmade", lambda: coming(unmade)(unmade, 1.0), KeyError)
    yield Asked("Again wrong", lambda: coming()(wrong, 1.0), TypeError)
    yield Asked(
        "Again made wrong", lambda: _native.Again(makers, wrong, wrong), TypeError
    )
    yield Asked("Again.turn", lambda: coming().turn({series: the.gauge}, 60))
    yield Asked("Again.turn wrong", lambda: coming().turn(wrong, 60), TypeError)


def _of_reported(the: Things) -> Iterator[Asked]:
    wrong: Any = "no series"
    full, series = Reported(), the.series
    full.put(series)
    many = [series._replace(name=f"{n}", other_metric=None) for n in range(99)]

    def holding() -> Reported:
        reported = Reported()
        for one in many * 2:
            reported.put(one)
        return reported

    def removed() -> None:
        reported = holding()
        for one in many:
            reported.remove(one)

    yield Asked("Reported made", Reported)
    yield Asked("Reported made wrong", lambda: Reported(wrong), TypeError)  # type: ignore[call-arg]
    yield Asked("Reported.get", lambda: full.get(series))
    yield Asked("Reported.get none", lambda: full.get(many[0]))
    yield Asked("Reported.get wrong", lambda: full.get(wrong), TypeError)
    yield Asked("Reported.put", holding)
    yield Asked("Reported.put again", lambda: full.put(series))
    yield Asked("Reported.put wrong", lambda: full.put(wrong), TypeError)
    yield Asked("Reported.remove", removed)
    yield Asked("Reported.remove none", lambda: full.remove(many[0]), KeyError)
    yield Asked("Reported.all", full.all)
    yield Asked("Reported.__len__", lambda: len(full))


class Tables:
    """Makes tables for as long as something is done to them."""

    def __init__(self, the: Things) -> None:
        self._the = the

    def fresh(self, again: Again | None = None) -> Table:
        return Table(9, 300, 20, again or self._the.again)

    def knowing(self, again: Again | None = None) -> Table:
        """One that knows ``the.line``."""
        the, made = self._the, self.fresh(again)
        made.learn(b"a", b"c", 0, 0, the.number, the.counter, the.counter, the.named)
        return made

    def later(self, again: Again) -> int:
        """The slot of what is known has to be asked for again."""
        made = self.knowing(again)
        made.turn()
        return made.feed(self._the.line, self._the.slow)

    def learned(self, operation: int, slot: object, cell: object) -> None:
        made = self.fresh()
        for _ in range(2):  # the second takes the place of the first
            made.learn(b"a", b"x", operation, 2, 1.0, slot, cell, self._the.named)
        made.feed(b"a:2|x", self._the.slow)

    def swept(self) -> None:
        made = self.knowing()
        made.ignore(b"b", b"c", 3)
        for _ in range(3):
            made.turn()
        while made.sweep():
            pass

    def locked(self) -> None:
        with self.fresh() as one:
            one.period = 60

    def full_timer(self) -> Timer:
        """The next sample folds it."""
        timer = Timer()
        timer.room, timer.bins = 1, self._the.bins
        timer.put_lane(self._the.number, self._the.lane)
        return timer

    def full_set(self) -> Set:
        """The next member goes to registers, and all others too."""
        made = Set()
        made.registers = self._the.registers
        return made


def _fail(*_: object) -> NoReturn:
    raise RuntimeError


def _of_tables(the: Things) -> Iterator[Asked]:
    wrong: Any = "nothing of the kind"
    some = Tables(the)
    fresh, knowing, later, learned = some.fresh, some.knowing, some.later, some.learned
    gauge, gauges = the.gauge, (the.gauge, the.gauge)
    timer, members = some.full_timer, some.full_set
    yield Asked("Table made", fresh)
    yield Asked("Table made wrong", lambda: Table(wrong, 1, 1, the.again), TypeError)
    yield Asked("Table.learn", knowing)
    yield Asked("Table.learn wrong", lambda: learned(0, gauge, gauge), TypeError)
    yield Asked("Table.learn none", lambda: learned(99, gauge, gauge), ValueError)
    yield Asked("Table.learn gauge", lambda: learned(1, gauge, gauge))
    yield Asked("Table.learn lane", lambda: learned(2, timer(), the.lane))
    yield Asked("Table.learn set", lambda: learned(3, members(), the.members))
    yield Asked("Table.ignore", lambda: fresh().ignore(b"a", b"c", 1))
    yield Asked("Table.ignore known", lambda: knowing().ignore(b"a", b"c", 1))
    yield Asked("Table.ignore no", lambda: fresh().ignore(b"a", b"c", 99), ValueError)
    yield Asked("Table.feed known", lambda: knowing().feed(the.line, the.slow))
    yield Asked("Table.feed unknown", lambda: fresh().feed(the.line, the.slow))
    yield Asked(
        "Table.feed fails", lambda: fresh().feed(b"a\nb\nc", _fail), RuntimeError
    )
    yield Asked("Table.feed no", lambda: fresh().feed(the.line, _no_cost), TypeError)
    yield Asked("Table.feed text", lambda: fresh().feed(wrong, the.slow), TypeError)
    yield Asked("Table.feed again", lambda: later(the.again))
    yield Asked("Table.feed again none", lambda: later(lambda *_: None))
    yield Asked("Table.feed again no", lambda: later(lambda *_: gauges), TypeError)
    yield Asked("Table.feed again fails", lambda: later(_fail), RuntimeError)
    yield Asked("Table.turn", lambda: fresh().turn())
    yield Asked("Table.pause", lambda: fresh().pause())
    yield Asked("Table.sweep", some.swept)
    yield Asked("Table.counts", lambda: knowing().counts())
    yield Asked("Table.__enter__", some.locked)
    yield Asked("Table.__len__", lambda: len(knowing()))


def _of_shards(the: Things) -> Iterator[Asked]:
    wrong: Any = "nothing of the kind"
    gate = Gate()
    tables = tuple(Table(9, 300, 20, the.again, gate) for _ in range(3))

    def passed() -> None:
        with Shards(gate, tables), Gate():
            pass

    def fed() -> None:
        for table in tables:
            with table:
                table.feed(the.line, the.slow)

    yield Asked("Gate made wrong", lambda: Gate(wrong), TypeError)  # type: ignore[call-arg]
    yield Asked("Table with a gate", fed)
    yield Asked(
        "Table with none", lambda: Table(9, 300, 20, the.again, wrong), TypeError
    )
    yield Asked("Shards passed", passed)
    yield Asked("Shards made wrong", lambda: Shards(wrong, tables), TypeError)
    yield Asked("Shards of none", lambda: Shards(gate, (wrong,)), TypeError)


def _no_cost(_: bytes) -> Any:
    return "no number"


def _of_drains(the: Things) -> Iterator[Asked]:
    table = Table(9, 300, 20, the.again)
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    made: list[Drain] = []

    def drain(slow: Callable[[bytes], int], turn: Callable[[int], None]) -> None:
        far.send(the.line)
        made[:] = [Drain(table, near.fileno(), 60, slow, turn)]
        try:
            made[0].run()
        finally:
            made.clear()

    def last(_: bytes) -> int:
        made[0].stop()
        return 1

    def stopped() -> None:
        one = Drain(table, near.fileno(), 60, the.slow, _fail)
        one.stop()
        one.run()

    def no_socket() -> None:
        Drain(table, 2**20, 60, the.slow, _fail).run()

    with near, far:
        yield Asked("Drain.run", lambda: drain(last, lambda _: None))
        yield Asked(
            "Drain.run fails", lambda: drain(_fail, lambda _: None), RuntimeError
        )
        yield Asked("Drain.run no turn", lambda: drain(last, _fail), RuntimeError)
        yield Asked("Drain.run no socket", no_socket, OSError)
        yield Asked("Drain.stop", stopped)
        yield Asked(
            "Drain made no", lambda: Drain(table, 1, 0, the.slow, _fail), ValueError
        )
