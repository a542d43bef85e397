"""An engine with handles: lines in, rows by name out, on periods of 60 seconds."""

from collections.abc import Sequence
from itertools import count
from typing import Unpack

from relay.rollup.engine import Engine, Rollup
from relay.rollup.engines import EngineOptions, open_engine
from relay.rollup.series import Series
from relay.rollup.summary import Summary
from relay.statsd.grammar import Grammar
from relay.statsd.sample import Kind, Reason, Tags, What

__all__ = ["SHARDS", "Rig", "resolve"]

SHARDS = 3
"""Of the engine ``sharded``, a native one."""


def resolve(kind: Kind, name: str, tags: Tags, /) -> Series | Reason | What:
    """Names a series after itself; some names have a fate of their own."""
    if name.startswith("telemetry"):
        return What.CLIENT_TELEMETRY
    if name.startswith("unmapped"):
        return Reason.EMPTY_NAME
    return Series(kind, name, tags, name, tuple((k, v or "") for k, v in tags))


class Rig:
    """One engine; rows are found by ``name``, or ``name;key=value`` with tags."""

    def __init__(
        self,
        name: str,
        grammar: Grammar | None = None,
        **options: Unpack[EngineOptions],
    ) -> None:
        grammar = grammar or Grammar()
        if name == "sharded":
            name, options["shards"] = "native", SHARDS
        self.engine: Engine = open_engine(name, resolve, grammar, **options)
        self._fed = count()

    def feed(self, *lines: str | bytes, at: int = 0) -> None:
        """All lines in one datagram, in the period that starts ``at``."""
        texts = [line.encode() if isinstance(line, str) else line for line in lines]
        self.take(b"\n".join(texts), at)

    def take(self, datagram: bytes, at: int) -> None:
        """Feed it; where there are shards, each line to the next one."""
        take = getattr(self.engine, "feed_shard", None)
        if take is None:
            self.engine.feed(datagram, at)
            return
        shards = int(getattr(self.engine, "shards", 1))
        for line in datagram.split(b"\n"):
            take(next(self._fed) % shards, line, at)
        self.engine.feed(b"", at)

    def rollups(self, before: int) -> list[Rollup]:
        """Whatever closes when everything before that moment is sealed."""
        sealed = self.engine.seal(before)
        return [rollup for one in sealed for rollup in self.engine.close(one)]

    def base(self, before: int) -> dict[str, Summary]:
        """The rows of the base period that ends at ``before``."""
        return self.rows(self.rollups(before), before - 60, 60)

    @staticmethod
    def rows(rollups: Sequence[Rollup], start: int, length: int) -> dict[str, Summary]:
        [found] = [one for one in rollups if (one.start, one.length) == (start, length)]
        return {_label(series): summary for series, summary in found.rows}

    def refused(self) -> dict[Reason, int]:
        """The reasons that occurred."""
        return {reason: n for reason, n in self.engine.tally().refused.items() if n}


def _label(series: Series) -> str:
    return ";".join([series.metric, *(f"{k}={v}" for k, v in series.dimensions)])
