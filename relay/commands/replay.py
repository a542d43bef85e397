"""``cms-relay replay``: a recording through the daemon's engine on a simulated clock.

No clock is read and no socket opened: the same recording gives the same bytes.
"""

import argparse
import json
import math
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import Any

from relay.cloudmonitor.datum import Datum, data
from relay.commands.files import reading
from relay.commands.parsing import Commands, add_command
from relay.errors import ConfigError, RelayError
from relay.pipeline import build_engine, build_mapper, build_namer, build_rules
from relay.recording import Recorded, read
from relay.rollup.engine import Engine, Rollup, Tally
from relay.rollup.grace import SEAL_GRACE_SECONDS, aligned
from relay.settings import add_arguments, from_arguments
from relay.statsd.grammar import number

__all__ = ["register", "simulate"]

MORE = """\
  cms-relay replay traffic.jsonl          (written by cms-relay record traffic.jsonl)
  cms-relay replay --json --config relay.toml --until 300 traffic.jsonl

Entries are those that a run would have reported by the end of the simulated time: of
periods that are complete by then, short and long alike. A long period that has only
begun is not among them; --until 300 (with --start at a multiple of it) completes one.
"""
SETTINGS = (
    *("dialect", "signed_gauge", "key_name_sanitize"),
    *("report_client_telemetry", "report_service_checks"),
    *("engine", "period", "long_period", "percentiles"),
    *(
        "series_limit",
        "series_quota",
        "series_limit_per_name",
        "new_series_limit",
        "idle_ttl",
        "delete_idle",
        "gauge_ttl",
    ),
    *("instance", "instance_key", "first_tags", "mapping", "group_id"),
)
LATEST = 100_000_000_000
PERIODS_MAX = 1_000_000


def register(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(
        commands, "replay", "print what a recording would report", MORE, _replay
    )
    parser.add_argument("file", metavar="FILE", help="a recording; - is stdin")
    parser.add_argument("--json", action="store_true", help="one JSON object an entry")
    parser.add_argument(
        "--start", metavar="EPOCH_SECONDS", help="default: the recording's, or 0"
    )
    parser.add_argument(
        "--until",
        metavar="SECONDS",
        help="end, after the start (default: the end of the last datagram's period)",
    )
    parser.add_argument("--config", metavar="CONFIG", help="a TOML file")
    add_arguments(parser, SETTINGS)


def _replay(arguments: argparse.Namespace) -> int:
    settings = from_arguments(arguments, will_run=False).settings
    rules = build_rules(settings, build_mapper(settings))
    engine = build_engine(settings, build_namer(settings), rules)
    start, until = _seconds(arguments, "start"), _seconds(arguments, "until")
    with reading(arguments.file) as file:
        rollups = simulate(
            engine,
            settings.period,
            read(file, arguments.file),
            start=start,
            until=until,
        )
        group_of = rules.treatments.group_of(str(settings.group_id))
        found = sorted(
            (datum for rollup in rollups for datum in data(rollup, group_of)),
            key=_order,
        )
    ledger = _ledger(engine.tally(), len(found))
    for line in _as_json(found, ledger) if arguments.json else _table(found, ledger):
        print(line)
    return 0


def simulate(
    engine: Engine,
    length: int,
    recording: Iterator[Recorded],
    *,
    start: float | None = None,
    until: float | None = None,
) -> Iterator[Rollup]:
    """Feed what came before the end; give what is closed by then, as the daemon would.

    ``start`` is the wall-clock second of ``t`` 0, by default the recording's or 0;
    ``until`` counts from there, by default to the end of the last datagram's period.
    """
    first = list(islice(recording, 1))
    epoch = first[0].epoch or 0.0 if first else 0.0
    begin = epoch if start is None else start
    end = math.inf if until is None else begin + until
    hand = _Hand(engine, length, begin)
    engine.feed(b"", aligned(begin, length))  # from here on periods are ours
    reached = begin
    for recorded in chain(first, recording):
        now = begin + recorded.t
        if now >= end:
            break
        yield from hand.move_to(now - SEAL_GRACE_SECONDS)
        period = aligned(now, length)
        engine.feed(recorded.datagram, period)
        reached = period + length
    yield from hand.move_to(reached if until is None else end)


class _Hand:
    """Seals every period once, also those in which nothing arrived."""

    def __init__(self, engine: Engine, length: int, begin: float) -> None:
        self._engine, self._length = engine, length
        self._sealed_until = aligned(begin, length)

    def move_to(self, settled: float) -> Iterator[Rollup]:
        """Seal and close what ends at or before ``settled``."""
        boundary = aligned(settled, self._length)
        if boundary - self._sealed_until > PERIODS_MAX * self._length:
            raise RelayError(
                f"there is a gap of more than {PERIODS_MAX} periods; "
                "wants a shorter recording, --until or a longer --period"
            )
        while self._sealed_until < boundary:
            self._sealed_until += self._length
            for sealed in self._engine.seal(self._sealed_until):
                yield from self._engine.close(sealed)


def _seconds(arguments: argparse.Namespace, name: str) -> float | None:
    text: str | None = getattr(arguments, name)
    if text is None:
        return None
    seconds = number(text.encode())
    if seconds is None or not 0 <= seconds <= LATEST:
        raise ConfigError(
            f"--{name}",
            f"wants seconds from 0 to {LATEST}; got {text!r}",
            source="command line",
        )
    return seconds


def _order(datum: Datum) -> tuple[object, ...]:
    return (datum.time_ms, datum.period, datum.metric, datum.dimensions)


def _ledger(tally: Tally, entries: int) -> dict[str, Any]:
    return {
        "lines": tally.lines,
        "sections": tally.sections,
        "samples": sum(tally.samples.values()),
        "refused": {key.value: n for key, n in tally.refused.items() if n},
        "ignored": {key.value: n for key, n in tally.ignored.items() if n},
        "entries": entries,
    }


def _as_json(found: Sequence[Datum], ledger: dict[str, Any]) -> Iterator[str]:
    for datum in found:
        yield json.dumps(datum.as_object())
    yield json.dumps({"ledger": ledger})


def _table(found: Sequence[Datum], ledger: dict[str, Any]) -> Iterator[str]:
    before = None
    for datum in found:
        if (datum.time_ms, datum.period) != before:
            before = (datum.time_ms, datum.period)
            yield f"Time {datum.time_ms // 1000} s, Period {datum.period} s"
        pairs = ", ".join(f"{key}={value}" for key, value in datum.dimensions)
        yield f"  {datum.metric} {{{pairs}}}"
        values = (f"{name} {value:g}" for name, value in datum.values.items())
        yield f"    {', '.join(values)}"
    for name, count in ledger.items():
        counts = count.items() if isinstance(count, dict) else ()
        text = ", ".join(f"{n} {what}" for what, n in counts) or "none"
        yield f"{name}: {text if isinstance(count, dict) else count}"
