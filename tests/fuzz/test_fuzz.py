"""libFuzzer over the native engine and the grammar, from the seeds beside this file on.

Both engines take the same bytes and have to show the same; C alone is held against the
plainest way to do what it does; the grammar has to make something sound of any line.
"""

import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.fuzz.fuzzer import NATIVE, TARGETS, Missing, build, probe, run

pytestmark = pytest.mark.native

QUICK_SECONDS, FULL_SECONDS = 60, 30 * 60
"""Of all targets together."""

SECONDS_TO_FIND = 300
"""At most: it takes some seconds of CPU time, which others may want too."""


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """What runs each target."""
    folder = tmp_path_factory.mktemp("fuzz")
    try:
        probe(folder)
    except Missing as why:
        pytest.skip(str(why))
    made = {target.program for target in TARGETS.values()}
    built = {program: build(program, folder) for program in sorted(made)}
    return {name: built[target.program] for name, target in TARGETS.items()}


@pytest.mark.parametrize(
    "seconds",
    [QUICK_SECONDS, pytest.param(FULL_SECONDS, marks=pytest.mark.soak)],
    ids=["quick", "full"],
)
@pytest.mark.parametrize("name", TARGETS)
def test_no_bytes_show_a_defect(
    name: str, seconds: int, programs: dict[str, Path], tmp_path: Path
) -> None:
    """No difference, no sanitizer's complaint, nothing that raises or takes long."""
    found = run(name, programs[name], tmp_path, round(seconds * TARGETS[name].share))
    print(f"{name}: {found}")
    assert found.defect is None, found.defect
    assert found.executions > 100
    assert found.inputs > 10


class Defect(NamedTuple):
    """One thing that is made wrong in a file of C, and which target is to find it."""

    target: str
    file: str
    right: str
    wrong: str


DEFECTS = {
    "rounding": Defect(
        "parts", "number.c", "mantissa <= EXACT", "mantissa <= 2 * EXACT"
    ),
    "dot": Defect("parts", "number.c", "if (digits == 0)", "if (length == 0)"),
    "cut": Defect("parts", "feed.c", "memchr(colon, '|'", "memchr(line->text, '|'"),
    "overlap": Defect("parts", "members.c", "used += 1 + length", "used += length"),
    "bytes": Defect("feed", "feed.c", "> 127", "> 255"),
    "gap": Defect("parts", "table.c", ">= ((at - gap)", "> ((at - gap)"),
    "fold": Defect(
        "feed", "timer.c", "timer->weight += weight", "timer->weight += 1.0"
    ),
    "epoch": Defect(
        "feed", "table.c", "table->epoch++;\n    table->entered", "table->entered"
    ),
    "register": Defect("parts", "members.c", "digest >> RANK_BITS", "digest >> 51"),
    "reference": Defect("objects", "table.c", "Py_NewRef(cell)", "cell"),
}


@pytest.mark.parametrize("defect", DEFECTS.values(), ids=DEFECTS)
def test_a_defect_is_found(
    defect: Defect, programs: dict[str, Path], tmp_path: Path
) -> None:
    """The fuzzer can fail: with one thing wrong in the C it does so within seconds."""
    native = tmp_path / "native"
    shutil.copytree(NATIVE, native)
    text = (native / defect.file).read_text()
    assert defect.right in text
    (native / defect.file).write_text(text.replace(defect.right, defect.wrong, 1))
    program = build(TARGETS[defect.target].program, tmp_path, native)
    found = run(defect.target, program, tmp_path, SECONDS_TO_FIND, "-seed=1")
    assert found.defect is not None
