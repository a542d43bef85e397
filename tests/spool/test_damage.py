"""Files that are damaged, foreign or of tomorrow: what each costs, and what it does not."""

import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from relay.delivery.ledger import QueueTally
from relay.spool import segment as form
from relay.spool.file import DAMAGED
from tests.spool.rig import at, batch, bulky, ids, taken

BATCHES = [batch(f"b{n}", items=3, size=200) for n in range(30)]
SEGMENT = "0000000000000001.seg"


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A folder with one segment of thirty batches, and one of another period."""
    spool = at(tmp_path)
    spool.append(BATCHES)
    spool.append([batch("next", 60)])
    spool.close()
    return tmp_path


def damage(state: Path, change: Callable[[bytearray], object]) -> None:
    """Change the segment of thirty batches."""
    path = state / "spool" / SEGMENT
    content = bytearray(path.read_bytes())
    change(content)
    path.write_bytes(content)


def flip(content: bytearray) -> None:
    """One bit in the middle."""
    content[len(content) // 2] ^= 1


def survivors(state: Path) -> tuple[list[str], QueueTally]:
    """What a start finds and can deliver, next period included; all is acknowledged."""
    spool = at(state)
    closed = spool.tally()
    found = taken(spool)
    for one in found:
        tally = spool.acknowledge(one.id)
    spool.close()
    assert (tally.batches, tally.entries, tally.bytes) == (0, 0, 0)
    delivered = sum(len(one.items) for one in found)
    assert delivered + tally.dropped[DAMAGED] == (
        closed.entries + closed.dropped[DAMAGED]
    )
    assert ids(found)[-1] == "next"
    return ids(found)[:-1], tally


def quarantine(state: Path) -> list[str]:
    return sorted(path.name for path in (state / "quarantine").iterdir())


def test_one_bit_costs_at_most_its_batch(state: Path) -> None:
    """Wherever it is; every third byte of the file is tried, each in its turn."""
    path = state / "spool" / SEGMENT
    whole = path.read_bytes()
    other = (state / "spool" / "0000000000000002.seg").read_bytes()
    for at_byte in range(0, len(whole), 3):
        changed = bytearray(whole)
        changed[at_byte] ^= 1 << at_byte % 8
        path.write_bytes(changed)
        (state / "spool" / "0000000000000002.seg").write_bytes(other)
        found, tally = survivors(state)
        assert len(found) >= 29
        assert tally.dropped[DAMAGED] == 3 * (30 - len(found))
        assert tally.quarantined == 1
    assert quarantine(state)[-1].endswith(f"-{SEGMENT}")


def test_a_page_of_zeros_costs_the_batches_in_it(tmp_path: Path) -> None:
    """Those before and behind are delivered."""
    spool = at(tmp_path, limit_bytes=64 * 2**20)
    spool.append([*(bulky(f"b{n}", kibibytes=2) for n in range(30)), batch("next", 1)])
    spool.close()

    def zero(content: bytearray) -> None:
        content[8192:12288] = bytes(4096)

    damage(tmp_path, zero)
    found, tally = survivors(tmp_path)
    assert 30 - 6 <= len(found) < 30
    assert (tally.dropped[DAMAGED], tally.quarantined) == (30 - len(found), 1)


def test_zeros_over_the_header_cost_no_count(state: Path) -> None:
    """The trailer says how many there were."""

    def zero(content: bytearray) -> None:
        content[:1000] = bytes(1000)

    damage(state, zero)
    found, tally = survivors(state)
    assert tally.dropped[DAMAGED] == 3 * (30 - len(found)) > 0


@pytest.mark.parametrize("part", [0.1, 0.5, 0.99])
def test_a_truncation_costs_the_tail(state: Path, part: float) -> None:
    """Everything before it is delivered."""
    damage(
        state,
        lambda content: content.__delitem__(slice(int(len(content) * part), None)),
    )
    found, tally = survivors(state)
    assert found == [f"b{n}" for n in range(len(found))]
    assert len(found) >= 30 * part - 1
    assert (tally.dropped[DAMAGED], tally.quarantined) == (3 * (30 - len(found)), 1)


def test_without_header_and_trailer_the_frames_still_count(state: Path) -> None:
    """Each says itself what it is."""

    def zero(content: bytearray) -> None:
        content[: form.HEADER_BYTES] = bytes(form.HEADER_BYTES)
        content[-form.HEADER_BYTES :] = bytes(form.HEADER_BYTES)

    damage(state, zero)
    found, tally = survivors(state)
    assert found == ids(BATCHES)
    assert tally.quarantined == 1


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 4096,
        b"".join(sha256(bytes([n])).digest() for n in range(255)),
        b"#!/bin/sh\n",
        b"CMSRELAY\x02\x00" + b"tomorrow" * 100,
    ],
    ids=["empty", "zeros", "random", "foreign", "future version"],
)
def test_a_file_with_nothing_of_ours_is_put_aside(state: Path, content: bytes) -> None:
    """It keeps nobody from starting, and it is kept."""
    damage(state, lambda old: old.__setitem__(slice(None), content))
    found, tally = survivors(state)
    assert (found, tally.quarantined) == ([], 1)
    [name] = quarantine(state)
    assert (state / "quarantine" / name).read_bytes() == content


def folder(path: Path) -> None:
    path.mkdir()
    (path / "inside").touch()


@pytest.mark.parametrize(
    "name", ["0000000000000009.seg", "notes.txt", "\udcff\n", "1.tmp"]
)
@pytest.mark.parametrize(
    "make",
    [folder, Path.touch, os.mkfifo, lambda path: path.symlink_to("/etc/passwd")],
    ids=["folder", "file", "fifo", "symlink"],
)
def test_what_is_not_a_segment_is_put_aside(
    state: Path, name: str, make: Callable[[Path], None]
) -> None:
    """Links are moved, never followed; pipes are not waited for."""
    make(state / "spool" / name)
    found, tally = survivors(state)
    assert (len(found), tally.quarantined) == (30, 1)
    assert len(quarantine(state)) == 1


def test_a_link_in_the_place_of_a_segment_is_not_followed(state: Path) -> None:
    """Not even to a segment that is good."""
    outside = state / "outside"
    (state / "spool" / SEGMENT).rename(outside)
    (state / "spool" / SEGMENT).symlink_to(outside)
    found, tally = survivors(state)
    assert (found, tally.quarantined) == ([], 1)
    assert outside.exists()


@pytest.mark.parametrize("name", ["spool", "parked", "quarantine"])
def test_links_in_the_place_of_our_folders_are_moved_aside(
    tmp_path: Path, name: str
) -> None:
    """Nothing is written through them."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / name).symlink_to(outside)
    spool = at(tmp_path / "state")
    spool.append([batch("a")])
    assert ids(taken(spool)) == ["a"]
    assert list(outside.iterdir()) == []


def test_the_state_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    """Service managers make it one."""
    (tmp_path / "private").mkdir()
    (tmp_path / "state").symlink_to(tmp_path / "private")
    assert at(tmp_path / "state").append([batch("a")]).degraded == ""


def test_a_file_without_permissions_is_left_or_read(state: Path) -> None:
    """Which of the two depends on who asks: root may read it."""
    (state / "spool" / SEGMENT).chmod(0)
    found, tally = survivors(state)
    assert (len(found), tally.unreadable) == ((30, 0) if found else (0, 1))
    assert quarantine(state) == []


def test_a_file_that_goes_away_costs_itself(state: Path) -> None:
    """Somebody removed it while we ran."""
    spool = at(state)
    (state / "spool" / SEGMENT).unlink()
    assert ids(taken(spool)) == ["next"]
    assert spool.tally().dropped[DAMAGED] == 90


def test_damage_that_comes_while_we_run_costs_its_batch(state: Path) -> None:
    """A frame is checked again when it is read."""
    spool = at(state)
    spool.take(0.0)
    damage(state, flip)
    found = taken(spool)
    assert (len(found), spool.tally().dropped[DAMAGED]) == (29, 3)


def test_what_was_lost_is_counted_once(state: Path) -> None:
    """A restart before the rest is delivered does not count it again."""
    damage(state, flip)
    for expected in (3, 0):
        spool = at(state)
        spool.take(0.0)
        assert spool.tally().dropped[DAMAGED] == expected
        assert spool.tally().entries == 30 * 3 - 3 + 2
        spool.close()


@pytest.mark.parametrize(
    "content", [b"", b"rubbish" * 9, b"CMSMARKS\x01\0\0\0\0\0\0\0" + b"\xff" * 99]
)
def test_marks_that_cannot_be_read_cost_a_repetition(
    state: Path, content: bytes
) -> None:
    """Never an entry; and marks are written again."""
    (state / "spool" / "0000000000000001.ack").write_bytes(content)
    spool = at(state)
    first, second = spool.take(0.0)[0], spool.take(0.0)[0]
    assert (first, second) == (BATCHES[0], BATCHES[1])
    spool.acknowledge("b0")
    spool.close()
    assert ids(taken(at(state)))[:2] == ["b1", "b2"]


def test_marks_of_another_segment_settle_nothing(state: Path) -> None:
    """Numbers come again when a folder was emptied."""
    spool = at(state)
    taken(spool)
    spool.acknowledge("b0")
    spool.close()
    other = at(state / "other")
    other.append([batch(f"c{n}", items=3, size=200) for n in range(30)])
    other.close()
    marks = (state / "spool" / "0000000000000001.ack").read_bytes()
    (state / "other" / "spool" / "0000000000000001.ack").write_bytes(marks)
    assert len(taken(at(state / "other"))) == 30
