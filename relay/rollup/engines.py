"""Which engine there is, by the name an operator gives it."""

from collections.abc import Callable
from typing import Unpack

from relay.errors import ConfigError
from relay.rollup.engine import Engine
from relay.rollup.options import CoreOptions
from relay.rollup.python import PythonEngine
from relay.rollup.reported import Reported
from relay.rollup.series import Resolve
from relay.statsd.grammar import Grammar

__all__ = [
    "ENGINES",
    "EngineOptions",
    "engine_names",
    "engine_note",
    "open_engine",
    "reported_by",
]

ENGINES = ("auto", "python", "native")

_here: dict[str, Callable[..., Engine]] = {}
_reported: dict[str, Callable[[], Reported]] = {}
_why_not_native = ""
try:
    from relay.rollup.native import NativeEngine
except ImportError as error:
    _why_not_native = f"{error}"
else:
    _here["native"] = NativeEngine
    _reported["native"] = NativeEngine.reported_type
_here["python"] = PythonEngine
_reported["python"] = PythonEngine.reported_type


class EngineOptions(CoreOptions, total=False):
    """The keyword arguments of every engine.

    ``shards`` is how many tables a native engine has beside each other; in Python there
    is one whatever it says.
    """

    shards: int


def engine_names() -> tuple[str, ...]:
    """The engines of this installation, the fastest first."""
    return tuple(_here)


def engine_note(name: str) -> str | None:
    """What whoever starts a relay with the engine ``name`` should hear, if anything."""
    if name != "auto" or "native" in _here:
        return None
    return (
        "the native engine was not built, so the one in Python is used, which takes"
        " several times as much CPU; it is built on Linux where a C compiler is at hand"
        f" at installation ({_why_not_native})"
    )


def open_engine(
    name: str, resolve: Resolve, grammar: Grammar, **options: Unpack[EngineOptions]
) -> Engine:
    """The engine of that name; ``auto`` is the fastest there is.

    Raises ConfigError where it is not there.
    """
    real = _real(name)
    if real != "native":
        options.pop("shards", None)
    return _here[real](resolve, grammar, **options)


def reported_by(name: str) -> Callable[[], Reported]:
    """What the engine of that name has for ``Reported``. Raises as ``open_engine``."""
    return _reported[_real(name)]


def _real(name: str) -> str:
    if name not in ENGINES:
        raise ConfigError("engine", f"{name!r} is none of {', '.join(ENGINES)}")
    if name not in {"auto", *_here}:
        raise ConfigError(
            "engine",
            "there is no native engine in this installation; use auto or python, or"
            f" install with a C compiler at hand ({_why_not_native})",
        )
    return next(iter(_here)) if name == "auto" else name
