"""Which engine there is, by the name an operator gives it."""

from collections.abc import Callable, Collection, Sequence
from typing import TypedDict, Unpack

from relay.errors import ConfigError
from relay.rollup.engine import Engine
from relay.rollup.python import PythonEngine
from relay.rollup.series import Resolve, Series
from relay.rollup.treatment import Rules
from relay.statsd.grammar import Grammar
from relay.statsd.sample import Event, Kind

__all__ = ["ENGINES", "EngineOptions", "open_engine"]

ENGINES = ("auto", "python", "native")


class EngineOptions(TypedDict, total=False):
    """The keyword arguments of every engine, with the defaults of PythonEngine."""

    period_seconds: int
    long_factor: int
    percentiles: Sequence[int]
    series_limit: int
    idle_ttl_seconds: int
    silent_kinds: Collection[Kind]
    gauge_ttl: int
    exact_samples: int
    exact_members: int
    future_seconds: int
    series_limit_per_name: int
    new_series_limit: int
    released: Callable[[Series], None]
    rules: Rules | None
    event: Callable[[Event], None]


def open_engine(
    name: str, resolve: Resolve, grammar: Grammar, **options: Unpack[EngineOptions]
) -> Engine:
    """The engine of that name; ``auto`` is the fastest there is.

    Raises ConfigError where it is not there.
    """
    if name == "native":
        raise ConfigError(
            "engine",
            "there is no native engine in this installation; use auto or python",
        )
    if name not in ENGINES:
        raise ConfigError("engine", f"{name!r} is none of {', '.join(ENGINES)}")
    return PythonEngine(resolve, grammar, **options)
