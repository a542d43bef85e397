"""A closed period as entries of PutHybridMonitorMetricData, encoded as others are.

An entry there is one number with a name, labels and a moment, as Prometheus has it: a
statistic is a series of its own, told by the end of its name. Since every name has such
an end, and none of them holds another ``_`` than its first, no two series of ours end in
one there. What can be computed of others is left out.

Source: the vendor's API reference of PutHybridMonitorMetricData. [hybrid]
"""

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from math import isfinite
from typing import Final
from urllib.parse import unquote

from relay.cloudmonitor.contract import (
    HYBRID_ACTION,
    HYBRID_BODY_BYTES_MAX,
    HYBRID_ENTRIES_MAX,
    HYBRID_PARTS,
    METRICS,
    Operation,
)
from relay.cloudmonitor.datum import Values, values_of
from relay.cloudmonitor.packing import Packed, pack
from relay.cloudmonitor.signing import pe
from relay.rollup.engine import Rollup
from relay.rollup.series import Dimensions

__all__ = [
    "compose_hybrid",
    "decode_hybrid",
    "hybrid_operation",
    "is_hybrid",
    "labels_of",
]

_ENDINGS: Final[Mapping[str, str]] = {
    "Sum": "sum",
    "SampleCount": "count",
    "LastValue": "last",
    "Average": "avg",
    "Maximum": "max",
    "Minimum": "min",
}
_COMPUTED: Final = frozenset({"SumPerSecond", "CountPerSecond"})


def compose_hybrid(
    rollup: Rollup,
    *,
    namespace: str,
    max_entries: int = HYBRID_ENTRIES_MAX,
    max_bytes: int = HYBRID_BODY_BYTES_MAX,
) -> Packed:
    """A closed period as batches, named ``<start>/<length>/<n>``. Thread: any."""
    operation = hybrid_operation(namespace)
    return pack(
        _items(rollup),
        prefix=f"{rollup.start}/{rollup.length}",
        closed_at=rollup.start + rollup.length,
        max_entries=min(max_entries, HYBRID_ENTRIES_MAX),
        max_bytes=max_bytes - len(operation.more) - 1,
        operation=operation,
    )


def hybrid_operation(namespace: str) -> Operation:
    """The put into a namespace, whose name is plain text."""
    return Operation(HYBRID_ACTION, METRICS.list_name, f"Namespace={pe(namespace)}")


def _endings(values: Values) -> Iterator[tuple[str, float]]:
    """The statistics that are reported, by the ends of their names."""
    for statistic, value in values.items():
        is_mean_of_others = statistic == "Average" and "Sum" in values
        if statistic not in _COMPUTED and not is_mean_of_others:
            yield _ENDINGS.get(statistic) or statistic.lower(), value


def is_hybrid(item: str) -> bool:
    """Whether an item is one of these."""
    return item.startswith(f"{HYBRID_PARTS[0]}.")


def decode_hybrid(item: str) -> dict[str, object]:
    """An entry as it is shown to people and scripts; ValueError for another text."""
    fields = [pair.split("=", 1) for pair in item.split("&")]
    plain = {name: unquote(text) for name, text in fields if "." not in name}
    if not is_hybrid(item) or tuple(plain) != HYBRID_PARTS[1:]:
        raise ValueError(f"not an entry of ours: {item[:80]!r}")
    texts = [unquote(text) for name, text in fields if "." in name]
    return {
        "Name": plain["Name"],
        "Labels": dict(zip(texts[::2], texts[1::2], strict=True)),
        "TS": int(plain["TS"]),
        "Value": json.loads(plain["Value"]),
    }


def _items(rollup: Rollup) -> Iterator[str]:
    for series, summary in rollup.rows:
        labels = labels_of(series.dimensions)
        for ending, value in _endings(values_of(summary, rollup.length)):
            yield (
                f"{labels}&Name={series.metric}_{ending}"
                f"&TS={rollup.start * 1000}&Value={_number(value)}"
            )


@lru_cache(maxsize=1024)
def labels_of(dimensions: Dimensions) -> str:
    """``Labels.1.Key=…&Labels.1.Value=…``, their numbers sorted as text."""
    numbered = sorted((f"{n}.", pair) for n, pair in enumerate(dimensions, 1))
    return "&".join(
        f"Labels.{n}Key={pe(_key(key))}&Labels.{n}Value={pe(value)}"
        for n, (key, value) in numbered
    )


def _key(key: str) -> str:
    """A label's key begins with no digit. Those that would look like one that was mended
    get another ``_`` too, so that keys that differ do, in other series as well."""
    return f"_{key}" if key.lstrip("_")[:1].isdigit() else key


def _number(value: float) -> str:
    if not isfinite(value):
        raise ValueError(f"Out of range: {value!r} is no number that JSON has")
    return pe(repr(value))
