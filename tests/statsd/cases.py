"""The tables of lines under tests/vectors, as values; for every room that reads them."""

import base64
import json
from pathlib import Path
from typing import Any, NamedTuple

from relay.statsd.grammar import Grammar, lines
from relay.statsd.sample import Ignored, Item, Refusal, Sample

__all__ = ["Case", "accepted", "all_cases", "cases", "ignored", "items", "refused"]

_FOLDER = Path(__file__).parent.parent / "vectors"
_USUAL: dict[str, Any] = {
    "relative": False,
    "rate": 1.0,
    "tags": {},
    "timestamp": None,
    "container": None,
}


class Case(NamedTuple):
    """A datagram of one line and what it is to become.

    ``accepted`` has the keys of ``explain --json`` but ``metric``, all of them;
    ``refused`` and ``ignored`` are the public words, sorted.
    """

    name: str
    datagram: bytes
    dialects: tuple[str, ...]
    signed_gauge: str
    accepted: list[dict[str, Any]]
    refused: list[str]
    ignored: list[str]


def cases(table: str) -> list[Case]:
    """Every case of ``statsd-<table>.json``, in order."""
    text = (_FOLDER / f"statsd-{table}.json").read_text(encoding="utf-8")
    return [_case(table, row) for row in json.loads(text)["cases"]]


def all_cases() -> list[Case]:
    """The cases of all three tables."""
    return [*cases("etsy"), *cases("dogstatsd"), *cases("dialects")]


def _case(table: str, row: dict[str, Any]) -> Case:
    if "line_b64" in row:
        datagram = base64.b64decode(row["line_b64"])
    else:
        datagram = row["line"].encode()
    return Case(
        f"{table} {datagram!r}: {row['note']}",
        datagram,
        tuple(row.get("dialects", ())),
        row.get("signed_gauge", "delta"),
        [_USUAL | entry for entry in row["accepted"]],
        sorted(row["refused"]),
        sorted(row["ignored"]),
    )


def items(case: Case) -> list[Item]:
    """What the grammar makes of a case."""
    grammar = Grammar(case.dialects, case.signed_gauge)
    return [item for line in lines(case.datagram) for item in grammar.parse(line)]


def accepted(sample: Sample) -> dict[str, Any]:
    """A sample in the form of the tables."""
    entry = sample._asdict() | {
        "kind": sample.kind.value,
        "values": list(sample.values),
        "tags": dict(sample.tags),
        "tags_raw": list(sample.tags_raw),
    }
    return entry if sample.tags_raw else {k: entry[k] for k in entry if k != "tags_raw"}


def refused(found: list[Item]) -> list[str]:
    """The reasons among the items, as public words, sorted."""
    return sorted(one.reason.value for one in found if isinstance(one, Refusal))


def ignored(found: list[Item]) -> list[str]:
    """What was ignored among the items, as public words, sorted."""
    return sorted(one.what.value for one in found if isinstance(one, Ignored))
