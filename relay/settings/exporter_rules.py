"""A mapping file of statsd_exporter as rules of ours; what has no counterpart is named.

    mappings:
    - match: "api.*.*.latency"
      name: "api_latency"
      labels: { service: "$1" }

Source: statsd_exporter's README, "Metric mapping and configuration". Its globs and
expressions are read as ours are, and the first that matches wins there too. What it says
about buckets, quantiles and help belongs to Prometheus; CloudMonitor has its own. Its
``ttl`` is how long a series is reported after its last sample, as ``idle_ttl`` is.
"""

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple, TypeVar

from relay.cloudmonitor.mapping import Pattern, Rule, Template, glob, pattern
from relay.rollup.treatment import Treatment
from relay.statsd.sample import Kind

__all__ = ["ExporterRules", "exporter_rules"]

_KINDS: Final[Mapping[str, frozenset[Kind]]] = {
    "counter": frozenset({Kind.COUNTER}),
    "gauge": frozenset({Kind.GAUGE}),
    "observer": frozenset({Kind.TIMER, Kind.HISTOGRAM, Kind.DISTRIBUTION}),
}
_KINDS_OLD: Final = {"timer": "observer"}
_KEYS: Final = (
    *("match", "match_type", "match_metric_type", "action", "name", "labels"),
    "ttl",
)
_UNUSED: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        ("help", "observer_type", "timer_type", "buckets", "quantiles"),
        "belongs to Prometheus; CloudMonitor has statistics and percentiles of its own",
    ),
    **dict.fromkeys(
        ("histogram_options", "summary_options"),
        "belongs to Prometheus; CloudMonitor has statistics and percentiles of its own",
    ),
    "scale": "is not there; values are reported as they are sent",
    "honor_labels": "is not there; what a rule adds wins over what was sent",
    "glob_disable_ordering": "is not there; the first that matches wins",
}


class ExporterRules(NamedTuple):
    """Rules, and a sentence for each key that was passed over."""

    rules: tuple[Rule, ...]
    notices: tuple[str, ...]


def exporter_rules(document: object) -> ExporterRules:
    """Out of what the YAML holds; ValueError with the number of a bad mapping."""
    if not isinstance(document, dict):
        raise ValueError("wants mappings:, as a mapping file of statsd_exporter")  # noqa: TRY004 - as all bad text
    passed: dict[str, list[str]] = {}
    defaults = document.get("defaults") or {}
    mappings = document.get("mappings") or []
    if not isinstance(defaults, dict) or not isinstance(mappings, list):
        raise ValueError("wants defaults: with keys and mappings: with a list")  # noqa: TRY004 - as all bad text
    for key in document.keys() - {"defaults", "mappings"}:
        raise ValueError(f"{key!r} is neither defaults nor mappings")
    _pass_over(defaults, "defaults", passed)
    rules = []
    for number, mapping in enumerate(mappings, 1):
        try:
            if not isinstance(mapping, dict):
                raise ValueError("wants keys and values")  # noqa: TRY004, TRY301 - as all bad text
            rules.append(_rule(mapping, defaults))
            _pass_over(mapping, f"mapping {number}", passed)
        except ValueError as error:
            raise ValueError(f"mapping {number}: {error}") from None
    return ExporterRules(tuple(rules), tuple(_sentences(passed)))


def _rule(mapping: Mapping[str, Any], defaults: Mapping[str, Any]) -> Rule:
    found = _pattern(mapping, defaults)
    kinds: frozenset[Kind] = frozenset()
    kind = mapping.get("match_metric_type")
    if kind:
        kinds = _one_of("match_metric_type", _KINDS_OLD.get(kind, kind), _KINDS)
    action = _one_of("action", mapping.get("action") or "map", _ACTIONS)
    if action:
        return Rule(found, kinds, drops=True)
    name = mapping.get("name")
    if not isinstance(name, str) or not name:
        raise ValueError(f"name wants text; got {name!r}")
    labels = mapping.get("labels") or {}
    if not isinstance(labels, dict):
        raise ValueError("labels wants keys and texts")  # noqa: TRY004 - as all bad text
    return Rule(
        found,
        kinds,
        name=Template.parse(name, found.groups),
        add=tuple(
            (str(key), Template.parse(str(text), found.groups))
            for key, text in labels.items()
        ),
        treatment=Treatment(idle_ttl=_ttl(mapping.get("ttl", defaults.get("ttl")))),
    )


_UNITS: Final = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
_DURATION: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(h|ms|m|s|us|ns)")


def _ttl(text: object) -> int | None:
    """Whole seconds of a duration as Go writes it, rounded up; None where there is none.

    Source: Go's time.ParseDuration, as far as there is no sign.
    """
    if text is None:
        return None
    if text in (0, "0"):
        return 0
    found = _DURATION.findall(text) if isinstance(text, str) else []
    if not found or "".join(number + unit for number, unit in found) != text:
        raise ValueError(f"ttl wants a duration as 90s or 1h30m; got {text!r}")
    return math.ceil(sum(float(number) * _UNITS[unit] for number, unit in found))


_ACTIONS: Final[Mapping[str, bool]] = {"map": False, "drop": True}


def _pattern(mapping: Mapping[str, Any], defaults: Mapping[str, Any]) -> Pattern:
    kind = mapping.get("match_type") or defaults.get("match_type") or "glob"
    text = mapping.get("match")
    if not isinstance(text, str) or not text:
        raise ValueError(f"match wants text; got {text!r}")
    make = _one_of("match_type", kind, {"glob": glob, "regex": pattern})
    return make(text)


_Word = TypeVar("_Word")


def _one_of(key: str, word: object, words: Mapping[str, _Word]) -> _Word:
    if not isinstance(word, str) or word not in words:
        raise ValueError(f"{key} wants one of {', '.join(words)}; got {word!r}")
    return words[word]


def _pass_over(
    keys: Iterable[object], where: str, passed: dict[str, list[str]]
) -> None:
    for key in keys:
        if key in _KEYS:
            continue
        if key not in _UNUSED:
            raise ValueError(f"{key!r} is no key of statsd_exporter")
        passed.setdefault(str(key), []).append(where)


def _sentences(passed: Mapping[str, list[str]]) -> Iterable[str]:
    for key, places in passed.items():
        others = f" and {len(places) - 1} more" if len(places) > 1 else ""
        yield f"{key} ({places[0]}{others}) {_UNUSED[key]}"
