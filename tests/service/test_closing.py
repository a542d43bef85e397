"""A period is closed, composed, appended and committed in that order, or counted as lost."""

import errno
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import ClassVar

import pytest
from twisted.logger import capturedLogs

from relay.cloudmonitor.packing import Oversize, Packed, pack
from relay.delivery.batch import Batch
from relay.delivery.ledger import QueueTally
from relay.rollup.engine import Rollup
from relay.rollup.series import Series
from relay.rollup.summary import Summary
from relay.service.closing import Closing
from relay.service.lanes import InlineLane


class Rows(tuple[tuple[Series, Summary], ...]):
    """No rows, which count how often they were released."""

    __slots__ = ()
    released: ClassVar[int] = 0

    def release(self) -> None:
        Rows.released += 1


class Rig:
    """A closing whose rooms note what they are asked, in one list."""

    def __init__(self) -> None:
        self.said: list[object] = []
        self.in_spool: list[str] = []
        self.refused: list[Oversize] = []
        self.breaks_after: int | None = None
        self.is_full = False
        self.cannot_look = 0
        self.paused: list[float] = []
        self.is_undisturbed = False
        self.closed_undisturbed: list[bool] = []
        self.closing: Closing[int] = Closing(
            lane=InlineLane(),
            close=self._close,
            finish=lambda: self._close(0),
            compose=self._compose,
            append=self._append,
            commit=self._commit,
            waiting=self._waiting,
            stored=lambda *told: self.said.append(told),
            undisturbed=self._undisturbed,
            pause=self.paused.append,
        )

    @contextmanager
    def _undisturbed(self) -> Iterator[None]:
        before, self.is_undisturbed = self.is_undisturbed, True
        yield
        self.is_undisturbed = before

    def _close(self, sealed: int) -> Sequence[Rollup]:
        if sealed < 0:
            raise ValueError("a defect")
        self.said.append(f"close {sealed}")
        self.closed_undisturbed.append(self.is_undisturbed)
        return [Rollup(sealed, 60, Rows())]

    def _commit(self) -> None:
        self.said.append("commit")
        if self.is_full:
            raise MemoryError

    def _compose(self, rollup: Rollup) -> Packed:
        items = self._items(rollup.start)
        packed = pack(items, prefix="b", closed_at=rollup.start + 60, max_entries=2)
        return packed._replace(refused=self.refused)

    def _items(self, start: int) -> Iterator[str]:
        for n in range(3):
            if n == self.breaks_after:
                raise ValueError("a defect")
            yield f"MetricName=m{n}&Time={start}"

    def _append(self, batches: Iterable[Batch]) -> QueueTally:
        taken = [batch.items for batch in batches]
        self.said.append(taken)
        return QueueTally(batches=len(taken))

    def _waiting(self, closed_at: Collection[int]) -> Iterable[str]:
        if self.cannot_look > len(self.paused):
            raise OSError(errno.EMFILE, "Too many open files")
        self.said.append(f"look for {sorted(closed_at)}")
        return self.in_spool


ITEMS = [f"MetricName=m{n}&Time=60" for n in range(3)]


def test_a_period_is_committed_behind_its_append() -> None:
    """So that what a kill leaves uncommitted is in the spool still, or nowhere."""
    rig = Rig()
    rig.closing.take(60)
    assert rig.said == [
        "close 60",
        [tuple(ITEMS[:2]), tuple(ITEMS[2:])],
        "commit",
        (3, QueueTally(batches=2), 0),
    ]


def test_a_period_that_could_not_be_committed_is_told_all_the_same() -> None:
    """Its batches are in the spool: they are counted, and nothing is said to be lost."""
    rig = Rig()
    rig.is_full = True
    with capturedLogs() as logged:
        rig.closing.take(60)
    assert rig.said[-1] == (3, QueueTally(batches=2), 0)
    assert (rig.closing.lost, rig.closing.unnoted) == (0, 1)
    assert "is not noted as closed" in logged[0]["log_format"]


def test_the_rows_of_a_period_are_released() -> None:
    """Once they are in the spool; a list of rows needs no such thing."""
    rig, before = Rig(), Rows.released
    rig.closing.take(60)
    assert Rows.released == before + 1
    Rollup(0, 60, []).release()


def test_nobody_looks_at_the_rows_while_they_are_put_together() -> None:
    """Afterwards all goes on as ever."""
    rig = Rig()
    rig.closing.take(60)
    rig.closing.finish()
    assert rig.closed_undisturbed == [True, True]
    assert not rig.is_undisturbed


def test_what_no_request_can_carry_is_counted() -> None:
    """It is among the entries, and told apart."""
    rig = Rig()
    rig.refused = [Oversize("x", 9, 8)]
    rig.closing.take(60)
    assert rig.said[-1] == (4, QueueTally(batches=2), 1)


def test_a_recovered_period_leaves_what_is_in_the_spool() -> None:
    """Whatever is there was closed by a process that was killed behind its append."""
    rig = Rig()
    rig.in_spool = [ITEMS[0], ITEMS[2]]
    rig.closing.recover(60)
    assert rig.said == [
        "close 60",
        "look for [120]",
        [(ITEMS[1],)],
        "commit",
        (1, QueueTally(batches=1), 0),
    ]


def test_a_recovered_period_waits_for_a_descriptor_to_look_with() -> None:
    """Requests under way give theirs back within some seconds."""
    rig = Rig()
    rig.cannot_look, rig.in_spool = 3, [ITEMS[0], ITEMS[2]]
    rig.closing.recover(60)
    assert rig.paused == [1.0] * 3
    assert rig.said[1:4] == ["look for [120]", [(ITEMS[1],)], "commit"]
    assert rig.closing.lost == 0


def test_a_recovered_period_does_not_wait_for_ever() -> None:
    """What is closed behind it has to be stored; it is counted as lost."""
    rig = Rig()
    rig.cannot_look = 1000
    with capturedLogs() as logged:
        rig.closing.recover(60)
    assert (rig.closing.lost, len(logged)) == (1, 1)
    assert 15 < sum(rig.paused) < 30
    rig.closing.take(120)
    assert rig.said[-2:] == ["commit", (3, QueueTally(batches=2), 0)]


def test_the_end_of_the_long_period_is_committed_too() -> None:
    """A stop that reports has nothing reported again."""
    rig = Rig()
    rig.closing.finish()
    assert rig.said[-2] == "commit"


def test_a_defect_costs_its_period_and_is_counted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The next one is closed as if nothing had been."""
    rig = Rig()
    rig.closing.take(-1)
    assert (rig.closing.lost, rig.said) == (1, [])
    rig.closing.take(60)
    assert (rig.closing.lost, len(rig.said)) == (1, 4)


def test_a_defect_amid_a_period_costs_what_comes_behind_it() -> None:
    """What was composed before is in the spool and counted, so the ledger balances; the
    period is not committed, as it is not whole."""
    rig = Rig()
    rig.breaks_after = 2
    rig.closing.take(60)
    assert rig.said == ["close 60", [tuple(ITEMS[:2])], (2, QueueTally(batches=1), 0)]
    assert rig.closing.lost == 1
