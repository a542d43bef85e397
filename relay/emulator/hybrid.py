"""What the service makes of the entries of PutHybridMonitorMetricData.

Refuses one by one, by index, and keeps the rest. Whether an index counts from 0 or 1 is
said nowhere; from 0, as in the vendor's example. No clock: ``now`` is an argument.
Memory is bounded, the oldest goes first.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from relay.cloudmonitor.contract import (
    HYBRID_ENTRIES_MAX,
    HYBRID_KEY,
    HYBRID_NAME,
    METRICS,
)
from relay.emulator.answers import Refusal
from relay.emulator.limits import Limits
from relay.emulator.listed import Log, elements_of
from relay.emulator.wire import Pairs

__all__ = ["HybridStore", "read_samples"]

_LABEL = re.compile(r"Labels\.([1-9]\d{0,3})\.(Key|Value)", re.ASCII)
_TIME = re.compile(r"\d{13}", re.ASCII)


class _Raw(NamedTuple):
    """An element as sent; ``labels`` by their number, with ``Key`` and ``Value``."""

    plain: dict[str, str]
    labels: dict[int, dict[str, str]]


class HybridStore:
    """The samples that were taken, by series; one thread."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._series: set[tuple[str, str, tuple[tuple[str, str], ...]]] = set()
        self._log = Log()

    def take(
        self, namespace: str, samples: Sequence[_Raw], request_id: str, now: float
    ) -> list[dict[str, object]]:
        """Keep those that are good; the others as ``ErrorDetail`` has them."""
        refused: list[dict[str, object]] = []
        for index, raw in enumerate(samples):
            problem = self._problem(namespace, raw)
            if problem:
                refused.append({"Index": index, "ErrorMessage": problem})
                continue
            shown = {
                "Namespace": namespace,
                "Name": raw.plain["Name"],
                "Labels": _labels(raw),
                "TS": int(raw.plain.get("TS") or now * 1000),
                "Value": float(raw.plain["Value"]),
                "RequestId": request_id,
                "received": now,
            }
            self._log.append(json.dumps(shown).encode())
        return refused

    def lines(self) -> Iterator[bytes]:
        """As JSON, without line ends, in order of acceptance."""
        return iter(self._log)

    def clear(self) -> int:
        """Forget all; gives how many were there."""
        self._series.clear()
        return self._log.clear()

    def _problem(self, namespace: str, raw: _Raw) -> str:
        """Why an element is refused; empty where it is not."""
        name, labels = raw.plain.get("Name", ""), _labels(raw)
        problem = _malformed(name, labels, raw)
        if problem:
            return problem
        series = namespace, name, tuple(sorted(labels.items()))
        if series not in self._series:
            if len(self._series) >= self._limits.series_quota:
                return "the number of time series exceeds the quota"
            self._series.add(series)
        return ""


def _malformed(name: str, labels: Mapping[str, str], raw: _Raw) -> str:
    if not re.fullmatch(HYBRID_NAME, name, re.ASCII):
        return f"invalid metric name {name!r}"
    for key in labels:
        if not re.fullmatch(HYBRID_KEY, key, re.ASCII):
            return f"invalid label name {key!r}"
    if len(labels) < len(raw.labels):
        return "duplicate label name"
    if not _is_number(raw.plain.get("Value", "")):
        return "invalid value"
    if not _TIME.fullmatch(raw.plain.get("TS") or "0" * 13):
        return "invalid timestamp"
    return ""


def read_samples(parameters: Pairs) -> Sequence[_Raw] | Refusal:
    """Gather ``MetricList.N.…``; N counts from 1 without gaps."""
    elements = elements_of(
        parameters,
        METRICS.list_name,
        mandatory=("Name", "Value"),
        most=HYBRID_ENTRIES_MAX,
    )
    return elements if isinstance(elements, Refusal) else list(map(_raw, elements))


def _raw(element: Mapping[str, str]) -> _Raw:
    raw = _Raw({}, {})
    for field, value in element.items():
        if part := _LABEL.fullmatch(field):
            raw.labels.setdefault(int(part[1]), {})[part[2]] = value
        else:
            raw.plain[field] = value
    return raw


def _labels(raw: _Raw) -> Mapping[str, str]:
    return {one.get("Key", ""): one.get("Value", "") for one in raw.labels.values()}


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
