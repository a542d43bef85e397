"""Used by clients nobody here wrote: they put a metric and read it back."""

import importlib.util
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.e2e.children import Child, clean_environment
from tests.e2e.road import entries, get

pytestmark = [pytest.mark.e2e, pytest.mark.peer]

SCRIPTS = Path(__file__).parent / "peers"
CLIENTS = [
    ("alibabacloud_cms20190101", "use_alibabacloud_cms.py", "default", "V3"),
    ("alibabacloud_cms20190101", "use_alibabacloud_cms.py", "v2", "V1"),
    ("aliyunsdkcms", "use_aliyun_sdk_cms.py", "default", "V1"),
]


@pytest.fixture(scope="module")
def emulator() -> Iterator[str]:
    """The URL of a look-alike in a process of its own."""
    child = Child.start(["emulator", "--listen", "127.0.0.1:0"])
    Child.running.discard(child)  # it serves the whole module
    yield child.urls["emulator"][0]
    assert child.stop() == 0


def run_client(emulator: str, script: str, algorithm: str, time_ms: int) -> Any:
    """What the client printed. In a child: importing it warns."""
    client = subprocess.run(
        [
            *(sys.executable, "-W", "ignore", str(SCRIPTS / script)),
            *(urlsplit(emulator).netloc, algorithm, str(time_ms)),
        ],
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert client.returncode == 0, client.stderr
    return json.loads(client.stdout.splitlines()[-1])


@pytest.mark.parametrize(("package", "script", "algorithm", "scheme"), CLIENTS)
def test_put_and_read_back(
    emulator: str, package: str, script: str, algorithm: str, scheme: str
) -> None:
    """The vendor's SDKs sign, put and read as they are; what is read is what was put,
    dimensions rewritten as the service rewrites them."""
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"the package {package} is not installed (extra: peers)")
    minute = int(time.time()) // 60 * 60_000
    came = run_client(emulator, script, algorithm, minute)
    assert came["code"] == "200"
    dimension = "app=a_b_c_d&host=web-1"
    assert [series["dimension"] for series in came["series"]] == [dimension]
    newest = came["points"][-1]
    assert (newest["timestamp"], newest["Sum"], newest["SampleCount"]) == (
        minute,
        42,
        40,
    )
    put, *_ = [
        seen
        for line in reversed(get(f"{emulator}/_emulator/requests").splitlines())
        if (seen := json.loads(line))["entries"]
    ]
    assert (put["signature"], put["status"]) == (scheme, 200)
    assert entries(emulator)[-1]["MetricName"] == "peer_metric"
