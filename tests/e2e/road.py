"""Looking at a running relay and emulator from outside, for the tests of the whole road."""

import json
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.e2e.children import Child

KEYS = {
    "ALIBABA_CLOUD_ACCESS_KEY_ID": "emulator",
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "emulator",
}


def get(url: str) -> str:
    """The body of a GET."""
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - our own URL
        return str(answer.read().decode())


def entries(emulator: str) -> list[dict[str, Any]]:
    """Everything the emulator accepted, in order."""
    return [
        json.loads(line) for line in get(f"{emulator}/_emulator/entries").splitlines()
    ]


def status(http: str) -> dict[str, Any]:
    """The relay's own view of itself."""
    answer: dict[str, Any] = json.loads(get(f"{http}/status"))
    return answer


def script(emulator: str, faults: Sequence[Mapping[str, object]]) -> None:
    """What the service does next; with none it is well from now on."""
    request = urllib.request.Request(  # noqa: S310 - our own URL
        f"{emulator}/_emulator/faults",
        json.dumps(faults).encode() if faults else None,
        method="POST" if faults else "DELETE",
    )
    urllib.request.urlopen(request, timeout=10).close()  # noqa: S310


def wait_until(what: str, reached: Callable[[], bool], seconds: float = 60) -> None:
    """Look again until ``reached()`` holds; fails with ``what`` when time is up."""
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def start_relay(emulator: Child, period_seconds: int, *more: str) -> Child:
    """A relay that reports to ``emulator`` over plain HTTP on loopback."""
    return Child.start(
        [
            *("run", "--sink", "cloudmonitor", "--state", "off"),
            *("--endpoint", emulator.urls["emulator"][0]),
            *("--listen", "udp://127.0.0.1:0", "--http", "127.0.0.1:0"),
            *("--period", str(period_seconds), "--instance", "test-host"),
            *("--requests-per-second", "500", "--entries-per-request", "100", *more),
        ],
        env=KEYS,
    )


def assert_ledger_balances(ledger: dict[str, Any]) -> None:
    """Both equations of the ledger, exactly."""
    assert ledger["sections"] == (
        sum(ledger["samples"].values())
        + sum(ledger["refused"].values())
        + sum(ledger["ignored"].values())
    )
    of = ledger["entries"]
    assert of["closed"] == (
        of["acked"]
        + of["partial"]
        + of["parked"]
        + of["waiting"]
        + sum(of["dropped"].values())
    )
