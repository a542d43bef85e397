"""Doctor as an operator runs it: beside a relay, and against an emulator that refuses."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from relay.cloudmonitor.contract import ACTION
from tests.e2e.children import ROOT, Child, clean_environment
from tests.e2e.road import KEYS, entries, script

pytestmark = pytest.mark.e2e


def doctor(*words: str, secret: str = "emulator", status: int) -> dict[str, Any]:
    """Its findings by what they are about; it ends with ``status``."""
    keys = KEYS | {"ALIBABA_CLOUD_ACCESS_KEY_SECRET": secret}
    done = subprocess.run(
        [sys.executable, "-m", "relay", "doctor", "--json", "--http", "off", *words],
        check=False,
        capture_output=True,
        env=clean_environment() | keys,
        timeout=60,
    )
    assert done.returncode == status, done.stdout + done.stderr
    assert secret == "emulator" or secret.encode() not in done.stdout + done.stderr
    found = json.loads(done.stdout)["findings"]
    return {one["about"]: one for one in found}


@pytest.fixture
def emulator() -> Iterator[Child]:
    """Alone, with the keys that ``KEYS`` are."""
    child = Child.start(["emulator", "--listen", "127.0.0.1:0"])
    yield child
    assert child.stop() == 0


def at(emulator: Child) -> tuple[str, ...]:
    return "--endpoint", emulator.urls["emulator"][0], "--state", "off"


def test_a_healthy_service_is_read_and_with_write_written_to(emulator: Child) -> None:
    """One value of the one series, and it is found again."""
    url = emulator.urls["emulator"][0]
    before = len(entries(url))
    found = doctor(*at(emulator), status=0)
    assert found["permission"]["mark"] == "skip"
    assert len(entries(url)) == before
    found = doctor(*at(emulator), "--write", status=0)
    assert found["permission"]["mark"] == found["visible"]["mark"] == "ok"
    (entry,) = entries(url)[before:]
    assert entry["MetricName"] == "cms_relay_doctor"
    assert entry["Values"]["LastValue"] == 1


def test_a_wrong_secret_is_the_identity(emulator: Child) -> None:
    """And is not shown."""
    found = doctor(*at(emulator), "--write", secret="canary-secret", status=1)
    assert found["identity"]["mark"] == "fail"
    assert "SignatureDoesNotMatch" in found["identity"]["text"]
    assert found["endpoint"]["mark"] == "ok"


def test_a_policy_that_is_missing_is_named(emulator: Child) -> None:
    """With the file that has it."""
    no = {"status": 403, "code": "NoPermission"}
    script(emulator.urls["emulator"][0], [no, no])
    found = doctor(*at(emulator), "--write", status=1)
    assert found["identity"]["mark"] == "ok"
    assert found["permission"]["mark"] == "fail"
    assert "deploy/ram-policy.json" in found["permission"]["fix"]


def test_nobody_at_the_endpoint() -> None:
    """A port that is closed is told from keys that are wrong."""
    found = doctor("--endpoint", "http://127.0.0.1:1", "--state", "off", status=1)
    assert found["endpoint"]["mark"] == "fail"
    assert "connection refused" in found["endpoint"]["text"]
    assert "identity" not in found


def test_no_keys_at_all_is_a_finding_too(tmp_path: Path) -> None:
    """With what was looked for, and how to give them."""
    done = subprocess.run(
        [sys.executable, "-m", "relay", "doctor", "--endpoint", "http://127.0.0.1:1"],
        check=False,
        capture_output=True,
        env=clean_environment() | {"HOME": str(tmp_path)},
        timeout=60,
    )
    assert done.returncode == 1
    assert b"fail  credentials    none found; looked for" in done.stdout
    assert b"fix: export ALIBABA_CLOUD_ACCESS_KEY_ID" in done.stdout


def test_a_relay_beside_it_is_asked() -> None:
    """Its lines, its series, and its socket."""
    relay = Child.start(
        [
            *("run", "--sink", "null", "--listen", "udp://127.0.0.1:0"),
            *("--http", "127.0.0.1:0"),
        ]
    )
    http = relay.urls["http"][0].removeprefix("http://")
    door = relay.urls["listening"][0]
    found = doctor("--sink", "null", "--listen", door, "--http", http, status=0)
    assert "0 lines, 0 series" in found["relay"]["text"]
    assert "no line has arrived" in found["lines"]["text"]
    assert found["kernel drops"]["mark"] == "ok"
    assert found["service"]["mark"] == "skip"
    assert relay.stop() == 0


def test_a_bad_configuration_is_usage() -> None:
    """As of every command."""
    done = subprocess.run(
        [sys.executable, "-m", "relay", "doctor", "--region", "?"],
        check=False,
        capture_output=True,
        env=clean_environment(),
        timeout=60,
    )
    assert done.returncode == 2
    assert b"region" in done.stderr


def test_the_policy_permits_what_the_relay_calls_and_no_more() -> None:
    """deploy/ram-policy.json."""
    policy = json.loads((ROOT / "deploy" / "ram-policy.json").read_text())
    (statement,) = policy["Statement"]
    assert statement["Action"] == [f"cms:{ACTION}"]
    assert (policy["Version"], statement["Effect"]) == ("1", "Allow")
