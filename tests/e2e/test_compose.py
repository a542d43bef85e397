"""The services of deploy/compose.yaml as plain processes, with the flags they have there."""

import re
import subprocess
import sys
import urllib.request

import pytest

from tests.deploy.composed import services
from tests.e2e.children import Child, clean_environment
from tests.e2e.road import entries, get, wait_until

pytestmark = pytest.mark.e2e

PERIOD = ("--period", "2")


def flags(service: str) -> list[str]:
    """On loopback, at ports that are free."""
    return [
        re.sub(r"0\.0\.0\.0:\d+$", "127.0.0.1:0", word)
        for word in services()[service]["command"]
    ]


def is_well(service: str, url: str) -> bool:
    """What the service's own check says of the process at ``url``."""
    _, python, *words = services()[service]["healthcheck"]["test"]
    assert python == "python"
    asked = [re.sub(r"http://127\.0\.0\.1:\d+", url, word) for word in words]
    done = subprocess.run(
        [sys.executable, *asked],
        env=clean_environment(),
        check=False,
        capture_output=True,
        timeout=30,
    )
    return done.returncode == 0


def test_a_line_goes_the_whole_road() -> None:
    """The relay reports to the emulator, both are well, and Prometheus may ask by name."""
    emulator = Child.start([*flags("emulator"), *PERIOD])
    [sink] = emulator.urls["emulator"]
    words = [
        f"--endpoint={sink}" if word.startswith("--endpoint=") else word
        for word in flags("relay")
    ]
    relay = Child.start([*words, *PERIOD], env=services()["relay"]["environment"])
    [http] = relay.urls["http"]
    assert is_well("relay", http)
    assert is_well("emulator", sink)
    asked = urllib.request.Request(f"{http}/metrics", headers={"Host": "relay:8127"})  # noqa: S310 - our own URL
    with urllib.request.urlopen(asked, timeout=10) as answer:  # noqa: S310 - the same
        assert b"cms_relay_build_info" in answer.read()
    subprocess.run(
        [
            *(sys.executable, "-m", "relay", "send"),
            *("--to", relay.urls["listening"][0], "hello:1|c"),
        ],
        env=clean_environment(),
        check=True,
        timeout=30,
    )
    wait_until("the line is an entry", lambda: bool(entries(sink)))
    [first, *_] = entries(sink)
    assert first["MetricName"] == "hello"
    assert first["Dimensions"] == {"instance": "compose"}
    assert get(f"{http}/healthz")
    assert relay.stop() == 0
    assert emulator.stop() == 0
    assert not is_well("relay", http)
    assert not is_well("emulator", sink)
