"""``cms-relay explain``: what each line becomes, or why it is refused.

The same grammar and the same namer as the daemon's; no clock, no engine, no socket.
"""

import argparse
import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from relay.cloudmonitor.contract import PERIODS
from relay.cloudmonitor.datum import data, in_group
from relay.cloudmonitor.events import event_name
from relay.commands.calls import THIS_PERIOD, as_cli, fields_of
from relay.commands.files import STANDARD, reading
from relay.commands.parsing import Commands, add_command
from relay.errors import ConfigError
from relay.pipeline import build_grammar, build_mapper, build_namer, build_rules
from relay.recording import read
from relay.rollup.adding import add, slot_makers
from relay.rollup.admission import Admission
from relay.rollup.engine import Rollup
from relay.rollup.held import HeldSeries
from relay.rollup.series import Series
from relay.rollup.treatment import Treatment
from relay.settings import Settings, add_arguments, from_arguments
from relay.statsd.grammar import lines
from relay.statsd.sample import Event, Ignored, Reason, Refusal, Sample, What

__all__ = ["Explainer", "in_words", "register", "visible"]

MORE = """\
  cms-relay explain 'checkout.ok:1|c|@0.5|#env:prod' 'checkout.ok:x|c'
  nc -lu 8125 | cms-relay explain --json
  cms-relay explain --recording traffic.jsonl
  cms-relay explain --mapping rules.toml 'api.users.get.latency:12|ms'
  cms-relay explain --as-cli --region cn-hangzhou 'checkout.ok:1|c|#env:prod'
  cms-relay explain --reasons
"""
SETTINGS = (
    *("dialect", "signed_gauge", "key_name_sanitize"),
    *("report_client_telemetry", "report_service_checks", "report_events"),
    *("series_limit", "series_limit_per_name", "series_quota"),
    *("instance", "instance_key", "first_tags", "mapping"),
    *("percentiles", "group_id", "region", "endpoint"),
)

PERIOD = PERIODS[0]
_KNOWN_AS = ("number", "match")


def register(commands: Commands) -> None:
    """Add the command."""

    parser = add_command(
        commands, "explain", "say what each line becomes, or why not", MORE, _explain
    )
    parser.add_argument("lines", metavar="LINE", nargs="*", help="default: stdin")
    parser.add_argument("--recording", metavar="FILE", help="datagrams of a recording")
    parser.add_argument("--reasons", action="store_true", help="list all reasons")
    parser.add_argument("--json", action="store_true", help="one JSON object an item")
    parser.add_argument(
        "--as-cli",
        action="store_true",
        help="and the aliyun command that puts what the line alone would report",
    )
    parser.add_argument("--config", metavar="CONFIG", help="a TOML file")
    add_arguments(parser, SETTINGS)


def _explain(arguments: argparse.Namespace) -> int:
    if arguments.reasons:
        _print_reasons(as_json=arguments.json)
        return 0
    settings = from_arguments(arguments, will_run=False).settings
    command = partial(_command, settings) if arguments.as_cli else None
    explainer = Explainer(settings, command)
    with _datagrams(arguments) as datagrams:
        for number, datagram in enumerate(datagrams):
            item = {"item": number, **explainer.explain(datagram)}
            if arguments.json:
                print(json.dumps(item))
            else:
                print("\n".join(in_words(datagram, item)))
    return 0


class Explainer:
    """Answers for one datagram at a time; remembers series, for their limit.

    ``command`` gives the command that puts what a sample alone would report.
    """

    def __init__(
        self,
        settings: Settings,
        command: Callable[[Series, Sample, Treatment], str] | None = None,
    ) -> None:
        self._grammar, self._mapper = build_grammar(settings), build_mapper(settings)
        self._command = command
        self._rules = build_rules(settings, self._mapper)
        held = HeldSeries(
            settings.series_limit,
            0,
            limit_per_name=settings.series_limit_per_name,
            rules=self._rules,
        )
        self._admission = Admission(build_namer(settings), held, self._rules)

    def explain(self, datagram: bytes) -> dict[str, list[dict[str, Any]]]:
        """``accepted``, ``refused`` and ``ignored``, one row a section.

        What the grammar accepts and is not reported stands in two of them. With ``events``
        where there are some, and they are reported.
        """
        found: dict[str, list[dict[str, Any]]]
        found = {"accepted": [], "refused": [], "ignored": []}
        for line in lines(datagram):
            for item in self._grammar.parse(line):
                match item:
                    case Refusal(text, reason):
                        found["refused"].append(_because(text, reason))
                    case Ignored(text, what):
                        found["ignored"].append(_because(text, what))
                    case Event():
                        found.setdefault("events", []).append(_reported(item))
                    case Sample():
                        self._name(line.decode(errors="replace"), item, found)
        return found

    def _name(
        self, text: str, sample: Sample, found: dict[str, list[dict[str, Any]]]
    ) -> None:
        place = self._admission.series(sample, 0, 0)  # in one period that never ends
        metric, more = None, self._rule(sample)
        match place:
            case What():
                found["ignored"] += [_because(text, place)] * len(sample.values)
            case Reason():
                found["refused"] += [_because(text, place)] * len(sample.values)
            case _:
                series = place.series
                metric = {
                    "MetricName": series.metric,
                    "Dimensions": dict(series.dimensions),
                }
                if self._command is not None:
                    treatment = self._rules.treatments.of(series)
                    more["command"] = self._command(series, sample, treatment)
        found["accepted"].append(_accepted(sample, metric) | more)

    def _rule(self, sample: Sample) -> dict[str, Any]:
        """The mapping rule that was applied, by its place in the file, from 1."""
        mapper = self._mapper
        found = mapper and mapper.find(sample.kind, sample.name)
        if not mapper or not found:
            return {}
        rule = mapper.rules[found[0]]
        said = {
            "group_id": rule.treatment.group,
            "percentiles": rule.treatment.percentiles,
            "idle_ttl": rule.treatment.idle_ttl,
            "delete_idle": rule.treatment.is_silent,
            "priority": rule.treatment.priority or None,
        }
        more = {key: value for key, value in said.items() if value is not None}
        return {"rule": {"number": found[0] + 1, "match": rule.pattern.written, **more}}


def _command(
    settings: Settings, series: Series, sample: Sample, treatment: Treatment
) -> str:
    """What puts a period in which there was this sample and no other."""
    slot = slot_makers(1024, 1024)[sample.kind]()
    add(sample, 1 / sample.rate, slot, 0.0)
    percentages = treatment.percentiles
    if percentages is None:
        percentages = tuple(sorted(settings.percentiles))
    rollup = Rollup(0, PERIOD, [(series, slot.summary(percentages))])
    group_id = treatment.group or str(settings.group_id)
    (datum,) = data(rollup, in_group(group_id))
    endpoint = settings.endpoint.url if settings.endpoint else None
    entry = {**fields_of(datum), "Time": THIS_PERIOD}
    return as_cli([entry], region=settings.region, endpoint=endpoint)


def _because(text: str, reason: Reason | What) -> dict[str, Any]:
    return {"text": text, "reason": reason.value}


def _reported(event: Event) -> dict[str, Any]:
    tags = dict(event.tags)
    return {**event._asdict(), "tags": tags, "EventName": event_name(event.title)}


def _accepted(sample: Sample, metric: dict[str, Any] | None) -> dict[str, Any]:
    raw = {"tags_raw": list(sample.tags_raw)} if sample.tags_raw else {}
    return {
        "name": sample.name,
        "kind": sample.kind.value,
        "values": list(sample.values),
        "relative": sample.relative,
        "rate": sample.rate,
        "tags": dict(sample.tags),
        **raw,
        "timestamp": sample.timestamp,
        "container": sample.container,
        "metric": metric,
    }


@contextmanager
def _datagrams(arguments: argparse.Namespace) -> Iterator[Iterable[bytes]]:
    if arguments.lines and arguments.recording:
        raise ConfigError(
            "--recording", "wants no lines beside it", source="command line"
        )
    if arguments.lines:
        yield map(os.fsencode, arguments.lines)
        return
    with reading(arguments.recording or STANDARD) as file:
        if arguments.recording:
            yield (one.datagram for one in read(file, arguments.recording))
        else:
            yield file


def _print_reasons(*, as_json: bool) -> None:

    rows = [(reason.value, reason.sentence) for reason in Reason]
    rows += [(what.value, _IGNORED[what.name]) for what in What]
    for word, sentence in rows:
        if as_json:
            print(json.dumps({"reason": word, "sentence": sentence}))
        else:
            print(f"{word:<18} {sentence}")


_IGNORED = {
    "EVENT": "ignored: a well-formed event",
    "SERVICE_CHECK": "ignored: a well-formed service check",
    "CLIENT_TELEMETRY": "ignored: a client's telemetry about itself",
}


def in_words(datagram: bytes, item: dict[str, Any]) -> Iterator[str]:
    """Lines for people about what ``Explainer`` says of a datagram."""
    yield visible(datagram.decode(errors="replace").rstrip("\n"))
    for accepted in item["accepted"]:
        yield f"  {visible(_sentence(accepted))}"
        if "rule" in accepted:
            rule = accepted["rule"]
            said = (f", {key} {rule[key]}" for key in rule if key not in _KNOWN_AS)
            yield f"    rule {rule['number']}: {visible(rule['match'])}{''.join(said)}"
        metric = accepted["metric"]
        if metric is not None:
            pairs = (f"{key}={value}" for key, value in metric["Dimensions"].items())
            yield f"    reported as {metric['MetricName']} with {', '.join(pairs)}"
        if "command" in accepted:
            yield f"    {accepted['command']}"
    for event in item.get("events", ()):
        yield f"  event reported as {event['EventName']}: {visible(event['title'])}"
    for refused in item["refused"]:
        yield f"  refused: {refused['reason']}: {Reason(refused['reason']).sentence}"
    for ignored in item["ignored"]:
        yield f"  ignored: {ignored['reason']}"


def _sentence(accepted: dict[str, Any]) -> str:
    values = ", ".join(
        f"{value:g}" if isinstance(value, float) else value
        for value in accepted["values"]
    )
    change = "changed by " if accepted["relative"] else ""
    parts = [f"{accepted['kind']} {accepted['name']}: {change}{values}"]
    if accepted["rate"] != 1:
        parts.append(f"rate {accepted['rate']:g}")
    if accepted["tags"]:
        tags = (k if v is None else f"{k}={v}" for k, v in accepted["tags"].items())
        parts.append(f"tags {', '.join(tags)}")
    if accepted["timestamp"] is not None:
        parts.append(f"time stamp {accepted['timestamp']}")
    if accepted["container"] is not None:
        parts.append(f"container {accepted['container']}")
    return "; ".join(parts)


def visible(text: str) -> str:
    """Without what would move a terminal's cursor."""
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode()
        for one in text
    )
