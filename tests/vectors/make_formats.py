"""Files of a spool as this version of the format has them, to be read by all later ones.

``python -m tests.vectors.make_formats`` writes ``spool-v<VERSION>.json`` beside itself,
once: what a release wrote never changes, so a file that is there is left alone. Whoever
raises the version runs it, and the tests then read both.
"""

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from relay.delivery.batch import Batch
from relay.spool.file import FileSpool
from relay.spool.segment import VERSION

FOLDERS = ("spool", "parked")
BATCHES = [
    Batch(
        "1704067200/60/1", 1704067260, ("MetricName=a&Time=1", "MetricName=b&Time=1")
    ),
    Batch(
        "1704067200/60/2", 1704067260, ("MetricName=c&Time=1", "MetricName=d&Time=1")
    ),
    Batch("1704067200/60/3", 1704067260, ("MetricName=e&Time=1",)),
]
"""The first is delivered, of the second a half is, and the other half is parked."""


def written(folder: Path) -> dict[str, str]:
    """The files, in hexadecimal."""
    spool = FileSpool.open(folder, limit_bytes=2**20, max_age_seconds=1e9)
    spool.append(BATCHES)
    spool.take(1704067260.0)
    spool.acknowledge(BATCHES[0].id)
    spool.take(1704067260.0)
    spool.split(BATCHES[1].id)
    spool.take(1704067260.0)
    spool.acknowledge(f"{BATCHES[1].id}.a")
    spool.take(1704067260.0)
    spool.park(f"{BATCHES[1].id}.b", "400: refused")
    spool.close()
    return {
        str(path.relative_to(folder)): path.read_bytes().hex()
        for name in FOLDERS
        for path in sorted((folder / name).iterdir())
    }


def main() -> int:
    path = Path(__file__).with_name(f"spool-v{VERSION}.json")
    if path.exists():
        print(f"{path.name} is there already", file=sys.stderr)
        return 1
    with TemporaryDirectory() as folder:
        path.write_text(json.dumps(written(Path(folder)), indent=1) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
