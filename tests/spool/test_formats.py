"""Upgrades and downgrades: the files of every released version of the spool's format.

What the releases wrote is in ``tests/vectors``; ``make_formats.py`` there wrote it.
"""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from relay.spool.segment import HEADER_BYTES
from tests.spool.rig import at, batch, items, taken
from tests.vectors.make_formats import BATCHES

FOLDER = Path(__file__).parents[1] / "vectors"
SEGMENT = FOLDER / "spool-segment-v1.hex"
SPOOLS = sorted(FOLDER.glob("spool-v*.json"))

pytestmark = pytest.mark.bar("R10")


def put_down(folder: Path, vector: Path) -> None:
    """The files of a state folder as a release left them."""
    for name, content in json.loads(vector.read_text("utf-8")).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes.fromhex(content))


def test_segments_of_every_released_version_are_read(tmp_path: Path) -> None:
    """The file was written by the first release that had segments."""
    _, *lines = SEGMENT.read_text().splitlines()
    at(tmp_path).close()
    path = tmp_path / "spool" / "0000000000000003.seg"
    path.write_bytes(bytes.fromhex("".join(lines)))
    assert taken(at(tmp_path)) == [
        batch("1704067200/60/1", 1704067260, 3),
        batch("1704067200/60/2", 1704067260, 1),
    ]


@pytest.mark.parametrize("path", SPOOLS, ids=lambda path: path.stem)
def test_a_whole_spool_of_every_released_version_is_gone_on_from(
    tmp_path: Path, path: Path, figure: Callable[[str], None]
) -> None:
    """Segments, marks and what was parked: nothing is sent again, nothing left out."""
    put_down(tmp_path, path)
    spool = at(tmp_path)
    assert taken(spool) == [BATCHES[2]]
    [parked] = spool.parked()
    assert (parked.batch.items, parked.reason) == (BATCHES[1].items[1:], "400: refused")
    assert (spool.tally().quarantined, spool.tally().degraded) == (0, "")
    figure(f"{path.stem}: segment, marks and parked entries as they were left")


def test_a_segment_of_a_version_to_come_is_set_aside(
    tmp_path: Path, figure: Callable[[str], None]
) -> None:
    """And counted; its marks go with it, and the start is none the worse."""
    put_down(tmp_path, SPOOLS[-1])
    path = tmp_path / "spool" / "0000000000000001.seg"
    content = bytearray(path.read_bytes().replace(b"\xf1FR1", b"\xf1FR9"))
    content[8] = 9
    content[8 - HEADER_BYTES] = 9
    path.write_bytes(content)
    spool = at(tmp_path)
    assert taken(spool) == []
    assert spool.tally().quarantined == 1
    assert list((tmp_path / "spool").iterdir()) == []
    figure("a segment of a version to come: set aside and counted")


def test_marks_of_a_version_to_come_cost_a_repetition(
    tmp_path: Path, figure: Callable[[str], None]
) -> None:
    """Nobody can read what they settle, so all of their segment is sent once more."""
    put_down(tmp_path, SPOOLS[-1])
    path = tmp_path / "spool" / "0000000000000001.ack"
    content = bytearray(path.read_bytes())
    content[8] = 9
    path.write_bytes(content)
    assert items(taken(at(tmp_path))) == items(BATCHES)
    figure("marks of a version to come: their segment is sent once more")


def test_parked_entries_of_a_version_to_come_are_passed_over(
    tmp_path: Path, figure: Callable[[str], None]
) -> None:
    """The others are still listed."""
    put_down(tmp_path, SPOOLS[-1])
    [kept] = (tmp_path / "parked").iterdir()
    kept.write_text('{"version": 9, "what": ["else"]}\n' + kept.read_text("utf-8"))
    assert len(at(tmp_path).parked()) == 1
    figure("a parked entry of a version to come: passed over")
