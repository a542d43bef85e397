"""deploy/kubernetes and the image: valid by others' judgement, and true to the program."""

import importlib
import importlib.util
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import attrs
import pytest

from relay.settings import Settings
from tests.e2e.children import Child
from tests.e2e.lives import start_emulator
from tests.e2e.road import KEYS, get, status

ROOT = Path(__file__).resolve().parents[2]
BASE = ROOT / "deploy" / "kubernetes" / "base"
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text("utf-8")
VERSIONS = ("1.28", "1.31", "1.34")
NOBODY = 65532

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What ``kubectl apply -k`` would apply."""
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not installed")
    done = subprocess.run(
        ["kubectl", "kustomize", str(BASE)], capture_output=True, text=True, check=True
    )
    path = tmp_path_factory.mktemp("k8s") / "all.yaml"
    path.write_text(done.stdout, "utf-8")
    return path


@pytest.fixture(scope="module")
def objects(rendered: Path) -> dict[str, Any]:
    """By kind."""
    if importlib.util.find_spec("yaml") is None:
        pytest.skip("yaml is not installed (extra: peers)")
    yaml = importlib.import_module("yaml")
    return {one["kind"]: one for one in yaml.safe_load_all(rendered.read_text("utf-8"))}


@pytest.fixture(scope="module")
def pod(objects: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = objects["DaemonSet"]["spec"]["template"]["spec"]
    return found


@pytest.mark.parametrize("version", VERSIONS)
def test_the_objects_are_valid(rendered: Path, version: str) -> None:
    """In clusters of three versions, without a key that they do not know."""
    if importlib.util.find_spec("kubernetes_validate") is None:
        pytest.skip("kubernetes-validate is not installed (extra: peers)")
    words = ("--strict", "--kubernetes-version", version, str(rendered))
    done = subprocess.run(
        [sys.executable, "-m", "kubernetes_validate", *words],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_relay_is_nobody(pod: dict[str, Any]) -> None:
    """No user of a name, no capability, nothing to write to but its state, no token."""
    [relay] = pod["containers"]
    security = relay["securityContext"]
    assert (security["runAsNonRoot"], security["runAsUser"]) == (True, NOBODY)
    assert security["capabilities"] == {"drop": ["ALL"]}
    assert security["readOnlyRootFilesystem"]
    assert not security["allowPrivilegeEscalation"]
    assert not pod["automountServiceAccountToken"]
    writable = [one for one in relay["volumeMounts"] if not one.get("readOnly")]
    assert [one["mountPath"] for one in writable] == ["/var/lib/cms-relay"]
    assert f"USER {NOBODY}:{NOBODY}\n" in DOCKERFILE


def test_the_grace_is_longer_than_a_stop(pod: dict[str, Any]) -> None:
    """Otherwise it is killed while it delivers."""
    assert pod["terminationGracePeriodSeconds"] > Settings().stop_timeout + 5


def test_every_setting_there_is_one(pod: dict[str, Any]) -> None:
    """In the file and among the flags."""
    names = {field.name for field in attrs.fields(Settings)}
    given = tomllib.loads((BASE / "relay.toml").read_text("utf-8"))
    flags = {
        flag.removeprefix("--").partition("=")[0].replace("-", "_")
        for flag in pod["containers"][0]["args"]
        if flag.startswith("--")
    }
    assert set(given) | flags <= names
    assert {"listen", "http", "instance"} <= flags


def test_a_relay_starts_as_the_pod_has_it(pod: dict[str, Any], tmp_path: Path) -> None:
    """Its arguments and its file, but for ports and paths; the probes are answered."""
    keys, state = tmp_path / "credentials.ini", tmp_path / "state"
    keys.write_text(
        "[default]\naccess_key_id = emulator\naccess_key_secret = emulator\n"
    )
    keys.chmod(0o440)
    text = (BASE / "relay.toml").read_text("utf-8")
    for theirs, ours in (
        ("/etc/cms-relay-keys/credentials.ini", keys),
        ("/var/lib/cms-relay", state),
    ):
        assert text.count(theirs) == 1
        text = text.replace(theirs, str(ours))
    emulator = start_emulator(60)
    config = tmp_path / "relay.toml"
    config.write_text(text)
    [relay_] = pod["containers"]
    there = {"HOST_IP": "127.0.0.1", "NODE_NAME": "node-7"}
    arguments = [
        re.sub(r":\d+$", ":0", re.sub(r"\$\((\w+)\)", lambda m: there[m[1]], argument))
        for argument in relay_["args"]
    ]
    arguments[1] = str(config)
    url = emulator.urls["emulator"][0]
    relay = Child.start([*arguments, "--endpoint", url], env=KEYS)
    http = relay.urls["http"][0]
    for probe in ("livenessProbe", "readinessProbe"):
        asked = relay_[probe]["httpGet"]
        assert get(f"{http}{asked['path']}")
        assert f"--http={asked['host']}:{asked['port']}" in relay_["args"]
    assert status(http)["state"] == str(state)
    assert relay.stop() == 0
    assert emulator.stop() == 0


def test_the_image_has_what_it_copies() -> None:
    """Each source is there and not ignored; the program is run, and no shell."""
    sources = re.findall(r"(?m)^COPY (?!--)(.+) \S+$", DOCKERFILE)
    kept = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    for source in " ".join(sources).split():
        assert (ROOT / source).exists()
        assert f"!{source}" in kept
    assert re.findall(r"(?m)^ENTRYPOINT (.+)$", DOCKERFILE) == ['["cms-relay"]']
