"""Programs of libFuzzer's around the native engine: built, run, and what they found.

A program is Python itself with the C of the engine linked in, both sanitizers and
libFuzzer's coverage over that C; see the heads of the C files and of ``feed.py`` and
``grammar.py``.
"""

import ast
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

__all__ = ["NATIVE", "TARGETS", "Found", "Missing", "Target", "build", "probe", "run"]

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
NATIVE = ROOT / "relay" / "rollup" / "_native"

SANITIZERS = "-fsanitize=fuzzer,address,undefined"
FLAGS = [
    *("-std=c11", "-O1", "-g", "-fno-omit-frame-pointer", "-pthread"),
    "-ffp-contract=off",  # as in setup.py
    *(SANITIZERS, "-fno-sanitize-recover=undefined"),
]
PROBE = """
#include <Python.h>
int LLVMFuzzerTestOneInput(const char *data, size_t size);
int LLVMFuzzerTestOneInput(const char *data, size_t size)
{
    Py_Initialize();
    return data == NULL && size != 0;
}
"""


class Target(NamedTuple):
    """What is fuzzed: the program, the module that it calls, how Python allocates.

    ``share`` is of the time that there is for all of them. With ``malloc``
    AddressSanitizer sees every object of Python's, at twice the time.
    """

    program: str
    module: str
    allocator: str
    share: float

    @property
    def seeds(self) -> str:
        """The first word of its lines in seeds.txt."""
        return self.module.rpartition(".")[2] or self.program


TARGETS = {
    "parts": Target("parts", "", "malloc", 0.15),
    "grammar": Target("harness", "tests.fuzz.grammar", "pymalloc", 0.25),
    "feed": Target("harness", "tests.fuzz.feed", "pymalloc", 0.45),
    "objects": Target("harness", "tests.fuzz.feed", "malloc", 0.15),
}


class Missing(Exception):  # noqa: N818 - no error: there is nothing to build with
    """Why no fuzzer can be built here."""


class Found(NamedTuple):
    """What came of a run; ``defect`` is what is wrong, None where nothing is."""

    executions: int
    coverage: int
    features: int
    inputs: int
    defect: str | None

    def __str__(self) -> str:
        return (
            f"{self.executions:,} executions, {self.coverage} edges of C,"
            f" {self.features} features, {self.inputs} inputs kept"
        )


def probe(folder: Path) -> None:
    """Raises Missing unless a program with Python and libFuzzer in it can be run."""
    if sys.platform != "linux":
        raise Missing("the native engine is for Linux")
    if shutil.which("clang") is None:
        raise Missing("clang is not installed")
    source = folder / "probe.c"
    source.write_text(PROBE)
    program = folder / "probe"
    environment = _environment("malloc", "")
    compiling = [*_compiler(), str(source), *_libraries(), "-o", str(program)]
    for words in (compiling, [str(program), "-runs=1"]):
        ended = _child(words, folder, 120, environment)
        if ended.returncode != 0:
            said = ended.stderr.strip().splitlines() or ["nothing was said"]
            raise Missing(f"clang cannot build a fuzzer around this Python: {said[-1]}")


def build(program: str, folder: Path, native: Path = NATIVE) -> Path:
    """The program, made of the C files in ``native``; a warning is an error."""
    made = folder / program
    sources = [HERE / f"{program}.c", HERE / "embedded.c", *sorted(native.glob("*.c"))]
    words = [*_compiler(), "-Wall", "-Wextra", "-Werror", f"-I{native}", f"-I{HERE}"]
    words += [*map(str, sources), *_libraries(), "-o", str(made)]
    ended = _child(words, folder, 300, dict(os.environ))
    assert ended.returncode == 0, ended.stderr[-4000:]
    return made


def run(name: str, program: Path, folder: Path, seconds: int, *more: str) -> Found:
    """Fuzz for so long, from the seeds on; ends at the first defect.

    ``folder`` keeps what was found worth keeping, and the input of a defect.
    """
    target = TARGETS[name]
    corpus, seeds = folder / f"corpus-{name}", folder / f"seeds-{name}"
    corpus.mkdir(exist_ok=True)
    seeds.mkdir(exist_ok=True)
    for number, seed in enumerate(_seeds(target.seeds)):
        (seeds / f"{number:02}").write_bytes(seed)
    words = [str(program), str(corpus), str(seeds), f"-dict={HERE / 'dictionary'}"]
    words += [f"-max_total_time={seconds}", "-max_len=1024", "-timeout=20"]
    words += [
        "-rss_limit_mb=1024",
        "-print_final_stats=1",
        f"-artifact_prefix={folder}/",
    ]
    environment = _environment(target.allocator, target.module)
    ended = _child([*words, *more], folder, seconds + 120, environment)
    return _found(ended, target.seeds, folder)


def _compiler() -> list[str]:
    return ["clang", *FLAGS, f"-I{sysconfig.get_path('include')}"]


def _libraries() -> list[str]:
    """Python's own, shared or not, and what that wants."""
    of = sysconfig.get_config_vars()
    words = ["-lm", "-ldl"]
    if of.get("Py_ENABLE_SHARED"):
        folder = of["LIBDIR"]
        return [
            f"-L{folder}",
            f"-Wl,-rpath,{folder}",
            f"-lpython{of['LDVERSION']}",
            *words,
        ]
    archive = Path(of.get("LIBPL") or "", of.get("LIBRARY") or "no library")
    if not archive.is_file():
        raise Missing("this Python comes without a library to link with")
    for key in ("LINKFORSHARED", "LIBS", "SYSLIBS"):
        words += (of.get(key) or "").split()
    return [str(archive), *words]


def _environment(allocator: str, module: str) -> dict[str, str]:
    """Of a program; hashes do not differ from one run to the next."""
    paths = [str(ROOT), *[path for path in sys.path if path]]
    return {
        **{key: text for key, text in os.environ.items() if key[:6] != "PYTHON"},
        "PYTHONHOME": f"{sys.base_prefix}:{sys.base_exec_prefix}",
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONHASHSEED": "0",
        "PYTHONMALLOC": allocator,
        "PYTHONDONTWRITEBYTECODE": "1",
        "ASAN_OPTIONS": "detect_leaks=0:quarantine_size_mb=16",
        "CMS_RELAY_FUZZ": module,
    }


def _child(
    words: Sequence[str], folder: Path, seconds: int, environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=seconds,
        check=False,
    )


def _seeds(word: str) -> Iterator[bytes]:
    for line in (HERE / "seeds.txt").read_text("ascii").splitlines():
        first, _, literal = line.partition(" ")
        if first == word:
            seed = ast.literal_eval(literal)
            assert isinstance(seed, bytes)
            yield seed


def _found(ended: subprocess.CompletedProcess[str], word: str, folder: Path) -> Found:
    said = ended.stderr
    last = re.findall(r"cov: (\d+) ft: (\d+) corp: (\d+)", said)
    executed = re.search(r"stat::number_of_executed_units: (\d+)", said)
    defect = None
    if ended.returncode != 0:
        lines = [line for line in said.splitlines() if not line.startswith("#")]
        inputs = [
            f"{word} {path.read_bytes()!r}"
            for path in folder.iterdir()
            if re.fullmatch(r"[a-z-]+-[0-9a-f]{40}", path.name)
        ]
        lines = [*lines[-80:], "its input, as in seeds.txt:", *inputs]
        defect = "\n".join(lines)
    coverage, features, kept = map(int, last[-1]) if last else (0, 0, 0)
    executions = int(executed[1]) if executed else 0
    return Found(executions, coverage, features, kept, defect)
