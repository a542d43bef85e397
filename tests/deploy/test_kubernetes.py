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


def test_the_kernel_is_asked_for_the_usual_calls_only(pod: dict[str, Any]) -> None:
    """By the runtime's own profile, for every container."""
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for one in (*pod["initContainers"], *pod["containers"]):
        assert "seccompProfile" not in one["securityContext"]


def test_what_begins_as_root_can_do_one_thing(pod: dict[str, Any]) -> None:
    """It gives the state's folder away, and nobody else is root."""
    [first] = pod["initContainers"]
    security = first["securityContext"]
    assert security["capabilities"] == {"drop": ["ALL"], "add": ["CHOWN", "FOWNER"]}
    assert security["readOnlyRootFilesystem"]
    assert not security["allowPrivilegeEscalation"]
    assert [one["mountPath"] for one in first["volumeMounts"]] == ["/var/lib/cms-relay"]


def test_a_relay_is_on_every_node_and_few_go_at_once(objects: dict[str, Any]) -> None:
    """Tainted nodes have senders too; a rollout takes a tenth of the nodes at a time."""
    spec = objects["DaemonSet"]["spec"]
    assert spec["updateStrategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxUnavailable": "10%"},
    }
    assert spec["template"]["spec"]["tolerations"] == [{"operator": "Exists"}]


def test_what_waits_outlives_the_pod(pod: dict[str, Any]) -> None:
    """The state is a folder of the node."""
    [state] = [one for one in pod["volumes"] if one["name"] == "state"]
    assert state["hostPath"]["type"] == "DirectoryOrCreate"


def test_series_are_named_after_the_node(pod: dict[str, Any]) -> None:
    """A pod's name would make new ones at each rollout."""
    [relay_] = pod["containers"]
    [node] = [one for one in relay_["env"] if one["name"] == "NODE_NAME"]
    assert node["valueFrom"] == {"fieldRef": {"fieldPath": "spec.nodeName"}}
    assert "--instance=$(NODE_NAME)" in relay_["args"]


def test_the_node_s_network_has_its_reason_beside_it(pod: dict[str, Any]) -> None:
    """Whoever takes it out should know what for it was there."""
    assert pod["hostNetwork"]
    assert pod["dnsPolicy"] == "ClusterFirstWithHostNet"
    text = (BASE / "daemonset.yaml").read_text("utf-8")
    assert re.search(r"(?m)^ +# .+\n +hostNetwork: true$", text)


def test_senders_are_told_the_address_that_is_listened_at(pod: dict[str, Any]) -> None:
    """What the page says to put into an application is what the relay binds."""
    [relay_] = pod["containers"]
    [host] = [one for one in relay_["env"] if one["name"] == "HOST_IP"]
    [listen] = [one for one in relay_["args"] if one.startswith("--listen=")]
    port = re.fullmatch(r"--listen=udp://\$\(HOST_IP\):(\d+)", listen)
    assert port
    path = host["valueFrom"]["fieldRef"]["fieldPath"]
    said = (ROOT / "docs" / "kubernetes.rst").read_text("utf-8")
    assert re.search(
        rf"- name: STATSD_HOST\n +valueFrom: {{fieldRef: {{fieldPath: {path}}}}}\n"
        rf' +- name: STATSD_PORT\n +value: "{port[1]}"',
        said,
    )


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


def test_the_image_has_two_stages_and_no_shell() -> None:
    """A wheel is built in the first; of it the second has what was installed."""
    stages = re.split(r"(?m)^FROM .+$", DOCKERFILE)[1:]
    assert len(stages) == 2
    assert re.search(r"pip wheel [^&]*--wheel-dir dist \.", stages[0])
    assert "install" in stages[0].partition("pip wheel")[2]
    assert "RUN" not in stages[1]
    assert re.findall(r"(?m)^COPY (\S+)", stages[1]) == ["--from=build"]
    for word in ("title", "description", "licenses"):
        assert f"org.opencontainers.image.{word}=" in stages[1]
    for word in ("ENTRYPOINT", "CMD"):
        assert re.search(rf"(?m)^{word} \[", stages[1])


def test_the_image_has_what_it_copies() -> None:
    """Each source is there and not ignored; the program is run, and no shell."""
    sources = re.findall(r"(?m)^COPY (?!--)(.+) \S+$", DOCKERFILE)
    kept = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    for source in " ".join(sources).split():
        assert (ROOT / source).exists()
        assert f"!{source}" in kept
    assert re.findall(r"(?m)^ENTRYPOINT (.+)$", DOCKERFILE) == ['["cms-relay"]']
