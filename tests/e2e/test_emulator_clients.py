"""Used by clients nobody here wrote: they put a metric and read it back."""

import importlib.util
import json
import os
import shutil
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
ROOT = Path(__file__).parents[2]
NODE_MODULES = ROOT / ".npm-peers" / "node_modules"
GO_PROGRAMS = ROOT / ".go-peers"
"""Where ``.ci/run`` puts what it could build or install."""
CLIENTS = [
    ("alibabacloud_cms20190101", "use_alibabacloud_cms.py", "default", "V3"),
    ("alibabacloud_cms20190101", "use_alibabacloud_cms.py", "v2", "V1"),
    ("aliyunsdkcms", "use_aliyun_sdk_cms.py", "default", "V1"),
    ("@alicloud/pop-core", "use_pop_core.js", "POST", "V1"),
    ("@alicloud/pop-core", "use_pop_core.js", "GET", "V1"),
]


@pytest.fixture(scope="module")
def emulator() -> Iterator[str]:
    """The URL of a look-alike in a process of its own."""
    child = Child.start(["emulator", "--listen", "127.0.0.1:0"])
    Child.running.discard(child)  # it serves the whole module
    yield child.urls["emulator"][0]
    assert child.stop() == 0


def need(package: str, script: str) -> None:
    """Skip where the client is not there."""
    if script.endswith(".js"):
        if shutil.which("node") is None:
            pytest.skip("node is not installed")
        if not (NODE_MODULES / package).exists():
            pytest.skip(f"{package} is not in .npm-peers; see .ci/run")
    elif importlib.util.find_spec(package) is None:
        pytest.skip(f"the package {package} is not installed (extra: peers)")


def run_client(emulator: str, script: str, algorithm: str, time_ms: int) -> Any:
    """What the client printed. In a child: importing it warns."""
    in_python = (sys.executable, "-W", "ignore")
    client = subprocess.run(
        [
            *(("node",) if script.endswith(".js") else in_python),
            *(str(SCRIPTS / script), urlsplit(emulator).netloc),
            *(algorithm, str(time_ms)),
        ],
        env=clean_environment() | {"NODE_PATH": str(NODE_MODULES)},
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
    need(package, script)
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


def test_the_aliyun_cli_puts_what_explain_says(emulator: str, tmp_path: Path) -> None:
    """The vendor's own program, with the very command that ``explain --as-cli`` prints."""
    path = f"{GO_PROGRAMS}{os.pathsep}{os.environ['PATH']}"
    if shutil.which("aliyun", path=path) is None:
        pytest.skip("the aliyun CLI is not installed, nor could .ci/run build it")
    line = "peer.cli:42|c|#env:prod"
    explained = subprocess.run(
        [
            *(sys.executable, "-m", "relay", "explain", "--json", "--as-cli"),
            *("--endpoint", emulator, "--instance", "web-1", line),
        ],
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    [accepted] = json.loads(explained.stdout)["accepted"]
    put = subprocess.run(
        ["sh", "-c", accepted["command"]],
        env=clean_environment()
        | {
            "PATH": path,
            "HOME": str(tmp_path),
            "ALIBABA_CLOUD_ACCESS_KEY_ID": "emulator",
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "emulator",
            "ALIBABA_CLOUD_REGION_ID": "cn-hangzhou",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert put.returncode == 0, put.stdout + put.stderr
    assert json.loads(put.stdout)["Code"] == "200"
    assert entries(emulator)[-1]["MetricName"] == "peer_cli"
