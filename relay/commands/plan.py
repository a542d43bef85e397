"""``cms-relay plan``: what traffic would cost in series, entries, requests and money.

From a recording or from what arrives for a while; nothing is sent anywhere. Every series
that was seen is taken to be reported in every period, as idle ones are for an hour.
"""

import argparse
import json
import math
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from relay.cloudmonitor.census import Metric, Tag, census, saved_by_tag
from relay.cloudmonitor.contract import (
    REQUESTS_PER_SECOND,
    REQUESTS_PER_SECOND_DEFAULT,
)
from relay.cloudmonitor.datum import in_group
from relay.cloudmonitor.mapping import Mapper
from relay.cloudmonitor.packing import compose
from relay.commands.explain import visible
from relay.commands.files import reading
from relay.commands.listening import datagrams, listen_of, positive
from relay.commands.parsing import Commands, add_command
from relay.errors import ConfigError
from relay.pipeline import build_grammar, build_mapper, build_namer
from relay.recording import read
from relay.rollup.adding import slot_makers
from relay.rollup.engine import Rollup
from relay.rollup.series import Resolve, Series
from relay.rollup.slot import Slot
from relay.settings import Settings, add_arguments, from_arguments
from relay.statsd.grammar import Grammar, lines
from relay.statsd.sample import Ignored, Reason, Refusal, Sample, What

__all__ = ["Traffic", "planned", "register"]

MORE = """\
  cms-relay plan traffic.jsonl            (written by cms-relay record traffic.jsonl)
  cms-relay plan --live 300 --listen udp://127.0.0.1:18125
  cms-relay plan --relays 40 --series-price 0.5 --series-included 1000 traffic.jsonl
  cms-relay plan --mapping rules.toml traffic.jsonl      what rules would save

A relay that runs has its port; have it copy what it gets: --repeat udp://127.0.0.1:18125.
Every series that was seen counts as reported in each period, on each of the relays.
"""
SETTINGS = (
    *("dialect", "signed_gauge", "key_name_sanitize"),
    *("report_client_telemetry", "report_service_checks"),
    *("period", "long_period", "percentiles", "series_limit"),
    *("instance", "instance_key", "first_tags", "mapping", "group_id"),
    *("region", "requests_per_second", "entries_per_request", "request_bytes"),
    *("series_price", "series_included"),
)
LISTED = 20
TAGS_LISTED = 8
_MINUTE = 60
_SPELLINGS = 1_000_000
_TIME = 1_800_000_000  # of a request that only its size is wanted of


def register(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "plan",
        "say what traffic would cost in series and requests",
        MORE,
        _plan,
    )
    parser.add_argument(
        "file", metavar="FILE", nargs="?", help="a recording; - is stdin"
    )
    parser.add_argument("--live", metavar="SECONDS", help="listen for so long instead")
    parser.add_argument(
        "--listen",
        metavar="URL",
        default="udp://127.0.0.1:8125",
        help="where, with --live: udp://HOST:PORT (default: %(default)s)",
    )
    parser.add_argument(
        "--relays",
        metavar="N",
        default="1",
        help="how many relays get such traffic, each with an instance of its own",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--config", metavar="CONFIG", help="a TOML file")
    add_arguments(parser, SETTINGS)


def _plan(arguments: argparse.Namespace) -> int:
    settings = from_arguments(arguments, will_run=False).settings
    live = positive("--live", arguments.live)
    relays = positive("--relays", arguments.relays) or 1.0
    if relays % 1:
        raise ConfigError("--relays", "wants a whole number", source="command line")
    if (live is None) == (arguments.file is None):
        raise ConfigError(
            "FILE",
            "wants a recording or --live SECONDS, one of both",
            source="command line",
        )
    traffic = Traffic(
        build_grammar(settings, events=False),
        build_namer(settings),
        build_mapper(settings),
        settings.series_limit,
    )
    if live is not None:
        began = time.monotonic()
        datagrams(listen_of(arguments.listen), lambda one, _: traffic.take(one), live)
        traffic.seconds = time.monotonic() - began
    else:
        with reading(arguments.file) as file:
            for recorded in read(file, arguments.file):
                traffic.take(recorded.datagram)
                traffic.seconds = recorded.t
    plan = planned(traffic, settings, int(relays))
    print(json.dumps(plan) if arguments.json else "\n".join(_in_words(plan)))
    return 0


class Traffic:
    """What was in some datagrams; of each series it keeps the first sample's values.

    ``seconds`` is how long it took. At most ``limit`` series are kept; samples of others
    are counted as refused, as the relay does.
    """

    def __init__(
        self, grammar: Grammar, resolve: Resolve, mapper: Mapper | None, limit: int
    ) -> None:
        self._grammar, self._resolve, self._mapper = grammar, resolve, mapper
        self._limit = limit
        self._slots = slot_makers(1024, 1024)
        self._series: dict[tuple[Any, ...], Series | Reason | What] = {}
        self._known: set[tuple[Any, ...]] = set()
        self.rows: dict[Series, Slot] = {}
        self.counts: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.ignored: Counter[str] = Counter()
        self.seconds = 0.0

    def take(self, datagram: bytes) -> None:
        """Count one."""
        self.counts["datagrams"] += 1
        for line in lines(datagram):
            self.counts["lines"] += 1
            for item in self._grammar.parse(line):
                match item:
                    case Refusal(_, reason):
                        self.refused[reason.value] += 1
                    case Ignored(_, what):
                        self.ignored[what.value] += 1
                    case Sample():
                        self._sample(item)

    def _sample(self, sample: Sample) -> None:
        sent = (sample.kind, sample.name, sample.tags)
        series = self._series.get(sent)
        if series is None:
            series = self._named(sample)
            if series is not Reason.SERIES_LIMIT and len(self._series) < _SPELLINGS:
                self._series[sent] = series
        times = len(sample.values)
        match series:
            case Reason():
                self.refused[series.value] += times
            case What():
                self.ignored[series.value] += times
            case _:
                self.counts["samples"] += times
                if series not in self.rows:
                    self.rows[series] = slot = self._slots[sample.kind]()
                    for value in sample.values:
                        slot.add(value, 1 / sample.rate)

    def _named(self, sample: Sample) -> Series | Reason | What:
        name, tags = sample.name, sample.tags
        if self._mapper is not None:
            mapped = self._mapper(sample.kind, name, tags)
            if isinstance(mapped, Reason):
                return mapped
            name, tags, _ = mapped
        identity = (sample.kind, name, tags)
        if identity not in self._known and len(self._known) >= self._limit:
            return Reason.SERIES_LIMIT
        series = self._resolve(*identity)
        if isinstance(series, Series):
            self._known.add(identity)
        return series


def planned(traffic: Traffic, settings: Settings, relays: int) -> dict[str, Any]:
    """What ``--json`` prints: figures of all ``relays``, per minute where it says so."""
    metrics = census(traffic.rows)
    series = len(traffic.rows) * relays
    short, long = (
        _requests(traffic, settings, length) * relays
        for length in (settings.period, 5 * settings.period)
    )
    a_minute = _MINUTE / settings.period
    longs = a_minute / 5 if settings.long_period else 0.0
    return {
        **{key: traffic.counts[key] for key in ("datagrams", "lines", "samples")},
        "refused": dict(traffic.refused),
        "ignored": dict(traffic.ignored),
        "seconds": round(traffic.seconds, 3),
        "relays": relays,
        "series": series,
        "metrics": [_metric(metric) for metric in metrics],
        "tags": [tag._asdict() for tag in saved_by_tag(metrics)],
        "entries_per_minute": round(series * (a_minute + longs), 1),
        "requests_per_minute": round(short * a_minute + long * longs, 1),
        "requests_worst_minute": math.ceil(short * a_minute)
        + (long if settings.long_period else 0),
        "requests_allowed_per_minute": {
            "these_relays": round(settings.requests_per_second * _MINUTE * relays),
            "account": _MINUTE
            * REQUESTS_PER_SECOND.get(
                settings.region or "", REQUESTS_PER_SECOND_DEFAULT
            ),
        },
        "cost": _cost(series, settings),
    }


def _metric(metric: Metric) -> dict[str, Any]:
    return {**metric._asdict(), "tags": [tag._asdict() for tag in metric.tags]}


def _requests(traffic: Traffic, settings: Settings, length: int) -> int:
    """For a period in which every series is reported."""
    percentages = sorted(settings.percentiles)
    rows = [
        (series, slot.summary(percentages)) for series, slot in traffic.rows.items()
    ]
    packed = compose(
        Rollup(_TIME, length, rows),
        group_of=in_group(str(settings.group_id)),
        max_entries=settings.entries_per_request,
        max_bytes=settings.request_bytes,
    )
    return sum(1 for _ in packed.batches)


def _cost(series: int, settings: Settings) -> dict[str, float] | None:
    if not settings.series_price:
        return None
    paid = max(0, series - settings.series_included)
    return {
        "price": settings.series_price,
        "included": settings.series_included,
        "paid_series": paid,
        "per_month": round(paid * settings.series_price, 2),
    }


def _in_words(plan: dict[str, Any]) -> Iterator[str]:
    yield (
        f"{plan['lines']:,} lines in {plan['datagrams']:,} datagrams"
        f" and {plan['seconds']:g} s: {plan['samples']:,} samples"
    )
    for what in ("refused", "ignored"):
        counts = ", ".join(f"{n:,} {word}" for word, n in plan[what].items())
        if counts:
            yield f"{what}: {counts}"
    relays = plan["relays"]
    each = f", {plan['series'] // relays:,} on each of {relays:,} relays"
    yield f"series: {plan['series']:,}{each if relays > 1 else ''}"
    yield from _table("series by metric", plan["metrics"], _metric_row)
    yield from _table("by tag", plan["tags"], _tag_row)
    yield from _advice(plan)
    yield ""
    yield f"entries:  {plan['entries_per_minute']:,.0f} a minute"
    allowed = plan["requests_allowed_per_minute"]
    yield (
        f"requests: {plan['requests_per_minute']:,.0f} a minute,"
        f" {plan['requests_worst_minute']:,} in the worst;"
        f" {allowed['these_relays']:,} may be sent (--requests-per-second),"
        f" {allowed['account']:,} by the whole account"
    )
    if plan["requests_worst_minute"] > min(allowed.values()):
        yield "          too many: what is closed will wait, and grow old"
    cost = plan["cost"]
    if cost is None:
        yield "cost:     give --series-price (of a series and month), --series-included"
    else:
        yield (
            f"cost:     {cost['per_month']:,.2f} a month, for {cost['paid_series']:,} series"
            f" beyond the {cost['included']:,} included"
        )


def _table(
    title: str, rows: Sequence[dict[str, Any]], row: Callable[[dict[str, Any]], str]
) -> Iterator[str]:
    if not rows:
        return
    yield ""
    yield f"{title}:"
    for one in rows[:LISTED]:
        yield f"  {row(one)}"
    if len(rows) > LISTED:
        yield f"  and {len(rows) - LISTED:,} more (--json has all)"


def _metric_row(metric: dict[str, Any]) -> str:
    tags = [
        f"{visible(tag['key'])} {tag['values']:,}"
        for tag in metric["tags"][:TAGS_LISTED]
    ]
    values = f"  values of {', '.join(tags)}" if tags else ""
    return f"{metric['series']:>9,}  {metric['name']}{values}"


def _tag_row(tag: dict[str, Any]) -> str:
    return (
        f"{tag['saves']:>9,}  series fewer without {visible(tag['key'])},"
        f" which has {tag['values']:,} values"
    )


def _advice(plan: dict[str, Any]) -> Iterator[str]:
    """A rule that takes away the tag that saves most, ready to be pasted."""
    best = Tag(**plan["tags"][0]) if plan["tags"] else None
    if best is None or not best.saves:
        return
    yield ""
    yield f"to be without {visible(best.key)}, in the file of --mapping:"
    yield "  [[rule]]"
    yield "  regex = '.'"
    yield f"  drop_tags = [{json.dumps(best.key)}]"
