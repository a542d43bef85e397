"""What holds for any datagrams: who goes on from a snapshot goes on as if nothing was."""

from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.rollup.engine import Rollup
from tests.rollup.rig import Rig
from tests.rollup.test_laws import EXACT, common, datagram, plain

SAVE, SAVE_LATE, RESTART = "save", "save late", "restart"


class Event(NamedTuple):
    """A datagram, how far the clock moves on before, and what happens behind it."""

    sent: bytes
    step: int = 0
    then: str | None = None


def events(sent: st.SearchStrategy[bytes]) -> st.SearchStrategy[list[Event]]:
    event = st.builds(
        Event,
        sent,
        st.sampled_from([0, 0, 0, 0, 60, 120]),
        st.sampled_from([None, SAVE, SAVE_LATE, RESTART]),
    )
    return st.lists(event, min_size=1, max_size=12)


PLENTY, FEW = 1000, 9
"""Series. Of the common lines there are 21; with few, names nobody wants are not asked
for, and whether one was known to be such is not saved."""


def rig(limit: int) -> Rig:
    return Rig(
        "python",
        percentiles=(50, 99),
        idle_ttl_seconds=120,
        exact_samples=EXACT,
        exact_members=EXACT,
        series_limit=limit,
        new_series_limit=0 if limit == PLENTY else 2,
    )


def successor(old: Rig, limit: int) -> Rig:
    new = rig(limit)
    restored = new.engine.restore(list(old.engine.snapshot()), list(old.engine.carry()))
    assert (restored.unfit_snapshot, restored.unfit_carry) == (None, None)
    return new


class Life:
    """One life of a series of engines; what they report, and the last of them."""

    def __init__(self, days: list[Event], limit: int) -> None:
        self.rig = rig(limit)
        self._limit = limit
        self.now = 0
        self._begun: list[Iterator[bytes]] = []
        rollups = self._live(days)
        self.rollups = plain(rollups)
        self.tally = self.rig.engine.tally()

    def _live(self, days: list[Event]) -> Iterator[Rollup]:
        sealed = 0
        for sent, step, then in [Event(b""), *days]:
            self.now += step
            self.rig.engine.feed(sent, self.now)
            if self.now - 60 > sealed:
                sealed = self.now - 60
                yield from self.rig.rollups(sealed)
            self._do(then)
        yield from self.rig.rollups(self.now + 240)
        yield from self.rig.engine.finish()

    def _do(self, then: str | None) -> None:
        if then == SAVE:
            list(self.rig.engine.snapshot())
        elif then == SAVE_LATE:
            begun = iter(self.rig.engine.snapshot())
            next(begun)  # the others never come: a later snapshot is taken, or none
            self._begun.append(begun)
        elif then == RESTART:
            self.rig = successor(self.rig, self._limit)


@settings(max_examples=200)
@given(events(datagram))
def test_nobody_sees_that_an_engine_was_saved_or_replaced(days: list[Event]) -> None:
    """Rows, in every bit, and counts are those of one engine that was left alone."""
    same(days, PLENTY)


@settings(max_examples=100)
@given(events(st.lists(common, max_size=12).map(b"\n".join)))
def test_nor_where_there_is_no_room(days: list[Event]) -> None:
    """The same series give way, in the same order."""
    same(days, FEW)


def same(days: list[Event], limit: int) -> None:
    disturbed = Life(days, limit)
    left_alone = Life([event._replace(then=None) for event in days], limit)
    assert disturbed.rollups == left_alone.rollups
    assert disturbed.tally == left_alone.tally


@given(events(datagram), st.lists(datagram, max_size=6), st.integers(0, 3))
def test_a_snapshot_is_of_the_moment_it_was_taken_in(
    before: list[Event], after: list[bytes], made: int
) -> None:
    """Whatever is fed, stamped and sealed while its parts are made."""
    calm, busy = Rest(before), Rest(before)
    wanted = calm.end(list(calm.engine.snapshot()))
    parts = iter(busy.engine.snapshot())
    begun = list(islice(parts, made))
    for sent in after:
        busy.engine.feed(sent, busy.now)
        begun += islice(parts, 1)
    carry = list(busy.engine.carry())
    busy.engine.seal(busy.now + 60)
    assert busy.end([*begun, *parts], carry) == wanted


class Rest:
    """An engine in the middle of its work, and what a successor makes of its parts."""

    def __init__(self, days: list[Event]) -> None:
        rig_ = rig(PLENTY)
        self.engine, self.now = rig_.engine, 0
        for sent, step, _ in days:
            self.now += step
            self.engine.feed(sent, self.now)

    def end(self, parts: list[bytes], carry: list[bytes] | None = None) -> Any:
        new = rig(PLENTY)
        new.engine.restore(parts, self.engine.carry() if carry is None else carry)
        tally = new.engine.tally()
        # A delta on each shows what is remembered of gauges.
        new.engine.feed(b"\n".join(b"%c:+1|g" % name for name in b"abc"), self.now)
        return tally, plain(iter(new.rollups(self.now + 240)))


@pytest.mark.parametrize("cut", range(0, 200, 7))
def test_parts_cut_short_are_refused_whole(cut: int) -> None:
    """Nothing is raised, and the engine is as new."""
    old, new = rig(FEW), rig(FEW)
    old.feed("a:1|c", "g:5|g", "t:1|ms", "s:x|s")
    parts = [part[:-cut] if cut else b"" for part in old.engine.snapshot()]
    restored = new.engine.restore(parts, parts)
    assert restored.unfit_snapshot
    assert restored.unfit_carry
    assert not restored.periods
    assert new.engine.tally().lines == 0
