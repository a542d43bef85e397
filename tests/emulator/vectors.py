"""The recorded requests of the vendor's SDKs, as the emulator would get them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from relay.emulator.verify import Key
from relay.emulator.wire import Call, read_call

FOLDER = Path(__file__).parents[1] / "vectors"


class Vector(NamedTuple):
    """One recorded request with what its signer knew."""

    name: str
    request: dict[str, Any]
    case: dict[str, Any]
    string_to_sign: str

    @property
    def keys(self) -> dict[str, Key]:
        """The key it was signed with."""
        key = Key(self.case["access_key_secret"], self.case["security_token"])
        return {self.case["access_key_id"]: key}

    @property
    def headers(self) -> dict[str, str]:
        """As sent; the recordings leave Host out where it is not signed."""
        return {"Host": self.case["endpoint"]} | {
            ("Host" if name == "host" else name): value
            for name, value in self.request["headers"].items()
        }

    @property
    def target(self) -> str:
        """The request target."""
        url = urlsplit(self.request["url"])
        return f"{url.path}?{url.query}" if url.query else url.path

    @property
    def body(self) -> bytes:
        """As sent."""
        return str(self.request["body"]).encode()

    @property
    def call(self) -> Call:
        """The request as the emulator reads it."""
        return read_call(
            self.request["method"].encode(),
            self.target.encode(),
            [(k.encode(), v.encode()) for k, v in self.headers.items()],
            self.body,
        )


def vectors() -> Iterator[Vector]:
    """All ninety."""
    for scheme in ("v1", "v3"):
        recorded = json.loads((FOLDER / f"signature-{scheme}.json").read_text("utf-8"))
        for vector in recorded["vectors"]:
            yield Vector(
                name=f"{scheme}-{vector['id']}",
                request=vector["request"],
                case=recorded["cases"][vector["case"]],
                string_to_sign=vector["string_to_sign"],
            )
