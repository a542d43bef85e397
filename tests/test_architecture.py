"""Who may import whom, and what no file may do: a table, checked over the syntax trees.

Each rule is a sentence, a check that lists what offends it, and a file that would.
The sentence is the failure message.
"""

import ast
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
LINES_MAX = 450

ANYONE = -1
LEVELS = {
    "": ANYONE,  # relay/__init__.py: the version
    "errors": ANYONE,
    "assets": 0,
    "statsd": 0,
    "rollup": 0,
    "delivery": 0,
    "recording": 0,
    "cloudmonitor": 1,
    "credentials": 2,
    "sink": 2,
    "spool": 2,
    "telemetry": 2,
    "service": 3,
    "admin": 3,
    "emulator": 3,
    "logs": 3,
    "settings": 4,
    "pipeline": 4,
    "report": 4,
    "destination": 4,
    "events": 4,
    "doors": 4,
    "reload": 4,
    "selfreport": 4,
    "sites": 4,
    "management": 4,
    "continuity": 4,
    "search": 4,
    "watching": 4,
    "app": 4,
    "commands": 4,
    "cli": 4,
    "__main__": 4,
}
PURE = {"statsd", "rollup", "delivery", "recording", "cloudmonitor"}
WIRED = {"app", "commands", "continuity", "destination", "doors", "reload", "report"}
WIRED |= {"sites", "management", "events", "search", "watching"}
"""What builds the Twisted rooms."""

IMPURE = """
asyncio concurrent ctypes http.client http.server logging multiprocessing os pathlib
random secrets select selectors shutil signal smtplib socket socketserver ssl subprocess
tempfile threading time urllib.request uuid
"""
"""Of the standard library: what waits, looks at the world, throws dice or logs."""

THIRD_PARTY = {
    "twisted": {"service", "admin", "emulator", "logs", *WIRED},
    "zope": {"service", "admin", "emulator", "logs", *WIRED},
    "requests": {"sink/transport.py", "sink/leash.py"},
    "urllib3": {"sink/transport.py", "sink/leash.py"},
    "prometheus_client": {"telemetry"},
    "attr": {"settings"},
    "attrs": {"settings"},
    "cattrs": {"settings"},
    "json5": {"settings/javascript.py"},
    "yaml": {"settings/rule_file.py"},
}
"""Which rooms, or which files of a room, may import it."""


class Import(NamedTuple):
    """``name`` is the module, with the imported member where that may be one too."""

    name: str
    line: int
    in_function: bool


class Module:
    """One file of the package: its place, its tree, what it imports."""

    def __init__(self, path: str, source: str) -> None:
        self.path, self.source = path, source
        self.tree = ast.parse(source, path)
        self.nodes = list(ast.walk(self.tree))
        first = path.split("/", maxsplit=1)[0].removesuffix(".py")
        self.room = "" if first == "__init__" else first
        self.imports = list(self._imports())

    def _imports(self) -> Iterator[Import]:
        inside = {
            node
            for function in self.nodes
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
            for node in ast.walk(function)
        }
        for node in self.nodes:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield Import(alias.name, node.lineno, node in inside)
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    name = f"{'.' * node.level}{node.module or ''}.{alias.name}"
                    yield Import(name, node.lineno, node in inside)

    def of_relay(self) -> Iterator[tuple[str, Import]]:
        """The rooms it imports from, but its own."""
        for one in self.imports:
            top, room, *_ = [*one.name.split("."), ""]
            room = "" if room.startswith("__") else room
            if top == "relay" and room != self.room:
                yield room, one

    def foreign(self) -> Iterator[tuple[str, Import]]:
        """The packages it imports that are neither ours nor the standard library's."""
        for one in self.imports:
            top = one.name.split(".")[0]
            if top != "relay" and top not in sys.stdlib_module_names:
                yield top, one

    def calls(self) -> Iterator[tuple[str, ast.Call]]:
        """What it calls, by name as written."""
        for node in self.nodes:
            if isinstance(node, ast.Call):
                yield ast.unparse(node.func), node


Offences = Iterator[object]


def without_level(module: Module) -> Offences:
    if module.room not in LEVELS:
        yield module.room


def upwards(module: Module) -> Offences:
    for room, one in module.of_relay():
        if LEVELS.get(room, 99) > LEVELS.get(module.room, 99):
            yield one


def sideways(module: Module) -> Offences:
    level = LEVELS.get(module.room, 99)
    for room, one in module.of_relay():
        is_sibling = LEVELS.get(room) == level and ANYONE < level < LEVELS["app"]
        if is_sibling and (module.room, room) != ("rollup", "statsd"):
            yield one


def impure(module: Module) -> Offences:
    banned = tuple(f"{name}." for name in IMPURE.split())
    for one in module.imports:
        if module.room in PURE and f"{one.name}.".startswith(banned):
            yield one
    for _, one in module.foreign():
        if module.room in PURE:
            yield one


def clocks(module: Module) -> Offences:
    readers = {"now", "utcnow", "today"}
    for name, call in module.calls():
        owner, _, method = name.rpartition(".")
        is_clock = method in readers and owner.split(".")[-1] in {"datetime", "date"}
        if module.room in PURE and is_clock:
            yield call.lineno


def third_party(module: Module) -> Offences:
    for top, one in module.foreign():
        if not {module.room, module.path} & THIRD_PARTY.get(top, set()):
            yield one


def contract_only(module: Module) -> Offences:
    for room, one in module.of_relay():
        its_contract = one.name.startswith("relay.cloudmonitor.contract")
        if (
            module.room == "emulator"
            and room not in {"", "errors", "assets"}
            and not its_contract
        ):
            yield one


def admin_alone(module: Module) -> Offences:
    for room, one in module.of_relay():
        if module.room == "admin" and room not in {"", "errors", "assets"}:
            yield one


def words_only(module: Module) -> Offences:
    words = ("relay.statsd.sample.", "relay.delivery.ledger.OUTCOMES")
    for room, one in module.of_relay():
        is_word = one.name.startswith(words)
        if module.room == "telemetry" and room not in {"", "errors"} and not is_word:
            yield one


def environment(module: Module) -> Offences:
    names = {"environ", "environb", "getenv", "putenv"}
    for node in module.nodes:
        is_read = isinstance(node, ast.Attribute) and node.attr in names
        if module.room != "settings" and is_read:
            yield ast.unparse(node)
    for one in module.imports:
        if module.room != "settings" and one.name.removeprefix("os.") in names:
            yield one


def prints(module: Module) -> Offences:
    for name, call in module.calls():
        if name == "print" and module.room not in {"cli", "commands"}:
            yield call.lineno


def reactors(module: Module) -> Offences:
    for one in module.imports:
        if one.name.startswith("twisted.internet.reactor") and not (
            one.in_function and module.room in {"app", "commands"}
        ):
            yield one


def dangerous(module: Module) -> Offences:
    banned = {"pickle", "marshal", "shelve", "dill"}
    yield from (one for one in module.imports if one.name.split(".")[0] in banned)
    for name, call in module.calls():
        if name in {"eval", "exec", "os.system", "os.popen"}:
            yield call.lineno
        if name.startswith("yaml.") and not name.startswith("yaml.safe_"):
            yield call.lineno
        for keyword in call.keywords:
            if keyword.arg == "shell" and ast.unparse(keyword.value) != "False":
                yield call.lineno


def relative(module: Module) -> Offences:
    yield from (one for one in module.imports if one.name.startswith("."))


def long(module: Module) -> Offences:
    lines = module.source.count("\n")
    if lines > LINES_MAX:
        yield lines


def vague(module: Module) -> Offences:
    names = {part.removesuffix(".py") for part in module.path.split("/")}
    yield from names & {"utils", "util", "helpers", "helper", "common", "misc"}


class Rule(NamedTuple):
    """``offender`` is a path and a source that break the rule."""

    sentence: str
    offences: Callable[[Module], Offences]
    offender: tuple[str, str]


RULES = (
    Rule("Every room has a level.", without_level, ("attic.py", "")),
    Rule(
        "Imports point downwards.",
        upwards,
        ("statsd/x.py", "from relay.cloudmonitor import contract"),
    ),
    Rule(
        "Only level 4, which introduces rooms to each other, sees the settings.",
        upwards,
        ("service/x.py", "import relay.settings"),
    ),
    Rule(
        "Below level 4 no room imports a sibling of its level, but rollup statsd.",
        sideways,
        ("sink/x.py", "from relay.spool.memory import MemorySpool"),
    ),
    Rule(
        "Pure rooms import the standard library only, and of it nothing that waits, "
        "looks at the world, throws dice or logs.",
        impure,
        ("rollup/x.py", "import time"),
    ),
    Rule(
        "Pure rooms do not read the clock.",
        clocks,
        ("cloudmonitor/x.py", "import datetime\ndatetime.datetime.now()"),
    ),
    Rule(
        "A library is imported by the rooms that are there for it, and by no other.",
        third_party,
        ("sink/stdout.py", "import requests"),
    ),
    Rule(
        "The emulator knows the promise (cloudmonitor.contract), not how we keep it.",
        contract_only,
        ("emulator/x.py", "from relay.cloudmonitor.signing import sign"),
    ),
    Rule(
        "The admin pages see the relay through callables, not through other rooms.",
        admin_alone,
        ("admin/x.py", "from relay.rollup.engine import Engine"),
    ),
    Rule(
        "Telemetry takes closed lists of words from other rooms, and nothing else.",
        words_only,
        ("telemetry.py", "from relay.delivery.ledger import Ledger"),
    ),
    Rule(
        "Only the settings read the environment.",
        environment,
        ("credentials/x.py", "import os\nos.environ['KEY']"),
    ),
    Rule(
        "Only the command line prints.", prints, ("service/x.py", "print('listening')")
    ),
    Rule(
        "The reactor is imported in functions of the app and the commands only.",
        reactors,
        ("app.py", "from twisted.internet import reactor"),
    ),
    Rule(
        "No eval, exec, pickle, marshal, shelve, shell or unsafe YAML anywhere.",
        dangerous,
        ("spool/x.py", "import subprocess\nsubprocess.run('ls', shell=True)"),
    ),
    Rule("Imports name the whole path.", relative, ("sink/x.py", "from . import y")),
    Rule(
        f"No file is longer than {LINES_MAX} lines.",
        long,
        ("sink/x.py", "\n" * (LINES_MAX + 1)),
    ),
    Rule("A module is named after what it is for.", vague, ("statsd/utils.py", "")),
)

each_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.sentence)


@pytest.fixture(scope="module")
def modules() -> list[Module]:
    """Every file of the package."""
    package = ROOT / "relay"
    return [
        Module(path.relative_to(package).as_posix(), path.read_text("utf-8"))
        for path in sorted(package.rglob("*.py"))
    ]


@pytest.mark.bar("P5")
@each_rule
def test_the_package_keeps_the_rule(rule: Rule, modules: list[Module]) -> None:
    """No file offends it."""
    offences = [
        f"relay/{module.path}: {offence}"
        for module in modules
        for offence in rule.offences(module)
    ]
    assert not offences, "\n".join([rule.sentence, *offences])


@each_rule
def test_an_offender_is_noticed(rule: Rule) -> None:
    """The check can fail."""
    assert list(rule.offences(Module(*rule.offender)))


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("rollup/x.py", "from relay.statsd.sample import Kind"),
        ("emulator/x.py", "from relay.cloudmonitor import contract"),
        ("emulator/x.py", "from relay.assets import asset"),
        ("sink/x.py", "from relay import __version__"),
        ("sink/transport.py", "import requests.adapters"),
        ("commands/run.py", "def f():\n    from twisted.internet import reactor"),
        ("settings/sources.py", "import os\nos.environ"),
        ("app.py", "from relay.settings import Settings"),
        ("cloudmonitor/x.py", "import datetime\ndatetime.datetime.fromtimestamp(0)"),
        ("telemetry.py", "from relay.delivery.ledger import OUTCOMES"),
    ],
)
def test_what_is_allowed_is_not_refused(path: str, source: str) -> None:
    """The rules forbid no more than they say."""
    module = Module(path, source)
    assert [list(rule.offences(module)) for rule in RULES] == [[] for _ in RULES]


def test_no_rule_looks_at_an_empty_package(modules: list[Module]) -> None:
    """A package that was moved would keep every rule."""
    assert {"statsd", "rollup", "cloudmonitor", "service"} <= {
        module.room for module in modules
    }
