"""Each kind of damage in each kind of file: bar S3, a named test for each."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from relay.spool import segment as form
from relay.spool.checkpoint import CARRY, OPEN, OWNERS, Checkpoint
from relay.spool.file import DAMAGED
from tests.spool.kinds import KINDS, OUTSIDE
from tests.spool.rig import at, bulky, ids, taken

SEGMENT = "0000000000000001.seg"
BATCHES = [bulky(f"b{n}", kibibytes=1) for n in range(60)]
SMALL = {"one bit flipped": 1}
PARTS = [b"part" * 100, b"of a whole" * 1000]

each_kind = pytest.mark.parametrize("kind", KINDS)


def touched(path: Path, kind: str) -> int:
    """How many batches may be lost: those that the damage touches."""
    content = path.read_bytes()
    middle, size = len(content) // 2, len(content)
    ranges = {
        "one bit flipped": (middle, middle + 1),
        "4 KiB zeroed": (middle - 2048, middle + 2048),
        "truncated": (size * 2 // 3, size),
    }
    first, last = ranges.get(kind, (0, size))
    frames = form.scan(content).frames.values()
    return sum(f.offset < last and first < f.offset + f.length for f in frames)


@pytest.mark.bar("S3")
@each_kind
def test_a_damaged_segment_costs_what_the_damage_touches(
    tmp_path: Path, kind: str, figure: Callable[[str], None]
) -> None:
    """Its file is put aside and counted, the rest and the next period are delivered."""
    state = tmp_path / "state"
    spool = at(state)
    spool.append(BATCHES)
    spool.append([bulky("next", 60)])
    spool.close()
    path = state / "spool" / SEGMENT
    most = touched(path, kind)
    KINDS[kind](path)
    outside = {p.name: p.read_bytes() for p in tmp_path.glob(f"{OUTSIDE}*")}

    spool = at(state)
    found = taken(spool)
    for one in found:
        spool.acknowledge(one.id)
    tally = spool.tally()
    spool.close()
    lost = len(BATCHES) + 1 - len(found)
    assert ids(found)[-1] == "next"
    assert lost <= most
    # What was put aside at once had no count of entries that one could trust.
    assert tally.dropped[DAMAGED] in (lost, 0)
    is_damaged = kind != "mode 000"  # which waits for somebody who may read it
    kept = [p.name for p in (state / "quarantine").iterdir()]
    assert (tally.quarantined, len(kept)) == (is_damaged, is_damaged)
    assert tally.unreadable == (not is_damaged and os.geteuid() != 0)
    assert outside == {p.name: p.read_bytes() for p in tmp_path.glob(f"{OUTSIDE}*")}
    figure(f"{kind}: {lost} of {len(BATCHES)} batches lost, {most} touched")


@pytest.mark.bar("S3")
@each_kind
@pytest.mark.parametrize("name", [OPEN, CARRY, OWNERS, "running"])
def test_a_damaged_checkpoint_costs_what_it_held(
    tmp_path: Path, name: str, kind: str
) -> None:
    """It is put aside and told, the other files hold, and it is written anew."""
    state = tmp_path / "state"
    checkpoint = Checkpoint.open(state)
    checkpoint.begin(1.0)
    checkpoint.save_open(PARTS, 2.0)
    checkpoint.commit(PARTS, 3.0)
    checkpoint.save_owners(PARTS, 4.0)
    checkpoint.close()
    KINDS[kind](state / "checkpoint" / name)
    outside = {p.name: p.read_bytes() for p in tmp_path.glob(f"{OUTSIDE}*")}

    checkpoint = Checkpoint.open(state)
    start = checkpoint.load()
    is_damaged = kind != "mode 000" or os.geteuid() != 0
    held = {OPEN: start.snapshot, CARRY: start.carry, OWNERS: start.owners}
    for other, parts in held.items():
        assert list(parts) == ([] if other == name and is_damaged else PARTS)
    assert [one for one, _ in start.damaged] == [name] * is_damaged
    assert start.is_unclean
    assert len(list((state / "quarantine").iterdir())) == is_damaged
    assert checkpoint.begin(5.0)
    assert checkpoint.save_open(PARTS, 5.0)
    assert checkpoint.commit(PARTS, 5.0)
    assert checkpoint.save_owners(PARTS, 5.0)
    checkpoint.close()
    again = Checkpoint.open(state)
    assert not again.load().damaged
    again.close()
    assert outside == {p.name: p.read_bytes() for p in tmp_path.glob(f"{OUTSIDE}*")}
