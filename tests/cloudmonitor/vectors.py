"""The data files that this room's tests walk."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

__all__ = ["Answer", "SignedCase", "answers", "decoded_query", "signatures"]

_FOLDER = Path(__file__).parent.parent / "vectors"


class SignedCase(NamedTuple):
    """A vector and the case it signs, both as they stand in the file."""

    vector: Mapping[str, Any]
    case: Mapping[str, Any]

    def __str__(self) -> str:
        return str(self.vector["id"])


class Answer(NamedTuple):
    """What a code, seen with a status, has to mean."""

    code: str
    status: int
    outcome: str
    message: str

    def __str__(self) -> str:
        return f"{self.code or 'none'}-{self.status}-{self.message[:20]}"


def signatures(name: str) -> tuple[Sequence[SignedCase], Sequence[Mapping[str, Any]]]:
    """The signed cases of ``signature-<name>.json``, and its published examples."""
    whole = json.loads((_FOLDER / f"signature-{name}.json").read_text("utf-8"))
    vectors = [SignedCase(v, whole["cases"][v["case"]]) for v in whole["vectors"]]
    return vectors, whole["documented_examples"]


def answers() -> Iterator[Answer]:
    """The rows of answers.tsv."""
    for line in (_FOLDER / "answers.tsv").read_text("utf-8").splitlines():
        if not line.startswith("#"):
            code, status, outcome, message, *_ = [*line.split("\t"), ""]
            yield Answer(code.strip("-"), int(status), outcome, message)


def decoded_query(url: str) -> dict[str, str]:
    """The parameters of a URL; ``+`` and ``%20`` are blanks."""
    return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))
